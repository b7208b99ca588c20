//! `login-user`: an address and a password sign in.

use auth_local::{Fault, FaultKind};
use cognito_local::{EarlyPassword, UnknownUser};
use serde_json::json;

use crate::harness::backstage::{
    make_unverified_user_with_password, make_user_with_password, plant_authenticator, plant_guest,
    plant_proved_guest,
};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::requests::counted;
use crate::harness::stage::Stage;
use crate::harness::steps::at_once;
use crate::harness::{Answer, TestWorld};
use crate::operations::verify_email_change;

/// Seconds without a wrong password after which all are forgotten.
const QUIET: u64 = 960;

#[tokio::test]
async fn a_password_login_can_have_its_refresh_token_in_a_cookie() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let login = json!({ "email": ADA, "password": PASSWORD, "tokenDelivery": "cookie" });
    let signed_in = browser.post("/auth/login", login.clone()).await;
    signed_in.expect_status(200);
    assert!(signed_in["refreshToken"].is_null());
    let invoked = world.invoke("login-user", &login).await;
    assert!(
        invoked["refreshToken"].is_string(),
        "an invocation has no cookies"
    );
    assert!(browser.cookies.contains_key("__Host-latchkey-refresh"));
    browser.always("sec-fetch-site", "same-origin");
    browser
        .post("/auth/refresh", json!({}))
        .await
        .expect_status(200);
}

/// Cognito may leave the password aside that comes with the beginning of a sign-in. It may also ask
/// a person without a password, or an unknown one, for another factor: no password was right then.
#[tokio::test]
async fn a_password_that_cognito_does_not_take_at_once_is_given_again() {
    for (early, unknown) in [
        (EarlyPassword::AskedForAgain, UnknownUser::EmailOtp),
        (EarlyPassword::LeftToChoice, UnknownUser::EmailOtp),
        (EarlyPassword::AnotherFactor, UnknownUser::EmailOtp),
        (EarlyPassword::AnotherFactor, UnknownUser::AllFactors),
        (EarlyPassword::AnotherFactor, UnknownUser::Passkey),
        (EarlyPassword::AnotherFactor, UnknownUser::SelectChallenge),
    ] {
        let world = TestWorld::start().await;
        world.registered(ADA, PASSWORD).await;
        world.cognito().set_early_password(early);
        world.cognito().set_unknown_user(unknown);
        let mut browser = world.browser();
        let signed_in = browser.login(ADA, PASSWORD).await;
        signed_in.expect_status(200);
        assert_eq!(signed_in["user"]["email"], ADA);

        // A known device, and a stranger, who gets the same answer to each of these.
        let mut eve = world.sign_in(EVE).await;
        let mut stranger = world.browser_at("127.0.0.2");
        for (email, password) in [
            (ADA, OTHER_PASSWORD),
            (EVE, PASSWORD),
            ("nobody@example.com", PASSWORD),
        ] {
            for browser in [&mut browser, &mut stranger] {
                let refused = browser.login(email, password).await;
                refused.expect_problem(401, "INVALID_CREDENTIALS");
            }
        }

        // A signed-in guest proves the password the same way.
        browser.bearer(&signed_in.text("accessToken"));
        let wrong = browser.set_up(json!({ "password": OTHER_PASSWORD })).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        let right = browser.set_up(json!({ "password": PASSWORD })).await;
        right.expect_status(200);
        eve.browser.bearer(&eve.access_token);
        let without = eve.browser.set_up(json!({ "password": PASSWORD })).await;
        without.expect_problem(401, "INVALID_CREDENTIALS");
    }
}

