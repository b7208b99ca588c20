//! `get-authenticated-guest`: an agent gets its guest, or the URL to visit.

use serde_json::{Value, json};

use crate::harness::authorizations::{
    CONVERSATION, GUEST, UNTIL_OVER_SECONDS, ask, asked_of_agentcore, consented, link_path, linked,
    location, path_of, session_of, start, status_path,
};
use crate::harness::backstage::{
    make_unverified_user_with_password, make_user_with_password, plant_guest,
};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::consent::Consenting;
use crate::harness::consent_page::allow;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, BOB};
use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

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

/// As API Gateway hands a signed request to the function.
const OVER_HTTP: &str =
    include_str!("../../../../../crates/get-authenticated-guest/events/http.json");

#[tokio::test]
async fn an_access_token_gives_its_guest_over_http_and_by_direct_invocation() {
    let world = TestWorld::start().await;
    let ada = world.sign_in(ADA).await;
    let bob = world.sign_in(BOB).await;
    for guest in [&ada, &bob] {
        let given = json!({ "authToken": guest.access_token });
        let direct = world.invoke(GUEST, &given).await;
        assert_eq!(direct["user"], guest.user, "{}", direct.body);

        let mut event: Value = serde_json::from_str(OVER_HTTP).unwrap();
        event["body"] = given.to_string().into();
        let answered = world.invoke(GUEST, &event).await;
        assert_eq!(answered["statusCode"], 200, "{}", answered.body);
        let body: Value = serde_json::from_str(&answered.text("body")).unwrap();
        assert_eq!(body["user"], guest.user);
    }
}

#[tokio::test]
async fn a_token_that_does_not_count_gives_no_guest_and_begins_nothing() {
    let world = TestWorld::start().await;
    let ada = world.sign_in(ADA).await;
    let bob = world.sign_in(BOB).await;
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let [adas, bobs] = [&ada, &bob].map(|guest| parts(&guest.access_token));
    let since = world.last_call();
    for (what, token) in [
        ("an id token", ada.id_token.clone()),
        (
            "another guest's claims",
            format!("{}.{}.{}", adas[0], bobs[1], adas[2]),
        ),
        ("no signature", format!("{}.{}.AAAA", adas[0], adas[1])),
        (
            "an unsigned token",
            format!("eyJhbGciOiJub25lIn0.{}.AAAA", adas[1]),
        ),
        ("another client's token", other_clients_token(&world).await),
    ] {
        let refused = world.invoke(GUEST, &json!({ "authToken": token })).await;
        let error = &refused["error"];
        assert_eq!(error["code"], "AUTH_REQUIRED", "{what}: {}", refused.body);
        assert_eq!(error.get("authorizationUrl"), None, "{what}");
    }
    assert_eq!(asked_of_agentcore(&world, GUEST, since), 0);

    let given = json!({ "authToken": ada.access_token });
    let mut browser = ada.browser;
    browser.bearer(&ada.access_token);
    browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await
        .expect_status(204);
    let ended = world.invoke(GUEST, &given).await;
    assert_eq!(ended["error"]["code"], "AUTH_REQUIRED", "{}", ended.body);
    world.advance(3601);
    let over = json!({ "authToken": bob.access_token });
    let ended = world.invoke(GUEST, &over).await;
    assert_eq!(ended["error"]["code"], "AUTH_REQUIRED", "{}", ended.body);
}

#[tokio::test]
async fn an_access_token_stands_alone_and_is_in_good_form() {
    let world = TestWorld::start().await;
    let token = world.sign_in(ADA).await.access_token;
    for (given, field) in [
        (
            json!({ "authToken": token, "conversationId": CONVERSATION }),
            "authToken",
        ),
        (json!({ "authToken": "nonsense" }), "authToken"),
        (json!({ "authToken": 1 }), "authToken"),
    ] {
        let refused = world.invoke(GUEST, &given).await;
        let error = &refused["error"];
        assert_eq!(error["code"], "VALIDATION_FAILED", "{}", refused.body);
        assert_eq!(error["errors"][0]["field"], field, "{}", refused.body);
    }
}

/// A model's arguments hold no token, under any name.
#[tokio::test]
async fn no_argument_of_the_tool_is_an_access_token() {
    let world = TestWorld::start().await;
    let token = world.sign_in(ADA).await.access_token;
    for argument in ["authToken", "auth_token"] {
        let arguments = json!({ argument: token });
        let asked = world
            .call_tool(GUEST, "get_authenticated_guest", &arguments)
            .await;
        assert_eq!(asked["error_code"], "AUTH_REQUIRED", "{}", asked.body);
        assert!(asked["authorization_url"].is_string(), "{}", asked.body);
    }
}

