//! `confirm-registration`: the mailed code confirms the address and makes the password count.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::requests::{form, opens, refresh};
use crate::harness::steps::WRONG_CODE;

#[tokio::test]
async fn a_registered_address_is_confirmed_by_the_mailed_code_and_signs_in_with_the_password() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let registered = browser.register(ADA, PASSWORD).await;
    registered.expect_status(201);
    assert_eq!(registered["user"]["emailVerified"], false);
    assert_eq!(registered["user"]["name"], "Ada Lovelace");
    assert_eq!(
        registered["delivery"],
        json!({ "medium": "EMAIL", "destination": "a***@e***" })
    );

    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);

    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["tokenType"], "Bearer");
    assert_eq!(signed_in["user"]["emailVerified"], true);
    assert_eq!(signed_in["user"]["guestId"], registered["user"]["guestId"]);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    refresh(&mut browser, &signed_in.text("refreshToken"))
        .await
        .expect_status(200);
    let by_code = browser.sign_in(ADA).await;
    by_code.expect_status(200);
    assert_eq!(by_code["user"]["guestId"], registered["user"]["guestId"]);
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn the_tokens_of_a_confirmation_leave_nobody_and_are_revoked() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let calls: Vec<String> = world
        .calls_of("confirm-registration")
        .into_iter()
        .map(|call| call.action)
        .collect();
    assert!(calls.contains(&"RevokeToken".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn a_confirmation_has_three_attempts_and_five_minutes_and_another_mail_begins_them_anew() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    browser
        .confirm(ADA, WRONG_CODE)
        .await
        .expect_problem(400, "INVALID_SESSION");
    browser.register(ADA, PASSWORD).await.expect_status(201);
    let code = world.mail_code(ADA).await;
    for left in [2, 1, 0] {
        let wrong = browser.confirm(ADA, WRONG_CODE).await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], left);
    }
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");

    world.advance(31);
    browser.resend_confirmation(ADA).await.expect_status(202);
    let soon = browser.resend_confirmation(ADA).await;
    soon.expect_problem(429, "RATE_LIMITED");
    assert_eq!(soon.retry_after(), Some(30));
    world.advance(301);
    let code = world.mail_code(ADA).await;
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(410, "OTP_EXPIRED");
    browser.resend_confirmation(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn another_confirmation_mail_is_asked_for_alike_by_everyone_and_sent_to_whom_it_concerns() {
    let world = TestWorld::stopped(&[]).await;
    world
        .browser()
        .register(ADA, PASSWORD)
        .await
        .expect_status(201);
    world.registered("grace@example.com", PASSWORD).await;
    let before = world.mails("grace@example.com").len();
    world.advance(24 * 3600);
    let mut expected = None;
    for email in [ADA, "alan@example.com", "grace@example.com"] {
        let resent = world.browser().resend_confirmation(email).await;
        resent.expect_status(202);
        let (status, headers, mut body) = form(&resent);
        body["delivery"]["destination"].take();
        let seen = (status, headers, body);
        assert_eq!(expected.get_or_insert(seen.clone()), &seen, "{email}");
    }
    assert_eq!(world.mails(ADA).len(), 2);
    assert!(world.mails("alan@example.com").is_empty());
    assert_eq!(world.mails("grace@example.com").len(), before);
    assert_eq!(world.users().await.len(), 2);
}
