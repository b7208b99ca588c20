//! `verify-passkey-setup`: a passkey comes onto its guest's list, and no other.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::assert_told;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;

#[tokio::test]
async fn the_guest_names_it_and_hears_of_it() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let begun = ada
        .browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    let credential = world.device().create(&begun["options"]).await;
    let body = json!({
        "sessionToken": begun["sessionToken"],
        "credential": credential,
        "name": "Kitchen tablet",
    });
    let added = ada.browser.post("/me/passkeys/verify", body).await;
    added.expect_status(201);
    assert_eq!(added["name"], "Kitchen tablet");
    assert_told(&world, "A passkey was added");
}

#[tokio::test]
async fn a_passkey_of_another_origin_is_refused() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let begun = ada
        .browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    let mut options = begun["options"].clone();
    options["rp"]["id"] = json!("shop.example");
    let mut elsewhere = crate::harness::device::Device::at("https://shop.example");
    let credential = elsewhere.create(&options).await;
    let refused = ada.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let listed = ada.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
}

#[tokio::test]
async fn a_passkey_that_the_list_cannot_take_goes_from_cognito_again() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let begun = ada
        .browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    let mut device = world.device();
    let credential = device.create(&begun["options"]).await;
    let before = world.last_call();
    world.fault(Fault::new(FaultKind::Denied, "dynamodb", "UpdateItem").nth(2));
    let failed = ada.browser.complete_passkey(&begun, &credential).await;
    failed.expect_problem(500, "INTERNAL");
    assert_eq!(
        world.cognito_actions_since(before),
        [
            "CompleteWebAuthnRegistration",
            "DeleteWebAuthnCredential",
            "RevokeToken"
        ]
    );
}
