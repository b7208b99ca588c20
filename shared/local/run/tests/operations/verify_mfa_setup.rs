//! `verify-mfa-setup`: the first right code turns an authenticator on.

use reqwest::Method;
use serde_json::json;

use crate::harness::authenticator_app::{App, GENEROUS, assert_told, code, statuses};
use crate::harness::case::{Case, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::requests::opens;
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, SECOND_FACTOR_REQUIRED, at_once};
use crate::harness::{Answer, TestWorld};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_confirmations_of_one_set_up_bring_one_set_of_backup_codes() {
    let world = TestWorld::with_settings(&GENEROUS).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = session.browser.mailed_proof(ADA, "authenticator").await;
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

#[tokio::test]
async fn wrong_first_codes_count_too() {
    let world = TestWorld::stopped(&[]).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = session.browser.mailed_proof(ADA, "authenticator").await;
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
    let world = TestWorld::with_settings(&MANY_STARTS).await;
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
    // The sign-in that waited for the authenticator must begin again, and needs none then.
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

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("verify-mfa-setup", "confirmed", "200", |world| {
            Box::pin(first_code(world))
        })
        .then(|_, stage, answer| Box::pin(guards(stage, answer))),
        Case::of(
            "verify-mfa-setup",
            "wrong code",
            "401 INVALID_OTP",
            |world| Box::pin(wrong_code(world)),
        )
        .then(|case, stage, answer| Box::pin(mends_the_code(case, stage, answer))),
        Case::of(
            "verify-mfa-setup",
            "for a sign-in that waits",
            "200",
            |world| Box::pin(waited_for(world)),
        )
        .with(&SECOND_FACTOR_REQUIRED)
        .then(|_, stage, answer| Box::pin(is_signed_in(stage, answer))),
    ]
}

async fn waited_for(world: &TestWorld) -> Stage<'_> {
    let mut browser = world.browser();
    let waiting = browser.sign_in(ADA).await["sessionToken"].clone();
    let body = json!({ "sessionToken": waiting });
    let begun = browser.set_up(body).await;
    begun.expect_status(200);
    let app = App::new(world, &begun.text("secret"));
    let body = json!({ "sessionToken": waiting, "code": app.code() });
    let mut stage = Stage::post(world, "/auth/mfa/setup/verify", body);
    stage.app = Some(app);
    stage
}

/// A person's shortest path to a sign-in with both factors. If the authenticator is in force
/// although its answer was lost, the sign-in asks for it.
async fn is_signed_in(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer["accessToken"].is_string() {
        return Then::Nothing;
    }
    if answer.status != 200 && stage.act().await["accessToken"].is_string() {
        return Then::SameAgain;
    }
    let again = stage.browser.sign_in(ADA).await;
    let held = again.text("sessionToken");
    let signed_in = if again["mfaRequired"] == true {
        let next = stage.app.as_ref().expect("an app").next_code();
        stage.browser.second_factor(&held, code(&next)).await
    } else {
        let begun = stage.browser.set_up(json!({ "sessionToken": held })).await;
        let app = App::new(stage.world, &begun.text("secret"));
        let body = json!({ "sessionToken": held, "code": app.code() });
        stage.browser.post("/auth/mfa/setup/verify", body).await
    };
    assert!(signed_in["accessToken"].is_string(), "{}", signed_in.body);
    Then::FreshStart
}

async fn first_code(world: &TestWorld) -> Stage<'_> {
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let proof = session.browser.mailed_proof(ADA, "authenticator").await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    set_up.expect_status(200);
    let app = App::new(world, &set_up.text("secret"));
    let body = json!({ "code": app.code() });
    let mut stage = Stage::signed_in(session, Method::POST, "/auth/mfa/setup/verify", body);
    stage.app = Some(app);
    stage
}

async fn wrong_code(world: &TestWorld) -> Stage<'_> {
    let mut stage = first_code(world).await;
    stage.body["code"] = json!("404170");
    stage
}

/// The authenticator guards the next sign-in.
async fn guards(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let then = if answer.status == 200 {
        Then::Nothing
    } else if stage.act().await.status == 200 {
        Then::SameAgain
    } else {
        Then::Done
    };
    let held = stage.world.held(ADA).await;
    let factor = code(&stage.next_code());
    let signed_in = stage.world.browser().second_factor(&held, factor).await;
    signed_in.expect_status(200);
    then
}

async fn mends_the_code(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    stage.body["code"] = json!(stage.next_code());
    stage.act().await.expect_status(200);
    then
}
