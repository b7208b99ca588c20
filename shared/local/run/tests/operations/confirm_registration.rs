//! `confirm-registration`: the mailed code and the session token confirm the address, set the
//! password and sign in.

use std::time::Duration;

use auth_local::{Fault, FaultKind};
use serde_json::json;
use tokio::join;

use crate::harness::backstage::{plant_authenticator, plant_guest};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::requests::{opens, refresh};
use crate::harness::stage::{Stage, UNTIL_RESEND_SECONDS};
use crate::harness::steps::{LIFETIME, WRONG_CODE};
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn a_registered_address_is_confirmed_by_the_mailed_code_and_signs_in() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let registered = browser.register(ADA, PASSWORD).await;
    registered.expect_status(201);
    assert_eq!(registered["user"]["emailVerified"], false);
    assert_eq!(registered["user"]["name"], "Ada Lovelace");
    assert_eq!(registered["expiresIn"], LIFETIME);
    assert_eq!(
        registered["delivery"],
        json!({ "medium": "EMAIL", "destination": "a***@e***" })
    );

    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let code = world.mail_code(ADA).await;
    let confirmed = browser
        .confirm(&registered.text("sessionToken"), &code)
        .await;
    confirmed.expect_status(200);
    assert_eq!(confirmed["tokenType"], "Bearer");
    assert_eq!(confirmed["user"]["emailVerified"], true);
    assert_eq!(confirmed["user"]["name"], "Ada Lovelace");
    for stays in ["guestId", "cognitoSub"] {
        assert_eq!(confirmed["user"][stays], registered["user"][stays]);
    }
    assert!(opens(&world, &confirmed.text("accessToken")).await);
    refresh(&mut browser, &confirmed.text("refreshToken"))
        .await
        .expect_status(200);

    let by_code = browser.sign_in(ADA).await;
    by_code.expect_status(200);
    assert_eq!(by_code["user"]["guestId"], registered["user"]["guestId"]);
    browser.login(ADA, PASSWORD).await.expect_status(200);
    assert_eq!(world.subjects(ADA).len(), 2, "two codes, and no notice");
}

/// The tokens of the code may end with the new password: they are revoked, and those of the
/// password leave.
#[tokio::test]
async fn the_tokens_that_the_code_earned_leave_nobody() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let calls: Vec<String> = world
        .calls_of("confirm-registration")
        .into_iter()
        .map(|call| call.action)
        .collect();
    assert!(calls.contains(&"RevokeToken".to_owned()), "{calls:?}");
    let at = |action| calls.iter().position(|call| call == action);
    assert!(at("TransactWriteItems") < at("AdminSetUserPassword"));
    assert!(at("AdminSetUserPassword") < at("AdminInitiateAuth"));
}

#[tokio::test]
async fn the_refresh_token_comes_in_a_cookie_where_that_is_asked_for() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    browser.always("sec-fetch-site", "same-origin");
    let session_token = browser.registering(ADA, PASSWORD).await;
    let code = world.mail_code(ADA).await;
    let confirmation =
        json!({ "sessionToken": session_token, "code": code, "tokenDelivery": "cookie" });
    let confirmed = browser.post("/auth/register/confirm", confirmation).await;
    confirmed.expect_status(200);
    assert!(confirmed["refreshToken"].is_null());
    browser
        .post("/auth/refresh", json!({}))
        .await
        .expect_status(200);
}

