//! `verify-mfa`: the second factor finishes a sign-in, once and in time.

use std::collections::BTreeSet;
use std::process::{Command, Output};
use std::time::Duration;

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::authenticator_app::{
    GENEROUS, Guarded, STEP_SECONDS, assert_told, code, statuses,
};
use crate::harness::backstage::{plant_authenticator, take_authenticator};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::people::ADA;
use crate::harness::requests::opens;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::{MANY_STARTS, at_once};
use crate::harness::{Answer, TestWorld};

const PASSWORD: &str = "nine lives of a cat";

#[tokio::test]
async fn a_mailed_code_and_then_the_authenticator_sign_in_and_nothing_leaves_between_them() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let mut browser = world.browser();
    let held = browser.sign_in(ADA).await;
    held.expect_status(200);
    let names: BTreeSet<_> = held.body.as_object().unwrap().keys().collect();
    let expected = ["challenge", "mfaRequired", "sessionToken", "tokenType"];
    assert!(names.into_iter().eq(expected), "{}", held.body);
    assert_eq!(held["challenge"], "SOFTWARE_TOKEN_MFA");
    assert!(browser.cookies.is_empty(), "no device is remembered yet");

    let signed_in = browser
        .second_factor(&held.text("sessionToken"), code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["email"], ADA);
    assert!(signed_in["backupCodesLeft"].is_null());
    assert_eq!(browser.cookies.len(), 1, "the device is remembered");
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    let refreshed = json!({ "refreshToken": signed_in["refreshToken"] });
    browser
        .post("/auth/refresh", refreshed)
        .await
        .expect_status(200);
}

/// The app of the other tests computes codes with the library that the domain uses too; pyotp is
/// independent of both.
#[tokio::test]
async fn an_app_that_is_not_ours_takes_up_the_uri_and_signs_in() {
    if !pyotp(&["-c", "import pyotp"]).is_some_and(|probe| probe.status.success()) {
        println!("SKIPPED: python3 with pyotp is not at hand");
        return;
    }
    let world = TestWorld::start().await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = session.browser.mailed_proof(ADA, "authenticator").await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    set_up.expect_status(200);
    let uri = set_up.text("otpauthUri");
    let shown = || {
        let show = "import pyotp, sys; print(pyotp.parse_uri(sys.argv[1]).at(int(sys.argv[2])))";
        let now = world.clock().now().as_seconds().to_string();
        let output = pyotp(&["-c", show, &uri, &now]).expect("python3 was there");
        let shown = String::from_utf8(output.stdout).expect("text");
        world.remember_secrets(&json!({ "code": shown.trim() }));
        shown.trim().to_owned()
    };
    let confirmed = session.browser.confirm_set_up(&shown()).await;
    confirmed.expect_status(200);
    world.advance(STEP_SECONDS);
    let held = world.held(ADA).await;
    let mut browser = world.browser();
    let signed_in = browser.second_factor(&held, code(&shown())).await;
    signed_in.expect_status(200);
}

fn pyotp(arguments: &[&str]) -> Option<Output> {
    Command::new("python3").args(arguments).output().ok()
}

#[tokio::test]
async fn a_password_and_then_the_authenticator_sign_in() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let held = browser.login(ADA, PASSWORD).await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true);
    let signed_in = browser
        .second_factor(&held.text("sessionToken"), code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["email"], ADA);
}

#[tokio::test]
async fn a_backup_code_signs_in_once_however_it_is_typed_and_the_count_is_shown() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let guest = world.guarded(ADA).await;
    let mut browser = world.browser();
    for (used, typed) in [
        guest.backup_codes[0].clone(),
        guest.backup_codes[1].to_lowercase(),
        guest.backup_codes[2].replace('-', " "),
        guest.backup_codes[3].replace('-', ""),
    ]
    .into_iter()
    .enumerate()
    {
        let held = world.held(ADA).await;
        let signed_in = browser
            .second_factor(&held, json!({ "backupCode": typed }))
            .await;
        signed_in.expect_status(200);
        assert_eq!(signed_in["backupCodesLeft"], 9 - used);
        world.advance(200);
    }
    let held = world.held(ADA).await;
    let refused = browser
        .second_factor(&held, json!({ "backupCode": guest.backup_codes[0] }))
        .await;
    refused.expect_problem(401, "INVALID_OTP");
    assert_eq!(refused["attemptsRemaining"], 2);
}

