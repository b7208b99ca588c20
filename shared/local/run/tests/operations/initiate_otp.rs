//! `initiate-otp`: a code is mailed, and an unknown address gets a user.

use std::collections::BTreeSet;

use cognito_local::UnknownUser;
use serde_json::{Value, json};

use crate::harness::backstage::{delete_user, make_unverified_user_with_password};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::{WRONG_CODE, at_once, sub_of};
use crate::harness::{Answer, TestWorld};
use crate::operations::{delete_account, sweep_unproved_users, verify_email_change};

#[tokio::test]
async fn a_new_address_costs_a_user_more_and_a_known_guest_one_call_before_and_one_after_the_code()
{
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for before in [
        &["AdminCreateUser", "AdminInitiateAuth"][..],
        &["AdminInitiateAuth"],
        &["AdminInitiateAuth"],
    ] {
        let since = world.last_call();
        let session_token = browser.started(ADA).await;
        assert_eq!(world.cognito_actions_since(since), before);
        let since = world.last_call();
        let code = world.mail_code(ADA).await;
        let signed_in = browser.verify(ADA, &code, &session_token).await;
        signed_in.expect_status(200);
        let after = world.cognito_actions_since(since);
        assert_eq!(after, ["AdminRespondToAuthChallenge"]);
    }
}

#[tokio::test]
async fn nothing_comes_to_be_and_nothing_is_handed_out_before_a_code_is_proved() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let started = browser.start(ADA).await;
    let session_token = started.text("sessionToken");
    world.advance(30);
    let resent = browser.resend(&session_token).await;
    resent.expect_status(200);
    let refused = browser.verify(ADA, WRONG_CODE, &session_token).await;
    refused.expect_problem(401, "INVALID_OTP");

    assert!(world.guests().await.is_empty());
    for answer in [&started, &resent, &refused] {
        for member in ["accessToken", "idToken", "refreshToken", "user"] {
            assert!(answer.body.get(member).is_none(), "{member}");
        }
        assert!(answer.header("set-cookie").is_none());
    }
}

/// Fifty, although the largest quota is a hundred: on a busy machine the SDK may retry a write, and
/// among so many the retry may count twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_starts_at_once_make_one_user() {
    let settings = [
        ("OTP_STARTS_PER_EMAIL", "100"),
        ("CODE_MAILS_PER_DAY", "200"),
    ];
    let world = TestWorld::with_settings(&settings).await;
    // An operator's: strangers may not cause so many mails.
    let start = json!({ "email": ADA });
    let started = at_once((0..50).map(|_| world.invoke("initiate-otp", &start))).await;
    let tokens: BTreeSet<_> = started
        .iter()
        .map(|answer| answer.text("sessionToken"))
        .collect();
    assert_eq!(tokens.len(), 50);
    assert_eq!(world.users().await.len(), 1);
    assert!(world.guests().await.is_empty());
}

#[tokio::test]
async fn a_user_with_a_password_made_elsewhere_signs_in_by_code() {
    // Made before the first sign-in by code, or after it.
    for guest_first in [false, true] {
        let world = TestWorld::start().await;
        if guest_first {
            world.sign_in(ADA).await;
        } else {
            world.make_user(ADA, None).await;
        }
        let password =
            json!({ "Username": ADA, "Password": "correct-horse-battery", "Permanent": true });
        world.admin("AdminSetUserPassword", password).await;
        let sub = sub_of(&world.user(ADA).await);

        // The first time, Cognito's offer of a password costs a call; then the record knows it.
        // Without a guest, it also costs a call whether the address is verified.
        let (first, user) = calls_and_user(&world).await;
        assert_eq!(first.len(), if guest_first { 2 } else { 3 });
        assert_eq!(user["cognitoSub"], sub);
        for _ in 0..2 {
            let (next, same_user) = calls_and_user(&world).await;
            assert_eq!(next, ["AdminInitiateAuth"]);
            assert_eq!(same_user, user);
        }
        assert_eq!(world.users().await.len(), 1);
        assert_eq!(world.guests().await.len(), 1);
    }
}

