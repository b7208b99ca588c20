//! Authenticators from outside: set up, asked for, lost, replaced, removed, and attacked.

use std::process::{Command, Output};
use std::time::Duration;

use auth_local::{Fault, FaultKind};
use data_encoding::BASE64;
use serde_json::{Value, json};

use crate::authenticator_app::{App, STEP_SECONDS};
use crate::backstage::{
    authenticator_keys, move_guest, plant_authenticator, set_authenticator_keys, take_authenticator,
};
use crate::harness::{Answer, TestWorld};
use crate::requests::opens;
use crate::steps::at_once;

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";
const PASSWORD: &str = "nine lives of a cat";

/// Fifty attempts may be made at all, so that only the single use of a code decides.
const GENEROUS: [(&str, &str); 2] = [("MFA_ATTEMPTS", "60"), ("MFA_FAILURES_PER_USER", "100")];

fn code(code: &str) -> Value {
    json!({ "code": code })
}

fn statuses(answers: &[Answer], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

#[tokio::test]
async fn a_mailed_code_and_then_the_authenticator_sign_in_and_nothing_leaves_between_them() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let mut browser = world.browser();
    let held = browser.sign_in(ADA).await;
    held.expect_status(200);
    let names: Vec<_> = held.body.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["challenge", "mfaRequired", "sessionToken", "tokenType"]
    );
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

