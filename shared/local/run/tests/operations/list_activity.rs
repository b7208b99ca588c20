//! `list-activity`: a guest sees the events of the account.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::authorizations::{CONVERSATION, location, path_of, start};
use crate::harness::case::Case;
use crate::harness::consent::Consenting;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::{refresh, session_of};
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, TestWorld};

const FIREFOX: &str =
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:133.0) Gecko/20100101 Firefox/133.0";

async fn page(world: &TestWorld, access_token: &str, query: &str) -> Answer {
    let mut browser = world.browser();
    browser.bearer(access_token);
    browser.get(&format!("/me/activity{query}")).await
}

async fn events(world: &TestWorld, access_token: &str) -> Vec<Value> {
    let answer = page(world, access_token, "").await;
    answer.expect_status(200);
    answer["events"].as_array().unwrap().clone()
}

fn types(events: &[Value]) -> Vec<&str> {
    let types = events.iter().map(|event| event["type"].as_str());
    types.map(Option::unwrap).collect()
}

#[tokio::test]
async fn a_sign_in_says_how_and_on_what_and_in_which_session() {
    let world = TestWorld::start().await;
    let mut laptop = world.browser();
    laptop.always("user-agent", FIREFOX);
    let access_token = laptop.sign_in(ADA).await.text("accessToken");
    world.sign_in(EVE).await;
    let events = events(&world, &access_token).await;
    assert_eq!(types(&events), ["signed-in", "account-created"]);
    let event = &events[0];
    assert_eq!(event["type"], "signed-in");
    assert_eq!(event["by"], "guest");
    assert_eq!(event["method"], "code");
    assert_eq!(event["device"], "Firefox on Windows");
    assert_eq!(event["sessionId"], session_of(&access_token));
    assert!(event["country"].is_null());
}