/// The confirming browser becomes a known device: strangers do not spend its tries.
#[tokio::test]
async fn the_browser_that_confirms_is_a_known_device() {
    let world = TestWorld::stopped(&[("LOGIN_FAILURES_PER_EMAIL", "1")]).await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let code = world.mail_code(ADA).await;
    let confirmed = browser.confirm(&session_token, &code).await;
    confirmed.expect_status(200);
    let mut stranger = world.browser_at("127.0.0.2");
    for (status, code) in [(401, "INVALID_CREDENTIALS"), (429, "RATE_LIMITED")] {
        stranger
            .login(ADA, OTHER_PASSWORD)
            .await
            .expect_problem(status, code);
    }
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_registration_has_three_attempts_and_no_mail_brings_more() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let code = world.mail_code(ADA).await;
    for left in [2, 1] {
        let wrong = browser.confirm(&session_token, WRONG_CODE).await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], left);
    }
    world.advance(31);
    let resent = browser.resend_confirmation(&session_token).await;
    resent.expect_status(202);
    assert_eq!(
        resent["delivery"],
        json!({ "medium": "EMAIL", "destination": "a***@e***" })
    );
    let wrong = browser.confirm(&session_token, WRONG_CODE).await;
    wrong.expect_problem(401, "INVALID_OTP");
    browser
        .confirm(&session_token, &code)
        .await
        .expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    world.advance(31);
    browser
        .resend_confirmation(&session_token)
        .await
        .expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    // It blocks no registration.
    let session_token = browser.registering(ADA, OTHER_PASSWORD).await;
    let code = world.mail_code(ADA).await;
    let confirmed = browser.confirm(&session_token, &code).await;
    confirmed.expect_status(200);
    browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_registration_ends_after_five_minutes_re_sends_included() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let first = world.mail_code(ADA).await;
    let soon = browser.resend_confirmation(&session_token).await;
    soon.expect_problem(429, "RATE_LIMITED");
    assert_eq!(soon.retry_after(), Some(30));
    world.advance(LIFETIME - 61);
    let resent = browser.resend_confirmation(&session_token).await;
    resent.expect_status(202);
    let second = world.mail_code(ADA).await;
    assert_ne!(first, second);
    world.advance(61);
    for code in [first, second] {
        browser
            .confirm(&session_token, &code)
            .await
            .expect_problem(410, "OTP_EXPIRED");
    }
    browser
        .resend_confirmation(&session_token)
        .await
        .expect_problem(410, "OTP_EXPIRED");
}

/// A mail may take a minute, so no code is mailed that would arrive after the end.
#[tokio::test]
async fn no_confirmation_is_mailed_in_the_last_minute() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let first = world.mail_code(ADA).await;
    world.advance(LIFETIME - 60);
    let late = browser.resend_confirmation(&session_token).await;
    late.expect_problem(410, "OTP_EXPIRED");
    assert_eq!(world.mails(ADA).len(), 1);
    // The earlier code still works.
    browser
        .confirm(&session_token, &first)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn the_code_of_an_earlier_mail_confirms_too_and_a_token_works_once() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let first = world.mail_code(ADA).await;
    world.advance(31);
    let resent = browser.resend_confirmation(&session_token).await;
    resent.expect_status(202);
    let confirmed = browser.confirm(&session_token, &first).await;
    confirmed.expect_status(200);
    let second = world.mail_code(ADA).await;
    browser
        .confirm(&session_token, &second)
        .await
        .expect_problem(409, "SIGN_IN_COMPLETED");
}

/// A token is valid only for the operation that it was made for.
#[tokio::test]
async fn tokens_of_sign_ins_and_of_registrations_are_strangers_to_each_other() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let registration = browser.registering(ADA, PASSWORD).await;
    let registered = world.mail_code(ADA).await;
    let sign_in = browser.started(ADA).await;
    let code = world.mail_code(ADA).await;
    world.advance(31);
    for refused in [
        browser.verify(ADA, &registered, &registration).await,
        browser.resend(&registration).await,
        browser.confirm(&sign_in, &code).await,
        browser.resend_confirmation(&sign_in).await,
    ] {
        refused.expect_problem(400, "INVALID_SESSION");
    }
    let confirmed = browser.confirm(&registration, &registered).await;
    confirmed.expect_status(200);
    let verified = browser.verify(ADA, &code, &sign_in).await;
    verified.expect_status(200);
    assert_eq!(confirmed["user"]["guestId"], verified["user"]["guestId"]);
}

