//! Three-legged authorizations: an agent gets a person's consent, in that person's own browser, and nobody else's counts.

use std::collections::BTreeSet;
use std::time::Duration;

use agentcore_local::{Behaviour, Denial};
use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::authorization_cases::{
    BOB, CONVERSATION, Case, ask, consented, link_path, linked, path_of, status_path,
};
use crate::cases::ADA;
use crate::consent::Consenting;
use crate::consent_page::{ConsentPage, allow};
use crate::harness::{Answer, Browser, TestWorld};
use crate::requests::counted;
use crate::steps::at_once;

const GUEST: &str = "get-authenticated-guest";

/// Where a browser is sent back to, but for the state.
fn without_state(back: &url::Url) -> String {
    format!(
        "/auth/callback?session_id={}",
        session_of(back).replace(':', "%3A")
    )
}

fn state_of(back: &url::Url) -> String {
    let mut pairs = back.query_pairs();
    let (_, state) = pairs.find(|(name, _)| name == "state").expect("a state");
    state.into_owned()
}

async fn start(browser: &mut Browser<'_>, body: serde_json::Value) -> Answer {
    browser.post("/auth/oauth2/authorize", body).await
}

async fn status(world: &TestWorld, session: &str) -> String {
    let answer = world.browser().get(&status_path(session)).await;
    answer.expect_status(200);
    answer.text("status")
}

fn location(answer: &Answer) -> &str {
    answer.expect_status(302);
    answer.header("location").expect("an address")
}

fn session_of(back: &url::Url) -> String {
    let mut pairs = back.query_pairs();
    let (_, session) = pairs
        .find(|(name, _)| name == "session_id")
        .expect("a session");
    session.into_owned()
}

/// What was asked of `AgentCore` after a call, by one function.
fn asked_of_agentcore(world: &TestWorld, function: &str, since: u64) -> usize {
    let calls = world.calls(since);
    let asked = calls
        .iter()
        .filter(|call| call.function == function && call.service == "bedrock-agentcore");
    asked.count()
}

/// The reasons that functions have logged.
fn reasons(world: &TestWorld) -> BTreeSet<String> {
    let lines = world.logs();
    let reasons = lines.iter().filter_map(|line| {
        let line: serde_json::Value = serde_json::from_str(line).ok()?;
        line["reason"].as_str().map(str::to_owned)
    });
    reasons.collect()
}

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
    // A navigation that another site has caused carries no token, and needs none.
    browser.always("authorization", "");
    let ended = browser.get(&path_of(&back)).await;
    let expected = format!(
        "{}?auth=success&session_id={}",
        world.ready().gateway,
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
async fn an_agent_hands_over_a_link_that_binds_the_browser_whose_person_allows_it() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let tool = |arguments| {
        let world = &world;
        async move {
            world
                .call_tool(GUEST, "get_authenticated_guest", &arguments)
                .await
        }
    };
    let asked = tool(json!({})).await;
    assert_eq!(asked["success"], false);
    assert_eq!(asked["error_code"], "AUTH_REQUIRED");
    assert!(asked["recovery"].is_string() && asked["message"].is_string());
    let link = asked.text("authorization_url");
    let path = link
        .strip_prefix(&world.ready().gateway)
        .expect("our own domain");
    let session = asked.text("session_id");
    let again = tool(json!({ "session_id": session })).await;
    assert_eq!(
        again["authorization_url"], link,
        "one that waits is not begun again"
    );

    let mut browser = world.browser();
    let url = allow(&mut browser, path).await;
    let mut late = world.browser();
    let page = ConsentPage::open(&mut late, path).await;
    let refused = page.press(&mut late, "allow").await;
    assert!(
        refused
            .header("location")
            .is_some_and(|location| location.ends_with("?auth=error&code=USER_MISMATCH"))
    );
    assert_eq!(
        allow(&mut browser, path).await,
        url,
        "the same browser goes on"
    );

    let back = Consenting::new(&world).consent(&url, ADA).await;
    let stranger = world.browser().get(&without_state(&back)).await;
    assert!(location(&stranger).ends_with("?auth=error&code=USER_MISMATCH"));
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));
    let found = tool(json!({ "session_id": session })).await;
    assert_eq!(found["email"], ADA, "{}", found.body);
}