/// A token of the pool's public client. In the position `sign-in`, Latchkey does not accept it.
async fn other_clients_token(world: &TestWorld) -> String {
    let client = world.ready().client_id.clone();
    let begun = world
        .cognito_call(
            "InitiateAuth",
            json!({
                "AuthFlow": "USER_AUTH",
                "ClientId": client,
                "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
            }),
        )
        .await;
    let code = world.mail_code(ADA).await;
    let signed_in = world
        .cognito_call(
            "RespondToAuthChallenge",
            json!({
                "ClientId": client,
                "ChallengeName": "EMAIL_OTP",
                "Session": begun["Session"],
                "ChallengeResponses": { "USERNAME": ADA, "EMAIL_OTP_CODE": code },
            }),
        )
        .await;
    signed_in.expect_status(200);
    let token = signed_in["AuthenticationResult"]["AccessToken"].as_str();
    token.expect("a token").to_owned()
}

#[tokio::test]
async fn a_front_end_that_asks_again_hears_when_to() {
    let world = TestWorld::start().await;
    let (mut browser, back) = consented(&world, ADA).await;
    let path = status_path(&session_of(&back));
    let first = browser.get(&path).await;
    assert_eq!(first.retry_after(), Some(2));
    // The answer promises no condition: CloudFront does not forward conditions if it forwards
    // cookies.
    assert_eq!(first.header("etag"), None);
    browser.always("if-none-match", "*");
    let same = browser.get(&path).await;
    same.expect_status(200);
    assert_eq!(same["status"], "PENDING");
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
    // The conversation gets its guest back by one more consent.
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

/// A model writes a tool's arguments; the gateway names the conversation.
#[tokio::test]
async fn an_agents_conversation_begins_so_many_authorizations() {
    let world = TestWorld::with_settings(&[("AUTHORIZATION_STARTS_PER_IP", "3")]).await;
    let asked = async |conversation: &str, made_up: u32| {
        let arguments = json!({ "conversation_id": format!("made-up-{made_up}") });
        let tool = "get_authenticated_guest";
        let answer = world.call_tool_in(conversation, GUEST, tool, &arguments);
        answer.await.text("error_code")
    };
    for made_up in 0..3 {
        assert_eq!(asked("one", made_up).await, "AUTH_REQUIRED");
    }
    assert_eq!(asked("one", 3).await, "RATE_LIMITED");
    // A pending one is not begun again.
    assert_eq!(asked("one", 2).await, "AUTH_REQUIRED");
    assert_eq!(asked("another", 3).await, "AUTH_REQUIRED");
}

/// Such a gateway cannot tell its chats apart. A model that makes up conversations in one of them
/// leaves the others theirs, until the gateway has begun as many as it may.
#[tokio::test]
async fn a_gateway_that_names_no_conversation_has_far_more_authorizations_than_a_conversation() {
    let settings = [
        ("AUTHORIZATION_STARTS_PER_IP", "3"),
        ("ATTEMPTS_PER_GATEWAY", "10"),
    ];
    let world = TestWorld::with_settings(&settings).await;
    let through = async |gateway: &str, arguments: Value| {
        let tool = "get_authenticated_guest";
        let answer = world.call_tool_through(gateway, GUEST, tool, &arguments);
        answer.await.text("error_code")
    };
    let made_up = |number: u32| json!({ "conversation_id": format!("made-up-{number}") });
    for number in 0..7 {
        assert_eq!(through("one", made_up(number)).await, "AUTH_REQUIRED");
    }
    for _ in 0..3 {
        assert_eq!(through("one", json!({})).await, "AUTH_REQUIRED");
    }
    assert_eq!(through("one", made_up(7)).await, "RATE_LIMITED");
    assert_eq!(through("one", json!({})).await, "RATE_LIMITED");
    // A pending one is not begun again.
    assert_eq!(through("one", made_up(6)).await, "AUTH_REQUIRED");
    assert_eq!(through("another", made_up(7)).await, "AUTH_REQUIRED");
    assert_eq!(through("another", json!({})).await, "AUTH_REQUIRED");
}

/// A session's id appears in URLs. An agent with a conversation gets no session of another one.
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

/// A person who consented has proved the address at the pool's page. A pending registration neither
/// prevents the guest nor outlives it.
#[tokio::test]
async fn a_registration_that_nobody_confirmed_is_no_guest_of_an_agent() {
    let world = TestWorld::start().await;
    // A user without a guest.
    world.browser().started(ADA).await;
    let (mut browser, back, session) = linked(&world, json!({}), ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));
    let registration = json!({ "email": ADA, "password": "nine lives of a cat", "name": "Eve" });
    let registered = browser.post("/auth/register", registration).await;
    registered.expect_status(201);
    let code = world.mail_code(ADA).await;
    let found = world.invoke(GUEST, &json!({ "sessionId": session })).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
    assert_eq!(found["user"].get("name"), None);
    let confirmation = json!({ "sessionToken": registered["sessionToken"], "code": code });
    let refused = browser.post("/auth/register/confirm", confirmation).await;
    refused.expect_problem(400, "INVALID_SESSION");
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

/// An older pool's user, with whom a stranger signed up, and whose owner proves the address at the
/// pool's own page: the operations have not seen that proof, so they cannot have removed the
/// password.
#[tokio::test]
async fn a_password_from_before_the_first_consent_does_not_count() {
    let world = TestWorld::start().await;
    make_unverified_user_with_password(&world, ADA, PASSWORD).await;
    let (mut browser, back, session) = linked(&world, json!({}), ADA).await;
    browser.get(&path_of(&back)).await;
    let found = world.invoke(GUEST, &json!({ "sessionId": session })).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);

    let refused = world.browser().login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let mut guest = world.sign_in(ADA).await;
    let refused = world.browser().login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let change = json!({ "password": PASSWORD, "newPassword": "a password of a thief's" });
    let access_token = guest.access_token.clone();
    guest.browser.bearer(&access_token);
    let refused = guest.browser.post("/me/password", change).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");

    let own = "a password of the owner's";
    let reset = world.reset_password(&mut browser, ADA, own).await;
    reset.expect_status(204);
    world.browser().login(ADA, own).await.expect_status(200);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let known = |name, prepare: Prepare| {
        Case::of("get-authenticated-guest", name, "200", prepare)
            .then(|case, stage, answer| Box::pin(is_ada(case, stage, answer)))
    };
    let unknown = |name, prepare: Prepare| {
        Case::of(
            "get-authenticated-guest",
            name,
            "401 AUTH_REQUIRED",
            prepare,
        )
        .then(|case, stage, answer| Box::pin(has_a_link(case, stage, answer)))
    };
    vec![
        // No model may see a token, so the tool has no such argument.
        known("by access token", |world| Box::pin(by_token(world))).not_by_tool(),
        known("by session", |world| Box::pin(by_session(world))),
        known("by conversation", |world| Box::pin(by_conversation(world))),
        known("first sign-in", |world| Box::pin(first_sign_in(world))),
        known("guest without a user", |world| {
            Box::pin(waiting_guest(world))
        }),
        unknown("nothing begun", |world| {
            Box::pin(async { question(world, json!({})) })
        }),
        unknown("waiting", |world| Box::pin(waiting(world))),
        unknown("abandoned", |world| Box::pin(abandoned(world))),
    ]
}

