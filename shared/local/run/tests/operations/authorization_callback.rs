//! `authorization-callback`: the browser that began an authorization completes it, and no other.

use agentcore_local::{Behaviour, Denial};
use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::authorizations::{
    CONVERSATION, GUEST, asked_of_agentcore, consented, linked, location, path_of, reasons,
    session_of, start, state_of, status, without_state,
};
use crate::harness::case::{Case, Prepare, Then, UNTIL_TAKEN_OVER_SECONDS};
use crate::harness::consent::Consenting;
use crate::harness::people::{ADA, BOB};
use crate::harness::requests::counted;
use crate::harness::stage::Stage;
use crate::harness::steps::at_once;
use crate::harness::{Answer, TestWorld};

/// The attack that session binding prevents: the attacker begins, and lures another person to
/// consent.
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
    // The person has consented, so the authorization is now worthless to everyone, above all to the
    // attacker who began it.
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

/// The same, with an attacker who is faster than the browser that returns from consenting. The
/// attacker knows the session and has its cookie, but not the state.
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

/// The token of another person's consent at `AgentCore` is not found by other authorizations of the
/// intended guest.
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
    // The redirect may omit the session: the cookie for the state names it.
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
    // Several values of one parameter do not come from Latchkey.
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
    // The destination is configured: the query cannot change it.
    let path = format!(
        "/auth/callback?session_id={session}&state={state}&redirect_uri=https://evil.example&next=//evil.example&code=abc"
    );
    let ended = browser.get(&path).await;
    assert!(location(&ended).starts_with(&world.origin()));
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

    // AgentCore has no record of the consent: the person did not get far enough to give it.
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

/// `AgentCore` does not document its redirect after a person declines.
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

/// `AgentCore` returns the state, and does not document the parameter's name.
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
    // A browser has room for more cookies than a request for headers. Only this flow's cookies go
    // along, as in a browser of its own.
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

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, healthy, prepare: Prepare| {
        Case::of("authorization-callback", name, healthy, prepare)
            .then(|case, stage, answer| Box::pin(ends(case, stage, answer)))
    };
    vec![
        case("for a guest", "302 success", |world| {
            Box::pin(async {
                let (browser, back) = consented(world, ADA).await;
                Stage::get(browser, &path_of(&back))
            })
        }),
        case("for an address", "302 success", |world| {
            Box::pin(for_an_address(world))
        }),
        case("for anybody", "302 success", |world| {
            Box::pin(for_anybody(world))
        }),
        case("another person", "302 USER_MISMATCH other-user", |world| {
            Box::pin(another_person(world))
        }),
        case(
            "another browser, after consent",
            "302 USER_MISMATCH",
            |world| {
                Box::pin(async {
                    let (_, back) = consented(world, ADA).await;
                    Stage::get(world.browser(), &path_of(&back))
                })
            },
        ),
        case("denied", "302 AUTH_CANCELLED provider-denied", |world| {
            Box::pin(async {
                let (browser, back) = consented(world, ADA).await;
                let denied = "error=access_denied&error_description=No";
                Stage::get(browser, &format!("{}&{denied}", path_of(&back)))
            })
        }),
    ]
}

async fn for_an_address(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    let mut browser = world.browser();
    let begun = json!({ "conversationId": CONVERSATION, "email": ADA });
    let started = start(&mut browser, begun).await;
    started.expect_status(200);
    let url = started.text("authorizationUrl");
    let back = Consenting::new(world).consent(&url, ADA).await;
    Stage::get(browser, &path_of(&back))
}

async fn for_anybody(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    let (browser, back, _) = linked(world, json!({}), ADA).await;
    Stage::get(browser, &path_of(&back))
}

async fn another_person(world: &TestWorld) -> Stage<'_> {
    world.sign_in(BOB).await;
    let (browser, back) = consented(world, BOB).await;
    Stage::get(browser, &path_of(&back))
}

/// A person's shortest path until the authorization has ended correctly.
async fn ends(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if case.is_healthy(answer) {
        return Then::Nothing;
    }
    if case.is_healthy(&stage.act().await) {
        return Then::SameAgain;
    }
    stage.world.advance(UNTIL_TAKEN_OVER_SECONDS);
    if case.is_healthy(&stage.act().await) {
        return Then::SameAgainLater;
    }
    let another = case.prepare(stage.world).await.act().await;
    assert!(case.is_healthy(&another), "{another:?}");
    Then::FreshStart
}
