//! `list-sessions`: a guest sees their live sessions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::people::ADA;
use crate::harness::public_client::API;
use crate::harness::requests::{refresh, session_of};
use crate::harness::stage::Stage;
use crate::operations::get_profile::{first_call, is_recorded};

const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

async fn listed(world: &TestWorld, access_token: &str) -> Vec<Value> {
    let mut browser = world.browser();
    browser.bearer(access_token);
    let answer = browser.get("/me/sessions").await;
    answer.expect_status(200);
    answer["sessions"].as_array().unwrap().clone()
}

#[tokio::test]
async fn every_sign_in_is_listed_with_how_and_on_what_and_the_current_one_marked() {
    let world = TestWorld::start().await;
    let mut telephone = world.sign_in(ADA).await;
    world.sign_in("eve@example.com").await;
    world.advance(600);
    let mut laptop = world.browser();
    laptop.always("user-agent", FIREFOX);
    let signed_in = laptop.sign_in(ADA).await;
    let access_token = signed_in.text("accessToken");

    let sessions = listed(&world, &access_token).await;
    assert_eq!(sessions.len(), 2, "{sessions:?}");
    assert_eq!(sessions[0]["sessionId"], session_of(&access_token));
    assert_eq!(sessions[0]["device"], "Firefox on Windows");
    assert_eq!(sessions[0]["method"], "code");
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(
        sessions[1]["sessionId"],
        session_of(&telephone.access_token)
    );
    assert_eq!(sessions[1]["device"], "unknown");
    assert_eq!(sessions[1]["current"], false);
    assert!(sessions[1]["country"].is_null());

    // The last used is the first.
    world.advance(600);
    let refreshed = refresh(&mut telephone.browser, &telephone.refresh_token).await;
    refreshed.expect_status(200);
    let sessions = listed(&world, &refreshed.text("accessToken")).await;
    assert_eq!(
        sessions[0]["sessionId"],
        session_of(&telephone.access_token)
    );
    assert_eq!(sessions[0]["current"], true);
    assert!(sessions[0]["lastUsedAt"].as_str() > sessions[0]["createdAt"].as_str());
    assert_eq!(sessions[1]["current"], false);
}

#[tokio::test]
async fn passwords_second_factors_and_agents_are_told_apart() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let code = crate::harness::authenticator_app::code(&guest.app.next_code());
    let signed_in = world.browser().second_factor(&held, code).await;
    signed_in.expect_status(200);
    let sessions = listed(&world, &signed_in.text("accessToken")).await;
    assert_eq!(sessions[0]["method"], "second-factor");

    let eve = json!({ "email": "eve@example.com" });
    let tool = "initiate_cognito_login";
    let started = world.call_tool("initiate-otp", tool, &eve).await;
    let proof = json!({
        "email": "eve@example.com",
        "otp_code": world.mail_code("eve@example.com").await,
        "session_token": started["session_token"],
    });
    let tool = "verify_cognito_otp";
    let signed_in = world.call_tool("verify-otp", tool, &proof).await;
    let sessions = listed(&world, &signed_in.text("access_token")).await;
    assert_eq!(sessions[0]["method"], "agent");
}

#[tokio::test]
async fn sessions_that_ended_or_outlived_their_tokens_are_not_listed() {
    let world = TestWorld::start().await;
    let mut one = world.sign_in(ADA).await;
    let mut other = world.sign_in(ADA).await;
    one.browser.bearer(&one.access_token);
    let done = one.browser.post("/auth/logout", json!({})).await;
    done.expect_status(204);
    assert_eq!(listed(&world, &other.access_token).await.len(), 1);
    other.browser.bearer(&other.access_token);
    let everywhere = json!({ "everywhere": true });
    let done = other.browser.post("/auth/logout", everywhere).await;
    done.expect_status(204);
    let signed_in = world.sign_in(ADA).await;
    assert_eq!(listed(&world, &signed_in.access_token).await.len(), 1);
    world.advance(30 * 24 * 3600);
    let signed_in = world.sign_in(ADA).await;
    assert_eq!(listed(&world, &signed_in.access_token).await.len(), 1);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let first_call = Case::of(
        "list-sessions",
        "first call of the public client",
        "200",
        |world| Box::pin(first_call(world, "/me/sessions")),
    );
    vec![
        Case::of("list-sessions", "listed", "200", |world| {
            Box::pin(two_sessions(world))
        }),
        first_call
            .with(&API)
            .then(|case, stage, answer| Box::pin(is_recorded(case, stage, answer))),
    ]
}

async fn two_sessions(world: &TestWorld) -> Stage<'_> {
    drop(world.sign_in(ADA).await);
    let session = world.sign_in(ADA).await;
    Stage::signed_in(session, Method::GET, "/me/sessions", Value::Null)
}
