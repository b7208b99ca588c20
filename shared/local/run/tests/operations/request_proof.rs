//! `request-proof`: a code proves its guest in one session, for one change, once. Passkeys have
//! `rules/passkey_proofs.rs`.

use reqwest::Method;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::steps::WRONG_CODE;

#[tokio::test]
async fn a_code_counts_for_its_purpose_and_its_session_alone_and_once() {
    let world = TestWorld::start().await;
    let mut one = world.sign_in(ADA).await;
    one.browser.bearer(&one.access_token);
    let mut other = world.sign_in(ADA).await;
    other.browser.bearer(&other.access_token);

    let proof = one.browser.mailed_proof(ADA, "export").await;
    let change = json!({ "proof": proof, "newPassword": PASSWORD });
    let refused = one.browser.post("/me/password", change).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let export = json!({ "proof": proof });
    let refused = other.browser.post("/me/export", export.clone()).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let exported = one.browser.post("/me/export", export.clone()).await;
    exported.expect_status(200);
    let refused = one.browser.post("/me/export", export).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn a_sign_in_code_is_no_proof_and_a_proof_signs_nobody_in() {
    let world = TestWorld::start().await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let session_token = ada.browser.started(ADA).await;
    let code = world.mail_code(ADA).await;
    let proof = json!({ "sessionToken": session_token, "code": code });
    let export = json!({ "proof": proof });
    let refused = ada.browser.post("/me/export", export).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let signed_in = ada.browser.verify(ADA, &code, &session_token).await;
    signed_in.expect_status(200);

    let proof = ada.browser.mailed_proof(ADA, "export").await;
    let (token, code) = (&proof["sessionToken"], &proof["code"]);
    let mut thief = world.browser();
    let refused = thief
        .verify(ADA, code.as_str().unwrap(), token.as_str().unwrap())
        .await;
    refused.expect_problem(400, "INVALID_SESSION");
    let resend = thief.resend(token.as_str().unwrap()).await;
    resend.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn a_code_ends_after_three_wrong_ones_and_after_five_minutes() {
    let world = TestWorld::stopped(&[]).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let mut proof = ada.browser.mailed_proof(ADA, "export").await;
    let right = proof["code"].clone();
    proof["code"] = json!(WRONG_CODE);
    for left in [2, 1, 0] {
        let wrong = json!({ "proof": proof });
        let refused = ada.browser.post("/me/export", wrong).await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(refused["attemptsRemaining"], left);
    }
    proof["code"] = right;
    let spent = ada
        .browser
        .post("/me/export", json!({ "proof": proof }))
        .await;
    spent.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");

    let proof = ada.browser.mailed_proof(ADA, "export").await;
    world.advance(300);
    let late = ada
        .browser
        .post("/me/export", json!({ "proof": proof }))
        .await;
    late.expect_problem(410, "OTP_EXPIRED");
}

#[tokio::test]
async fn strangers_do_not_keep_a_signed_in_guest_from_a_proof() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.sign_in(ADA).await;
    let mut app = world.browser();
    app.bearer(&guest.access_token);
    let mut stranger = world.browser_at("127.0.0.9");
    while stranger.start(ADA).await.status == 200 {}
    let requested = app.post("/me/proof", json!({ "purpose": "delete" })).await;
    requested.expect_status(200);
    assert_eq!(requested["delivery"]["medium"], "EMAIL");
    let unheard = app.post("/me/proof", json!({ "purpose": "tea" })).await;
    unheard.expect_problem(400, "VALIDATION_FAILED");
    for _ in 0..4 {
        let requested = app.post("/me/proof", json!({ "purpose": "delete" })).await;
        requested.expect_status(200);
    }
    let refused = app.post("/me/proof", json!({ "purpose": "delete" })).await;
    refused.expect_problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn the_second_factor_is_wanted_beside_every_proof() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let browser = &mut guest.session.browser;
    let alone = json!({ "password": PASSWORD, "newPassword": OTHER_PASSWORD });
    let refused = browser.post("/me/password", alone).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "mfaCode");
    assert_eq!(refused["errors"][0]["code"], "needed");
    let wrong = json!({ "password": PASSWORD, "mfaCode": "404170" });
    let refused = browser.post("/me/export", wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    let right = json!({ "password": PASSWORD, "backupCode": guest.backup_codes[0] });
    let exported = browser.post("/me/export", right).await;
    exported.expect_status(200);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("request-proof", "mailed", "200", |world| {
            Box::pin(mailed(world))
        }),
        Case::of("request-proof", "by passkey", "200", |world| {
            Box::pin(by_passkey(world))
        }),
    ]
}

async fn by_passkey(world: &TestWorld) -> Stage<'_> {
    let session = world.holder(ADA).await.session;
    let body = json!({ "purpose": "delete", "method": "passkey" });
    Stage::signed_in(session, Method::POST, "/me/proof", body)
}

async fn mailed(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    let body = json!({ "purpose": "delete" });
    Stage::signed_in(session, Method::POST, "/me/proof", body)
}