/// The attack that session binding is there for: somebody begins, and has another consent.
#[tokio::test]
async fn who_sends_another_an_authorization_url_gains_nothing() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let mut attacker = world.browser_at("127.0.0.9");
    let started = start(
        &mut attacker,
        json!({ "conversationId": "attack", "email": ADA }),
    )
    .await;
    started.expect_status(200);
    let (session, url) = (started.text("sessionId"), started.text("authorizationUrl"));
    let back = Consenting::new(&world).consent(&url, ADA).await;
    let since = world.last_call();
    let refused = world.browser().get(&path_of(&back)).await;
    assert!(location(&refused).ends_with("?auth=error&code=USER_MISMATCH"));
    assert_eq!(
        asked_of_agentcore(&world, "authorization-callback", since),
        0
    );
    // The person has consented, so what was begun is worth nothing from now on, to whoever began it least of all.
    assert_eq!(status(&world, &session).await, "FAILED");
    for path in [path_of(&back), without_state(&back)] {
        let own = attacker.get(&path).await;
        assert!(location(&own).ends_with("code=USER_MISMATCH&reason=other-browser"));
    }
    let asked = world.invoke(GUEST, &json!({ "sessionId": session })).await;
    assert_eq!(asked["error"]["code"], "AUTH_REQUIRED");
    assert_eq!(counted(&world, "CallbackRefusals"), 1);
    assert!(reasons(&world).contains("other-browser"));

    // A cookie of another authorization, or a made-up one, is no better.
    let mut other = world.browser();
    let begun = start(
        &mut other,
        json!({ "conversationId": "other", "email": BOB }),
    )
    .await;
    begun.expect_status(200);
    let other_session = begun.text("sessionId");
    let (name, value) = attacker.cookies.iter().next().expect("a cookie");
    let (_, reference) = value.split_once('.').expect("two parts");
    let forged = format!("{}.{reference}", "A".repeat(43));
    let stolen = other.cookies.values().next().expect("a cookie").clone();
    for value in [forged, stolen] {
        let mut browser = world.browser();
        browser.cookies.insert(name.clone(), value);
        let refused = browser.get(&path_of(&back)).await;
        assert!(location(&refused).ends_with("?auth=error&code=USER_MISMATCH"));
    }
    let others = status(&world, &other_session).await;
    assert_eq!(others, "PENDING", "nobody has consented to it");
}

/// The same, when the attacker is quicker than the browser that comes from consenting: they know the session and have its cookie, and
/// not the state.
#[tokio::test]
async fn whoever_did_not_come_from_consenting_completes_nothing() {
    let world = TestWorld::start().await;
    world.sign_in(BOB).await;
    let bob = world.sign_in(BOB).await;
    world.sign_in(ADA).await;
    for subject in [json!({ "email": ADA }), json!({})] {
        let mut attacker = world.browser_at("127.0.0.9");
        let mut body = subject.clone();
        body["conversationId"] = json!("attack");
        if subject["email"].is_null() {
            attacker.bearer(&bob.access_token);
        }
        let started = start(&mut attacker, body).await;
        started.expect_status(200);
        let url = started.text("authorizationUrl");
        let back = Consenting::new(&world).consent(&url, ADA).await;
        let since = world.last_call();
        for path in [
            without_state(&back),
            format!("{}&state=made-up", without_state(&back)),
        ] {
            let refused = attacker.get(&path).await;
            assert!(location(&refused).ends_with("code=INVALID_SESSION&reason=state-mismatch"));
        }
        assert_eq!(
            asked_of_agentcore(&world, "authorization-callback", since),
            0
        );
        let asked = json!({ "conversationId": "attack" });
        let asked = world.invoke(GUEST, &asked).await;
        assert_eq!(asked["error"]["code"], "AUTH_REQUIRED");
    }
}