/// Signs Ada in; returns the calls of Cognito before the code, and the user.
async fn calls_and_user(world: &TestWorld) -> (Vec<String>, Value) {
    let mut browser = world.browser();
    let since = world.last_call();
    let session_token = browser.started(ADA).await;
    let before = world.cognito_actions_since(since);
    let code = world.mail_code(ADA).await;
    let mut signed_in = browser.verify(ADA, &code, &session_token).await;
    signed_in.expect_status(200);
    (before, signed_in.body["user"].take())
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| Case::of("initiate-otp", name, "200", prepare);
    vec![
        case("known device", |world| Box::pin(known_device(world)))
            .not_by_tool()
            .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("known guest", |world| Box::pin(known_guest(world)))
            .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("new address", |world| {
            Box::pin(async { Stage::start(world) })
        })
        .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("removal half done", |world| Box::pin(half_removed(world)))
            .in_a_fresh_world()
            .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("deletion half done", |world| Box::pin(half_deleted(world)))
            .in_a_fresh_world()
            .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("change of address half done", |world| {
            Box::pin(half_changed(world))
        })
        .in_a_fresh_world()
        .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
        case("guest whose user has gone", |world| {
            Box::pin(guest_whose_user_has_gone(world, UnknownUser::AllFactors))
        })
        .then(|case, stage, answer| Box::pin(is_nobody(case, stage, answer))),
        case("choice offered", |world| {
            Box::pin(guest_whose_user_has_gone(
                world,
                UnknownUser::SelectChallenge,
            ))
        })
        .then(|case, stage, answer| Box::pin(is_nobody(case, stage, answer))),
        case("user of an older pool, unproved", |world| {
            Box::pin(unproved_user(world))
        })
        .then(|case, stage, answer| Box::pin(signs_in(case, stage, answer))),
    ]
}

async fn known_device(world: &TestWorld) -> Stage<'_> {
    let browser = world.sign_in(ADA).await.browser;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::start_in(browser)
}

/// The sweep has claimed the user, but not removed the user.
async fn half_removed(world: &TestWorld) -> Stage<'_> {
    sweep_unproved_users::half_done(world).await;
    Stage::start(world)
}

async fn half_deleted(world: &TestWorld) -> Stage<'_> {
    delete_account::half_done(world).await;
    Stage::start(world)
}

/// At the address before: it is free once the change is done.
async fn half_changed(world: &TestWorld) -> Stage<'_> {
    verify_email_change::half_done(world).await;
    Stage::start(world)
}

async fn known_guest(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::start(world)
}

async fn guest_whose_user_has_gone(world: &TestWorld, unknown_user: UnknownUser) -> Stage<'_> {
    world.sign_in(ADA).await;
    delete_user(world, ADA).await;
    world.cognito().set_unknown_user(unknown_user);
    world.advance(UNTIL_COLD_SECONDS);
    Stage::start(world)
}

async fn unproved_user(world: &TestWorld) -> Stage<'_> {
    make_unverified_user_with_password(world, ADA, PASSWORD).await;
    Stage::start(world)
}

/// The code that was mailed signs in.
async fn signs_in(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    stage.session_token = again.as_ref().unwrap_or(answer).text("sessionToken");
    stage.prove_newest().await.expect_status(200);
    then
}

/// The guest stays bound to the deleted user, so no code signs in.
async fn is_nobody(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    stage.session_token = again.as_ref().unwrap_or(answer).text("sessionToken");
    let proved = stage.prove_newest().await;
    if proved.status == 403 {
        return then;
    }
    proved.expect_problem(401, "INVALID_OTP");
    stage.resend().await.expect_status(200);
    let proved = stage.prove_newest().await;
    proved.expect_problem(403, "USER_MISMATCH");
    Then::AnotherCode
}
