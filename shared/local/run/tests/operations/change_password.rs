//! `change-password`: a fresh proof sets another password, and ends the other sessions.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::requests::{opens, refresh};
use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

const PATH: &str = "/me/password";

#[tokio::test]
async fn another_password_counts_from_then_on_and_other_sessions_end() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut other = world.sign_in(ADA).await;
    world.advance(2);
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    world.advance(2);
    let change = json!({ "password": PASSWORD, "newPassword": OTHER_PASSWORD });
    let changed = ada.browser.post(PATH, change).await;
    changed.expect_status(204);
    assert!(opens(&world, &ada.access_token).await);
    assert!(!opens(&world, &other.access_token).await);
    let refused = refresh(&mut other.browser, &other.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let changed = "Your password was changed".to_owned();
    assert!(world.subjects(ADA).contains(&changed));
    let mut browser = world.browser();
    let refused = browser.login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_guest_without_a_password_sets_the_first_one_by_a_mailed_code() {
    let world = TestWorld::stopped(&[]).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let proof = ada.browser.mailed_proof(ADA, "password").await;
    let change = json!({ "proof": proof, "newPassword": PASSWORD });
    let changed = ada.browser.post(PATH, change).await;
    changed.expect_status(204);
    world.advance(2);
    let mut browser = world.browser();
    browser.login(ADA, PASSWORD).await.expect_status(200);
    // The claim of the address knows of it, so a sign-in by code takes no password away.
    browser.sign_in(ADA).await.expect_status(200);
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_password_that_breaks_a_rule_or_a_wrong_proof_changes_nothing() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    for (change, status, problem) in [
        (
            json!({ "password": PASSWORD, "newPassword": "short" }),
            400,
            "VALIDATION_FAILED",
        ),
        (
            json!({ "password": PASSWORD, "newPassword": "ada@example.com" }),
            400,
            "VALIDATION_FAILED",
        ),
        (
            json!({ "password": "not the password", "newPassword": OTHER_PASSWORD }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "newPassword": OTHER_PASSWORD }),
            400,
            "VALIDATION_FAILED",
        ),
    ] {
        let refused = ada.browser.post(PATH, change).await;
        refused.expect_problem(status, problem);
    }
    let mut browser = world.browser();
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_change_that_failed_half_way_is_finished_by_the_next() {
    for (service, action) in [
        ("cognito-idp", "AdminSetUserPassword"),
        ("cognito-idp", "AdminUserGlobalSignOut"),
        ("dynamodb", "TransactWriteItems"),
    ] {
        for kind in [FaultKind::Denied, FaultKind::Lost] {
            let world = TestWorld::stopped(&[]).await;
            world.registered(ADA, PASSWORD).await;
            let other = world.sign_in(ADA).await;
            world.advance(2);
            let mut ada = world.sign_in(ADA).await;
            ada.browser.bearer(&ada.access_token);
            world.advance(2);
            let fault = Fault::new(kind, service, action).of("change-password");
            world.fault(fault.times(10));
            let change = json!({ "password": PASSWORD, "newPassword": OTHER_PASSWORD });
            let failed = ada.browser.post(PATH, change).await;
            assert!(failed.status >= 500, "{action}: {}", failed.body);
            world.clear_faults();
            world.advance(2);
            let proof = ada.browser.mailed_proof(ADA, "password").await;
            let again = json!({ "proof": proof, "newPassword": OTHER_PASSWORD });
            let changed = ada.browser.post(PATH, again).await;
            changed.expect_status(204);
            assert!(!opens(&world, &other.access_token).await, "{action}");
            let mut browser = world.browser();
            browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
        }
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("change-password", name, "204", prepare)
            .then(|_, stage, answer| Box::pin(is_changed(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(
                world,
                PATH,
                json!({ "newPassword": OTHER_PASSWORD }),
            ))
        }),
        case("proved by mail, with an authenticator", |world| {
            Box::pin(Stage::proved_by_both(
                world,
                PATH,
                json!({ "newPassword": OTHER_PASSWORD }),
            ))
        }),
        case("proved by passkey", |world| {
            Box::pin(Stage::proved_by_passkey(
                world,
                PATH,
                json!({ "newPassword": OTHER_PASSWORD }),
            ))
        }),
    ]
}

/// The least that a person must do until the new password signs in.
async fn is_changed(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 204 {
        then = Then::SameAgain;
        if stage.act().await.status != 204 {
            then = Then::AnotherCode;
            // Cognito may have the new one.
            if stage.body["password"].is_string() {
                stage.body["password"] = json!(OTHER_PASSWORD);
            }
            stage.renew_proofs().await;
            stage.act().await.expect_status(204);
        }
    }
    let signed_in = stage.world.browser().login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    then
}
