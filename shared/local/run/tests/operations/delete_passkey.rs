//! `delete-passkey`: a passkey that was removed signs nobody in, and sessions end with it.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::assert_told;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::opens;
use crate::harness::steps::MANY_STARTS;

#[tokio::test]
async fn a_removed_passkey_signs_nobody_in_and_the_other_sessions_end() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let id = ada.passkey["passkeyId"].as_str().unwrap().to_owned();
    let other = world.sign_in(ADA).await;
    let started = world.browser().start_passkey(ADA).await;
    let browser = &mut ada.session.browser;
    browser
        .remove_passkey(&id, json!({}))
        .await
        .expect_problem(400, "VALIDATION_FAILED");
    let proof = json!({ "proof": world.mailed_proof(ADA).await });
    browser.remove_passkey(&id, proof).await.expect_status(204);
    assert!(opens(&world, &ada.session.access_token).await);
    assert!(!opens(&world, &other.access_token).await);
    assert_told(&world, "A passkey was removed");

    // Begun before, and refused now; and no other can be begun.
    let credential = ada.device.get(&started["options"]).await;
    let refused = world.browser().prove_passkey(&started, &credential).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
    // The request may come again.
    let proof = json!({ "proof": world.mailed_proof(ADA).await });
    let again = ada.session.browser.remove_passkey(&id, proof).await;
    again.expect_status(204);
}

#[tokio::test]
async fn a_removal_that_failed_half_way_is_finished_by_the_next() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let id = ada.passkey["passkeyId"].as_str().unwrap().to_owned();
    for action in ["DeleteWebAuthnCredential", "AdminUserGlobalSignOut"] {
        world.fault(Fault::new(FaultKind::Denied, "cognito-idp", action));
        let proof = json!({ "proof": world.mailed_proof(ADA).await });
        let failed = ada.session.browser.remove_passkey(&id, proof).await;
        failed.expect_problem(500, "INTERNAL");
        let listed = ada.session.browser.get("/me/passkeys").await;
        assert_eq!(listed["passkeys"].as_array().unwrap().len(), 1);
    }
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let proof = json!({ "proof": world.mailed_proof(ADA).await });
    let removed = ada.session.browser.remove_passkey(&id, proof).await;
    removed.expect_status(204);
}

#[tokio::test]
async fn another_guests_passkey_stays() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let id = ada.passkey["passkeyId"].as_str().unwrap().to_owned();
    let mut eve = world.sign_in(EVE).await;
    eve.browser.bearer(&eve.access_token);
    let proof = json!({ "proof": world.mailed_proof(EVE).await });
    eve.browser
        .remove_passkey(&id, proof)
        .await
        .expect_status(204);
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([ada.passkey]));
}