#[tokio::test]
async fn the_last_backup_code_leaves_none() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let guest = world.guarded(ADA).await;
    for (used, backup_code) in guest.backup_codes.iter().enumerate() {
        let held = world.held(ADA).await;
        let factor = json!({ "backupCode": backup_code });
        let signed_in = world.browser().second_factor(&held, factor).await;
        signed_in.expect_status(200);
        assert_eq!(signed_in["backupCodesLeft"], 9 - used);
    }
    let held = world.held(ADA).await;
    let again = json!({ "backupCode": guest.backup_codes[9] });
    let refused = world.browser().second_factor(&held, again).await;
    refused.expect_problem(401, "INVALID_OTP");
    // The authenticator still works.
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
}

/// RFC 6238 §5.2: the verifier must not accept the second attempt of a code that it has accepted.
#[tokio::test]
async fn a_step_is_taken_once_and_no_step_before_it_any_more() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.guarded(ADA).await;
    let mut browser = world.browser();
    let held = world.held(ADA).await;
    let used_at_set_up = guest.app.code();
    browser
        .second_factor(&held, code(&used_at_set_up))
        .await
        .expect_problem(401, "INVALID_OTP");
    world.advance(2 * STEP_SECONDS);
    let next = guest.app.code_at(1);
    browser
        .second_factor(&held, code(&next))
        .await
        .expect_status(200);
    let held = world.held(ADA).await;
    for used in [next, guest.app.code()] {
        browser
            .second_factor(&held, code(&used))
            .await
            .expect_problem(401, "INVALID_OTP");
    }
}