/// The record of a guest who waits says that somebody owns the address. It does not say that this
/// user does, whose password a stranger may have chosen.
#[tokio::test]
async fn a_guest_who_waits_is_not_handed_to_a_password_of_before_the_proof() {
    let world = TestWorld::start().await;
    make_unverified_user_with_password(&world, ADA, PASSWORD).await;
    plant_proved_guest(&world, ADA, "GST-2026-7K3QXB").await;
    let refused = world.browser().login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let owner = world.sign_in(ADA).await;
    assert_eq!(owner.user["guestId"], "GST-2026-7K3QXB");
    let refused = world.browser().login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn people_of_an_older_pool_sign_in_with_what_they_had() {
    let world = TestWorld::start().await;
    world.make_user(ADA, None).await;
    let set = json!({ "Username": ADA, "Password": PASSWORD, "Permanent": true });
    world.admin("AdminSetUserPassword", set).await;
    let mut browser = world.browser();
    browser
        .register(ADA, OTHER_PASSWORD)
        .await
        .expect_problem(409, "EMAIL_EXISTS");
    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);
    assert_eq!(world.guests().await.len(), 1);
    browser.sign_in(ADA).await.expect_status(200);
    browser.login(ADA, PASSWORD).await.expect_status(200);

    // An address that Cognito has not verified is not proved here.
    world.make_user(EVE, None).await;
    let set = json!({ "Username": EVE, "Password": PASSWORD, "Permanent": true });
    world.admin("AdminSetUserPassword", set).await;
    let unverified = json!({
        "Username": EVE,
        "UserAttributes": [{ "Name": "email_verified", "Value": "false" }],
    });
    world.admin("AdminUpdateUserAttributes", unverified).await;
    browser
        .login(EVE, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    // The person who proves the address gets it: the password may be a stranger's, and Cognito
    // would accept it from then on.
    browser.sign_in(EVE).await.expect_status(200);
    browser
        .login(EVE, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    world
        .reset_password(&mut browser, EVE, OTHER_PASSWORD)
        .await
        .expect_status(204);
    browser.login(EVE, OTHER_PASSWORD).await.expect_status(200);
}

/// Some clients send letters and their accents apart. A pool older than Latchkey stores the
/// original form.
#[tokio::test]
async fn a_password_that_a_pool_keeps_in_another_unicode_form_signs_in_as_it_was_typed() {
    let (apart, composed) = ("cafe\u{301} au lait, twice", "caf\u{e9} au lait, twice");
    let world = TestWorld::start().await;
    make_user_with_password(&world, ADA, apart).await;
    let mut browser = world.browser();
    let signed_in = browser.login(ADA, apart).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    let proof = json!({ "password": apart });
    let proved = browser.post("/auth/mfa/setup", proof).await;
    proved.expect_status(200);

    // Latchkey sets passwords in one form, and accepts either form.
    world.registered(EVE, apart).await;
    let eve = &mut world.browser();
    for typed in [apart, composed] {
        eve.login(EVE, typed).await.expect_status(200);
    }
}

/// Cognito may count a failure for each form, so each is counted here: strangers never reach
/// Cognito's own lock.
#[tokio::test]
async fn each_form_of_a_wrong_password_counts_and_nobody_learns_who_exists() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    for email in [ADA, "nobody@example.com"] {
        let mut stranger = world.browser_at("127.0.0.2");
        let since = world.last_call();
        let wrong = "wrong, cafe\u{301} au lait";
        for _ in 0..2 {
            let refused = stranger.login(email, wrong).await;
            refused.expect_problem(401, "INVALID_CREDENTIALS");
        }
        let refused = stranger.login(email, wrong).await;
        refused.expect_problem(429, "RATE_LIMITED");
        let tries = world.cognito_actions_since(since);
        let tries = tries
            .iter()
            .filter(|action| action.contains("AdminInitiateAuth"));
        assert_eq!(tries.count(), 5, "{email}");
    }
    world
        .browser_at("127.0.0.3")
        .login(ADA, PASSWORD)
        .await
        .expect_problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn a_password_that_an_administrator_gave_has_to_be_replaced() {
    let world = TestWorld::start().await;
    world
        .make_user(ADA, Some("given-by-an-administrator"))
        .await;
    let held = world
        .browser()
        .login(ADA, "given-by-an-administrator")
        .await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true);
    assert_eq!(held["challenge"], "NEW_PASSWORD_REQUIRED");
    assert_eq!(held["tokenType"], "Bearer");
    assert_eq!(held.text("sessionToken").len(), 43);
    assert_eq!(held.body.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn after_five_wrong_passwords_strangers_wait_and_a_known_device_does_not() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let mut stranger = world.browser_at("127.0.0.2");
    for left in (0..5).rev() {
        let wrong = stranger.login(ADA, OTHER_PASSWORD).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        let remaining = wrong.header("ratelimit").unwrap();
        assert!(remaining.contains(&format!("r={left}")), "{remaining}");
        world.advance(16);
    }
    let asked = world.count("AdminInitiateAuth");
    let refused = stranger.login(ADA, PASSWORD).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(QUIET - 16));
    assert_eq!(
        world.count("AdminInitiateAuth"),
        asked,
        "Cognito is not asked"
    );
    known.login(ADA, PASSWORD).await.expect_status(200);
    world.advance(QUIET - 16 - 1);
    let refused = stranger.login(ADA, PASSWORD).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(1));
    world.advance(1);
    stranger.login(ADA, PASSWORD).await.expect_status(200);
    assert!(counted(&world, "PasswordFailures") >= 5);
}