/// What another person's consent has left at `AgentCore` is found by no other authorization of the guest who was meant.
#[tokio::test]
async fn another_persons_consent_does_not_reach_a_guests_other_authorizations() {
    let world = TestWorld::start().await;
    let ada = world.sign_in(ADA).await;
    world.sign_in(BOB).await;
    let mut sessions = Vec::new();
    for (conversation, consents) in [("one", ADA), ("two", BOB)] {
        let mut browser = world.browser();
        browser.bearer(&ada.access_token);
        let started = start(&mut browser, json!({ "conversationId": conversation })).await;
        let url = started.text("authorizationUrl");
        let back = Consenting::new(&world).consent(&url, consents).await;
        browser.always("authorization", "");
        browser.get(&path_of(&back)).await.expect_status(302);
        sessions.push(started.text("sessionId"));
    }
    assert_eq!(status(&world, &sessions[1]).await, "FAILED");
    for asked in [
        json!({ "sessionId": sessions[0] }),
        json!({ "conversationId": "one" }),
    ] {
        let found = world.invoke(GUEST, &asked).await;
        assert_eq!(found["user"]["email"], ADA, "{}", found.body);
    }
}

#[tokio::test]
async fn another_person_than_the_one_meant_is_no_ones_guest() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    world.sign_in(BOB).await;
    let mut browser = world.browser();
    let started = start(
        &mut browser,
        json!({ "conversationId": CONVERSATION, "email": ADA }),
    )
    .await;
    let url = started.text("authorizationUrl");
    let back = Consenting::new(&world).consent(&url, BOB).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).ends_with("?auth=error&code=USER_MISMATCH&reason=other-user"));
    let session = started.text("sessionId");
    assert_eq!(status(&world, &session).await, "FAILED");
    let asked = world.invoke(GUEST, &json!({ "sessionId": session })).await;
    assert_eq!(
        asked["error"]["code"], "AUTH_REQUIRED",
        "another authorization has begun"
    );
    assert_ne!(asked["error"]["sessionId"], session);
}

#[tokio::test]
async fn a_second_use_changes_nothing() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let path = path_of(&back);
    assert!(location(&browser.get(&path).await).contains("?auth=success"));
    let since = world.last_call();
    let again = browser.get(&path).await;
    assert!(location(&again).contains("?auth=success"));
    assert!(location(&again).ends_with("&reason=already-used"));
    let denied = browser.get(&format!("{path}&error=access_denied")).await;
    assert!(location(&denied).contains("?auth=success"));
    let stranger = world.browser().get(&path).await;
    assert!(location(&stranger).ends_with("?auth=error&code=USER_MISMATCH"));
    assert_eq!(
        asked_of_agentcore(&world, "authorization-callback", since),
        0
    );
    assert_eq!(status(&world, &session_of(&back)).await, "COMPLETED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_callbacks_at_once_one_completes() {
    let world = TestWorld::start().await;
    let (browser, back) = consented(&world, ADA).await;
    let path = path_of(&back);
    let answers = at_once((0..20).map(|_| {
        let mut twin = world.browser();
        twin.cookies.clone_from(&browser.cookies);
        let path = path.clone();
        async move { twin.get(&path).await }
    }))
    .await;
    let completed = answers.iter().filter(|answer| {
        location(answer).contains("?auth=success") && !location(answer).contains("reason")
    });
    assert_eq!(completed.count(), 1);
    let calls = world.calls_of("authorization-callback");
    let asked = calls
        .iter()
        .filter(|call| call.action == "CompleteResourceTokenAuth");
    assert_eq!(asked.count(), 1);
    assert_eq!(counted(&world, "AuthorizationsCompleted"), 1);
}

#[tokio::test]
async fn nine_fifty_nine_is_in_time_and_ten_minutes_and_one_second_are_not() {
    for (seconds, expected) in [
        (599, "?auth=success"),
        (601, "code=SESSION_EXPIRED&reason=expired"),
    ] {
        let world = TestWorld::stopped(&[]).await;
        let (mut browser, back) = consented(&world, ADA).await;
        world.advance(seconds);
        let ended = browser.get(&path_of(&back)).await;
        assert!(location(&ended).contains(expected), "{}", location(&ended));
        let stranger = world.browser().get(&path_of(&back)).await;
        assert!(location(&stranger).ends_with("?auth=error&code=USER_MISMATCH"));
    }
}