/// A guest of a booking or an import waits at the address. The answer to a registration does not
/// reveal the guest, and the confirmation binds the guest.
#[tokio::test]
async fn a_guest_who_waits_at_the_address_is_bound_and_keeps_the_number() {
    let world = TestWorld::start().await;
    world
        .put_guest_without_user(ADA, "GST-2025-7K3QXB", "Imported")
        .await;
    let mut browser = world.browser();
    let registered = browser.register(ADA, PASSWORD).await;
    registered.expect_status(201);
    assert_ne!(registered["user"]["guestId"], "GST-2025-7K3QXB");
    let code = world.mail_code(ADA).await;
    let confirmed = browser
        .confirm(&registered.text("sessionToken"), &code)
        .await;
    confirmed.expect_status(200);
    assert_eq!(confirmed["user"]["guestId"], "GST-2025-7K3QXB");
    assert_eq!(confirmed["user"]["name"], "Ada Lovelace");
    browser.login(ADA, PASSWORD).await.expect_status(200);
    assert_eq!(world.guests().await.len(), 1);
}

/// The write that makes the guest decides. A registration that hangs before it and loses sets no
/// password.
#[tokio::test]
async fn a_confirmation_that_is_overtaken_by_a_sign_in_sets_no_password() {
    let world = TestWorld::start().await;
    let mut eve = world.browser_at("127.0.0.2");
    let eves = eve.registering(ADA, PASSWORD).await;
    let eves_code = world.mail_code(ADA).await;
    let mut ada = world.browser();
    let adas = ada.started(ADA).await;
    let adas_code = world.mail_code(ADA).await;
    let hangs = Fault::new(FaultKind::Delay, "dynamodb", "TransactWriteItems")
        .of("confirm-registration")
        .lasting(Duration::from_millis(700));
    world.fault(hangs);
    let (confirmed, signed_in) = join!(eve.confirm(&eves, &eves_code), async {
        tokio::time::sleep(Duration::from_millis(200)).await;
        ada.verify(ADA, &adas_code, &adas).await
    });
    signed_in.expect_status(200);
    confirmed.expect_problem(400, "INVALID_SESSION");
    assert_eq!(world.count("AdminSetUserPassword"), 0);
    assert_eq!(signed_in["user"].get("name"), None);
    eve.login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
}

/// A registration that failed after it had made its guest continues with another mail, unless a
/// password was set since.
#[tokio::test]
async fn a_registration_that_failed_half_way_goes_on_until_a_password_is_set() {
    for is_reset in [false, true] {
        let world = TestWorld::start().await;
        let mut browser = world.browser();
        let session_token = browser.registering(ADA, PASSWORD).await;
        let code = world.mail_code(ADA).await;
        let fault = Fault::new(FaultKind::Internal, "cognito-idp", "AdminSetUserPassword");
        world.fault(fault.times(3));
        let failed = browser.confirm(&session_token, &code).await;
        failed.expect_problem(503, "SERVICE_UNAVAILABLE");
        assert_eq!(world.guests().await.len(), 1);
        if is_reset {
            let reset = world
                .reset_password(&mut browser, ADA, OTHER_PASSWORD)
                .await;
            reset.expect_status(204);
        }
        world.advance(31);
        let resent = browser.resend_confirmation(&session_token).await;
        if is_reset {
            resent.expect_problem(400, "INVALID_SESSION");
            browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
        } else {
            resent.expect_status(202);
            let code = world.mail_code(ADA).await;
            let confirmed = browser.confirm(&session_token, &code).await;
            confirmed.expect_status(200);
            browser.login(ADA, PASSWORD).await.expect_status(200);
        }
        assert_eq!(world.guests().await.len(), 1);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("confirm-registration", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_confirmed(stage, answer)))
    };
    vec![
        case("confirmed", |world| Box::pin(confirmation(world))),
        case("guest without a user", |world| {
            Box::pin(waiting_guest(world))
        }),
        case("guest with an authenticator", |world| {
            Box::pin(guarded_guest(world))
        }),
        Case::of(
            "confirm-registration",
            "wrong code",
            "401 INVALID_OTP",
            |world| Box::pin(wrong_code(world)),
        )
        .then(|case, stage, answer| Box::pin(mends_the_code(case, stage, answer))),
        Case::of("confirm-registration", "mailed again", "202", |world| {
            Box::pin(mailed_again(world))
        })
        .then(|case, stage, answer| Box::pin(mailed_code_confirms(case, stage, answer))),
    ]
}

