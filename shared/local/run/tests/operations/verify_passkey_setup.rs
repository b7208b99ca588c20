//! `verify-passkey-setup`: a passkey gets onto its guest's list, and onto no other.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::authenticator_app::assert_told;
use crate::harness::case::{Case, Then};
use crate::harness::device::Device;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::steps::{SECOND_FACTOR_REQUIRED, USER_VERIFICATION_REQUIRED};
use crate::harness::{Answer, TestWorld};

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
    let mut elsewhere = Device::at("https://shop.example");
    let credential = elsewhere.create(&options).await;
    let refused = ada.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let listed = ada.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
}

#[tokio::test]
async fn a_device_that_verifies_nobody_registers_nothing_where_that_is_demanded() {
    let world = TestWorld::with_settings(&USER_VERIFICATION_REQUIRED).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let proof = json!({ "proof": ada.browser.mailed_proof(ADA, "passkey").await });
    let begun = ada.browser.set_up_passkey(proof).await;
    let mut options = begun["options"].clone();
    let verification = &mut options["authenticatorSelection"]["userVerification"];
    assert_eq!(*verification, "required");
    *verification = json!("discouraged");
    let mut touch = Device::without_verification(&world.origin());
    let credential = touch.create(&options).await;
    let before = world.last_call();
    let refused = ada.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let asked = world.cognito_actions_since(before);
    assert_eq!(asked, ["GetSigningKeys", "RevokeToken"]);
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
    world.fault(Fault::new(
        FaultKind::Denied,
        "dynamodb",
        "TransactWriteItems",
    ));
    let failed = ada.browser.complete_passkey(&begun, &credential).await;
    failed.expect_problem(500, "INTERNAL");
    assert_eq!(
        world.cognito_actions_since(before),
        [
            "GetSigningKeys",
            "CompleteWebAuthnRegistration",
            "DeleteWebAuthnCredential",
            "RevokeToken"
        ]
    );
}

/// The end of a registration.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("verify-passkey-setup", "registered", "201", |world| {
            Box::pin(completion(world))
        })
        .then(|case, stage, answer| Box::pin(is_registered(case, stage, answer))),
        Case::of(
            "verify-passkey-setup",
            "refused",
            "400 INVALID_SESSION",
            |world| Box::pin(broken_completion(world)),
        ),
        Case::of(
            "verify-passkey-setup",
            "for a sign-in that waits",
            "201",
            |world| Box::pin(waited_for(world)),
        )
        .with(&SECOND_FACTOR_REQUIRED)
        .then(|_, stage, answer| Box::pin(is_signed_in(stage, answer))),
    ]
}

async fn waited_for(world: &TestWorld) -> Stage<'_> {
    let mut browser = world.browser();
    let waiting = browser.sign_in(ADA).await["sessionToken"].clone();
    let proof = world.mailed_sign_in(ADA).await;
    let body = json!({ "sessionToken": waiting, "proof": proof });
    let begun = browser.set_up_passkey(body).await;
    begun.expect_status(200);
    let mut device = world.device();
    let credential = device.create(&begun["options"]).await;
    let body = json!({ "sessionToken": begun["sessionToken"], "credential": credential });
    let mut stage = Stage::post(world, "/me/passkeys/verify", body);
    stage.device = Some(device);
    stage
}

/// A person's shortest path to a sign-in by a passkey. If a passkey is on the list although its
/// answer was lost, it signs in.
async fn is_signed_in(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer["accessToken"].is_string() {
        return Then::Nothing;
    }
    if answer.status != 201 && stage.act().await["accessToken"].is_string() {
        return Then::SameAgain;
    }
    let again = stage.browser.sign_in(ADA).await;
    let mut device = stage.device.take().expect("a device");
    let signed_in = if again.status == 403 {
        stage.browser.passkey_sign_in(ADA, &mut device).await
    } else {
        let waiting = again["sessionToken"].clone();
        let proof = stage.world.mailed_sign_in(ADA).await;
        let mut fresh = stage.world.device();
        let body = json!({ "sessionToken": waiting, "proof": proof });
        stage.browser.add_passkey(body, &mut fresh).await
    };
    assert!(signed_in["accessToken"].is_string(), "{}", signed_in.body);
    Then::FreshStart
}

async fn completion(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = json!({ "password": PASSWORD });
    let begun = session.browser.set_up_passkey(proof).await;
    begun.expect_status(200);
    let credential = world.device().create(&begun["options"]).await;
    let body = json!({ "sessionToken": begun["sessionToken"], "credential": credential });
    Stage::signed_in(session, Method::POST, "/me/passkeys/verify", body)
}

/// The attestation is no object that Cognito can read.
async fn broken_completion(world: &TestWorld) -> Stage<'_> {
    let mut stage = completion(world).await;
    stage.body["credential"]["response"]["attestationObject"] = json!("oA");
    stage
}

/// A person's shortest path to a new passkey on the list. An entry whose answer was lost cannot
/// sign in, and the guest can remove it.
async fn is_registered(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if case.is_healthy(answer) {
        return Then::Nothing;
    }
    if case.is_healthy(&stage.act().await) {
        return Then::SameAgain;
    }
    let listed = stage.browser.get("/me/passkeys").await;
    for dead in listed["passkeys"].as_array().expect("a list") {
        let id = dead["passkeyId"].as_str().expect("an id");
        let proof = json!({ "password": PASSWORD });
        let removed = stage.browser.remove_passkey(id, proof).await;
        removed.expect_status(204);
    }
    let mut device = stage.world.device();
    let proof = json!({ "password": PASSWORD });
    let added = stage.browser.add_passkey(proof, &mut device).await;
    added.expect_status(201);
    let listed = stage.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([added.body]));
    Then::FreshStart
}