#[tokio::test]
async fn codes_two_steps_away_are_wrong() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.guarded(ADA).await;
    world.advance(10 * STEP_SECONDS);
    let held = world.held(ADA).await;
    for steps in [-2, 2] {
        let refused = world
            .browser()
            .second_factor(&held, code(&guest.app.code_at(steps)))
            .await;
        refused.expect_problem(401, "INVALID_OTP");
    }
    let taken = world
        .browser()
        .second_factor(&held, code(&guest.app.code_at(-1)))
        .await;
    taken.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_with_one_code_at_once_sign_in_once() {
    let world = TestWorld::with_settings(&GENEROUS).await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let right = guest.app.next_code();
    let attempts =
        (0..50).map(|_| async { world.browser().second_factor(&held, code(&right)).await });
    let answers = at_once(attempts).await;
    assert_eq!(statuses(&answers, 200), 1);
    // A second press of the button learns that the first one signed in.
    assert_eq!(statuses(&answers, 409), 49);
    let signed_in = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    let exchange = json!({ "refreshToken": signed_in["refreshToken"] });
    let refreshed = world.browser().post("/auth/refresh", exchange).await;
    refreshed.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_code_brought_to_two_sign_ins_at_once_finishes_one() {
    let world = TestWorld::with_settings(&GENEROUS).await;
    let guest = world.guarded(ADA).await;
    let (one, two) = (world.held(ADA).await, world.held(ADA).await);
    let right = guest.app.next_code();
    let attempts = (0..50).map(|number| {
        let held = if number % 2 == 0 { &one } else { &two };
        let (world, right) = (&world, &right);
        async move { world.browser().second_factor(held, code(right)).await }
    });
    assert_eq!(statuses(&at_once(attempts).await, 200), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_requests_with_one_backup_code_at_once_sign_in_once() {
    let world = TestWorld::with_settings(&GENEROUS).await;
    let guest = world.guarded(ADA).await;
    let (one, two) = (world.held(ADA).await, world.held(ADA).await);
    let attempts = (0..50).map(|number| {
        let held = if number % 2 == 0 { &one } else { &two };
        let factor = json!({ "backupCode": guest.backup_codes[0] });
        let world = &world;
        async move { world.browser().second_factor(held, factor).await }
    });
    let answers = at_once(attempts).await;
    assert_eq!(statuses(&answers, 200), 1);
    let signed_in = answers.iter().find(|answer| answer.status == 200).unwrap();
    assert_eq!(signed_in["backupCodesLeft"], 9);
}

/// A button that is pressed twice, with each kind of second factor.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_factor_that_is_sent_twice_at_once_signs_in_once_and_is_never_called_wrong() {
    for factor in ["code", "backupCode", "newPassword"] {
        let world = TestWorld::start().await;
        let (held, brought) = match factor {
            "newPassword" => {
                world.make_user(ADA, Some("Only-for-the-1st-time")).await;
                let mut browser = world.browser();
                let held = browser.login(ADA, "Only-for-the-1st-time").await;
                let held = held.text("sessionToken");
                (held, json!({ "newPassword": PASSWORD }))
            }
            "backupCode" => {
                let guest = world.guarded(ADA).await;
                let held = world.held(ADA).await;
                (held, json!({ "backupCode": guest.backup_codes[0] }))
            }
            _ => {
                let guest = world.guarded(ADA).await;
                let held = world.held(ADA).await;
                (held, code(&guest.app.next_code()))
            }
        };
        for (service, slow) in [
            ("cognito-idp", "AdminRespondToAuthChallenge"),
            ("dynamodb", "TransactWriteItems"),
            ("kms", "Decrypt"),
        ] {
            let fault = Fault::new(FaultKind::Delay, service, slow);
            world.fault(fault.times(2).lasting(Duration::from_millis(30)));
        }
        let mut browsers = [world.browser(), world.browser()];
        let presses = browsers
            .iter_mut()
            .map(|browser| browser.second_factor(&held, brought.clone()));
        let mut answers = at_once(presses).await;
        answers.sort_by_key(|answer| answer.status);
        answers[0].expect_status(200);
        answers[1].expect_problem(409, "SIGN_IN_COMPLETED");
        let late = world.browser().second_factor(&held, brought).await;
        late.expect_problem(409, "SIGN_IN_COMPLETED");
    }
}

/// The code was taken and the answer failed: the person presses the button again.
#[tokio::test]
async fn a_factor_that_was_taken_and_brought_nothing_counts_again_for_its_own_sign_in_alone() {
    for factor in ["code", "backupCode"] {
        let world = TestWorld::with_settings(&MANY_STARTS).await;
        let guest = world.guarded(ADA).await;
        let (held, other) = (world.held(ADA).await, world.held(ADA).await);
        let brought = match factor {
            "code" => code(&guest.app.next_code()),
            _ => json!({ "backupCode": guest.backup_codes[0] }),
        };
        let fault = Fault::new(
            FaultKind::Denied,
            "cognito-idp",
            "GetTokensFromRefreshToken",
        );
        world.fault(fault.times(1));
        let failed = world.browser().second_factor(&held, brought.clone()).await;
        failed.expect_problem(500, "INTERNAL");
        let elsewhere = world.browser().second_factor(&other, brought.clone()).await;
        elsewhere.expect_problem(401, "INVALID_OTP");
        let wrong = json!({ "backupCode": "AAAA-AAAA-AAAA-AAAA" });
        let wrong = world.browser().second_factor(&held, wrong).await;
        assert_eq!(wrong.status, 401, "{}", wrong.body);
        let signed_in = world.browser().second_factor(&held, brought).await;
        signed_in.expect_status(200);
    }
}

/// The number of notices to Ada about failed second factors.
fn warnings(world: &TestWorld) -> usize {
    let subjects = world.subjects(ADA);
    let told = subjects
        .iter()
        .filter(|subject| *subject == "Somebody nearly signed in");
    told.count()
}

#[tokio::test]
async fn three_wrong_codes_end_a_sign_in_and_its_token_is_revoked() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let mut browser = world.browser();
    let since = world.last_call();
    for left in [2, 1, 0] {
        let refused = browser.second_factor(&held, code("404170")).await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(refused["attemptsRemaining"], left);
    }
    let revoked = world.actions_since(since);
    assert!(revoked.contains(&"cognito-idp:RevokeToken".to_owned()));
    let right = code(&guest.app.next_code());
    let refused = browser.second_factor(&held, right).await;
    refused.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    assert_eq!(refused.retry_after(), Some(270));
    assert_eq!(
        warnings(&world),
        1,
        "the guest hears that somebody has the first factor"
    );
    // Another sign-in has attempts of its own.
    let held = world.held(ADA).await;
    let right = code(&guest.app.next_code());
    browser.second_factor(&held, right).await.expect_status(200);
}

#[tokio::test]
async fn five_wrong_codes_in_fifteen_minutes_are_all_over_any_number_of_sign_ins() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.guarded(ADA).await;
    let mut browser = world.browser();
    let (one, two) = (world.held(ADA).await, world.held(ADA).await);
    for held in [&one, &one, &two, &two, &two] {
        let refused = browser.second_factor(held, code("404170")).await;
        refused.expect_problem(401, "INVALID_OTP");
    }
    assert_eq!(warnings(&world), 1);
    let right = code(&guest.app.next_code());
    let refused = browser.second_factor(&one, right).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(870));
    let factor = json!({ "backupCode": guest.backup_codes[0] });
    let refused = browser.second_factor(&one, factor.clone()).await;
    refused.expect_problem(429, "RATE_LIMITED");
    world.advance(871);
    let held = world.held(ADA).await;
    browser
        .second_factor(&held, factor)
        .await
        .expect_status(200);
}

