//! The steps of three-legged authorizations, and checks of their records.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use url::Url;

use crate::harness::consent::Consenting;
use crate::harness::consent_page::allow;
use crate::harness::people::ADA;
use crate::harness::{Answer, Browser, TestWorld};

pub(crate) const GUEST: &str = "get-authenticated-guest";

pub(crate) const CONVERSATION: &str = "5c0d8c62-4a3f-4f0e-9f3b-6f0d2a1b7e94";

/// Longer than an authorization lives.
pub(crate) const UNTIL_OVER_SECONDS: u64 = 601;

/// The address of a browser's redirect, without the state.
pub(crate) fn without_state(back: &url::Url) -> String {
    format!(
        "/auth/callback?session_id={}",
        session_of(back).replace(':', "%3A")
    )
}

pub(crate) fn state_of(back: &url::Url) -> String {
    let mut pairs = back.query_pairs();
    let (_, state) = pairs.find(|(name, _)| name == "state").expect("a state");
    state.into_owned()
}

pub(crate) async fn start(browser: &mut Browser<'_>, body: serde_json::Value) -> Answer {
    browser.post("/auth/oauth2/authorize", body).await
}

pub(crate) async fn status(world: &TestWorld, session: &str) -> String {
    let answer = world.browser().get(&status_path(session)).await;
    answer.expect_status(200);
    answer.text("status")
}

pub(crate) fn location(answer: &Answer) -> &str {
    answer.expect_status(302);
    answer.header("location").expect("an address")
}

pub(crate) fn session_of(back: &url::Url) -> String {
    let mut pairs = back.query_pairs();
    let (_, session) = pairs
        .find(|(name, _)| name == "session_id")
        .expect("a session");
    session.into_owned()
}

/// The number of one function's calls to `AgentCore` after a call.
pub(crate) fn asked_of_agentcore(world: &TestWorld, function: &str, since: u64) -> usize {
    let calls = world.calls(since);
    let asked = calls
        .iter()
        .filter(|call| call.function == function && call.service == "bedrock-agentcore");
    asked.count()
}

/// The reasons that functions have logged.
pub(crate) fn reasons(world: &TestWorld) -> BTreeSet<String> {
    let lines = world.logs();
    let reasons = lines.iter().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["reason"].as_str().map(str::to_owned)
    });
    reasons.collect()
}

/// An agent asks for its guest, and is told to have them consent first.
pub(crate) async fn ask(world: &TestWorld, event: Value) -> Answer {
    let asked = world.invoke("get-authenticated-guest", &event).await;
    assert_eq!(asked["error"]["code"], "AUTH_REQUIRED", "{}", asked.body);
    asked
}

/// An authorization for ADA, begun in a browser with a token, after a person has consented. Returns
/// the browser, and the address of its redirect.
pub(crate) async fn consented<'world>(
    world: &'world TestWorld,
    person: &str,
) -> (Browser<'world>, Url) {
    let guest = world.sign_in(ADA).await;
    let mut browser = guest.browser;
    browser.bearer(&guest.access_token);
    let started = browser
        .post(
            "/auth/oauth2/authorize",
            json!({ "conversationId": CONVERSATION }),
        )
        .await;
    started.expect_status(200);
    let url = started.text("authorizationUrl");
    let back = Consenting::new(world).consent(&url, person).await;
    (browser, back)
}

/// An authorization that an agent has begun, after the person has allowed it on the link's page and
/// consented. Returns the person's browser, the address of its redirect, and the session.
pub(crate) async fn linked<'world>(
    world: &'world TestWorld,
    asked: Value,
    person: &str,
) -> (Browser<'world>, Url, String) {
    let asked = ask(world, asked).await;
    let mut browser = world.browser();
    let url = allow(&mut browser, &link_path(world, &asked)).await;
    let back = Consenting::new(world).consent(&url, person).await;
    let session = asked["error"]["sessionId"].as_str().expect("an id");
    (browser, back, session.to_owned())
}

/// The path of the link that an agent was given.
pub(crate) fn link_path(world: &TestWorld, asked: &Answer) -> String {
    let link = asked["error"]["authorizationUrl"].as_str().expect("a link");
    let path = link.strip_prefix(&world.origin());
    path.expect("a link on our own domain").to_owned()
}

pub(crate) fn path_of(url: &Url) -> String {
    format!("{}?{}", url.path(), url.query().unwrap_or_default())
}

pub(crate) fn status_path(session: &str) -> String {
    format!("/auth/session/{}", session.replace(':', "%3A"))
}