const PATH: &str = "/auth/register/confirm";

async fn registered(world: &TestWorld) -> Stage<'_> {
    let mut stage = Stage::registration(world);
    let registered = stage.act().await;
    registered.expect_status(201);
    stage.session_token = registered.text("sessionToken");
    stage
}

async fn confirmation(world: &TestWorld) -> Stage<'_> {
    let mut stage = registered(world).await;
    becomes_confirmation(&mut stage).await;
    stage
}

async fn waiting_guest(world: &TestWorld) -> Stage<'_> {
    plant_guest(world, ADA, "GST-2026-7K3QXB").await;
    confirmation(world).await
}

/// The registration has failed after it had made its guest, who has since set up an authenticator.
async fn guarded_guest(world: &TestWorld) -> Stage<'_> {
    let mut stage = confirmation(world).await;
    let fault = Fault::new(FaultKind::Denied, "cognito-idp", "AdminSetUserPassword");
    world.fault(fault);
    stage.act().await.expect_status(500);
    plant_authenticator(world, ADA).await;
    world.advance(UNTIL_RESEND_SECONDS);
    becomes_mail(&mut stage);
    stage.act().await.expect_status(202);
    becomes_confirmation(&mut stage).await;
    stage
}

async fn wrong_code(world: &TestWorld) -> Stage<'_> {
    let mut stage = confirmation(world).await;
    stage.spoil_code();
    stage
}

async fn mailed_again(world: &TestWorld) -> Stage<'_> {
    let mut stage = registered(world).await;
    world.advance(UNTIL_RESEND_SECONDS);
    becomes_mail(&mut stage);
    stage
}

/// The confirmation by the newest code.
async fn becomes_confirmation(stage: &mut Stage<'_>) {
    let code = stage.world.mail_code(ADA).await;
    let body = json!({ "sessionToken": stage.session_token, "code": code });
    stage.becomes(PATH, body);
}

/// The request for another mail of the same registration.
fn becomes_mail(stage: &mut Stage<'_>) {
    let body = json!({ "sessionToken": stage.session_token, "resend": true });
    stage.becomes(PATH, body);
}

/// A person's shortest path to a confirmed registration. A confirmed one sends no more mails.
async fn is_confirmed(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    stage.world.advance(UNTIL_RESEND_SECONDS);
    becomes_mail(stage);
    let mailed = stage.act().await;
    let then = if mailed["code"] == "MAX_ATTEMPTS_EXCEEDED" {
        // That was the last attempt of a continuing registration. Only a sign-in's mail helps now.
        let signed_in = stage.world.browser().sign_in(ADA).await;
        signed_in.expect_status(200);
        return Then::FreshStart;
    } else if mailed.status == 202 {
        becomes_confirmation(stage).await;
        stage.act().await.expect_status(200);
        Then::AnotherCode
    } else {
        mailed.expect_problem(400, "INVALID_SESSION");
        Then::Done
    };
    let mut login = Stage::login(stage.world, PASSWORD);
    login.act().await.expect_status(200);
    then
}

async fn mends_the_code(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    stage.mend_code();
    stage.act().await.expect_status(200);
    then
}

async fn mailed_code_confirms(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    becomes_confirmation(stage).await;
    stage.act().await.expect_status(200);
    then
}
