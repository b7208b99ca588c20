//! `delete-passkey`: a removed passkey cannot sign in, and sessions end with it.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::authenticator_app::assert_told;
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::opens;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, TestWorld};

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
    let proof = json!({ "proof": browser.mailed_proof(ADA, "passkey").await });
    browser.remove_passkey(&id, proof).await.expect_status(204);
    assert!(opens(&world, &ada.session.access_token).await);
    assert!(!opens(&world, &other.access_token).await);
    assert_told(&world, "A passkey was removed");

    // Begun before, refused now; and no other can begin.
    let credential = ada.device.get(&started["options"]).await;
    let refused = world.browser().prove_passkey(&started, &credential).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
    // The request may come again.
    let proof = json!({ "proof": ada.session.browser.mailed_proof(ADA, "passkey").await });
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
        let proof = json!({ "proof": ada.session.browser.mailed_proof(ADA, "passkey").await });
        let failed = ada.session.browser.remove_passkey(&id, proof).await;
        failed.expect_problem(500, "INTERNAL");
        let listed = ada.session.browser.get("/me/passkeys").await;
        assert_eq!(listed["passkeys"].as_array().unwrap().len(), 1);
    }
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let proof = json!({ "proof": ada.session.browser.mailed_proof(ADA, "passkey").await });
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
    let proof = json!({ "proof": eve.browser.mailed_proof(EVE, "passkey").await });
    eve.browser
        .remove_passkey(&id, proof)
        .await
        .expect_status(204);
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([ada.passkey]));
}

/// Removals.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("delete-passkey", name, "204", prepare)
            .then(|_, stage, answer| Box::pin(is_removed(stage, answer)))
    };
    vec![
        case("proved by password", |world| Box::pin(by_password(world))),
        case("proved with an authenticator", |world| {
            Box::pin(with_an_authenticator(world))
        }),
        case("nothing to remove", |world| {
            Box::pin(nothing_to_remove(world))
        }),
    ]
}

async fn by_password(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let holder = world.holder(ADA).await;
    let (path, body) = (holder.path(), json!({ "password": PASSWORD }));
    Stage::signed_in(holder.session, Method::DELETE, &path, body)
}

async fn with_an_authenticator(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let path = world.holder(ADA).await.path();
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    world.advance(UNTIL_COLD_SECONDS);
    let body = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
    let mut stage = Stage::signed_in(guest.session, Method::DELETE, &path, body);
    stage.app = Some(guest.app);
    stage
}

async fn nothing_to_remove(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let session = world.sign_in(ADA).await;
    let path = format!("/me/passkeys/{}", "A".repeat(43));
    let body = json!({ "password": PASSWORD });
    Stage::signed_in(session, Method::DELETE, &path, body)
}

/// The least that a person must do until their list is empty.
async fn is_removed(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 204 {
        then = Then::SameAgain;
        if stage.act().await.status != 204 {
            then = Then::AnotherCode;
            stage.renew_proofs().await;
            stage.act().await.expect_status(204);
        }
    }
    let listed = stage.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
    then
}