/// Five wrong passwords count together however far apart they are, until there has been quiet.
#[tokio::test]
async fn slow_wrong_passwords_add_up() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    for pause in [QUIET - 1, 181] {
        for _ in 0..5 {
            let wrong = world.browser().login(ADA, OTHER_PASSWORD).await;
            wrong.expect_problem(401, "INVALID_CREDENTIALS");
            world.advance(pause);
        }
        let refused = world.browser().login(ADA, PASSWORD).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert_eq!(refused.retry_after(), Some(QUIET - pause));
        // A refused try is no failure: the quiet time continues.
        world.advance(QUIET - pause);
    }
    // Quiet after the second failure: the three that follow are the first three.
    for (pause, left) in [(10, 4), (QUIET, 3), (10, 4), (10, 3), (10, 2)] {
        let wrong = world.browser().login(ADA, OTHER_PASSWORD).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        let remaining = wrong.header("ratelimit").unwrap();
        assert!(remaining.contains(&format!("r={left}")), "{remaining}");
        world.advance(pause);
    }
}

/// Cognito forgets wrong passwords after 15 quiet minutes: a stranger who tries every 181 seconds
/// must not cause its lock-out.
#[tokio::test]
async fn a_patient_stranger_keeps_no_known_device_out() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let mut stranger = world.browser_at("127.0.0.2");
    for arrival in 0..24 {
        for _ in 0..20 {
            stranger.login(ADA, OTHER_PASSWORD).await;
            world.advance(181);
        }
        let signed_in = known.login(ADA, PASSWORD).await;
        assert_eq!(signed_in.status, 200, "arrival {arrival}");
    }
}

#[tokio::test]
async fn a_right_password_clears_the_count() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    for _ in 0..3 {
        let mut stranger = world.browser();
        for _ in 0..4 {
            stranger
                .login(ADA, OTHER_PASSWORD)
                .await
                .expect_problem(401, "INVALID_CREDENTIALS");
        }
        stranger.login(ADA, PASSWORD).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_wrong_passwords_at_once_five_reach_cognito() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let before = world.count("AdminInitiateAuth");
    let logins = (0..50).map(|_| {
        let world = &world;
        async move { world.browser().login(ADA, OTHER_PASSWORD).await.status }
    });
    let statuses = at_once(logins).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 45);
    assert_eq!(world.count("AdminInitiateAuth") - before, 5);
}

/// Locks the user at Cognito itself: a known device and strangers together make more failures than
/// it forgives.
async fn lock_at_cognito(world: &TestWorld, email: &str) {
    let mut known = world.browser();
    known.login(email, PASSWORD).await.expect_status(200);
    // The known device has five failures of its own, and strangers have five. The lock doubles with
    // each after the fifth.
    for pause in [0, 0, 0, 0, 1] {
        known.login(email, OTHER_PASSWORD).await.expect_status(401);
        world.advance(pause);
    }
    for pause in [2, 4, 8, 0] {
        let wrong = world.browser().login(email, OTHER_PASSWORD).await;
        wrong.expect_status(401);
        world.advance(pause);
    }
}

/// Only existing users can have Cognito's own lock-out, and strangers do not see it.
#[tokio::test]
async fn cognitos_lock_looks_like_a_wrong_password() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    lock_at_cognito(&world, ADA).await;
    let locked = world.browser().login(ADA, PASSWORD).await;
    locked.expect_problem(401, "INVALID_CREDENTIALS");
    assert!(locked.header("retry-after").is_none());
    world.advance(QUIET);
    world
        .browser()
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
}

/// A known device belongs to a person who has signed in: it may learn of the lock, and of the other
/// way to sign in.
#[tokio::test]
async fn a_known_device_that_meets_cognitos_lock_is_offered_a_code() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    lock_at_cognito(&world, ADA).await;
    for _ in 0..10 {
        let locked = known.login(ADA, PASSWORD).await;
        locked.expect_problem(429, "RATE_LIMITED");
        assert_eq!(locked["signInWith"], "CODE");
        assert!(locked["challenge"].is_null());
    }
    known.sign_in(ADA).await.expect_status(200);
    world.advance(QUIET);
    // Cognito did not evaluate the attempts under the lock: the device has all its tries.
    known.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn signing_in_again_gives_a_browser_no_other_budget() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let device = |answer: &Answer| {
        let cookie = answer.header("set-cookie").expect("a device cookie");
        cookie.split('.').nth(4).expect("six parts").to_owned()
    };
    let mut browser = world.browser();
    let first = device(&browser.login(ADA, PASSWORD).await);
    assert_eq!(device(&browser.login(ADA, PASSWORD).await), first);
    assert_eq!(device(&browser.sign_in(ADA).await), first);
    assert_ne!(device(&world.browser().login(ADA, PASSWORD).await), first);
}