/// A thief of the password who guesses slowly spends no sign-in's attempts, and never five in 15
/// minutes.
#[tokio::test]
async fn the_guest_hears_of_the_fifth_wrong_code_in_a_day_however_slowly_it_is_guessed() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    world.guarded_by_password(ADA, PASSWORD).await;
    let mut thief = world.browser_at("127.0.0.9");
    for told in [0, 0, 0, 0, 1, 1, 1] {
        let held = thief.login(ADA, PASSWORD).await.text("sessionToken");
        let refused = thief.second_factor(&held, code("404170")).await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(warnings(&world), told);
        world.advance(1200);
    }
    // A day later another five are told of.
    world.advance(24 * 3600);
    for told in [1, 1, 1, 1, 2] {
        let held = thief.login(ADA, PASSWORD).await.text("sessionToken");
        let refused = thief.second_factor(&held, code("404170")).await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(warnings(&world), told);
        world.advance(1200);
    }
}

#[tokio::test]
async fn a_right_code_clears_the_count_of_wrong_ones() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let guest = world.guarded(ADA).await;
    for _ in 0..4 {
        let held = world.held(ADA).await;
        for _ in 0..2 {
            let refused = world.browser().second_factor(&held, code("404170")).await;
            refused.expect_problem(401, "INVALID_OTP");
        }
        let right = code(&guest.app.next_code());
        let signed_in = world.browser().second_factor(&held, right).await;
        signed_in.expect_status(200);
    }
}

#[tokio::test]
async fn a_held_sign_in_ends_after_five_minutes_and_whoever_comes_late_has_its_token_revoked() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    world.advance(299);
    let refused = world.browser().second_factor(&held, code("404170")).await;
    refused.expect_problem(401, "INVALID_OTP");
    world.advance(1);
    let since = world.last_call();
    for revoked in [1, 1] {
        let late = world
            .browser()
            .second_factor(&held, code(&guest.app.code()))
            .await;
        late.expect_problem(410, "SESSION_EXPIRED");
        let revocations = world.actions_since(since);
        let revocations = revocations
            .iter()
            .filter(|action| *action == "cognito-idp:RevokeToken");
        assert_eq!(revocations.count(), revoked);
    }
}

#[tokio::test]
async fn a_held_sign_in_is_finished_once() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let mut browser = world.browser();
    let right = code(&guest.app.next_code());
    browser.second_factor(&held, right).await.expect_status(200);
    let again = code(&guest.app.next_code());
    let refused = browser.second_factor(&held, again).await;
    refused.expect_problem(409, "SIGN_IN_COMPLETED");
    let unknown = "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";
    let refused = browser.second_factor(unknown, code("404170")).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn a_sign_in_whose_authenticator_has_gone_begins_anew_however_often_it_is_tried() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    take_authenticator(&world, ADA).await;
    for _ in 0..4 {
        let right = code(&guest.app.next_code());
        let refused = world.browser().second_factor(&held, right).await;
        refused.expect_problem(400, "INVALID_SESSION");
    }
}

