//! `reset-factors`: second factors end after a delay; the guest is told and can stop it.

use serde_json::json;

use crate::harness::authenticator_app::{App, assert_told, code};
use crate::harness::case::Case;
use crate::harness::device::Device;
use crate::harness::operators::{RESET_DELAY_SECONDS, act_on_ada, ask_for_reset, assert_recorded};
use crate::harness::people::ADA;
use crate::harness::requests::{opens, refresh};
use crate::harness::steps::{MANY_STARTS, SECOND_FACTOR_REQUIRED};
use crate::harness::{Browser, TestWorld};

async fn world() -> TestWorld {
    TestWorld::stopped(&MANY_STARTS).await
}

/// Whether a sign-in by code is asked for a second factor.
async fn is_asked(world: &TestWorld) -> bool {
    let answer = world.browser().sign_in(ADA).await;
    answer.expect_status(200);
    answer["mfaRequired"] == true
}

#[tokio::test]
async fn after_a_day_the_next_sign_in_takes_every_second_factor_away() {
    let world = world().await;
    let mut guest = world.guarded(ADA).await;
    let user = guest.session.user.clone();
    let mut live = world.browser();
    // The set-up ends sessions of its own instant too.
    world.advance_millis(1);
    let held = world.held(ADA).await;
    let before = live
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    let asked = ask_for_reset(&world, &user).await;
    assert_told(&world, "Your second factors are about to be removed");
    assert_recorded(&world, &guest.session, "reset-factors").await;
    let shown = guest.session.browser.get("/me").await;
    assert_eq!(shown["factorResetAt"], asked["effectiveAt"]);

    world.advance(RESET_DELAY_SECONDS - 1);
    assert!(is_asked(&world).await, "a first factor does not stop it");
    let again = ask_for_reset(&world, &user).await;
    assert_eq!(again["effectiveAt"], asked["effectiveAt"]);
    let held = world.held(ADA).await;
    world.advance(1);
    let late = code(&guest.app.next_code());
    let refused = world.browser().second_factor(&held, late).await;
    refused.expect_problem(400, "INVALID_SESSION");

    let renewed = refresh(&mut live, &before.text("refreshToken")).await;
    live.bearer(&renewed.text("accessToken"));
    live.get("/me").await.expect_status(200);
    let signed_in = world.browser().sign_in(ADA).await;
    let token = signed_in.text("accessToken");
    assert!(opens(&world, &token).await, "this session goes on");
    assert_told(&world, "Your second factors were removed");
    assert!(signed_in["user"]["factorResetAt"].is_null());
    let ended = live.get("/me").await;
    ended.expect_problem(401, "AUTH_REQUIRED");
    assert!(!is_asked(&world).await);
}

#[tokio::test]
async fn a_reset_empties_the_list_of_passkeys() {
    let world = world().await;
    let mut ada = world.holder(ADA).await;
    ask_for_reset(&world, &ada.session.user).await;
    world.advance(RESET_DELAY_SECONDS);
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let mut browser = world.browser();
    let signed_in = browser.sign_in(ADA).await;
    browser.bearer(&signed_in.text("accessToken"));
    let listed = browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
    let refused = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn a_second_factor_stops_it() {
    let world = world().await;
    let guest = world.guarded(ADA).await;
    ask_for_reset(&world, &guest.session.user).await;
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
    world.advance(RESET_DELAY_SECONDS);
    assert!(is_asked(&world).await);

    let mut ada = world.holder("grace@example.com").await;
    ask_for_reset(&world, &ada.session.user).await;
    let mut browser = world.browser();
    let signed_in = browser
        .passkey_sign_in("grace@example.com", &mut ada.device)
        .await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    assert!(browser.get("/me").await["factorResetAt"].is_null());
}

/// Setting up a factor takes a fresh proof in a live session, which alone may stop a reset.
#[tokio::test]
async fn an_authenticator_that_a_live_session_sets_up_stops_it_and_stays() {
    let world = world().await;
    let mut ada = world.holder(ADA).await;
    ask_for_reset(&world, &ada.session.user).await;
    let browser = &mut ada.session.browser;
    let proof = browser.mailed_proof(ADA, "authenticator").await;
    let set_up = browser.set_up(json!({ "proof": proof })).await;
    let app = App::new(&world, &set_up.text("secret"));
    browser.confirm_set_up(&app.code()).await.expect_status(200);
    assert_stopped(&world, browser).await;
    world.advance(RESET_DELAY_SECONDS);
    assert!(is_asked(&world).await);
}

#[tokio::test]
async fn a_passkey_that_verifies_its_user_stops_it_and_stays() {
    let world = world().await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    ask_for_reset(&world, &session.user).await;
    let browser = &mut session.browser;
    let mut touch = Device::without_verification(&world.origin());
    let proof = json!({ "proof": browser.mailed_proof(ADA, "passkey").await });
    let added = browser.add_passkey(proof, &mut touch).await;
    added.expect_status(201);
    let shown = browser.get("/me").await;
    assert!(shown["factorResetAt"].is_string(), "it is one factor");
    let mut device = world.device();
    let proof = json!({ "proof": browser.mailed_proof(ADA, "passkey").await });
    let added = browser.add_passkey(proof, &mut device).await;
    added.expect_status(201);
    assert_stopped(&world, browser).await;
    world.advance(RESET_DELAY_SECONDS);
    let signed_in = world.browser().passkey_sign_in(ADA, &mut device).await;
    signed_in.expect_status(200);
}

/// The guest is told, and sees it among the events.
async fn assert_stopped(world: &TestWorld, browser: &mut Browser<'_>) {
    assert!(browser.get("/me").await["factorResetAt"].is_null());
    assert_told(world, "Your second factors stay");
    let listed = browser.get("/me/activity").await;
    let events = listed["events"].as_array().unwrap();
    let stops = events
        .iter()
        .filter(|event| event["type"] == "factor-reset-stopped");
    assert_eq!(stops.count(), 1, "{}", listed.body);
}

/// A thief of the mailbox has no live session. Where a second factor is required, a sign-in may set
/// up the first one.
#[tokio::test]
async fn a_set_up_for_a_sign_in_that_waits_does_not_stop_it() {
    let world = TestWorld::stopped(&SECOND_FACTOR_REQUIRED).await;
    let mut browser = world.browser();
    let waiting = browser.sign_in(ADA).await;
    let guests = world.guests().await;
    let user = json!({ "guestId": guests[0]["guestId"]["S"] });
    ask_for_reset(&world, &user).await;
    let token = &waiting["sessionToken"];
    let set_up = browser.set_up(json!({ "sessionToken": token })).await;
    let app = App::new(&world, &set_up.text("secret"));
    let body = json!({ "sessionToken": token, "code": app.code() });
    let signed_in = browser.post("/auth/mfa/setup/verify", body).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    let shown = browser.get("/me").await;
    assert!(shown["factorResetAt"].is_string());
}

/// What can become of it.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("reset-factors", "waits", "202", |world| {
        Box::pin(act_on_ada(world, "reset-factors"))
    })]
}
