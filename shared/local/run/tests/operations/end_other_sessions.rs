//! `end-other-sessions`: every session ends but the one that asks.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::Value;

use crate::harness::TestWorld;
use crate::harness::backstage::forget_sessions;
use crate::harness::case::Case;
use crate::harness::people::ADA;
use crate::harness::requests::{assert_refused_everywhere, expect_refused_refresh, opens, refresh};
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::operations::end_session::the_other_ends;

/// ASVS 5.0 7.4.3, 7.5.2: sessions without a record end too.
#[tokio::test]
async fn every_other_session_ends_and_this_one_goes_on() {
    let world = TestWorld::start().await;
    let old = world.sign_in(ADA).await;
    forget_sessions(&world).await;
    let telephone = world.sign_in(ADA).await;
    let mut laptop = world.sign_in(ADA).await;
    let bystander = world.sign_in("eve@example.com").await;
    laptop.browser.bearer(&laptop.access_token);
    laptop
        .browser
        .delete("/me/sessions")
        .await
        .expect_status(204);
    for other in [&old, &telephone] {
        assert_refused_everywhere(&world, &other.access_token).await;
        let refused = refresh(&mut world.browser(), &other.refresh_token).await;
        expect_refused_refresh(&refused, "revoked");
    }
    let refreshed = refresh(&mut laptop.browser, &laptop.refresh_token).await;
    refreshed.expect_status(200);
    for token in [
        &laptop.access_token,
        &refreshed.text("accessToken"),
        &bystander.access_token,
    ] {
        assert!(opens(&world, token).await);
    }
    let sessions = laptop.browser.get("/me/sessions").await;
    assert_eq!(sessions["sessions"].as_array().unwrap().len(), 1);
    let again = world.sign_in(ADA).await;
    assert!(opens(&world, &again.access_token).await);
}

/// In any order, no token of an ended session lives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sessions_that_end_each_other_one_at_most_goes_on() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for _ in 0..3 {
        let mut guests = vec![world.sign_in(ADA).await, world.sign_in(ADA).await];
        let ending = guests.iter_mut().map(|guest| {
            guest.browser.bearer(&guest.access_token);
            guest.browser.delete("/me/sessions")
        });
        let answers = join_all(ending).await;
        assert!(answers.iter().any(|answer| answer.status == 204));
        let mut living = 0;
        for guest in &guests {
            living += usize::from(opens(&world, &guest.access_token).await);
        }
        assert_eq!(living, 1);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let ended = Case::of("end-other-sessions", "ended", "204", |world| {
        Box::pin(other_session(world))
    });
    vec![ended.then(|case, stage, answer| Box::pin(the_other_ends(case, stage, answer)))]
}

async fn other_session(world: &TestWorld) -> Stage<'_> {
    let other = world.sign_in(ADA).await;
    let session = world.sign_in(ADA).await;
    let mut stage = Stage::signed_in(session, Method::DELETE, "/me/sessions", Value::Null);
    stage.refresh_token = other.refresh_token;
    stage
}