#[tokio::test]
async fn the_refresh_token_travels_as_the_first_factor_asked_unless_the_second_asks_otherwise() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    for (first, second, in_body) in [
        (json!({ "tokenDelivery": "cookie" }), Value::Null, false),
        (json!({}), json!("cookie"), false),
        (json!({ "tokenDelivery": "cookie" }), json!("body"), true),
    ] {
        let mut browser = world.browser();
        let held = browser.sign_in_with(ADA, first).await;
        let mut factor = code(&guest.app.next_code());
        factor["tokenDelivery"] = second;
        let signed_in = browser
            .second_factor(&held.text("sessionToken"), factor)
            .await;
        signed_in.expect_status(200);
        assert_eq!(signed_in["refreshToken"].is_string(), in_body);
        let cookie = browser.cookies.contains_key("__Host-latchkey-refresh");
        assert_eq!(cookie, !in_body);
    }
}

/// A sign-in that Cognito has begun to answer before the authenticator was confirmed, and ends
/// after it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authenticator_holds_the_sign_ins_that_are_under_way() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    for action in ["AdminInitiateAuth", "AdminRespondToAuthChallenge"] {
        let by_code = action == "AdminRespondToAuthChallenge";
        take_authenticator(&world, ADA).await;
        let mut browser = world.browser();
        let started = browser.started(ADA).await;
        let mailed = world.mail_code(ADA).await;
        let slow = Fault::new(FaultKind::Delay, "cognito-idp", action);
        world.fault(slow.lasting(Duration::from_millis(500)));
        let sign_in = async {
            if by_code {
                browser.verify(ADA, &mailed, &started).await
            } else {
                browser.login(ADA, PASSWORD).await
            }
        };
        let (held, ()) = tokio::join!(sign_in, plant_authenticator(&world, ADA));
        held.expect_status(200);
        assert_eq!(held["mfaRequired"], true, "{action}: {}", held.body);
        assert!(held["accessToken"].is_null());
    }
}

#[tokio::test]
async fn an_agent_hears_that_the_guest_has_to_finish_on_the_web_page() {
    let world = TestWorld::start().await;
    world.guarded(ADA).await;
    let session_token = world.browser().started(ADA).await;
    let arguments = json!({
        "email": ADA,
        "otp_code": world.mail_code(ADA).await,
        "session_token": session_token,
    });
    let result = world
        .call_tool("verify-otp", "verify_cognito_otp", &arguments)
        .await;
    assert_eq!(result["success"], false);
    assert_eq!(result["error_code"], "AUTH_REQUIRED");
    assert_eq!(result["mfa_required"], true);
    assert!(result["access_token"].is_null() && result["event_type"].is_null());
}

/// A user of an older pool may have a password that an administrator chose.
#[tokio::test]
async fn a_user_who_has_to_choose_a_password_does_so_and_signs_in() {
    let world = TestWorld::start().await;
    world.make_user(ADA, Some("Only-for-the-1st-time")).await;
    let mut browser = world.browser();
    let held = browser.login(ADA, "Only-for-the-1st-time").await;
    assert_eq!(held["challenge"], "NEW_PASSWORD_REQUIRED", "{}", held.body);
    let held = held.text("sessionToken");
    for (answer, problem) in [
        (json!({ "newPassword": "short" }), "too_short"),
        (json!({ "newPassword": ADA }), "the_email"),
        (json!({ "code": "404170" }), "needed"),
    ] {
        let refused = browser.second_factor(&held, answer).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["code"], problem, "{}", refused.body);
    }
    let chosen = json!({ "newPassword": PASSWORD });
    let signed_in = browser.second_factor(&held, chosen).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["email"], ADA);
    assert_told(&world, "Your password was changed");
    world
        .browser()
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let right = |name, prepare: Prepare| {
        Case::of("verify-mfa", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(signs_in(stage, answer)))
    };
    let wrong = |name, prepare: Prepare| Case::of("verify-mfa", name, "401 INVALID_OTP", prepare);
    let challenge = |name, prepare: Prepare| {
        Case::of("verify-mfa", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(has_the_new_password(stage, answer)))
    };
    vec![
        right("authenticator's code", |world| {
            Box::pin(authenticators_code(world))
        }),
        right("backup code", |world| Box::pin(backup_code(world))),
        wrong("wrong code", |world| Box::pin(wrong_code(world)))
            .then(|case, stage, answer| Box::pin(mends_the_code(case, stage, answer))),
        wrong("last wrong code", |world| Box::pin(last_wrong_code(world)))
            .then(|case, stage, answer| Box::pin(signs_in_anew(case, stage, answer))),
        challenge("Cognito's challenge", |world| {
            Box::pin(async {
                drop(world.sign_in(ADA).await);
                challenged(world).await
            })
        }),
        challenge("Cognito's challenge, first sign-in", |world| {
            Box::pin(async {
                world.make_user(ADA, None).await;
                challenged(world).await
            })
        }),
        challenge("Cognito's challenge, then the authenticator", |world| {
            Box::pin(async {
                drop(world.guarded(ADA).await);
                challenged(world).await
            })
        }),
    ]
}