#[tokio::test]
async fn a_session_reads_expired_on_time_and_its_abandonment_counts_once() {
    let world = TestWorld::stopped(&[]).await;
    let session = ask(&world, json!({})).await["error"]["sessionId"].clone();
    let session = session.as_str().expect("an id");
    world.advance(599);
    assert_eq!(status(&world, session).await, "PENDING");
    world.advance(1);
    for _ in 0..3 {
        assert_eq!(status(&world, session).await, "EXPIRED");
    }
    assert_eq!(counted(&world, "AuthorizationsAbandoned"), 1);
    let again = ask(&world, json!({ "sessionId": session })).await;
    assert_ne!(again["error"]["sessionId"], session);
    world.advance(24 * 3600 + 1);
    let forgotten = world.browser().get(&status_path(session)).await;
    forgotten.expect_problem(404, "NOT_FOUND");
}

#[tokio::test]
async fn a_denial_ends_the_authorization_only_with_its_own_state() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let session = session_of(&back);
    let encoded = session.replace(':', "%3A");
    for query in [
        format!("session_id={encoded}&error=access_denied"),
        format!("session_id={encoded}&error=access_denied&state=made-up"),
    ] {
        let denied = browser.get(&format!("/auth/callback?{query}")).await;
        assert!(location(&denied).ends_with("code=AUTH_CANCELLED&reason=provider-denied"));
        assert_eq!(status(&world, &session).await, "PENDING", "{query}");
    }
    let stranger = world
        .browser()
        .get("/auth/callback?error=access_denied")
        .await;
    assert!(location(&stranger).ends_with("?auth=error&code=AUTH_CANCELLED"));
    let state = state_of(&back);
    // The redirect need not name the session: the cookie that goes with the state does.
    let denied = browser
        .get(&format!("/auth/callback?error=access_denied&state={state}"))
        .await;
    assert!(location(&denied).ends_with("code=AUTH_CANCELLED&reason=provider-denied"));
    assert_eq!(status(&world, &session).await, "FAILED");
    assert_eq!(counted(&world, "AuthorizationsFailed"), 1);
}

#[tokio::test]
async fn a_callback_reads_a_session_a_state_and_an_error_and_nothing_else() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let session = session_of(&back).replace(':', "%3A");
    let mismatched = browser
        .get(&format!(
            "/auth/callback?session_id={session}&state=made-up"
        ))
        .await;
    assert!(location(&mismatched).ends_with("code=INVALID_SESSION&reason=state-mismatch"));
    for query in [
        "",
        "?",
        "?code=abc&state=def",
        "?code=abc",
        "?session_id=",
        "?session_id=abc",
        "?session_id=urn:ietf:params:oauth:request_uri:unknown",
        "?session_id=https://evil.example",
        "?session_id=urn:ietf:params:oauth:request_uri:a&session_id=urn:ietf:params:oauth:request_uri:b",
    ] {
        let refused = browser.get(&format!("/auth/callback{query}")).await;
        refused.expect_problem(400, "INVALID_SESSION");
    }
    // Several values of one parameter are none of ours.
    let state = state_of(&back);
    for query in [
        format!("session_id=garbage&session_id={session}&state={state}"),
        format!("session_id=garbage,{session}&state={state}"),
    ] {
        let refused = browser.get(&format!("/auth/callback?{query}")).await;
        refused.expect_problem(400, "INVALID_SESSION");
        assert_eq!(refused.header("referrer-policy"), Some("no-referrer"));
    }
    let twice = format!("/auth/callback?session_id={session}&state=made-up&state={state}");
    let mismatched = browser.get(&twice).await;
    assert!(location(&mismatched).ends_with("code=INVALID_SESSION&reason=state-mismatch"));
    // Where to go is configured: nothing in the query changes it.
    let path = format!(
        "/auth/callback?session_id={session}&state={state}&redirect_uri=https://evil.example&next=//evil.example&code=abc"
    );
    let ended = browser.get(&path).await;
    assert!(location(&ended).starts_with(&world.ready().gateway));
    assert!(location(&ended).contains("?auth=success") && !location(&ended).contains("evil"));
}

