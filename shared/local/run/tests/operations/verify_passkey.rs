//! `verify-passkey`: a passkey on the guest's list signs in, and no other.

use std::time::{Duration, Instant};

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::authenticator_app::{App, code};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::device::Device;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::requests::{claims, opens};
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::{MANY_STARTS, USER_VERIFICATION_REQUIRED};
use crate::harness::{Answer, TestWorld};
use crate::operations::verify_email_change;

#[tokio::test]
async fn a_passkey_signs_in() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["email"], ADA);
    let token = signed_in.text("accessToken");
    assert_eq!(claims(&token)["scope"], "latchkey/session");
    assert!(opens(&world, &token).await);
}

#[tokio::test]
async fn a_sign_in_takes_one_answer_whether_or_not_somebody_has_the_address() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let mut other = world.holder(EVE).await;
    for email in [ADA, "zoe@nowhere.example"] {
        let started = world.browser().start_passkey(email).await;
        let wrong = other.device.get(&started["options"]).await;
        let right = ada.device.get(&started["options"]).await;
        let refused = world.browser().prove_passkey(&started, &wrong).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
        let spent = world.browser().prove_passkey(&started, &right).await;
        spent.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    }
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
}

/// ASVS 5.0 6.3.8. Cognito judges an answer to its own challenge, and is not asked about a made-up
/// one. Neither the bytes of a refusal nor its time tell which it was.
#[tokio::test]
async fn a_wrong_answer_is_refused_alike_where_the_challenge_was_made_up() {
    const FLOOR: Duration = Duration::from_millis(2500);
    const HANDICAP: Duration = Duration::from_millis(600);
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::stopped(&[("OTP_REFUSAL_FLOOR_MS", &floor)]).await;
    world.holder(ADA).await;
    let mut other = world.holder(EVE).await;
    let asked = "AdminRespondToAuthChallenge";
    let slow = Fault::new(FaultKind::Delay, "cognito-idp", asked);
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let before = world.last_call();
    let mut refused = async |email, address| {
        let mut browser = world.browser_at(address);
        let started = browser.start_passkey(email).await;
        let wrong = other.device.get(&started["options"]).await;
        let began = Instant::now();
        let refused = browser.prove_passkey(&started, &wrong).await;
        let took = began.elapsed();
        refused.expect_problem(401, "INVALID_CREDENTIALS");
        let (mut body, mut headers) = (refused.body.clone(), refused.headers.clone());
        body["requestId"] = Value::Null;
        for own in ["date", "apigw-requestid"] {
            headers.remove(own);
        }
        (took, (body, headers))
    };
    let (judged, answer) = refused(ADA, "127.0.0.2").await;
    let (made_up, same) = refused("zoe@nowhere.example", "127.0.0.3").await;
    assert_eq!(answer, same);
    assert!(judged >= FLOOR && made_up >= FLOOR);
    assert!(judged.abs_diff(made_up) < HANDICAP / 2);
    let actions = world.cognito_actions_since(before);
    assert_eq!(actions, ["AdminInitiateAuth", asked]);
}

#[tokio::test]
async fn an_answer_that_was_sent_twice_signs_in_once() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let started = world.browser().start_passkey(ADA).await;
    let credential = ada.device.get(&started["options"]).await;
    let signed_in = world.browser().prove_passkey(&started, &credential).await;
    signed_in.expect_status(200);
    let again = world.browser().prove_passkey(&started, &credential).await;
    again.expect_problem(409, "SIGN_IN_COMPLETED");
    let next = world.browser().start_passkey(ADA).await;
    let replayed = world.browser().prove_passkey(&next, &credential).await;
    replayed.expect_problem(401, "INVALID_CREDENTIALS");
}

#[tokio::test]
async fn what_the_page_changes_of_an_answer_proves_nothing() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    for (place, value) in [
        ("/response/signature", json!("MEUCIQDx")),
        (
            "/response/authenticatorData",
            json!("SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAA_w"),
        ),
        (
            "/response/clientDataJSON",
            json!("eyJ0eXBlIjoid2ViYXV0aG4uZ2V0In0"),
        ),
        ("/id", json!("AQID")),
    ] {
        let started = world.browser().start_passkey(ADA).await;
        let mut credential = ada.device.get(&started["options"]).await;
        *credential.pointer_mut(place).unwrap() = value;
        let refused = world.browser().prove_passkey(&started, &credential).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
    }
}