/// A guest has an authenticator, and a sign-in waits for it.
async fn held(world: &TestWorld, factor: impl FnOnce(&mut Guarded<'_>) -> Value) -> Stage<'_> {
    let mut guest = world.guarded(ADA).await;
    let session_token = world.held(ADA).await;
    let mut body = factor(&mut guest);
    body["sessionToken"] = json!(session_token);
    let mut stage = Stage::post(world, "/auth/mfa/verify", body);
    stage.session_token = session_token;
    stage.app = Some(guest.app);
    stage.backup_codes = guest.backup_codes;
    stage
}

async fn authenticators_code(world: &TestWorld) -> Stage<'_> {
    held(world, |guest| json!({ "code": guest.app.next_code() })).await
}

async fn backup_code(world: &TestWorld) -> Stage<'_> {
    held(
        world,
        |guest| json!({ "backupCode": guest.backup_codes.remove(0) }),
    )
    .await
}

async fn wrong_code(world: &TestWorld) -> Stage<'_> {
    held(world, |_| json!({ "code": "404170" })).await
}

async fn last_wrong_code(world: &TestWorld) -> Stage<'_> {
    let mut stage = wrong_code(world).await;
    for _ in 0..2 {
        stage.act().await.expect_problem(401, "INVALID_OTP");
    }
    stage
}

/// A user whose password an administrator chose, and who must choose another.
async fn challenged(world: &TestWorld) -> Stage<'_> {
    let temporary = json!({ "Username": ADA, "Password": TEMPORARY, "Permanent": false });
    world.admin("AdminSetUserPassword", temporary).await;
    world.advance(UNTIL_COLD_SECONDS);
    let held = world.browser().login(ADA, TEMPORARY).await;
    held.expect_status(200);
    assert_eq!(held["challenge"], "NEW_PASSWORD_REQUIRED", "{}", held.body);
    let body = json!({ "sessionToken": held["sessionToken"], "newPassword": PASSWORD });
    Stage::post(world, "/auth/mfa/verify", body)
}

const TEMPORARY: &str = "Only-for-the-1st-time";

/// The least that a person must do until the second factor has signed them in.
async fn signs_in(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    show_another(stage);
    if stage.act().await.status == 200 {
        return Then::AnotherCode;
    }
    stage.body["sessionToken"] = json!(stage.world.held(ADA).await);
    show_another(stage);
    stage.act().await.expect_status(200);
    Then::FreshStart
}

fn show_another(stage: &mut Stage<'_>) {
    if stage.body["backupCode"].is_null() {
        stage.body["code"] = json!(stage.next_code());
    } else {
        stage.body["backupCode"] = json!(stage.backup_codes.remove(0));
    }
}

async fn mends_the_code(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    show_another(stage);
    stage.act().await.expect_status(200);
    then
}

/// The sign-in is over, and the next one works.
async fn signs_in_anew(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let then = if case.is_healthy(answer) {
        Then::Nothing
    } else if case.is_healthy(&stage.act().await) {
        Then::SameAgain
    } else {
        Then::Done
    };
    stage.body["sessionToken"] = json!(stage.world.held(ADA).await);
    show_another(stage);
    stage.act().await.expect_status(200);
    then
}

/// The new password is in force, or else the old one.
async fn has_the_new_password(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let then = if answer.status == 200 {
        Then::Nothing
    } else if stage.act().await.status == 200 {
        Then::SameAgain
    } else {
        Then::FreshStart
    };
    let mut browser = stage.world.browser();
    if then == Then::FreshStart && browser.login(ADA, PASSWORD).await.status != 200 {
        challenged(stage.world).await.act().await.expect_status(200);
    }
    browser.login(ADA, PASSWORD).await.expect_status(200);
    then
}
