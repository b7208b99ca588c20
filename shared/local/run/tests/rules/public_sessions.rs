//! Sessions of the public app client: seen, ended and kept like the operations' own, although their
//! sign-ins and refreshes pass no operation.

use std::time::Duration;

use auth_local::{Fault, FaultKind};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::join;

use crate::harness::backstage::{Item, items};
use crate::harness::operators::{path_of, with_reason};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{Outside, access_token, open_world, public_records};
use crate::harness::requests::{
    assert_refused_everywhere, claims, expect_refused_refresh, opens, refresh, session_of,
};
use crate::harness::{Browser, SignedIn, TestWorld};

const SAFARI: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) \
                      AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";

/// Longer than the other request takes.
const SLOW: Duration = Duration::from_millis(1500);

/// Ada in two places: by Latchkey's own sign-in, and by the public client.
struct Ada<'world> {
    world: &'world TestWorld,
    outside: Outside<'world>,
    own: SignedIn<'world>,
    /// The public client's session.
    phone: SignedIn<'world>,
}

impl<'world> Ada<'world> {
    async fn in_two_places(world: &'world TestWorld) -> Self {
        world.registered(ADA, PASSWORD).await;
        let mut own = world.sign_in(ADA).await;
        own.browser.bearer(&own.access_token);
        let outside = Outside::of(world);
        let phone = outside.session(ADA, PASSWORD).await;
        Self {
            world,
            outside,
            own,
            phone,
        }
    }

    /// The same, after the public session's first call.
    async fn seen_in_two_places(world: &'world TestWorld) -> Self {
        let mut ada = Self::in_two_places(world).await;
        ada.phone.browser.get("/me").await.expect_status(200);
        ada
    }

    fn path(&self) -> String {
        format!("/me/sessions/{}", session_of(&self.phone.access_token))
    }

    /// Refreshes at Cognito, and returns the access token.
    async fn renewed(&self) -> String {
        let renewed = self.outside.renew(&self.phone.refresh_token).await;
        renewed.expect_status(200);
        let token = access_token(&renewed);
        assert_eq!(session_of(&token), session_of(&self.phone.access_token));
        token
    }

    /// Cognito refuses the public client's refresh token.
    async fn assert_over_at_cognito(&self) {
        let refused = self.outside.renew(&self.phone.refresh_token).await;
        assert_eq!(refused["__type"], "NotAuthorizedException");
    }

    async fn records(&self) -> Vec<Item> {
        public_records(self.world).await
    }
}

async fn listed(browser: &mut Browser<'_>) -> Vec<Value> {
    let answer = browser.get("/me/sessions").await;
    answer.expect_status(200);
    answer["sessions"].as_array().unwrap().clone()
}

/// The public client's sessions on a list.
async fn public_listed(browser: &mut Browser<'_>) -> Vec<Value> {
    let mut sessions = listed(browser).await;
    sessions.retain(|session| session["publicClient"] == true);
    sessions
}

#[tokio::test]
async fn a_session_is_listed_from_its_first_call_with_what_its_token_and_browser_tell() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    assert_eq!(public_listed(&mut ada.own.browser).await.len(), 0);
    let refused = ada.own.browser.delete(&ada.path()).await;
    refused.expect_problem(404, "NOT_FOUND");

    ada.phone.browser.always("user-agent", SAFARI);
    ada.phone.browser.get("/me").await.expect_status(200);
    let [session] = &public_listed(&mut ada.own.browser).await[..] else {
        panic!("one session");
    };
    assert_eq!(session["sessionId"], session_of(&ada.phone.access_token));
    assert_eq!(session["method"], "unknown");
    assert_eq!(session["device"], "Safari on iPhone");
    assert_eq!(session["current"], false);

    let [record] = &ada.records().await[..] else {
        panic!("one record");
    };
    let claims = claims(&ada.phone.access_token);
    assert_eq!(
        record["signedInAt"].to_string().replace('"', ""),
        claims["latchkey_iat_ms"]
    );
    // It lives as long as Cognito's refresh tokens, and a day longer.
    let begun = claims["auth_time"].as_i64().unwrap();
    let ttl: i64 = record["ttl"].to_string().replace('"', "").parse().unwrap();
    assert!((ttl - begun - 31 * 24 * 3600).abs() <= 1);
    assert!(!record.contains_key("generation"));

    let events = ada.own.browser.get("/me/activity").await;
    let events = events["events"].as_array().unwrap().iter();
    let event = events
        .filter(|event| event["type"] == "signed-in")
        .find(|event| event["sessionId"] == session["sessionId"]);
    let event = event.expect("an event");
    assert_eq!(event["device"], "Safari on iPhone");
    assert_eq!(event["at"], session["createdAt"]);
}