#[tokio::test]
async fn an_answer_that_another_origin_was_given_signs_nobody_in() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    for origin in [
        "https://evil.example",
        "https://evillocalhost",
        "http://localhost.evil.example",
    ] {
        let started = world.browser().start_passkey(ADA).await;
        let relayed = ada.device.get_at(origin, &started["options"]).await;
        let refused = world.browser().prove_passkey(&started, &relayed).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let started = world.browser().start_passkey(ADA).await;
    let own = ada
        .device
        .get_at(&world.origin(), &started["options"])
        .await;
    let signed_in = world.browser().prove_passkey(&started, &own).await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_touch_is_no_answer_where_verification_is_demanded() {
    let world = TestWorld::with_settings(&USER_VERIFICATION_REQUIRED).await;
    let mut ada = world.holder(ADA).await;
    let unknown = world.browser().start_passkey("zoe@nowhere.example").await;
    let started = world.browser().start_passkey(ADA).await;
    for answer in [&unknown, &started] {
        assert_eq!(answer["options"]["userVerification"], "required");
    }
    let mut changed = started["options"].clone();
    changed["userVerification"] = json!("discouraged");
    let touch = ada.device.touched().get(&changed).await;
    let before = world.last_call();
    let refused = world.browser().prove_passkey(&started, &touch).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    assert!(world.calls(before).is_empty(), "Cognito is not asked");
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
}

/// A passkey that was registered directly at Cognito, or that the list lost.
#[tokio::test]
async fn a_passkey_that_the_list_lacks_signs_nobody_in() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let mut second = world.device();
    let browser = &mut ada.session.browser;
    let proof = json!({ "proof": browser.mailed_proof(ADA, "passkey").await });
    let begun = ada.session.browser.set_up_passkey(proof).await;
    let credential = second.create(&begun["options"]).await;
    // Cognito keeps it. Its answer comes, and both writes after it fail.
    world.fault(Fault::new(
        FaultKind::Denied,
        "dynamodb",
        "TransactWriteItems",
    ));
    world.fault(Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "DeleteWebAuthnCredential",
    ));
    let failed = ada
        .session
        .browser
        .complete_passkey(&begun, &credential)
        .await;
    failed.expect_problem(500, "INTERNAL");
    let before = world.last_call();
    let refused = world.browser().passkey_sign_in(ADA, &mut second).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let actions = world.cognito_actions_since(before);
    assert_eq!(
        actions.last().unwrap(),
        "RevokeToken",
        "its tokens are worth nothing"
    );
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_passkey_that_is_older_than_the_authenticator_is_one_factor_until_they_were_shown_together()
 {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let proof = json!({ "proof": browser.mailed_proof(ADA, "authenticator").await });
    let set_up = browser.set_up(proof).await;
    let app = App::new(&world, &set_up.text("secret"));
    browser.confirm_set_up(&app.code()).await.expect_status(200);
    let held = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true);
    let signed_in = world
        .browser()
        .second_factor(&held.text("sessionToken"), code(&app.next_code()))
        .await;
    signed_in.expect_status(200);
    let both = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    both.expect_status(200);
    assert!(both["accessToken"].is_string(), "{}", both.body);
}

#[tokio::test]
async fn a_verified_passkey_that_was_shown_with_the_authenticator_is_both_factors() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let mut both = world.device();
    let mut touch = Device::without_verification(&world.origin());
    for device in [&mut both, &mut touch] {
        let proofs = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
        let added = guest.session.browser.add_passkey(proofs, device).await;
        added.expect_status(201);
    }
    let signed_in = world.browser().passkey_sign_in(ADA, &mut both).await;
    signed_in.expect_status(200);
    assert!(signed_in["accessToken"].is_string());
    let held = world.browser().passkey_sign_in(ADA, &mut touch).await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true);
}