/// The app of the other tests knows codes from the library that the domain has them from; pyotp knows neither.
#[tokio::test]
async fn an_app_that_is_not_ours_takes_up_the_uri_and_signs_in() {
    if !pyotp(&["-c", "import pyotp"]).is_some_and(|probe| probe.status.success()) {
        println!("SKIPPED: python3 with pyotp is not at hand");
        return;
    }
    let world = TestWorld::start().await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = world.mailed_proof(ADA).await;
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
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
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
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
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
    // The authenticator goes on.
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
    assert!(
        answers
            .iter()
            .all(|answer| [200, 400, 401].contains(&answer.status))
    );
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_confirmations_of_one_set_up_bring_one_set_of_backup_codes() {
    let world = TestWorld::with_settings(&GENEROUS).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = world.mailed_proof(ADA).await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    set_up.expect_status(200);
    let app = App::new(&world, &set_up.text("secret"));
    let first = app.code();
    let attempts = (0..50).map(|_| async {
        let mut browser = world.browser();
        browser.bearer(&session.access_token);
        browser.confirm_set_up(&first).await
    });
    let answers = at_once(attempts).await;
    assert_eq!(statuses(&answers, 200), 1, "{answers:?}");
    let confirmed = answers.iter().find(|answer| answer.status == 200).unwrap();
    let held = world.held(ADA).await;
    let factor = json!({ "backupCode": confirmed["backupCodes"][7] });
    let signed_in = world.browser().second_factor(&held, factor).await;
    signed_in.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_set_ups_at_once_the_one_that_was_kept_is_confirmed_and_no_other() {
    let world = TestWorld::with_settings(&[("MFA_FAILURES_PER_USER", "100")]).await;
    world.registered(ADA, PASSWORD).await;
    let session = world.browser().login(ADA, PASSWORD).await;
    let token = session.text("accessToken");
    let begun = (0..50).map(|_| async {
        let mut browser = world.browser();
        browser.bearer(&token);
        browser.set_up(json!({ "password": PASSWORD })).await
    });
    let mut begun = at_once(begun).await;
    // Five passwords at once are admitted; those set-ups are race enough.
    begun.retain(|set_up| set_up.status == 200);
    assert!(begun.len() > 1);
    let confirmed = begun.iter().map(|set_up| {
        let app = App::new(&world, &set_up.text("secret"));
        let (world, token) = (&world, &token);
        async move {
            let mut browser = world.browser();
            browser.bearer(token);
            browser.confirm_set_up(&app.code()).await
        }
    });
    assert_eq!(statuses(&at_once(confirmed).await, 200), 1);
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

#[tokio::test]
async fn a_right_code_clears_the_count_of_wrong_ones() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
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
    refused.expect_problem(400, "INVALID_SESSION");
    let unknown = "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";
    let refused = browser.second_factor(unknown, code("404170")).await;
    refused.expect_problem(400, "INVALID_SESSION");
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

#[tokio::test]
async fn setting_up_takes_a_fresh_proof_of_the_guests_own() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    world.sign_in(EVE).await;
    ada.browser.bearer(&ada.access_token);
    for (proofs, status, problem) in [
        (json!({}), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password" }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "proof": world.mailed_proof(EVE).await }),
            400,
            "INVALID_SESSION",
        ),
        (
            json!({ "password": PASSWORD, "proof": world.mailed_proof(ADA).await }),
            400,
            "VALIDATION_FAILED",
        ),
    ] {
        let refused = ada.browser.set_up(proofs).await;
        refused.expect_problem(status, problem);
    }
    let mut nobody = world.browser();
    let refused = nobody.set_up(json!({ "password": PASSWORD })).await;
    refused.expect_status(401);
    // The code that proved it signs nobody in afterwards, nor does it prove anything again.
    let proof = world.mailed_proof(ADA).await;
    let set_up = json!({ "proof": proof });
    ada.browser.set_up(set_up.clone()).await.expect_status(200);
    let refused = ada.browser.set_up(set_up).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn a_new_authenticator_takes_the_place_of_the_old_only_when_it_is_confirmed() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let browser = &mut guest.session.browser;
    // A password alone, or a mailbox alone, must not replace it.
    let refused = browser.set_up(json!({ "password": PASSWORD })).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "code");
    let wrong = json!({ "password": PASSWORD, "code": "404170" });
    let refused = browser.set_up(wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    let replacing = json!({ "password": PASSWORD, "code": guest.app.next_code() });
    let set_up = browser.set_up(replacing).await;
    set_up.expect_status(200);
    let new = App::new(&world, &set_up.text("secret"));
    let held = world.held(ADA).await;
    let refused = world
        .browser()
        .second_factor(&held, code(&new.next_code()))
        .await;
    refused.expect_problem(401, "INVALID_OTP");
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.code()))
        .await;
    signed_in.expect_status(200);

    browser
        .confirm_set_up(&new.next_code())
        .await
        .expect_status(200);
    let held = world.held(ADA).await;
    for refused in [
        code(&guest.app.next_code()),
        json!({ "backupCode": guest.backup_codes[0] }),
    ] {
        let refused = world.browser().second_factor(&held, refused).await;
        refused.expect_problem(401, "INVALID_OTP");
    }
    let signed_in = world
        .browser()
        .second_factor(&held, code(&new.code()))
        .await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_set_up_that_is_not_confirmed_in_ten_minutes_has_to_be_begun_anew() {
    let world = TestWorld::stopped(&[]).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let nothing = session.browser.confirm_set_up("404170").await;
    nothing.expect_problem(400, "INVALID_SESSION");
    let proof = world.mailed_proof(ADA).await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    assert_eq!(set_up["expiresIn"], 600);
    let app = App::new(&world, &set_up.text("secret"));
    world.advance(600);
    let late = session.browser.confirm_set_up(&app.code()).await;
    late.expect_problem(410, "SESSION_EXPIRED");
    world.browser().sign_in(ADA).await.expect_status(200);
}

#[tokio::test]
async fn wrong_first_codes_count_too() {
    let world = TestWorld::stopped(&[]).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = world.mailed_proof(ADA).await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    let app = App::new(&world, &set_up.text("secret"));
    for left in [4, 3, 2, 1, 0] {
        let refused = session.browser.confirm_set_up("404170").await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(refused["attemptsRemaining"], left);
    }
    let refused = session.browser.confirm_set_up(&app.code()).await;
    refused.expect_problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn confirming_and_removing_end_every_other_session_and_tell_the_guest() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
    world.registered(ADA, PASSWORD).await;
    let other = world.sign_in(ADA).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    assert_ends(&world, &other.access_token, &other.refresh_token).await;
    assert!(opens(&world, &guest.session.access_token).await);
    assert_told(&world, "An authenticator was set up");

    let held = world.held(ADA).await;
    let other = world
        .browser()
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    let waiting = world.held(ADA).await;
    let proofs = json!({ "password": PASSWORD, "code": guest.app.next_code() });
    let browser = &mut guest.session.browser;
    browser.disable(proofs.clone()).await.expect_status(204);
    assert_ends(
        &world,
        &other.text("accessToken"),
        &other.text("refreshToken"),
    )
    .await;
    assert!(opens(&world, &guest.session.access_token).await);
    assert_told(&world, "Your authenticator was removed");
    // What waited for the authenticator has to begin anew, and needs none then.
    let refused = world
        .browser()
        .second_factor(&waiting, code(&guest.app.next_code()))
        .await;
    refused.expect_problem(400, "INVALID_SESSION");
    let signed_in = world.browser().login(ADA, PASSWORD).await;
    assert!(signed_in["accessToken"].is_string());
    browser.disable(proofs).await.expect_status(204);
}

async fn assert_ends(world: &TestWorld, access_token: &str, refresh_token: &str) {
    assert!(!opens(world, access_token).await);
    let exchange = json!({ "refreshToken": refresh_token });
    let refused = world.browser().post("/auth/refresh", exchange).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
}

fn assert_told(world: &TestWorld, subject: &str) {
    assert!(world.mails(ADA).iter().any(|mail| mail.subject == subject));
}

#[tokio::test]
async fn removing_takes_both_proofs() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let right = guest.app.next_code();
    for (proofs, status, problem) in [
        (json!({ "password": PASSWORD }), 400, "VALIDATION_FAILED"),
        (json!({ "code": right }), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password", "code": right }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "password": PASSWORD, "code": "404170" }),
            401,
            "INVALID_OTP",
        ),
    ] {
        let refused = guest.session.browser.disable(proofs).await;
        refused.expect_problem(status, problem);
    }
    let proofs = json!({
        "proof": world.mailed_proof(ADA).await,
        "backupCode": guest.backup_codes[4],
    });
    guest
        .session
        .browser
        .disable(proofs)
        .await
        .expect_status(204);
    world.browser().sign_in(ADA).await.expect_status(200);
}

