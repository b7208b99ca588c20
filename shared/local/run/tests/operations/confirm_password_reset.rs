//! `confirm-password-reset`: a mailed code sets a new password and ends every session.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::authenticator_app::code;
use crate::harness::backstage::make_user_with_password;
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD, WRONG_RESET_CODE};
use crate::harness::people::ADA;
use crate::harness::requests::{counted, opens, refresh};
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, at_once};
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn a_reset_ends_every_session_and_gives_no_tokens() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let before = browser.login(ADA, PASSWORD).await;
    before.expect_status(200);
    let by_code = world.browser().sign_in(ADA).await;
    world.advance(1);
    let reset = world
        .reset_password(&mut browser, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    assert!(reset.bytes.is_empty() && reset.headers.get("set-cookie").is_none());
    for ended in [&before, &by_code] {
        assert!(!opens(&world, &ended.text("accessToken")).await);
        refresh(&mut browser, &ended.text("refreshToken"))
            .await
            .expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    world.advance(1);
    let signed_in = browser.login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    assert!(
        world
            .subjects(ADA)
            .contains(&"Your password was changed".to_owned())
    );
}

/// Each half of ending the sessions is useful without the other, and the guest gets the notice of
/// the new password in any case.
#[tokio::test]
async fn a_reset_that_half_fails_ends_every_session_all_the_same() {
    for (service, action) in [
        ("cognito-idp", "AdminUserGlobalSignOut"),
        ("dynamodb", "TransactWriteItems"),
    ] {
        let world = TestWorld::stopped(&[]).await;
        world.registered(ADA, PASSWORD).await;
        let mut browser = world.browser();
        let before = browser.login(ADA, PASSWORD).await;
        before.expect_status(200);
        world.advance(2);
        browser.request_reset(ADA).await.expect_status(202);
        let code = world.mail_code(ADA).await;
        let denied = Fault::new(FaultKind::Denied, service, action);
        world.fault(denied.of("confirm-password-reset"));
        let reset = browser.confirm_reset(ADA, &code, OTHER_PASSWORD).await;
        reset.expect_problem(500, "INTERNAL");
        let changed = "Your password was changed".to_owned();
        assert!(world.subjects(ADA).contains(&changed), "{action}");
        world.advance(2);
        let refreshed = refresh(&mut browser, &before.text("refreshToken")).await;
        refreshed.expect_problem(401, "INVALID_REFRESH_TOKEN");
        let signed_in = browser.login(ADA, OTHER_PASSWORD).await;
        signed_in.expect_status(200);
        assert!(opens(&world, &signed_in.text("accessToken")).await);
    }
}

#[tokio::test]
async fn who_signs_in_by_code_can_add_a_password() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = world.browser();
    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let reset = world.reset_password(&mut browser, ADA, PASSWORD).await;
    reset.expect_status(204);
    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["guestId"], guest.user["guestId"]);
    browser.sign_in(ADA).await.expect_status(200);
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_code_for_a_new_password_works_once_and_for_an_hour() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    browser.request_reset(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    world.advance(3599);
    browser
        .confirm_reset(ADA, &code, OTHER_PASSWORD)
        .await
        .expect_status(204);
    browser
        .confirm_reset(ADA, &code, PASSWORD)
        .await
        .expect_problem(401, "INVALID_OTP");
    browser.request_reset(ADA).await.expect_status(202);
    let code = world.latest_code_of_reset(ADA);
    world.advance(3601);
    browser
        .confirm_reset(ADA, &code, PASSWORD)
        .await
        .expect_problem(401, "INVALID_OTP");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_wrong_reset_codes_at_once_three_reach_cognito() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    world.browser().request_reset(ADA).await.expect_status(202);
    let guesses = (0..50).map(|_| {
        let world = &world;
        async move {
            let mut browser = world.browser();
            let guess = browser.confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD);
            guess.await.status
        }
    });
    let statuses = at_once(guesses).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3);
    assert_eq!(world.count("ConfirmForgotPassword"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_right_reset_code_sent_twice_at_once_sets_one_password() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let (mut one, mut two) = (world.browser(), world.browser());
    one.request_reset(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    let (first, second) = tokio::join!(
        one.confirm_reset(ADA, &code, OTHER_PASSWORD),
        two.confirm_reset(ADA, &code, "eleven lives, and a dog")
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401]);
    let winner = if first.status == 204 {
        OTHER_PASSWORD
    } else {
        "eleven lives, and a dog"
    };
    one.login(ADA, winner).await.expect_status(200);
}

/// The code proves the address, so the reset makes the guest.
#[tokio::test]
async fn a_guest_whom_a_reset_makes_counts_once() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    make_user_with_password(&world, ADA, PASSWORD).await;
    let mut browser = world.browser();
    for password in [OTHER_PASSWORD, PASSWORD] {
        let reset = world.reset_password(&mut browser, ADA, password).await;
        reset.expect_status(204);
        assert_eq!(world.guests().await.len(), 1);
        assert_eq!(counted(&world, "GuestsCreated"), 1);
    }
}

/// ASVS 5.0 6.4.3: a reset does not bypass the second factor.
#[tokio::test]
async fn recovery_does_not_step_round_the_authenticator() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    let waiting = world.held(ADA).await;
    let mut browser = world.browser();
    let new = "ten lives of a lucky cat";
    world
        .reset_password(&mut browser, ADA, new)
        .await
        .expect_status(204);
    assert!(
        !opens(&world, &guest.session.access_token).await,
        "the reset ends the kept session too"
    );
    let refused = browser
        .second_factor(&waiting, code(&guest.app.next_code()))
        .await;
    refused.expect_problem(400, "INVALID_SESSION");
    let held = browser.login(ADA, new).await;
    assert_eq!(held["mfaRequired"], true, "{}", held.body);
    let signed_in = browser
        .second_factor(&held.text("sessionToken"), code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("confirm-password-reset", name, "204", prepare)
            .then(|_, stage, answer| Box::pin(is_reset(stage, answer)))
    };
    vec![
        case("known guest", |world| Box::pin(known_guest(world))),
        case("user without a guest", |world| {
            Box::pin(user_without_guest(world))
        }),
        Case::of(
            "confirm-password-reset",
            "wrong code",
            "401 INVALID_OTP",
            |world| Box::pin(wrong_code(world)),
        )
        .then(|case, stage, answer| Box::pin(mends_the_code(case, stage, answer))),
    ]
}

async fn reset(world: &TestWorld) -> Stage<'_> {
    let mut stage = Stage::post(world, "/auth/password/reset", json!({ "email": ADA }));
    stage.act().await.expect_status(202);
    let code = world.mail_code(ADA).await;
    let body = json!({ "email": ADA, "code": code, "newPassword": OTHER_PASSWORD });
    stage.becomes("/auth/password/reset/confirm", body);
    stage
}

async fn known_guest(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    reset(world).await
}

async fn user_without_guest(world: &TestWorld) -> Stage<'_> {
    make_user_with_password(world, ADA, PASSWORD).await;
    reset(world).await
}

async fn wrong_code(world: &TestWorld) -> Stage<'_> {
    let mut stage = known_guest(world).await;
    stage.spoil_code();
    stage
}

/// The least that a person must do until the new password is set.
async fn is_reset(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 204 {
        return Then::Nothing;
    }
    if stage.act().await.status == 204 {
        return Then::SameAgain;
    }
    reset(stage.world).await.act().await.expect_status(204);
    Then::AnotherCode
}

async fn mends_the_code(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    stage.mend_code();
    stage.act().await.expect_status(204);
    then
}
