//! A sign-out everywhere and a sign-in within one second. Refreshed tokens carry only the second of
//! their sign-in, so every doubt counts as signed out.

use serde_json::json;

use crate::harness::authenticator_app::code;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{Outside, access_token, open_world};
use crate::harness::requests::{assert_refused_everywhere, expect_refused_refresh, opens, refresh};
use crate::harness::{SignedIn, TestWorld};

/// A signed-in guest, with the clock stopped at the start of a later second.
async fn ada_at_a_second(world: &TestWorld) -> SignedIn<'_> {
    world.registered(ADA, PASSWORD).await;
    let mut own = world.sign_in(ADA).await;
    own.browser.bearer(&own.access_token);
    world.stop_at_a_second();
    own
}

/// Refreshes at Cognito, and returns the access token.
async fn renewed(outside: &Outside<'_>, session: &SignedIn<'_>) -> String {
    let renewed = outside.renew(&session.refresh_token).await;
    renewed.expect_status(200);
    access_token(&renewed)
}

#[tokio::test]
async fn a_token_that_is_renewed_in_the_second_of_its_sign_in_stays_signed_out() {
    for is_recorded in [false, true] {
        let world = open_world().await;
        let mut own = ada_at_a_second(&world).await;
        let outside = Outside::of(&world);
        world.advance_millis(100);
        let mut phone = outside.session(ADA, PASSWORD).await;
        if is_recorded {
            phone.browser.get("/me").await.expect_status(200);
        }
        world.advance_millis(100);
        let before = renewed(&outside, &phone).await;
        world.advance_millis(100);
        own.browser.delete("/me/sessions").await.expect_status(204);
        world.advance_millis(100);
        let in_the_second = renewed(&outside, &phone).await;
        world.advance_millis(599);
        let at_its_end = renewed(&outside, &phone).await;
        world.advance_millis(1);
        let in_the_next = renewed(&outside, &phone).await;
        for token in [
            &phone.access_token,
            &before,
            &in_the_second,
            &at_its_end,
            &in_the_next,
        ] {
            assert_refused_everywhere(&world, token).await;
        }
        // The session that asked goes on.
        let refreshed = refresh(&mut own.browser, &own.refresh_token).await;
        refreshed.expect_status(200);
        for token in [&own.access_token, &refreshed.text("accessToken")] {
            assert!(opens(&world, token).await);
        }
    }
}

#[tokio::test]
async fn a_sign_in_after_the_sign_out_in_the_same_second_goes_on() {
    let world = open_world().await;
    let mut own = ada_at_a_second(&world).await;
    let outside = Outside::of(&world);
    world.advance_millis(100);
    own.browser.delete("/me/sessions").await.expect_status(204);
    // The same millisecond counts as before.
    let as_early = outside.session(ADA, PASSWORD).await;
    assert!(!opens(&world, &as_early.access_token).await);
    world.advance_millis(1);
    let phone = outside.session(ADA, PASSWORD).await;
    assert!(opens(&world, &phone.access_token).await);
    world.advance_millis(100);
    let in_the_second = renewed(&outside, &phone).await;
    world.advance(1);
    let later = renewed(&outside, &phone).await;
    for token in [&phone.access_token, &in_the_second, &later] {
        assert!(opens(&world, token).await);
    }
}

/// Only its own token knows the instant. The record takes it from there.
#[tokio::test]
async fn without_a_record_such_a_sign_in_is_refused_once_it_is_renewed_and_no_later_one_is() {
    let world = open_world().await;
    let mut own = ada_at_a_second(&world).await;
    let outside = Outside::of(&world);
    world.advance_millis(100);
    own.browser.delete("/me/sessions").await.expect_status(204);
    world.advance_millis(1);
    let phone = outside.session(ADA, PASSWORD).await;
    let token = renewed(&outside, &phone).await;
    assert!(!opens(&world, &token).await);
    assert!(opens(&world, &phone.access_token).await);
    assert!(opens(&world, &token).await, "now it has a record");

    world.advance_millis(899);
    let next = outside.session(ADA, PASSWORD).await;
    let token = renewed(&outside, &next).await;
    assert!(opens(&world, &token).await);
}

#[tokio::test]
async fn the_session_that_asks_goes_on_although_its_own_token_was_renewed() {
    let world = open_world().await;
    let own = ada_at_a_second(&world).await;
    let outside = Outside::of(&world);
    world.advance_millis(100);
    let mut phone = outside.session(ADA, PASSWORD).await;
    world.advance_millis(100);
    let token = renewed(&outside, &phone).await;
    phone.browser.bearer(&token);
    phone
        .browser
        .delete("/me/sessions")
        .await
        .expect_status(204);
    world.advance_millis(100);
    let in_the_second = renewed(&outside, &phone).await;
    world.advance(1);
    let later = renewed(&outside, &phone).await;
    for token in [&phone.access_token, &token, &in_the_second, &later] {
        assert!(opens(&world, token).await);
    }
    let mut browser = world.browser();
    browser.bearer(&later);
    let renamed = browser.patch("/me", json!({ "name": "Ada" })).await;
    renamed.expect_status(200);
    assert!(!opens(&world, &own.access_token).await);
}

/// The operations' own sessions have the instant in their record.
#[tokio::test]
async fn the_operations_own_sessions_keep_their_instant() {
    let world = open_world().await;
    let mut own = ada_at_a_second(&world).await;
    world.advance_millis(100);
    let before = world.sign_in(ADA).await;
    world.advance_millis(1);
    own.browser.delete("/me/sessions").await.expect_status(204);
    world.advance_millis(1);
    let after = world.sign_in(ADA).await;
    let refused = refresh(&mut world.browser(), &before.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    let refreshed = refresh(&mut world.browser(), &after.refresh_token).await;
    refreshed.expect_status(200);
    let mut browser = world.browser();
    browser.bearer(&refreshed.text("accessToken"));
    let renamed = browser.patch("/me", json!({ "name": "Ada" })).await;
    renamed.expect_status(200);
}

/// The tokens after a second factor are exchanged ones. The session began with the first factor.
#[tokio::test]
async fn a_sign_in_by_two_factors_begins_with_the_first() {
    let world = open_world().await;
    let mut guest = world.guarded(ADA).await;
    let app = guest.app;
    let next = || code(&app.next_code());
    guest.session.browser.bearer(&guest.session.access_token);
    world.advance(60);
    world.stop_at_a_second();
    let ended_between = world.held(ADA).await;
    world.advance_millis(100);
    let done = guest.session.browser.delete("/me/sessions").await;
    done.expect_status(204);
    world.advance_millis(1);
    let begun_after = world.held(ADA).await;
    let after = world.browser().second_factor(&begun_after, next()).await;
    after.expect_status(200);
    assert!(opens(&world, &after.text("accessToken")).await);
    let refreshed = refresh(&mut world.browser(), &after.text("refreshToken")).await;
    refreshed.expect_status(200);
    assert!(opens(&world, &refreshed.text("accessToken")).await);

    let between = world.browser().second_factor(&ended_between, next()).await;
    between.expect_status(200);
    assert!(!opens(&world, &between.text("accessToken")).await);
}