#[tokio::test]
async fn agentcores_refusal_is_an_end_and_a_lost_answer_is_none() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let lost = Fault::new(
        FaultKind::Lost,
        "bedrock-agentcore",
        "CompleteResourceTokenAuth",
    );
    world.fault(lost);
    let ended = browser.get(&path_of(&back)).await;
    assert!(
        location(&ended).contains("?auth=success"),
        "{}",
        location(&ended)
    );

    // AgentCore has never heard of the consent: the person did not get as far as to give it.
    let started = start(&mut browser, json!({ "conversationId": "two" })).await;
    started.expect_status(200);
    let url = started.text("authorizationUrl");
    world.agentcore().set_behaviour(Behaviour {
        denial: Denial::Session,
        ..Behaviour::default()
    });
    let back = Consenting::new(&world).refuse(&url).await;
    let refused = browser.get(&path_of(&back)).await;
    assert!(
        location(&refused).ends_with("code=INVALID_SESSION&reason=refused-by-agentcore"),
        "{}",
        location(&refused)
    );
    assert_eq!(status(&world, &started.text("sessionId")).await, "FAILED");
}

/// How `AgentCore` tells of a person who says no is not documented.
#[tokio::test]
async fn a_person_who_says_no_is_understood_however_agentcore_puts_it() {
    for denial in [Denial::Error, Denial::ErrorWithSession, Denial::Nothing] {
        let world = TestWorld::start().await;
        world.agentcore().set_behaviour(Behaviour {
            denial,
            ..Behaviour::default()
        });
        let mut browser = world.browser();
        let begun = json!({ "conversationId": CONVERSATION, "email": ADA });
        let started = start(&mut browser, begun).await;
        let url = started.text("authorizationUrl");
        let back = Consenting::new(&world).refuse(&url).await;
        let denied = browser.get(&path_of(&back)).await;
        assert!(
            location(&denied).ends_with("code=AUTH_CANCELLED&reason=provider-denied"),
            "{denial:?}"
        );
        let session = started.text("sessionId");
        assert_eq!(status(&world, &session).await, "FAILED", "{denial:?}");
    }
}

