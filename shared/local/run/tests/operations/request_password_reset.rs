//! `request-password-reset`: a code for a new password is mailed, for every asker.

use serde_json::json;

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD, WRONG_RESET_CODE};
use crate::harness::people::{ADA, ELSEWHERE};
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::{Answer, TestWorld};
use crate::operations::verify_email_change;

#[tokio::test]
async fn a_registration_that_nobody_confirmed_is_taken_over_by_a_reset() {
    let world = TestWorld::start().await;
    let mut eve = world.browser_at("127.0.0.2");
    eve.register(ADA, PASSWORD).await.expect_status(201);
    let mut ada = world.browser();
    let reset = world.reset_password(&mut ada, ADA, OTHER_PASSWORD).await;
    reset.expect_status(204);
    eve.login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let signed_in = ada.login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);
}

/// The owner can always recover, however often a stranger asks: by the stranger's mail, or by a
/// known device.
#[tokio::test]
async fn nobody_is_locked_out_of_their_recovery() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let before = world.mails(ADA).len();
    let mut stranger = world.browser_at("127.0.0.2");
    for asked in 0..20 {
        let answer = stranger.request_reset(ADA).await;
        if asked < 3 {
            answer.expect_status(202);
        } else {
            answer.expect_problem(429, "RATE_LIMITED");
            assert!(answer["challenge"].is_object(), "{}", answer.body);
        }
    }
    assert_eq!(world.mails(ADA).len() - before, 3);
    known.request_reset(ADA).await.expect_status(202);
    for _ in 0..3 {
        stranger
            .confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD)
            .await
            .expect_problem(401, "INVALID_OTP");
    }
    stranger
        .confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD)
        .await
        .expect_problem(429, "RATE_LIMITED");
    let code = world.latest_code_of_reset(ADA);
    known
        .confirm_reset(ADA, &code, OTHER_PASSWORD)
        .await
        .expect_status(204);
    let mut stranger = world.browser_at("127.0.0.3");
    for number in 0..30 {
        let email = format!("guest-{number}@example.com");
        stranger.request_reset(&email).await.expect_status(202);
    }
    stranger
        .request_reset(ADA)
        .await
        .expect_problem(429, "RATE_LIMITED");
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("request-password-reset", name, "202", prepare)
            .then(|case, stage, answer| Box::pin(code_resets(case, stage, answer)))
    };
    vec![
        case("known device", |world| Box::pin(known_device(world))),
        case("mailed", |world| Box::pin(mailed(world))),
        case("mailed after a change of address", |world| {
            Box::pin(mailed_elsewhere(world))
        }),
    ]
}

async fn known_device(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let browser = world.sign_in(ADA).await.browser;
    world.advance(UNTIL_COLD_SECONDS);
    let mut stage = Stage::start_in(browser);
    stage.becomes("/auth/password/reset", json!({ "email": ADA }));
    stage
}

async fn mailed(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    Stage::post(world, "/auth/password/reset", json!({ "email": ADA }))
}

async fn mailed_elsewhere(world: &TestWorld) -> Stage<'_> {
    verify_email_change::changed(world).await;
    Stage::post(world, "/auth/password/reset", json!({ "email": ELSEWHERE }))
}

/// The mailed code sets another password.
async fn code_resets(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    let email = stage.body["email"].as_str().expect("an address").to_owned();
    let code = stage.world.mail_code(&email).await;
    let reset = stage
        .browser
        .confirm_reset(&email, &code, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    then
}