/// ASVS 5.0 6.4.3: a reset does not bypass the second factor.
#[tokio::test]
async fn recovery_does_not_step_round_the_authenticator() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
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

/// A sign-in that Cognito has begun to answer before the authenticator was confirmed, and ends after it.
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

/// The address was changed at Cognito, and the guest is kept under the one before.
#[tokio::test]
async fn a_guest_whose_address_has_changed_can_set_up_an_authenticator() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    move_guest(&world, ADA, "ada@elsewhere.example").await;
    let mut browser = world.browser();
    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    let set_up = json!({ "password": PASSWORD });
    let set_up = browser.post("/auth/mfa/setup", set_up).await;
    set_up.expect_status(200);
}

#[tokio::test]
async fn keys_that_were_moved_to_another_guest_do_not_open() {
    let world = TestWorld::start().await;
    let ada = world.guarded(ADA).await;
    world.guarded(EVE).await;
    let keys = authenticator_keys(&world, ADA).await;
    set_authenticator_keys(&world, EVE, &keys).await;
    let held = world.held(EVE).await;
    let refused = world
        .browser()
        .second_factor(&held, code(&ada.app.next_code()))
        .await;
    refused.expect_problem(500, "INTERNAL");
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&ada.app.next_code()))
        .await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn authenticator_and_backup_codes_survive_any_rotation_of_the_keys() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
    let guest = world.guarded(ADA).await;
    for rotation in 0..3u8 {
        let mut secrets = world.secrets().await;
        secrets["keys"]["previous"] = secrets["keys"]["current"].clone();
        secrets["keys"]["current"] = json!(BASE64.encode(&[rotation; 32]));
        world.put_secrets(&secrets).await;
        world.advance(301);
        for factor in [
            code(&guest.app.next_code()),
            json!({ "backupCode": guest.backup_codes[usize::from(rotation)] }),
        ] {
            let held = world.held(ADA).await;
            let signed_in = world.browser().second_factor(&held, factor).await;
            signed_in.expect_status(200);
        }
    }
}

/// The public client signs in at Cognito's own endpoint, which knows nothing of the authenticator.
#[tokio::test]
async fn the_public_client_is_refused_for_guests_who_have_an_authenticator() {
    let world = TestWorld::start_with(|options| options.public_client = true).await;
    world.registered(ADA, PASSWORD).await;
    let sign_in = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD },
    });
    let before = world.cognito_call("InitiateAuth", sign_in.clone()).await;
    before.expect_status(200);
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    let by_code = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
    });
    for refused in [sign_in, by_code] {
        let refused = world.cognito_call("InitiateAuth", refused).await;
        refused.expect_status(400);
        assert_eq!(
            refused["__type"], "UserLambdaValidationException",
            "{}",
            refused.body
        );
    }
    // Nor do tokens from before go on.
    let refresh = json!({
        "ClientId": world.ready().client_id,
        "RefreshToken": before["AuthenticationResult"]["RefreshToken"],
    });
    let refused = world
        .cognito_call("GetTokensFromRefreshToken", refresh)
        .await;
    refused.expect_status(400);
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn an_agent_hears_that_the_guest_has_to_finish_on_the_web_page() {
    let world = TestWorld::start().await;
    world.guarded(ADA).await;
    let proof = world.mailed_proof(ADA).await;
    let arguments = json!({
        "email": ADA,
        "otp_code": proof["code"],
        "session_token": proof["sessionToken"],
    });
    let result = world
        .call_tool("verify-otp", "verify_cognito_otp", &arguments)
        .await;
    assert_eq!(result["success"], false);
    assert_eq!(result["error_code"], "AUTH_REQUIRED");
    assert_eq!(result["mfa_required"], true);
    assert!(result["access_token"].is_null() && result["event_type"].is_null());
}

/// What a user of an older pool may meet: a password that an administrator chose.
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