/// `AgentCore` gives the state back, and does not document under which name.
#[tokio::test]
async fn the_state_is_read_from_the_parameter_that_is_configured() {
    let behaviour = |state_parameter: Option<&str>| Behaviour {
        state_parameter: state_parameter.map(str::to_owned),
        ..Behaviour::default()
    };
    let world = TestWorld::with_settings(&[("AGENTCORE_STATE_PARAMETER", "custom_state")]).await;
    world
        .agentcore()
        .set_behaviour(behaviour(Some("custom_state")));
    let (mut browser, back) = consented(&world, ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));

    let world = TestWorld::start().await;
    world.agentcore().set_behaviour(behaviour(None));
    let (mut browser, back) = consented(&world, ADA).await;
    let refused = browser.get(&path_of(&back)).await;
    assert!(location(&refused).ends_with("code=INVALID_SESSION&reason=state-mismatch"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_flows_of_two_people_never_mix() {
    let world = TestWorld::with_settings(&[("AUTHORIZATION_STARTS_PER_IP", "100")]).await;
    let mut people = Vec::new();
    for email in [ADA, BOB] {
        let guest = world.sign_in(email).await;
        let consenting = Consenting::new(&world);
        people.push((email, guest, consenting));
    }
    let mut begun = Vec::new();
    for number in 0..100 {
        let (email, guest, _) = &mut people[number % 2];
        guest.browser.bearer(&guest.access_token);
        let body = json!({ "conversationId": format!("conversation-{number}") });
        let started = start(&mut guest.browser, body).await;
        started.expect_status(200);
        begun.push((
            *email,
            started.text("sessionId"),
            started.text("authorizationUrl"),
        ));
    }
    // A browser holds more cookies than a request may carry of headers: what belongs to this flow goes along, as in a browser of its own.
    for (number, (email, session, url)) in begun.iter().enumerate().rev() {
        let (_, guest, consenting) = &people[number % 2];
        let back = consenting.consent(url, email).await;
        assert_eq!(session_of(&back), *session);
        let reference = session.rsplit(':').next().expect("a reference");
        let mut browser = world.browser();
        browser.cookies = guest.browser.cookies.clone();
        browser
            .cookies
            .retain(|_, value| value.ends_with(reference));
        assert_eq!(browser.cookies.len(), 1);
        assert!(location(&browser.get(&path_of(&back)).await).contains("?auth=success"));
    }
    for (number, (email, session, _)) in begun.iter().enumerate() {
        let by_session = world.invoke(GUEST, &json!({ "sessionId": session })).await;
        let conversation = json!({ "conversationId": format!("conversation-{number}") });
        let by_conversation = world.invoke(GUEST, &conversation).await;
        for found in [by_session, by_conversation] {
            assert_eq!(found["user"]["email"], *email, "{}", found.body);
        }
    }
}

#[tokio::test]
async fn whoever_brings_a_token_is_believed_only_if_it_is_good() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let body = json!({ "conversationId": CONVERSATION, "email": ADA });
    let [head, claims, _]: [&str; 3] = guest
        .access_token
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .expect("three parts");
    for token in [
        "",
        "nonsense",
        &guest.id_token,
        &format!("{head}.{claims}.AAAA"),
        &format!("eyJhbGciOiJub25lIn0.{claims}."),
    ] {
        let mut browser = world.browser();
        browser.bearer(token);
        let refused = start(&mut browser, body.clone()).await;
        refused.expect_problem(401, "AUTH_REQUIRED");
    }
    let mut browser = world.browser();
    browser.always("authorization", "Basic YTpi");
    start(&mut browser, body.clone())
        .await
        .expect_problem(401, "AUTH_REQUIRED");

    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await
        .expect_status(204);
    start(&mut browser, body.clone())
        .await
        .expect_problem(401, "AUTH_REQUIRED");
    let late = world.sign_in(BOB).await;
    world.advance(3601);
    let mut browser = world.browser();
    browser.bearer(&late.access_token);
    start(&mut browser, body)
        .await
        .expect_problem(401, "AUTH_REQUIRED");
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

#[tokio::test]
async fn a_front_end_that_asks_again_pays_little() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let path = status_path(&session_of(&back));
    let first = browser.get(&path).await;
    let etag = first.header("etag").expect("a tag").to_owned();
    assert_eq!(first.retry_after(), Some(2));
    browser.always("if-none-match", &etag);
    let same = browser.get(&path).await;
    same.expect_status(304);
    assert!(same.bytes.is_empty());
    browser.get(&path_of(&back)).await.expect_status(302);
    let changed = browser.get(&path).await;
    changed.expect_status(200);
    assert_eq!(changed["status"], "COMPLETED");
    assert_eq!(changed.retry_after(), None);
    for unknown in [
        "unknown",
        "urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Aunknown",
        "%00",
    ] {
        let missing = browser.get(&format!("/auth/session/{unknown}")).await;
        missing.expect_problem(404, "NOT_FOUND");
    }
}

#[tokio::test]
async fn a_workload_token_is_kept_for_each_apart_and_renewed_before_it_ends() {
    let world = TestWorld::stopped(&[]).await;
    let ada = world.sign_in(ADA).await.access_token;
    let bob = world.sign_in(BOB).await.access_token;
    let tokens = |wanted: serde_json::Value| {
        let world = &world;
        async move {
            let answer = world.invoke("get-workload-token", &wanted).await;
            assert_eq!(
                answer["workloadName"], "latchkey-local-agent",
                "{}",
                answer.body
            );
            answer.text("accessToken")
        }
    };
    let everybody = [
        json!({}),
        json!({ "userId": "tenant#ada" }),
        json!({ "userId": "tenant#bob" }),
        json!({ "userToken": ada }),
        json!({ "userToken": bob }),
    ];
    let mut first = Vec::new();
    for wanted in &everybody {
        first.push(tokens(wanted.clone()).await);
    }
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), everybody.len());
    let since = world.last_call();
    world.advance(269);
    for (wanted, token) in everybody.iter().zip(&first) {
        assert_eq!(tokens(wanted.clone()).await, *token);
    }
    assert_eq!(asked_of_agentcore(&world, "get-workload-token", since), 0);
    world.advance(1);
    for (wanted, token) in everybody.iter().zip(&first) {
        assert_ne!(
            tokens(wanted.clone()).await,
            *token,
            "thirty seconds before its end"
        );
    }
    // Nobody acts for a person longer than the person's token is good: it was issued 270 s ago, and ends after an hour.
    world.advance(3600 - 270 - 100);
    let held = json!({ "userToken": ada });
    let last = tokens(held.clone()).await;
    world.advance(69);
    assert_eq!(tokens(held.clone()).await, last);
    let since = world.last_call();
    world.advance(1);
    assert_ne!(tokens(held.clone()).await, last);
    assert_eq!(asked_of_agentcore(&world, "get-workload-token", since), 1);
    world.advance(30);
    let over = world.invoke("get-workload-token", &held).await;
    assert_eq!(over["error"]["code"], "VALIDATION_FAILED", "{}", over.body);

    let both = json!({ "userId": "a", "userToken": ada });
    let refused = world.invoke("get-workload-token", &both).await;
    assert_eq!(refused["error"]["code"], "VALIDATION_FAILED");
    let bad = world
        .invoke("get-workload-token", &json!({ "userToken": "a.b.c" }))
        .await;
    assert_eq!(bad["error"]["code"], "VALIDATION_FAILED", "{}", bad.body);
}