fn question(world: &TestWorld, body: Value) -> Stage<'_> {
    Stage::agent(world, "/agent/authenticated-guest", body)
}

/// The agent has asked, and ADA has consented.
async fn consented_session(world: &TestWorld, asked: Value) -> String {
    let (mut browser, back, session) = linked(world, asked, ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert_eq!(ended.in_short(), "302 success");
    session
}

async fn by_token(world: &TestWorld) -> Stage<'_> {
    let token = world.sign_in(ADA).await.access_token;
    question(world, json!({ "authToken": token }))
}

async fn by_session(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    let session = consented_session(world, json!({})).await;
    question(world, json!({ "sessionId": session }))
}

async fn by_conversation(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    let asked = json!({ "conversationId": CONVERSATION });
    consented_session(world, asked.clone()).await;
    question(world, asked)
}

async fn first_sign_in(world: &TestWorld) -> Stage<'_> {
    make_user_with_password(world, ADA, PASSWORD).await;
    let session = consented_session(world, json!({})).await;
    question(world, json!({ "sessionId": session }))
}

async fn waiting_guest(world: &TestWorld) -> Stage<'_> {
    plant_guest(world, ADA, "GST-2026-7K3QXB").await;
    first_sign_in(world).await
}

async fn waiting(world: &TestWorld) -> Stage<'_> {
    let asked = ask(world, json!({})).await;
    question(world, json!({ "sessionId": asked["error"]["sessionId"] }))
}

async fn abandoned(world: &TestWorld) -> Stage<'_> {
    let stage = waiting(world).await;
    world.advance(UNTIL_OVER_SECONDS);
    stage
}

async fn is_ada(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    let answer = again.as_ref().unwrap_or(answer);
    // A tool says it without a member in between.
    let emails = [&answer["user"]["email"], &answer["email"]];
    assert!(emails.iter().any(|email| **email == ADA), "{}", answer.body);
    then
}

async fn has_a_link(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    let answer = again.as_ref().unwrap_or(answer);
    assert!(answer["authorizationUrl"].is_string(), "{}", answer.body);
    then
}