#[tokio::test]
async fn the_list_shows_the_session_that_first_asks_for_it_as_the_current_one() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    for _ in 0..2 {
        let sessions = public_listed(&mut ada.phone.browser).await;
        assert_eq!(sessions.len(), 1, "{sessions:?}");
        assert_eq!(sessions[0]["current"], true);
    }
    // A refreshed token is of the same session.
    world.advance(60);
    let renewed = ada.renewed().await;
    ada.phone.browser.bearer(&renewed);
    let sessions = public_listed(&mut ada.phone.browser).await;
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["current"], true);
    assert_eq!(ada.records().await.len(), 1);
}

#[tokio::test]
async fn a_recorded_session_costs_no_more_writes() {
    let world = open_world().await;
    let mut ada = Ada::seen_in_two_places(&world).await;
    let since = world.last_call();
    ada.phone.browser.get("/me").await.expect_status(200);
    ada.phone
        .browser
        .get("/me/sessions")
        .await
        .expect_status(200);
    ada.phone
        .browser
        .get("/me/passkeys")
        .await
        .expect_status(200);
    let writes = world.actions_since(since).into_iter();
    let writes: Vec<_> = writes.filter(|action| action.contains("Write")).collect();
    assert_eq!(writes, [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn first_calls_at_once_make_one_record_and_one_event() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    let mut tabs: Vec<Browser<'_>> = (0..8).map(|_| world.browser()).collect();
    let calls = tabs.iter_mut().enumerate().map(|(nth, tab)| {
        tab.bearer(&ada.phone.access_token);
        tab.get(["/me", "/me/sessions"][nth % 2])
    });
    for answer in join_all(calls).await {
        answer.expect_status(200);
        if let Some(sessions) = answer["sessions"].as_array() {
            let public = sessions.iter().filter(|one| one["publicClient"] == true);
            assert_eq!(public.count(), 1);
        }
    }
    assert_eq!(ada.records().await.len(), 1);
    let events = ada.own.browser.get("/me/activity").await;
    let session = session_of(&ada.phone.access_token);
    let events = events["events"].as_array().unwrap().iter();
    let events = events.filter(|event| event["sessionId"] == session);
    assert_eq!(events.count(), 1);
}

/// The session works without a record, and its next call makes it.
#[tokio::test]
async fn a_record_that_cannot_be_written_fails_no_request() {
    for kind in [FaultKind::Denied, FaultKind::Internal, FaultKind::Throttle] {
        for (function, path) in [("get-profile", "/me"), ("list-sessions", "/me/sessions")] {
            let world = open_world().await;
            let mut ada = Ada::in_two_places(&world).await;
            let fault = Fault::new(kind, "dynamodb", "TransactWriteItems").of(function);
            world.fault(fault.times(u32::MAX));
            ada.phone.browser.get(path).await.expect_status(200);
            assert_eq!(ada.records().await.len(), 0);
            world.clear_faults();
            ada.phone.browser.get(path).await.expect_status(200);
            assert_eq!(ada.records().await.len(), 1);
        }
    }
}

/// The contract's operations, the authorizer and Cognito refuse it. The others go on.
#[tokio::test]
async fn an_ended_session_is_refused_everywhere_and_cognito_renews_it_no_more() {
    let world = open_world().await;
    let mut ada = Ada::seen_in_two_places(&world).await;
    let renewed = ada.renewed().await;
    for _ in 0..2 {
        ada.own.browser.delete(&ada.path()).await.expect_status(204);
    }
    for token in [&ada.phone.access_token, &renewed] {
        assert_refused_everywhere(&world, token).await;
        assert!(!passes(&world, token).await);
    }
    ada.assert_over_at_cognito().await;
    assert_eq!(public_listed(&mut ada.own.browser).await.len(), 0);
    let [record] = &ada.records().await[..] else {
        panic!("one record");
    };
    assert!(record.contains_key("endedAt"), "it is not revived");

    // Cognito cannot end one session of several, as the contract says.
    assert!(opens(&world, &ada.own.access_token).await);
    let refused = refresh(&mut world.browser(), &ada.own.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let phone = ada.outside.session(ADA, PASSWORD).await;
    assert!(opens(&world, &phone.access_token).await);
}

/// The end counts here although Cognito was not told, and the same request tells it.
#[tokio::test]
async fn while_cognito_fails_the_session_has_ended_here_and_the_same_request_heals_it() {
    for kind in [FaultKind::Denied, FaultKind::Internal] {
        let world = open_world().await;
        let mut ada = Ada::seen_in_two_places(&world).await;
        let fault = Fault::new(kind, "cognito-idp", "AdminUserGlobalSignOut").of("end-session");
        world.fault(fault.times(u32::MAX));
        let failed = ada.own.browser.delete(&ada.path()).await;
        assert!(failed.status >= 500);
        let renewed = ada.renewed().await;
        for token in [&ada.phone.access_token, &renewed] {
            assert_refused_everywhere(&world, token).await;
        }
        world.clear_faults();
        ada.own.browser.delete(&ada.path()).await.expect_status(204);
        ada.assert_over_at_cognito().await;
    }
}

#[tokio::test]
async fn a_session_that_ends_itself_may_try_again_while_cognito_fails() {
    let world = open_world().await;
    let mut ada = Ada::seen_in_two_places(&world).await;
    let path = ada.path();
    let fault = Fault::new(FaultKind::Internal, "cognito-idp", "AdminUserGlobalSignOut");
    world.fault(fault.times(u32::MAX));
    let failed = ada.phone.browser.delete(&path).await;
    failed.expect_problem(503, "SERVICE_UNAVAILABLE");
    assert!(opens(&world, &ada.phone.access_token).await);
    world.clear_faults();
    ada.phone.browser.delete(&path).await.expect_status(204);
    assert_refused_everywhere(&world, &ada.phone.access_token).await;
    ada.assert_over_at_cognito().await;
    assert!(opens(&world, &ada.own.access_token).await);
}

#[tokio::test]
async fn a_logout_ends_the_session_with_and_without_a_record() {
    for is_recorded in [true, false] {
        let world = open_world().await;
        let mut ada = Ada::in_two_places(&world).await;
        if is_recorded {
            ada.phone.browser.get("/me").await.expect_status(200);
        }
        let renewed = ada.renewed().await;
        let done = ada.phone.browser.post("/auth/logout", json!({})).await;
        done.expect_status(204);
        for token in [&ada.phone.access_token, &renewed] {
            assert_refused_everywhere(&world, token).await;
        }
        ada.assert_over_at_cognito().await;
        assert!(opens(&world, &ada.own.access_token).await);
    }
}

/// The write decides, not the read before it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ends_during_its_first_call_is_not_revived() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "TransactWriteItems").of("get-profile");
    world.fault(slow.lasting(SLOW));
    let mut tab = world.browser();
    tab.bearer(&ada.phone.access_token);
    let (first, done) = join!(
        tab.get("/me"),
        ada.phone.browser.post("/auth/logout", json!({}))
    );
    done.expect_status(204);
    first.expect_problem(401, "AUTH_REQUIRED");
    assert_eq!(ada.records().await.len(), 0);
    assert_refused_everywhere(&world, &ada.phone.access_token).await;
}

/// In any order, no token of the session survives, and one record has its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_of_a_session_survives_a_crowd_that_records_and_ends_it() {
    for _ in 0..3 {
        let world = open_world().await;
        let ada = Ada::in_two_places(&world).await;
        let path = ada.path();
        let mut rivals: Vec<_> = (0..30).map(|_| world.browser()).collect();
        let crowd = rivals.iter_mut().enumerate().map(|(number, browser)| {
            let (ada, path) = (&ada, &path);
            async move {
                let token = match number % 5 {
                    4 => &ada.own.access_token,
                    _ => &ada.phone.access_token,
                };
                browser.bearer(token);
                match number % 5 {
                    0 => browser.get("/me").await,
                    1 => browser.get("/me/sessions").await,
                    2 => ada.outside.renew(&ada.phone.refresh_token).await,
                    3 => browser.post("/auth/logout", json!({})).await,
                    _ => browser.delete(path).await,
                }
            }
        });
        let answers = join_all(crowd).await;
        let renewed = answers
            .iter()
            .filter(|answer| answer["AuthenticationResult"].is_object());
        for renewed in renewed {
            assert!(!opens(&world, &access_token(renewed)).await);
            assert_eq!(ada.outside.refresh(renewed).await.status, 400);
        }
        assert!(!opens(&world, &ada.phone.access_token).await);
        ada.assert_over_at_cognito().await;
        let mut records = items(&world, &world.ready().tables["user-sessions"]).await;
        let session = json!(session_of(&ada.phone.access_token));
        records.retain(|record| record.get("sessionId") == Some(&session));
        assert_eq!(records.len(), 1);
        assert!(records[0].contains_key("endedAt"));
        assert!(opens(&world, &ada.own.access_token).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_is_deleted_during_a_first_call_leaves_no_session() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "TransactWriteItems").of("get-profile");
    world.fault(slow.lasting(SLOW));
    let proofs = json!({ "password": PASSWORD });
    let (first, done) = join!(
        ada.phone.browser.get("/me"),
        ada.own.browser.post("/me/delete", proofs)
    );
    done.expect_status(202);
    first.expect_problem(401, "AUTH_REQUIRED");
    for table in ["user-sessions", "activity", "guests"] {
        let left = items(&world, &world.ready().tables[table]).await;
        assert!(left.is_empty(), "{table}: {left:?}");
    }
}

#[tokio::test]
async fn deleting_the_account_deletes_the_records_too() {
    let world = open_world().await;
    let mut ada = Ada::seen_in_two_places(&world).await;
    let proofs = json!({ "password": PASSWORD });
    let done = ada.phone.browser.post("/me/delete", proofs).await;
    done.expect_status(202);
    let left = items(&world, &world.ready().tables["user-sessions"]).await;
    assert!(left.is_empty(), "{left:?}");
    ada.assert_over_at_cognito().await;
}

/// Cognito goes on renewing the session, and no operation accepts the new tokens.
#[tokio::test]
async fn ending_all_others_ends_it_here_and_the_session_that_asks_goes_on_at_cognito() {
    for is_recorded in [true, false] {
        let world = open_world().await;
        let mut ada = Ada::in_two_places(&world).await;
        if is_recorded {
            ada.phone.browser.get("/me").await.expect_status(200);
        }
        let done = ada.own.browser.delete("/me/sessions").await;
        done.expect_status(204);
        let renewed = ada.renewed().await;
        for token in [&ada.phone.access_token, &renewed] {
            assert_refused_everywhere(&world, token).await;
            assert!(!passes(&world, token).await);
        }
        assert_eq!(public_listed(&mut ada.own.browser).await.len(), 0);
        let token = ada.own.refresh_token.clone();
        let refreshed = refresh(&mut ada.own.browser, &token).await;
        refreshed.expect_status(200);
    }
}

#[tokio::test]
async fn the_public_session_may_end_all_others_and_goes_on() {
    let world = open_world().await;
    let mut ada = Ada::in_two_places(&world).await;
    let done = ada.phone.browser.delete("/me/sessions").await;
    done.expect_status(204);
    assert_refused_everywhere(&world, &ada.own.access_token).await;
    let refused = refresh(&mut ada.own.browser, &ada.own.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    let renewed = ada.renewed().await;
    for token in [&ada.phone.access_token, &renewed] {
        assert!(opens(&world, token).await);
    }
    assert_eq!(listed(&mut ada.phone.browser).await.len(), 1);
}

#[tokio::test]
async fn an_operators_sign_out_ends_it_too() {
    let world = open_world().await;
    let mut ada = Ada::seen_in_two_places(&world).await;
    let path = path_of(&ada.own.user, "sign-out");
    let done = world.operator().post(&path, with_reason()).await;
    done.expect_status(204);
    assert_refused_everywhere(&world, &ada.phone.access_token).await;
    ada.assert_over_at_cognito().await;
    let again = ada.outside.session(ADA, PASSWORD).await;
    ada.phone.browser.bearer(&again.access_token);
    assert_eq!(listed(&mut ada.phone.browser).await.len(), 1);
}

/// Its tokens open no operation, so no session of it is recorded.
#[tokio::test]
async fn a_public_client_that_only_signs_in_has_no_records() {
    let world = TestWorld::start().await;
    let mut ada = Ada::in_two_places(&world).await;
    for path in ["/me", "/me/sessions"] {
        assert_eq!(ada.phone.browser.get(path).await.status, 401);
    }
    assert_eq!(ada.records().await.len(), 0);
    assert_eq!(public_listed(&mut ada.own.browser).await.len(), 0);
}

/// An agent that brings a guest's token is not the guest's browser.
#[tokio::test]
async fn a_token_in_an_agents_hands_records_no_session() {
    let world = open_world().await;
    let ada = Ada::in_two_places(&world).await;
    let event = json!({ "authToken": ada.phone.access_token });
    let found = world.invoke("get-authenticated-guest", &event).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
    assert_eq!(ada.records().await.len(), 0);
}

/// Whether a team's own API accepts a token.
async fn passes(world: &TestWorld, token: &str) -> bool {
    let event = json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/GET/rooms",
        "headers": { "authorization": format!("Bearer {token}") },
    });
    world.remember_secrets(&json!({ "accessToken": token }));
    let answer = world.invoke("authorize-request", &event).await;
    answer["isAuthorized"] == true
}