#[tokio::test]
async fn a_workload_token_that_ends_early_is_got_anew_once() {
    let world = TestWorld::start().await;
    world.agentcore().set_behaviour(Behaviour {
        workload_token_lifetime: Duration::from_mins(1),
        ..Behaviour::default()
    });
    let (mut browser, back) = consented(&world, ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let asked = json!({ "sessionId": session_of(&back) });
    for _ in 0..2 {
        let found = world.invoke(GUEST, &asked).await;
        assert_eq!(found["user"]["email"], ADA, "{}", found.body);
        world.advance(61);
    }
}

#[tokio::test]
async fn a_sign_out_everywhere_ends_a_consent() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let asked = json!({ "sessionId": session_of(&back) });
    assert_eq!(world.invoke(GUEST, &asked).await["user"]["email"], ADA);
    browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await
        .expect_status(204);
    // Whoever asks by the conversation gets its guest back by one more consent.
    let asked = ask(&world, json!({ "conversationId": CONVERSATION })).await;
    let path = link_path(&world, &asked);
    let url = allow(&mut browser, &path).await;
    let back = Consenting::new(&world).consent(&url, ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));
    let found = world
        .invoke(GUEST, &json!({ "conversationId": CONVERSATION }))
        .await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
}

/// A session's id stands in URLs. An agent that knows its conversation takes none of another.
#[tokio::test]
async fn a_session_of_another_conversation_does_not_count() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let both = |conversation: &str| json!({ "sessionId": session_of(&back), "conversationId": conversation });
    let found = world.invoke(GUEST, &both(CONVERSATION)).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
    let asked = ask(&world, both("another")).await;
    assert_ne!(asked["error"]["sessionId"], session_of(&back));
}

