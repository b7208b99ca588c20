//! `confirm-start-link`: a person allows an agent on our own page, and only that binds a browser.

use std::collections::BTreeMap;

use agentcore_local::Behaviour;
use cognito_local::PromptLogin;
use reqwest::Method;
use serde_json::json;

use crate::harness::authorizations::{CONVERSATION, ask, link_path, linked, path_of, status_path};
use crate::harness::case::{Case, Then};
use crate::harness::consent::Consenting;
use crate::harness::consent_page::{ConsentPage, FORM, allow};
use crate::harness::people::ADA;
use crate::harness::requests::counted;
use crate::harness::stage::Stage;
use crate::harness::steps::{ORIGIN_SECRET, ORIGIN_SECRET_SHA256, at_once};
use crate::harness::{Answer, TestWorld};

const GUEST: &str = "get-authenticated-guest";

/// The state of an authorization, for the agent.
async fn asked_again(world: &TestWorld, session: &serde_json::Value) -> Answer {
    world.invoke(GUEST, &json!({ "sessionId": session })).await
}

async fn status(world: &TestWorld, session: &serde_json::Value) -> String {
    let path = status_path(session.as_str().expect("an id"));
    world.browser().get(&path).await.text("status")
}

fn location(answer: &Answer) -> &str {
    assert!([302, 303].contains(&answer.status), "{answer:?}");
    answer.header("location").expect("an address")
}

/// The attack: a guest has consented once, so the pool's page recognises the browser. A stranger
/// begins an authorization in a conversation of their own, and another site sends the guest's
/// browser to its link.
///
/// ASVS 5.0 7.6.2 and 10.7.1: no session and no authorization begins without a person's own act,
/// and each authorization asks anew.
#[tokio::test]
async fn a_browser_that_the_pool_knows_consents_to_nothing_without_a_person() {
    for prompt_login in [PromptLogin::Heeded, PromptLogin::Ignored] {
        let world = TestWorld::start().await;
        world.cognito().set_prompt_login(prompt_login);
        world.sign_in(ADA).await;
        let guest = Consenting::new(&world);
        let own = ask(&world, json!({ "conversationId": "own" })).await;
        let mut browser = world.browser();
        let url = allow(&mut browser, &link_path(&world, &own)).await;
        let back = guest.consent(&url, ADA).await;
        assert!(location(&browser.get(&path_of(&back)).await).contains("?auth=success"));
        world.advance(60);

        let stranger = ask(&world, json!({ "conversationId": "stranger" })).await;
        let path = link_path(&world, &stranger);
        browser.always("sec-fetch-site", "cross-site");
        let page = ConsentPage::open(&mut browser, &path).await;
        let forged = page
            .send(&mut browser, "allow", &[("sec-fetch-site", "cross-site")])
            .await;
        forged.expect_problem(400, "INVALID_SESSION");
        let session = &stranger["error"]["sessionId"];
        assert_eq!(status(&world, session).await, "PENDING");
        let asked = world
            .invoke(GUEST, &json!({ "conversationId": "stranger" }))
            .await;
        assert_eq!(asked["error"]["code"], "AUTH_REQUIRED");

        // If the person presses the button nevertheless, the consent counts only after a new
        // sign-in.
        browser.always("sec-fetch-site", "");
        let url = location(&page.press(&mut browser, "allow").await).to_owned();
        match (prompt_login, guest.silently(&url).await) {
            (PromptLogin::Heeded, None) => {}
            (PromptLogin::Ignored, Some(back)) => {
                let ended = browser.get(&path_of(&back)).await;
                assert!(location(&ended).ends_with("code=INVALID_SESSION&reason=old-sign-in"));
                assert_eq!(status(&world, session).await, "FAILED");
            }
            (_, back) => panic!("{prompt_login:?}: {back:?}"),
        }
        let asked = world
            .invoke(GUEST, &json!({ "conversationId": "stranger" }))
            .await;
        assert_eq!(asked["error"]["code"], "AUTH_REQUIRED");
    }
}

/// `AgentCore`'s vault may return a token of another sign-in than the requested one.
#[tokio::test]
async fn a_guest_is_not_found_by_a_token_of_an_older_sign_in_and_is_by_a_refreshed_one() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let (mut browser, back, session) = linked(&world, json!({}), ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    // The token is an hour old, and AgentCore refreshes it: the person signed in when they did.
    world.advance(3700);
    let found = asked_again(&world, &json!(session)).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
    crate::harness::backstage::bind_later(&world, &session).await;
    let refused = asked_again(&world, &json!(session)).await;
    assert_eq!(
        refused["error"]["code"], "AUTH_REQUIRED",
        "{}",
        refused.body
    );
    assert!(world.logs().iter().any(|line| line.contains("old-sign-in")));
}

