//! `start-authorization`: a three-legged authorization begins.

use std::future::ready;

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authorizations::{
    CONVERSATION, GUEST, location, path_of, session_of, start, status,
};
use crate::harness::case::Case;
use crate::harness::consent::Consenting;
use crate::harness::people::ADA;
use crate::harness::requests::counted;
use crate::harness::stage::Stage;

#[tokio::test]
async fn a_guest_begins_in_a_browser_consents_and_is_the_agents_guest() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = guest.browser;
    browser.bearer(&guest.access_token);
    let started = start(&mut browser, json!({ "conversationId": CONVERSATION })).await;
    started.expect_status(200);
    let cookie = started.header("set-cookie").expect("one cookie");
    assert!(
        cookie.contains("SameSite=Lax") && cookie.contains("Max-Age=600"),
        "{cookie}"
    );
    let session = started.text("sessionId");
    assert_eq!(status(&world, &session).await, "PENDING");

    let url = started.text("authorizationUrl");
    let back = Consenting::new(&world).consent(&url, ADA).await;
    assert_eq!(session_of(&back), session);
    // A navigation from another site carries no token, and needs none.
    browser.always("authorization", "");
    let ended = browser.get(&path_of(&back)).await;
    let expected = format!(
        "{}?auth=success&session_id={}",
        world.origin(),
        session.replace(':', "%3A")
    );
    assert_eq!(location(&ended), expected);
    assert_eq!(ended.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(ended.header("cache-control"), Some("no-store"));
    assert_eq!(status(&world, &session).await, "COMPLETED");

    for asked in [
        json!({ "sessionId": session }),
        json!({ "conversationId": CONVERSATION }),
    ] {
        let found = world.invoke(GUEST, &asked).await;
        assert_eq!(found["user"], guest.user, "{}", found.body);
    }
    let tool = world
        .call_tool(
            GUEST,
            "get_authenticated_guest",
            &json!({ "session_id": session }),
        )
        .await;
    assert_eq!(tool["success"], true, "{}", tool.body);
    assert_eq!(tool["guest_id"], guest.user["guestId"]);
    assert_eq!(tool["email"], ADA);
    assert_eq!(tool["cognito_sub"], guest.user["cognitoSub"]);
    assert_eq!(counted(&world, "AuthorizationsStarted"), 1);
    assert_eq!(counted(&world, "AuthorizationsCompleted"), 1);
}

#[tokio::test]
async fn an_authorization_is_asked_for_in_good_form() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for (body, field) in [
        (json!({}), "conversationId"),
        (json!({ "conversationId": CONVERSATION }), "email"),
        (
            json!({ "conversationId": "", "email": ADA }),
            "conversationId",
        ),
        (
            json!({ "conversationId": "a b", "email": ADA }),
            "conversationId",
        ),
        (
            json!({ "conversationId": 1, "email": ADA }),
            "conversationId",
        ),
        (
            json!({ "conversationId": CONVERSATION, "email": "nobody" }),
            "email",
        ),
        (
            json!({ "conversationId": CONVERSATION, "email": ADA, "scopes": "openid" }),
            "scopes",
        ),
        (
            json!({ "conversationId": CONVERSATION, "email": ADA, "scopes": [1] }),
            "scopes",
        ),
        (
            json!({ "conversationId": CONVERSATION, "email": ADA, "scopes": ["a b"] }),
            "scopes",
        ),
        (
            json!({ "conversationId": CONVERSATION, "email": ADA, "scopes": ["aws.cognito.signin.user.admin"] }),
            "scopes",
        ),
    ] {
        let refused = start(&mut browser, body).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], field, "{}", refused.body);
    }
}

#[tokio::test]
async fn an_address_may_begin_thirty_in_a_quarter_of_an_hour() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let body = json!({ "conversationId": CONVERSATION, "email": ADA });
    for _ in 0..30 {
        browser.cookies.clear();
        start(&mut browser, body.clone()).await.expect_status(200);
    }
    let refused = start(&mut browser, body.clone()).await;
    refused.expect_problem(429, "RATE_LIMITED");
    world.advance(refused.retry_after().expect("a time"));
    start(&mut browser, body).await.expect_status(200);
}

/// The public signing keys are unavailable for a moment.
#[tokio::test]
async fn signing_keys_that_are_refused_or_lost_once_are_asked_for_again() {
    for kind in [FaultKind::Throttle, FaultKind::Internal, FaultKind::Lost] {
        let world = TestWorld::start().await;
        let guest = world.sign_in(ADA).await;
        let mut browser = guest.browser;
        browser.bearer(&guest.access_token);
        world.fault(Fault::new(kind, "cognito-idp", "GetSigningKeys").of("start-authorization"));
        let started = start(&mut browser, json!({ "conversationId": CONVERSATION })).await;
        started.expect_status(200);
        assert_eq!(world.count("GetSigningKeys"), 2, "{kind:?}");
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("start-authorization", "for a guest", "200", |world| {
            Box::pin(for_a_guest(world))
        }),
        Case::of("start-authorization", "for an address", "200", |world| {
            Box::pin(ready(for_an_address(world)))
        }),
    ]
}

const PATH: &str = "/auth/oauth2/authorize";

async fn for_a_guest(world: &TestWorld) -> Stage<'_> {
    let body = json!({ "conversationId": CONVERSATION });
    Stage::signed_in(world.sign_in(ADA).await, Method::POST, PATH, body)
}

fn for_an_address(world: &TestWorld) -> Stage<'_> {
    Stage::post(
        world,
        PATH,
        json!({ "conversationId": CONVERSATION, "email": ADA }),
    )
}
