//! `open-start-link`: an agent's link binds the browser that opens it.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authorizations::{
    GUEST, UNTIL_OVER_SECONDS, ask, link_path, location, path_of, without_state,
};
use crate::harness::case::Case;
use crate::harness::consent::Consenting;
use crate::harness::consent_page::{ConsentPage, FORM, allow};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;

/// What a browser accepts when it opens a page.
const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";

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
    let path = link.strip_prefix(&world.origin()).expect("our own domain");
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

/// Nothing but the answer itself can tell a person what to do: no page of ours sent them here.
#[tokio::test]
async fn a_browser_is_told_of_a_refusal_on_a_page() {
    let world = TestWorld::start().await;
    let asked = ask(&world, json!({})).await;
    let path = link_path(&world, &asked);
    let in_german = [("accept", BROWSER), ("accept-language", "de-AT,en;q=0.5")];
    let in_english = [("accept", BROWSER)];
    let form = [("accept", BROWSER), ("content-type", FORM)];
    let mut browser = world.browser();
    for (method, path, headers, words) in [
        (
            Method::GET,
            "/auth/oauth2/start/abc",
            &in_german[..],
            "Dieser Link gilt nicht mehr",
        ),
        (
            Method::GET,
            "/auth/oauth2/start/abc",
            &in_english,
            "This link does not count any more",
        ),
        (
            Method::POST,
            path.as_str(),
            &form,
            "This link does not count any more",
        ),
        (
            Method::GET,
            "/auth/callback?session_id=unknown",
            &in_german,
            "Dieser Link gilt nicht",
        ),
    ] {
        let body = b"page=&decision=allow".to_vec();
        let refused = browser.send(method, path, headers, body).await;
        refused.expect_status(400);
        assert_eq!(
            refused.header("content-type"),
            Some("text/html; charset=utf-8")
        );
        let policy = refused.header("content-security-policy").expect("a policy");
        assert!(
            policy.contains("form-action 'self'; base-uri 'none'"),
            "{policy}"
        );
        let html = String::from_utf8(refused.bytes).expect("text");
        assert!(html.contains(words), "{html}");
    }
    world.fault(Fault::new(FaultKind::Throttle, "dynamodb", "GetItem").times(u32::MAX));
    let refused = browser
        .send(Method::GET, &path, &in_english, Vec::new())
        .await;
    refused.expect_status(503);
    assert!(refused.header("retry-after").is_some());
    let html = String::from_utf8(refused.bytes).expect("text");
    assert!(html.contains("load this page again"), "{html}");
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("open-start-link", "opened", "200", |world| {
            Box::pin(opened(world))
        }),
        Case::of(
            "open-start-link",
            "after the end",
            "302 SESSION_EXPIRED",
            |world| Box::pin(after_the_end(world)),
        ),
    ]
}

async fn opened(world: &TestWorld) -> Stage<'_> {
    let asked = ask(world, json!({})).await;
    Stage::get(world.browser(), &link_path(world, &asked))
}

async fn after_the_end(world: &TestWorld) -> Stage<'_> {
    let stage = opened(world).await;
    world.advance(UNTIL_OVER_SECONDS);
    stage
}