#[tokio::test]
async fn a_page_names_the_agent_the_time_and_the_country_and_nothing_of_a_conversation() {
    let world = TestWorld::with_settings(&[
        ("AGENT_NAME", "Bell & <Book>"),
        ("ORIGIN_SECRET_SHA256", ORIGIN_SECRET_SHA256),
    ])
    .await;
    let guest = world
        .invoke(
            "start-authorization",
            &json!({ "conversationId": "a-conversation-of-theirs", "email": "someone@example.com", "scopes": ["openid", "a-scope-of-theirs"] }),
        )
        .await;
    let link = guest.text("authorizationUrl");
    let path = link.strip_prefix(&world.origin()).expect("our own");
    let mut browser = world.browser();
    browser.always("x-origin-verify", ORIGIN_SECRET);
    browser.always("cloudfront-viewer-country", "DE");
    let shown = browser.get(path).await;
    shown.expect_status(200);
    let html = String::from_utf8(shown.bytes.clone()).expect("text");
    assert!(
        html.contains("Bell &#38; &#60;Book&#62; asks to act for you"),
        "{html}"
    );
    assert!(html.contains(" UTC</dd>") && html.contains("<dd>DE</dd>"));
    for theirs in [
        "a-conversation-of-theirs",
        "someone",
        "a-scope-of-theirs",
        "<script",
    ] {
        assert!(!html.contains(theirs), "{theirs}");
    }
    assert_eq!(
        shown.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(shown.header("x-frame-options"), Some("DENY"));
    assert_eq!(shown.header("cache-control"), Some("no-store"));
    let policy = shown.header("content-security-policy").expect("a policy");
    let origin = |url: &str| {
        url::Url::parse(url)
            .expect("a URL")
            .origin()
            .ascii_serialization()
    };
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        &format!(
            "form-action 'self' {} {}",
            origin(&world.ready().agentcore),
            origin(&world.ready().cognito)
        ),
    ] {
        assert!(policy.contains(part), "{policy}");
    }
    browser.always("accept-language", "fr,de;q=0.9");
    let html = String::from_utf8(browser.get(path).await.bytes).expect("text");
    assert!(html.contains("<html lang=\"de\"") && html.contains(">Erlauben</button>"));
    browser.always("accept-language", "en");
    browser.always("cloudfront-viewer-country", "<b>");
    let html = String::from_utf8(browser.get(path).await.bytes).expect("text");
    assert!(!html.contains("Opened from"));
}

#[tokio::test]
async fn opening_a_link_binds_nothing_however_often_and_by_whomever() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let asked = ask(&world, json!({})).await;
    let path = link_path(&world, &asked);
    let since = world.last_call();
    for (name, value) in [
        ("user-agent", "Slackbot-LinkExpanding 1.0"),
        ("sec-purpose", "prefetch;prerender"),
        ("purpose", "prefetch"),
        ("sec-fetch-dest", "iframe"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let mut bot = world.browser();
        bot.always(name, value);
        bot.get(&path).await.expect_status(200);
        bot.send(Method::HEAD, &path, &[], Vec::new()).await;
    }
    let calls = world.actions_since(since);
    assert!(
        !calls.iter().any(|action| action.contains("UpdateItem")),
        "{calls:?}"
    );
    let mut browser = world.browser();
    let url = allow(&mut browser, &path).await;
    let back = Consenting::new(&world).consent(&url, ADA).await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("?auth=success"));
    // Every browser now hears of the link's end, and only its own one of the reason.
    assert!(location(&browser.get(&path).await).contains("?auth=success"));
    let late = world.browser().get(&path).await;
    assert!(location(&late).ends_with("?auth=error&code=USER_MISMATCH"));
}