/// Account pre-hijacking: a password that nobody has proved is no way to be somebody's guest. At the pool's page the trigger refuses it; here
/// the registration comes after the consent.
#[tokio::test]
async fn a_registration_that_nobody_confirmed_is_no_guest_of_an_agent() {
    let world = TestWorld::start().await;
    // A user whom nobody is yet.
    world.browser().started(ADA).await;
    let (mut browser, back, session) = linked(&world, json!({}), ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));
    let registration = json!({ "email": ADA, "password": "nine lives of a cat" });
    let registered = browser.post("/auth/register", registration).await;
    registered.expect_status(201);
    let refused = world.invoke(GUEST, &json!({ "sessionId": session })).await;
    assert_eq!(
        refused["error"]["code"], "USER_MISMATCH",
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn a_conversation_that_has_its_guest_keeps_them() {
    let world = TestWorld::start().await;
    world.sign_in(BOB).await;
    let (mut browser, back) = consented(&world, ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let mut intruder = world.browser();
    let started = start(
        &mut intruder,
        json!({ "conversationId": CONVERSATION, "email": BOB }),
    )
    .await;
    let url = started.text("authorizationUrl");
    let back = Consenting::new(&world).consent(&url, BOB).await;
    assert!(location(&intruder.get(&path_of(&back)).await).contains("?auth=success"));
    let found = world
        .invoke(GUEST, &json!({ "conversationId": CONVERSATION }))
        .await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
}

#[tokio::test]
async fn a_link_that_we_have_not_made_leads_nowhere() {
    let world = TestWorld::start().await;
    let asked = ask(&world, json!({})).await;
    let path = link_path(&world, &asked);
    let (front, tag) = path.rsplit_once('.').expect("two parts");
    let other = if tag.starts_with('0') { "1" } else { "0" };
    for path in [
        format!("{front}.{other}{}", &tag[1..]),
        format!("{front}x.{tag}"),
        "/auth/oauth2/start/abc".to_owned(),
        "/auth/oauth2/start/%00".to_owned(),
    ] {
        let refused = world.browser().get(&path).await;
        refused.expect_problem(400, "INVALID_SESSION");
    }
    world.advance(601);
    let late = world.browser().get(&path).await;
    assert!(location(&late).ends_with("?auth=error&code=SESSION_EXPIRED"));
}

/// For each AWS call that each operation makes: refused, failed, lost, denied. The answer is a clear one, and the next try does what the
/// first was to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_may_fail_and_the_next_try_heals_it() {
    let mut broken: Vec<String> = Vec::new();
    let mut tried = BTreeSet::new();
    for case in Case::ALL {
        let (operation, _) = case.row();
        for (service, action, nth) in healthy_calls(case).await {
            if !tried.insert((operation, service, action.clone(), nth)) {
                continue;
            }
            for (kind, times) in [
                (FaultKind::Throttle, u32::MAX),
                (FaultKind::Internal, u32::MAX),
                (FaultKind::Lost, u32::MAX),
                (FaultKind::Denied, u32::MAX),
                // Healed by the SDK's second try, which must not count twice.
                (FaultKind::Lost, 1),
            ] {
                let world = TestWorld::start().await;
                let mut stage = case.prepare(&world).await;
                let fault = Fault::new(kind, service, &action).of(operation);
                world.fault(fault.nth(nth).times(times));
                let answer = stage.act().await;
                assert_clear(&answer);
                world.clear_faults();
                let mut healed = case.is_healthy(&answer) || case.is_healthy(&stage.act().await);
                if !healed {
                    // A claim that could not be let go is taken over after half a minute.
                    world.advance(31);
                    healed = case.is_healthy(&stage.act().await);
                }
                if !healed && !needs_another(case, &action, kind) {
                    broken.push(format!(
                        "{case:?}, {service} {action} ({nth}), {kind:?} × {times}: {} {}",
                        answer.status, answer.body
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The calls that an operation makes where nothing fails, the same action counted from 1.
async fn healthy_calls(case: Case) -> Vec<(&'static str, String, u32)> {
    let world = TestWorld::start().await;
    let mut stage = case.prepare(&world).await;
    let since = world.last_call();
    stage.act().await;
    let mut calls: Vec<(&'static str, String, u32)> = Vec::new();
    for call in world.calls(since) {
        if call.function == case.row().0 {
            let earlier = calls.iter().filter(|(_, action, _)| *action == call.action);
            let nth = u32::try_from(earlier.count()).expect("few") + 1;
            calls.push((call.service, call.action, nth));
        }
    }
    assert!(!calls.is_empty(), "{case:?}");
    calls
}

/// Where the person has to begin anew: `AgentCore`'s "denied" cannot be told from "this session is over".
fn needs_another(case: Case, action: &str, kind: FaultKind) -> bool {
    matches!(
        (case, action, kind),
        (
            Case::CallbackForGuest | Case::CallbackForAnybody | Case::CallbackOfAnotherPerson,
            "CompleteResourceTokenAuth" | "GetResourceOauth2Token",
            FaultKind::Denied,
        )
    )
}

fn assert_clear(answer: &Answer) {
    let problem = if answer.status == 200 && answer["error"].is_object() {
        &answer["error"]
    } else {
        &answer.body
    };
    match answer.status {
        200 if problem["code"].is_null() || problem["code"] == "AUTH_REQUIRED" => {}
        302 | 303 => {}
        _ => {
            let status = problem["status"].as_u64().expect("a problem");
            assert!([500, 503].contains(&status), "{}", answer.body);
            assert!(problem["detail"].is_string());
        }
    }
}
