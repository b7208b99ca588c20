//! `end-session`: a guest ends one of their sessions, from any other.

use reqwest::Method;
use serde_json::Value;

use crate::harness::case::{Case, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{API, Outside, public_records};
use crate::harness::requests::{
    assert_refused_everywhere, expect_refused_refresh, opens, refresh, session_of,
};
use crate::harness::stage::Stage;
use crate::harness::{Answer, SignedIn, TestWorld};
use crate::operations::logout_user::is_signed_out;

/// ASVS 5.0 7.5.2.
#[tokio::test]
async fn an_ended_session_is_refused_everywhere_and_the_others_go_on() {
    let world = TestWorld::start().await;
    let mut laptop = world.sign_in(ADA).await;
    let mut telephone = world.sign_in(ADA).await;
    laptop.browser.bearer(&laptop.access_token);
    let path = format!("/me/sessions/{}", session_of(&telephone.access_token));
    for _ in 0..2 {
        laptop.browser.delete(&path).await.expect_status(204);
    }
    assert_refused_everywhere(&world, &telephone.access_token).await;
    let token = telephone.refresh_token.clone();
    for _ in 0..2 {
        let refused = refresh(&mut telephone.browser, &token).await;
        expect_refused_refresh(&refused, "revoked");
    }
    assert!(opens(&world, &laptop.access_token).await);
    let refreshed = refresh(&mut laptop.browser, &laptop.refresh_token).await;
    refreshed.expect_status(200);
}

#[tokio::test]
async fn the_session_that_asks_may_end_itself() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let path = format!("/me/sessions/{}", session_of(&guest.access_token));
    let done = guest.browser.delete(&path).await;
    done.expect_status(204);
    assert!(done.header("set-cookie").is_some_and(|cookie| {
        cookie.starts_with("__Host-latchkey-refresh=;") && cookie.contains("Max-Age=0")
    }));
    assert_refused_everywhere(&world, &guest.access_token).await;
}

#[tokio::test]
async fn another_guests_session_is_found_as_little_as_one_that_never_was() {
    let world = TestWorld::start().await;
    let ada = world.sign_in(ADA).await;
    let mut eve = world.sign_in("eve@example.com").await;
    eve.browser.bearer(&eve.access_token);
    for id in [session_of(&ada.access_token).as_str(), "parameter"] {
        let refused = eve.browser.delete(&format!("/me/sessions/{id}")).await;
        refused.expect_problem(404, "NOT_FOUND");
    }
    for id in ["%20", "a.b", &"x".repeat(65)] {
        let refused = eve.browser.delete(&format!("/me/sessions/{id}")).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "sessionId");
    }
    assert!(opens(&world, &ada.access_token).await);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let ended = Case::of("end-session", "ended", "204", |world| {
        Box::pin(other_session(world))
    });
    let public = Case::of("end-session", "the public client's", "204", |world| {
        Box::pin(public_session(world))
    });
    let own = Case::of("end-session", "the public client's own", "204", |world| {
        Box::pin(own_public_session(world))
    });
    vec![
        ended.then(|case, stage, answer| Box::pin(the_other_ends(case, stage, answer))),
        public
            .with(&API)
            .then(|case, stage, answer| Box::pin(the_public_one_ends(case, stage, answer))),
        own.with(&API)
            .then(|case, stage, answer| Box::pin(is_signed_out(case, stage, answer))),
    ]
}

/// A session of the public client, after its first call.
async fn recorded(world: &TestWorld) -> SignedIn<'_> {
    world.registered(ADA, PASSWORD).await;
    let mut phone = Outside::of(world).session(ADA, PASSWORD).await;
    phone.browser.get("/me").await.expect_status(200);
    phone
}

async fn public_session(world: &TestWorld) -> Stage<'_> {
    let phone = recorded(world).await;
    let session = world.sign_in(ADA).await;
    let path = format!("/me/sessions/{}", session_of(&phone.access_token));
    let mut stage = Stage::signed_in(session, Method::DELETE, &path, Value::Null);
    stage.refresh_token = phone.refresh_token;
    stage
}

async fn own_public_session(world: &TestWorld) -> Stage<'_> {
    let phone = recorded(world).await;
    let path = format!("/me/sessions/{}", session_of(&phone.access_token));
    Stage::signed_in(phone, Method::DELETE, &path, Value::Null)
}

/// Cognito renews the other session no more, and the caller's access token still works.
async fn the_public_one_ends(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    let renewed = Outside::of(stage.world).renew(&stage.refresh_token).await;
    renewed.expect_status(400);
    let [record] = &public_records(stage.world).await[..] else {
        panic!("one record");
    };
    assert!(record.contains_key("endedAt"));
    stage.browser.get("/me").await.expect_status(200);
    then
}

async fn other_session(world: &TestWorld) -> Stage<'_> {
    let other = world.sign_in(ADA).await;
    let session = world.sign_in(ADA).await;
    let path = format!("/me/sessions/{}", session_of(&other.access_token));
    let mut stage = Stage::signed_in(session, Method::DELETE, &path, Value::Null);
    stage.refresh_token = other.refresh_token;
    stage
}

/// The other session has ended, and the caller's continues.
pub(crate) async fn the_other_ends(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    let refused = refresh(&mut stage.browser, &stage.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    stage.browser.get("/me").await.expect_status(200);
    then
}
