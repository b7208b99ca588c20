//! The steps of three-legged authorizations, and what they left behind.

use std::collections::BTreeSet;

use crate::harness::authorization_cases::status_path;
use crate::harness::{Answer, Browser, TestWorld};

pub(crate) const GUEST: &str = "get-authenticated-guest";

/// Where a browser is sent back to, but for the state.
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

/// What was asked of `AgentCore` after a call, by one function.
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