#[tokio::test]
async fn a_form_counts_only_from_our_own_page_in_the_browser_that_shows_it() {
    let world = TestWorld::start().await;
    let (asked, other) = (ask(&world, json!({})).await, ask(&world, json!({})).await);
    let (path, other) = (link_path(&world, &asked), link_path(&world, &other));
    let mut browser = world.browser();
    let page = ConsentPage::open(&mut browser, &path).await;
    let of_other = ConsentPage::open(&mut browser, &other).await;
    let gateway = world.ready().gateway.clone();
    for headers in [
        vec![],
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("origin", "null")],
        vec![("origin", "https://evil.example")],
        vec![
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://evil.example"),
        ],
        vec![
            ("sec-fetch-site", "cross-site"),
            ("origin", gateway.as_str()),
        ],
    ] {
        let refused = page.send(&mut browser, "allow", &headers).await;
        refused.expect_problem(400, "INVALID_SESSION");
    }
    // The form of another link, of another browser, and none at all.
    let mut stranger = world.browser();
    let strangers = ConsentPage::open(&mut stranger, &path).await;
    let own = browser.cookies.clone();
    for (cookies, field) in [
        (own.clone(), &of_other.field),
        (own.clone(), &strangers.field),
        (own, &String::new()),
        (stranger.cookies, &page.field),
        (BTreeMap::new(), &page.field),
    ] {
        let mut browser = world.browser();
        browser.cookies = cookies;
        let forged = ConsentPage {
            path: path.clone(),
            field: field.clone(),
        };
        let refused = forged.press(&mut browser, "allow").await;
        refused.expect_problem(400, "INVALID_SESSION");
    }
    for (body, media_type, status, code) in [
        (format!("page={}", page.field), FORM, 400, "INVALID_SESSION"),
        (
            format!("page={}&decision=yes", page.field),
            FORM,
            400,
            "INVALID_SESSION",
        ),
        (
            format!("page={0}&page={0}&decision=allow", page.field),
            FORM,
            400,
            "VALIDATION_FAILED",
        ),
        (
            json!({ "page": page.field, "decision": "allow" }).to_string(),
            "application/json",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
        (
            format!("page={}&decision=allow", page.field),
            "text/plain",
            415,
            "UNSUPPORTED_MEDIA_TYPE",
        ),
    ] {
        let headers = [
            ("content-type", media_type),
            ("sec-fetch-site", "same-origin"),
        ];
        let refused = browser
            .send(Method::POST, &path, &headers, body.into_bytes())
            .await;
        refused.expect_problem(status, code);
    }
    assert_eq!(
        status(&world, &asked["error"]["sessionId"]).await,
        "PENDING"
    );
    assert_eq!(counted(&world, "ConsentRefusals"), 13);
    // And forms go nowhere else.
    let body = b"email=ada%40example.com".to_vec();
    let refused = browser
        .send(
            Method::POST,
            "/auth/otp/initiate",
            &[("content-type", FORM)],
            body,
        )
        .await;
    refused.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    let sent_on = page
        .send(&mut browser, "allow", &[("origin", gateway.as_str())])
        .await;
    assert!(location(&sent_on).contains("/identities/oauth2/authorize"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_twenty_browsers_that_allow_at_once_one_goes_on() {
    let world = TestWorld::start().await;
    let asked = ask(&world, json!({})).await;
    let path = link_path(&world, &asked);
    let mut pages = Vec::new();
    for _ in 0..20 {
        let mut browser = world.browser();
        let page = ConsentPage::open(&mut browser, &path).await;
        pages.push((browser, page));
    }
    let answers = at_once(pages.into_iter().map(|(mut browser, page)| async move {
        let answer = page.press(&mut browser, "allow").await;
        (browser, answer)
    }))
    .await;
    let sent_on = |answer: &Answer| location(answer).contains("/identities/oauth2/authorize");
    let winners = answers.iter().filter(|(_, answer)| sent_on(answer));
    assert_eq!(winners.count(), 1);
    for (browser, answer) in &answers {
        let is_bound = browser
            .cookies
            .keys()
            .any(|name| name.starts_with("__Host-latchkey-authorization-"));
        assert_eq!(is_bound, sent_on(answer));
        assert!(sent_on(answer) || location(answer).ends_with("?auth=error&code=USER_MISMATCH"));
    }
}

#[tokio::test]
async fn a_button_pressed_twice_does_the_same_twice() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let asked = ask(&world, json!({})).await;
    let path = link_path(&world, &asked);
    let mut browser = world.browser();
    let page = ConsentPage::open(&mut browser, &path).await;
    // Twice before the first answer came, in another tab, and again.
    let mut impatient = world.browser();
    impatient.cookies = browser.cookies.clone();
    let url = location(&page.press(&mut impatient, "allow").await).to_owned();
    assert_eq!(location(&page.press(&mut browser, "allow").await), url);
    let tab = ConsentPage::open(&mut browser, &path).await;
    assert_eq!(location(&tab.press(&mut browser, "allow").await), url);
    let back = Consenting::new(&world).consent(&url, ADA).await;
    assert!(location(&browser.get(&path_of(&back)).await).contains("?auth=success"));
    let late = page.press(&mut browser, "allow").await;
    assert!(location(&late).ends_with("reason=already-used"));
    let late = page.press(&mut browser, "cancel").await;
    assert!(location(&late).ends_with("reason=already-used"));
}

#[tokio::test]
async fn whoever_cancels_is_told_so_and_the_agent_gets_another_link() {
    let world = TestWorld::start().await;
    for allows_first in [false, true] {
        let asked = ask(&world, json!({ "conversationId": CONVERSATION })).await;
        let path = link_path(&world, &asked);
        let mut browser = world.browser();
        let page = ConsentPage::open(&mut browser, &path).await;
        if allows_first {
            page.press(&mut browser, "allow").await.expect_status(303);
            let mut stranger = world.browser();
            let strangers = ConsentPage::open(&mut stranger, &path).await;
            let refused = strangers.press(&mut stranger, "cancel").await;
            assert!(location(&refused).ends_with("?auth=error&code=USER_MISMATCH"));
        }
        let cancelled = page.press(&mut browser, "cancel").await;
        assert!(location(&cancelled).ends_with("code=AUTH_CANCELLED&reason=cancelled"));
        let session = asked["error"]["sessionId"].clone();
        assert_eq!(status(&world, &session).await, "FAILED");
        for decision in ["allow", "cancel"] {
            let late = page.press(&mut browser, decision).await;
            assert!(location(&late).contains("code=AUTH_CANCELLED"), "{late:?}");
        }
        assert!(location(&browser.get(&path).await).contains("code=AUTH_CANCELLED"));
        let again = ask(&world, json!({ "conversationId": CONVERSATION })).await;
        assert_ne!(again["error"]["sessionId"], session);
    }
    assert_eq!(counted(&world, "AuthorizationsCancelled"), 2);
    assert_eq!(counted(&world, "AuthorizationsFailed"), 2);
}

/// A person allows it in their chat's own browser, and then opens the link in the one that they
/// use.
#[tokio::test]
async fn a_link_that_was_refused_in_another_browser_is_replaced_when_the_agent_asks_again() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let asked = ask(&world, json!({ "conversationId": CONVERSATION })).await;
    let path = link_path(&world, &asked);
    let mut first = world.browser();
    let url = allow(&mut first, &path).await;
    let same = ask(&world, json!({ "conversationId": CONVERSATION })).await;
    assert_eq!(same["error"]["sessionId"], asked["error"]["sessionId"]);
    let mut second = world.browser();
    let page = ConsentPage::open(&mut second, &path).await;
    let refused = page.press(&mut second, "allow").await;
    assert!(location(&refused).ends_with("?auth=error&code=USER_MISMATCH"));
    let again = ask(&world, json!({ "conversationId": CONVERSATION })).await;
    assert_ne!(again["error"]["sessionId"], asked["error"]["sessionId"]);
    // The first browser may still finish, and then it counts.
    let back = Consenting::new(&world).consent(&url, ADA).await;
    assert!(location(&first.get(&path_of(&back)).await).contains("?auth=success"));
    let conversation = json!({ "conversationId": CONVERSATION });
    let found = world.invoke(GUEST, &conversation).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
}

/// Every request for a token brings the same parameters: the vault keeps tokens by them.
#[tokio::test]
async fn a_fresh_sign_in_is_asked_for_by_the_parameters_that_every_call_brings() {
    let world = TestWorld::start().await;
    world.agentcore().set_behaviour(Behaviour {
        other_custom_parameters: agentcore_local::Permission::Refused,
        ..Behaviour::default()
    });
    world.sign_in(ADA).await;
    let (mut browser, back, session) = linked(&world, json!({}), ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let found = asked_again(&world, &json!(session)).await;
    assert_eq!(found["user"]["email"], ADA, "{}", found.body);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of(
            "confirm-start-link",
            "allowed",
            "303 /identities/oauth2/authorize",
            |world| Box::pin(pressed(world, "allow")),
        ),
        Case::of(
            "confirm-start-link",
            "allowed in another browser before",
            "303 USER_MISMATCH",
            |world| Box::pin(allowed_before(world)),
        ),
        Case::of(
            "confirm-start-link",
            "cancelled",
            "303 AUTH_CANCELLED cancelled",
            |world| Box::pin(pressed(world, "cancel")),
        )
        .then(|case, stage, answer| Box::pin(is_cancelled(case, stage, answer))),
    ]
}

async fn pressed<'world>(world: &'world TestWorld, decision: &'static str) -> Stage<'world> {
    let asked = ask(world, json!({})).await;
    let mut browser = world.browser();
    let page = ConsentPage::open(&mut browser, &link_path(world, &asked)).await;
    Stage::press(browser, page, decision)
}

async fn allowed_before(world: &TestWorld) -> Stage<'_> {
    let asked = ask(world, json!({})).await;
    let path = link_path(world, &asked);
    allow(&mut world.browser(), &path).await;
    let mut browser = world.browser();
    let page = ConsentPage::open(&mut browser, &path).await;
    Stage::press(browser, page, "allow")
}

/// An authorization that was cancelled earlier reports it without the reason.
async fn is_cancelled(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if case.is_healthy(answer) {
        return Then::Nothing;
    }
    let again = stage.act().await;
    if case.is_healthy(&again) {
        return Then::SameAgain;
    }
    assert_eq!(again.in_short(), "303 AUTH_CANCELLED");
    Then::Done
}
