//! `keep-factors`: a live session stops an operator's reset, until its time has come.

use reqwest::Method;
use serde_json::Value;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::assert_told;
use crate::harness::case::Case;
use crate::harness::operators::{RESET_DELAY_SECONDS, ask_for_reset};
use crate::harness::people::ADA;
use crate::harness::requests::refresh;
use crate::harness::stage::Stage;

#[tokio::test]
async fn a_live_session_stops_a_reset_and_the_factors_stay() {
    let world = TestWorld::stopped(&[]).await;
    let mut guest = world.guarded(ADA).await;
    let nothing = guest.session.browser.delete("/me/factor-reset").await;
    nothing.expect_status(204);
    ask_for_reset(&world, &guest.session.user).await;
    for _ in 0..2 {
        let stopped = guest.session.browser.delete("/me/factor-reset").await;
        stopped.expect_status(204);
    }
    assert_told(&world, "Your second factors stay");
    let shown = guest.session.browser.get("/me").await;
    assert!(shown["factorResetAt"].is_null());
    world.advance(RESET_DELAY_SECONDS);
    world.held(ADA).await;
}

#[tokio::test]
async fn a_reset_whose_time_has_come_is_not_stopped() {
    let world = TestWorld::stopped(&[("FACTOR_RESET_DELAY_HOURS", "1")]).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    ask_for_reset(&world, &session.user).await;
    world.advance(3599);
    let shown = session.browser.get("/me").await;
    assert!(shown["factorResetAt"].is_string());
    world.advance(1);
    let renewed = refresh(&mut session.browser, &session.refresh_token).await;
    session.browser.bearer(&renewed.text("accessToken"));
    let late = session.browser.delete("/me/factor-reset").await;
    late.expect_problem(410, "SESSION_EXPIRED");
}

/// What can become of it.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("keep-factors", "stopped", "204", |world| {
            Box::pin(stopping(world))
        }),
        Case::of("keep-factors", "nothing waits", "204", |world| {
            Box::pin(nothing_waits(world))
        }),
    ]
}

async fn stopping(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    ask_for_reset(world, &session.user).await;
    Stage::signed_in(session, Method::DELETE, "/me/factor-reset", Value::Null)
}

async fn nothing_waits(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    Stage::signed_in(session, Method::DELETE, "/me/factor-reset", Value::Null)
}