#[tokio::test]
async fn changes_of_password_authenticator_and_sessions_are_listed_the_newest_first() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let access_token = guest.session.access_token.clone();
    let browser = &mut guest.session.browser;
    assert_eq!(
        types(&events(&world, &access_token).await),
        [
            "authenticator-set-up",
            "signed-in",
            "signed-in",
            "account-created"
        ]
    );

    // First refused after a right first factor, then accepted.
    let held = world.held(ADA).await;
    let wrong = json!({ "code": "404170" });
    let refused = world.browser().second_factor(&held, wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    let right = json!({ "code": guest.app.next_code() });
    let other = world.browser().second_factor(&held, right).await;
    other.expect_status(200);
    let other = session_of(&other.text("accessToken"));
    let listed = events(&world, &access_token).await;
    assert_eq!(types(&listed)[..2], ["signed-in", "sign-in-refused"]);
    assert_eq!(listed[0]["method"], "second-factor");

    let end = browser.delete(&format!("/me/sessions/{other}")).await;
    end.expect_status(204);
    // A second time changes nothing.
    let end = browser.delete(&format!("/me/sessions/{other}")).await;
    end.expect_status(204);
    browser.delete("/me/sessions").await.expect_status(204);
    world.advance(40);
    let removal = json!({ "password": PASSWORD, "code": guest.app.next_code() });
    let removed = browser.post("/auth/mfa/disable", removal).await;
    removed.expect_status(204);
    let listed = events(&world, &access_token).await;
    assert_eq!(
        types(&listed)[..3],
        [
            "authenticator-removed",
            "other-sessions-ended",
            "session-ended"
        ]
    );
    assert_eq!(listed[2]["sessionId"], other);
    assert_eq!(listed[2]["by"], "guest");

    let mut elsewhere = world.browser();
    let reset = world
        .reset_password(&mut elsewhere, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    let session = elsewhere.login(ADA, OTHER_PASSWORD).await;
    let access_token = session.text("accessToken");
    assert_eq!(
        types(&events(&world, &access_token).await)[..2],
        ["signed-in", "password-changed"]
    );
    elsewhere.bearer(&access_token);
    let everywhere = json!({ "everywhere": true });
    let ended = elsewhere.post("/auth/logout", everywhere).await;
    ended.expect_status(204);
    let session = world.sign_in(ADA).await;
    assert_eq!(
        types(&events(&world, &session.access_token).await)[..2],
        ["signed-in", "all-sessions-ended"]
    );
}

#[tokio::test]
async fn a_copied_session_is_ended_by_latchkey_and_said_once() {
    let world = TestWorld::start().await;
    let mut owner = world.sign_in(ADA).await;
    let first = owner.refresh_token.clone();
    let second = refresh(&mut owner.browser, &first).await;
    let third = refresh(&mut owner.browser, &second.text("refreshToken")).await;
    third.expect_status(200);
    world.advance(61);
    let mut thief = world.browser();
    for _ in 0..2 {
        let stolen = refresh(&mut thief, &first).await;
        stolen.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
    let session = world.sign_in(ADA).await;
    let listed = events(&world, &session.access_token).await;
    // The two in the middle are of one write, and may be of one millisecond.
    let mut seen = types(&listed);
    seen[1..3].sort_unstable();
    assert_eq!(
        seen,
        [
            "signed-in",
            "refresh-token-stolen",
            "session-ended",
            "signed-in",
            "account-created"
        ]
    );
    for event in &listed[1..3] {
        assert_eq!(event["by"], "latchkey");
        assert_eq!(event["sessionId"], session_of(&owner.access_token));
    }
}

#[tokio::test]
async fn passkeys_and_agents_are_noted() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut holder = world.holder(ADA).await;
    let access_token = holder.session.access_token.clone();
    let begun = json!({ "conversationId": CONVERSATION });
    let started = start(&mut holder.session.browser, begun).await;
    started.expect_status(200);
    let url = started.text("authorizationUrl");
    let back = Consenting::new(&world).consent(&url, ADA).await;
    for _ in 0..2 {
        let completed = holder.session.browser.get(&path_of(&back)).await;
        assert!(location(&completed).contains("auth=success"));
    }
    let id = holder.passkey["passkeyId"].as_str().unwrap();
    let proofs = json!({ "password": PASSWORD });
    let removed = holder.session.browser.remove_passkey(id, proofs).await;
    removed.expect_status(204);
    let listed = events(&world, &access_token).await;
    assert_eq!(
        types(&listed)[..3],
        ["passkey-removed", "agent-allowed", "passkey-added"]
    );
}

#[tokio::test]
async fn pages_have_each_event_once_though_others_happen_meanwhile() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut session = world.sign_in(ADA).await;
    for _ in 0..3 {
        world.advance(60);
        session = world.sign_in(ADA).await;
    }
    let all = events(&world, &session.access_token).await;
    assert_eq!(all.len(), 5);
    let mut paged = Vec::new();
    let mut query = "?limit=2".to_owned();
    for pages in 1.. {
        let answer = page(&world, &session.access_token, &query).await;
        answer.expect_status(200);
        paged.extend(answer["events"].as_array().unwrap().clone());
        let Some(before) = answer["before"].as_str() else {
            assert_eq!(pages, 3);
            break;
        };
        query = format!("?limit=2&before={before}");
        world.advance(60);
        world.sign_in(ADA).await;
    }
    assert_eq!(paged, all);
    // A page that ends with the last event has no next page.
    let answer = page(&world, &session.access_token, "?limit=100").await;
    assert!(answer["before"].is_null());
    for query in ["?limit=0", "?limit=101", "?limit=many", "?before=yesterday"] {
        let refused = page(&world, &session.access_token, query).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
    }
}

#[tokio::test]
async fn events_are_kept_for_their_days_and_no_longer() {
    let world = TestWorld::with_settings(&[("ACTIVITY_DAYS", "7")]).await;
    world.sign_in(ADA).await;
    world.advance(7 * 24 * 3600 - 60);
    let session = world.sign_in(ADA).await;
    assert_eq!(events(&world, &session.access_token).await.len(), 3);
    world.advance(61);
    assert_eq!(events(&world, &session.access_token).await.len(), 1);
}

#[tokio::test]
async fn an_event_holds_neither_addresses_nor_secrets() {
    let world = TestWorld::start().await;
    let session = world.sign_in(ADA).await;
    for event in world.items(&world.ready().tables["activity"]).await {
        let text = event.to_string();
        for secret in [ADA, "127.0.0.1", "::1", &session.refresh_token] {
            assert!(!text.contains(secret), "{text}");
        }
        assert!(event["guestId"]["S"].as_str().unwrap().starts_with("GST-"));
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("list-activity", "listed", "200", |world| {
        Box::pin(async {
            let session = world.sign_in(ADA).await;
            Stage::signed_in(session, Method::GET, "/me/activity", Value::Null)
        })
    })]
}
