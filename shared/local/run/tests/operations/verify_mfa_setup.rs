//! `verify-mfa-setup`: the first right code turns an authenticator on.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::{App, GENEROUS, assert_told, code, statuses};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::requests::opens;
use crate::harness::steps::{MANY_STARTS, at_once};

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