#[tokio::test]
async fn a_new_device_is_announced_once_and_by_either_way_in() {
    let world = TestWorld::start().await;
    let announced = |world: &TestWorld| {
        let subjects = world.subjects(ADA).into_iter();
        subjects
            .filter(|subject| subject == "A new device signed in")
            .count()
    };
    world.registered(ADA, PASSWORD).await;
    assert_eq!(announced(&world), 0);
    let mut browser = world.browser();
    browser.login(ADA, PASSWORD).await.expect_status(200);
    assert_eq!(announced(&world), 1);
    browser.login(ADA, PASSWORD).await.expect_status(200);
    browser.sign_in(ADA).await.expect_status(200);
    assert_eq!(announced(&world), 1);
    world.browser().sign_in(ADA).await.expect_status(200);
    assert_eq!(announced(&world), 2);
    let mail = world.mail(ADA).await;
    assert!(mail.text.contains("If this was not you") && mail.html.contains("<h1"));

    world.sign_in(EVE).await;
    assert_eq!(world.subjects(EVE).len(), 1, "a first sign-in is no news");
}

#[tokio::test]
async fn a_notice_that_cannot_be_mailed_fails_nothing_and_is_counted() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    for kind in [FaultKind::Denied, FaultKind::Internal, FaultKind::Lost] {
        world.fault(Fault::new(kind, "ses", "SendEmail").times(u32::MAX));
        let before = counted(&world, "EmailDeliveryFailures");
        let mut browser = world.browser();
        browser.login(ADA, PASSWORD).await.expect_status(200);
        let reset = world.reset_password(&mut browser, ADA, PASSWORD).await;
        reset.expect_status(204);
        world.clear_faults();
        assert_eq!(counted(&world, "EmailDeliveryFailures") - before, 2);
        world.advance(3601);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, healthy, prepare: Prepare| Case::of("login-user", name, healthy, prepare);
    vec![
        case("guest on a new device", "200", |world| {
            Box::pin(known_guest(world, PASSWORD))
        }),
        case("change of address half done", "200", |world| {
            Box::pin(half_changed(world))
        })
        .then(|case, stage, answer| Box::pin(signs_in_at_either(case, stage, answer))),
        case("first sign-in", "200", |world| {
            Box::pin(unknown_user(world))
        }),
        case("guest without a user", "200", |world| {
            Box::pin(waiting_guest(world))
        }),
        case("guest with an authenticator", "200", |world| {
            Box::pin(guarded_guest(world))
        }),
        case(
            "registration not confirmed",
            "401 INVALID_CREDENTIALS",
            |world| Box::pin(unconfirmed_guest(world)),
        ),
        case("wrong password", "401 INVALID_CREDENTIALS", |world| {
            Box::pin(known_guest(world, OTHER_PASSWORD))
        }),
    ]
}

async fn known_guest<'world>(world: &'world TestWorld, password: &str) -> Stage<'world> {
    world.registered(ADA, PASSWORD).await;
    Stage::login(world, password)
}

async fn half_changed(world: &TestWorld) -> Stage<'_> {
    verify_email_change::half_done(world).await;
    Stage::login(world, PASSWORD)
}

async fn unknown_user(world: &TestWorld) -> Stage<'_> {
    make_user_with_password(world, ADA, PASSWORD).await;
    Stage::login(world, PASSWORD)
}

async fn waiting_guest(world: &TestWorld) -> Stage<'_> {
    plant_guest(world, ADA, "GST-2026-7K3QXB").await;
    unknown_user(world).await
}

async fn guarded_guest(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    plant_authenticator(world, ADA).await;
    Stage::login(world, PASSWORD)
}

async fn unconfirmed_guest(world: &TestWorld) -> Stage<'_> {
    Stage::registration(world).act().await.expect_status(201);
    Stage::login(world, PASSWORD)
}

/// The least that a person must do until they are signed in: at the old address or, once the change
/// is done, at the new one. The next start finishes the rest of the change.
async fn signs_in_at_either(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if !case.is_healthy(answer) {
        then = Then::SameAgain;
        if !case.is_healthy(&stage.act().await) {
            then = Then::FreshStart;
            let there = stage.world.browser().login(ELSEWHERE, PASSWORD).await;
            there.expect_status(200);
        }
    }
    let started = stage.world.browser().start(ELSEWHERE).await;
    started.expect_status(200);
    then
}
