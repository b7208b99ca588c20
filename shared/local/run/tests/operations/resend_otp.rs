//! `resend-otp`: another mail of the same sign-in.

use cognito_local::UnknownUser;

use crate::harness::backstage::delete_user;
use crate::harness::case::{Case, Then};
use crate::harness::people::ADA;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::{LIFETIME, WRONG_CODE, resent};
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn both_codes_work_after_a_resend_until_the_end_that_the_start_set() {
    for mail in [0, 1] {
        let world = TestWorld::stopped(&[]).await;
        let (session_token, codes) = resent(&world).await;
        world.advance(LIFETIME - 30 - 1);
        let proof = world
            .browser()
            .verify(ADA, &codes[mail], &session_token)
            .await;
        proof.expect_status(200);
    }
}

#[tokio::test]
async fn neither_code_outlives_the_five_minutes_from_the_start() {
    let world = TestWorld::stopped(&[]).await;
    let (session_token, codes) = resent(&world).await;
    world.advance(LIFETIME - 30);
    for code in &codes {
        let late = world.browser().verify(ADA, code, &session_token).await;
        late.expect_problem(410, "OTP_EXPIRED");
    }
    let later = world.browser().resend(&session_token).await;
    later.expect_problem(410, "OTP_EXPIRED");
    assert_eq!(world.mails(ADA).len(), 2);
}

/// A mail may take a minute, so no code is mailed that would arrive after the end.
#[tokio::test]
async fn no_code_is_mailed_in_the_last_minute() {
    for (seconds, status) in [
        (LIFETIME - 61, 200),
        (LIFETIME - 60, 410),
        (LIFETIME - 1, 410),
    ] {
        let world = TestWorld::stopped(&[]).await;
        let mut browser = world.browser();
        let session_token = browser.started(ADA).await;
        let first = world.mail_code(ADA).await;
        world.advance(seconds);
        let resent = browser.resend(&session_token).await;
        if status == 200 {
            resent.expect_status(200);
            assert_eq!(resent["expiresIn"], LIFETIME - seconds);
        } else {
            resent.expect_problem(status, "OTP_EXPIRED");
            assert_eq!(world.mails(ADA).len(), 1);
        }
        // The earlier code still works.
        let proof = browser.verify(ADA, &first, &session_token).await;
        proof.expect_status(200);
    }
}

/// NIST SP 800-63B-4 §3.1.3.2: a new code does not reset the count.
#[tokio::test]
async fn a_resend_gives_no_attempt_back() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    for remaining in [2, 1] {
        let wrong = browser.verify(ADA, WRONG_CODE, &session_token).await;
        assert_eq!(wrong["attemptsRemaining"], remaining);
    }
    world.advance(30);
    browser.resend(&session_token).await.expect_status(200);
    let code = world.mail_code(ADA).await;
    let wrong = browser.verify(ADA, WRONG_CODE, &session_token).await;
    assert_eq!(wrong["attemptsRemaining"], 0);
    let right = browser.verify(ADA, &code, &session_token).await;
    right.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");

    world.advance(30);
    let resent = browser.resend(&session_token).await;
    resent.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    assert_eq!(resent.retry_after(), Some(LIFETIME - 60));
    assert_eq!(world.mails(ADA).len(), 2);
}

#[tokio::test]
async fn two_resends_at_once_bring_one_mail() {
    let world = TestWorld::start().await;
    let mut stage = Stage::second_mail(&world).await;
    let mut other = world.browser();
    let body = stage.body.clone();
    let (one, two) = tokio::join!(stage.act(), other.post("/auth/otp/resend", body));
    let mut statuses = [one.status, two.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 429]);
    assert_eq!(world.mails(ADA).len(), 2, "the first one and one more");
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("resend-otp", "known device", "200", |world| {
            Box::pin(known_device(world))
        })
        .not_by_tool()
        .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        Case::of("resend-otp", "sent", "200", |world| {
            Box::pin(Stage::second_mail(world))
        })
        .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        Case::of("resend-otp", "choice offered", "200", |world| {
            Box::pin(choice_offered(world))
        }),
    ]
}

async fn known_device(world: &TestWorld) -> Stage<'_> {
    let browser = world.sign_in(ADA).await.browser;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::second_mail_in(browser).await
}

/// The user has gone since the start.
async fn choice_offered(world: &TestWorld) -> Stage<'_> {
    let stage = Stage::second_mail(world).await;
    delete_user(world, ADA).await;
    world
        .cognito()
        .set_unknown_user(UnknownUser::SelectChallenge);
    stage
}

/// The code that was mailed signs in.
async fn signs_in(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    stage.prove_newest().await.expect_status(200);
    then
}