#[tokio::test]
async fn an_answer_that_cognito_did_not_see_may_be_sent_again() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let started = world.browser().start_passkey(ADA).await;
    let credential = ada.device.get(&started["options"]).await;
    world.fault(Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "AdminRespondToAuthChallenge",
    ));
    let failed = world.browser().prove_passkey(&started, &credential).await;
    failed.expect_problem(500, "INTERNAL");
    let signed_in = world.browser().prove_passkey(&started, &credential).await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_sign_in_ends_after_five_minutes() {
    let world = TestWorld::stopped(&[]).await;
    let mut ada = world.holder(ADA).await;
    let started = world.browser().start_passkey(ADA).await;
    assert_eq!(started["expiresIn"], 300);
    let credential: Value = ada.device.get(&started["options"]).await;
    world.advance(300);
    let late = world.browser().prove_passkey(&started, &credential).await;
    late.expect_problem(410, "OTP_EXPIRED");
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let right = |name, prepare: Prepare| {
        Case::of("verify-passkey", name, "200", prepare)
            .then(|case, stage, answer| Box::pin(answers(case, stage, answer, ADA)))
    };
    vec![
        right("guest on a new device", |world| Box::pin(new_device(world))),
        right("guest with another language", |world| {
            Box::pin(guest_with_a_language(world))
        }),
        right("guest with an authenticator", |world| {
            Box::pin(guarded_guest(world))
        }),
        Case::of(
            "verify-passkey",
            "change of address half done",
            "200",
            |world| Box::pin(half_changed(world)),
        )
        .then(|case, stage, answer| Box::pin(answers_at_either(case, stage, answer))),
        Case::of(
            "verify-passkey",
            "challenge made up",
            "401 INVALID_CREDENTIALS",
            |world| Box::pin(challenge_made_up(world)),
        )
        .then(|case, stage, answer| Box::pin(answers(case, stage, answer, EVE))),
    ]
}

async fn new_device(world: &TestWorld) -> Stage<'_> {
    let device = world.holder(ADA).await.device;
    world.advance(UNTIL_COLD_SECONDS);
    shown(world, ADA, device).await
}

async fn guest_with_a_language(world: &TestWorld) -> Stage<'_> {
    let device = world.holder(ADA).await.device;
    world.change_language(ADA, "de").await;
    world.advance(UNTIL_COLD_SECONDS);
    shown(world, ADA, device).await
}

async fn half_changed(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let ada = world.holder(ADA).await;
    verify_email_change::half_done_by(ada.session).await;
    world.advance(UNTIL_COLD_SECONDS);
    shown(world, ADA, ada.device).await
}

async fn guarded_guest(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let device = world.holder(ADA).await.device;
    drop(world.guarded_by_password(ADA, PASSWORD).await);
    world.advance(UNTIL_COLD_SECONDS);
    shown(world, ADA, device).await
}

/// An address without a guest gets a challenge that Cognito did not make.
async fn challenge_made_up(world: &TestWorld) -> Stage<'_> {
    let device = world.holder(ADA).await.device;
    shown(world, EVE, device).await
}

async fn shown<'world>(world: &'world TestWorld, email: &str, device: Device) -> Stage<'world> {
    let mut stage = Stage::post(world, "", json!({}));
    stage.device = Some(device);
    stage.shows_passkey(email).await;
    stage
}

/// The least that a person must do until an answer of their device is decided on. A challenge takes
/// one answer.
async fn answers(case: &Case, stage: &mut Stage<'_>, answer: &Answer, email: &str) -> Then {
    if case.is_healthy(answer) {
        return Then::Nothing;
    }
    if case.is_healthy(&stage.act().await) {
        return Then::SameAgain;
    }
    stage.shows_passkey(email).await;
    let another = stage.act().await;
    assert!(case.is_healthy(&another), "{case}: {}", another.body);
    Then::FreshStart
}

/// The same at the old address or, once the change is done, at the new one. The next start finishes
/// the rest of the change.
async fn answers_at_either(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if !case.is_healthy(answer) {
        then = Then::SameAgain;
        if !case.is_healthy(&stage.act().await) {
            then = Then::FreshStart;
            stage.shows_passkey(ADA).await;
            if !case.is_healthy(&stage.act().await) {
                stage.shows_passkey(ELSEWHERE).await;
                stage.act().await.expect_status(200);
            }
        }
    }
    let started = stage.world.browser().start(ELSEWHERE).await;
    started.expect_status(200);
    then
}
