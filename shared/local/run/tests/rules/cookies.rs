//! A refresh token in a cookie: only our own pages can use it, and an invalid one is cleared.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::requests::{claims, counted, expect_refused_refresh, opens, refresh};
use crate::harness::{Answer, Browser, TestWorld};

const REFRESH_COOKIE: &str = "__Host-latchkey-refresh";

const FRONT_END: &str = "https://app.example";

const DAY: u64 = 24 * 60 * 60;

/// A browser whose refresh token is in its cookie.
async fn signed_in_by_cookie<'world>(
    world: &'world TestWorld,
    email: &str,
) -> (Browser<'world>, Answer) {
    let mut browser = world.browser();
    let answer = browser
        .sign_in_with(email, json!({ "tokenDelivery": "cookie" }))
        .await;
    answer.expect_status(200);
    (browser, answer)
}

/// The one `Set-Cookie` field of this name.
#[track_caller]
fn set_cookie<'a>(answer: &'a Answer, name: &str) -> &'a str {
    let mut found = answer
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().unwrap())
        .filter(|cookie| cookie.starts_with(&format!("{name}=")));
    let cookie = found.next().expect("the cookie is set");
    assert!(found.next().is_none(), "the cookie is set twice");
    cookie
}

/// ASVS 5.0 3.3.1 to 3.3.4 and RFC 6265bis §4.1.3.2: the prefix keeps the cookie to this host, over
/// TLS, on every path.
#[tokio::test]
async fn in_cookie_mode_the_refresh_token_is_in_a_host_cookie_alone() {
    let world = TestWorld::start().await;
    let (browser, answer) = signed_in_by_cookie(&world, "ada@example.com").await;
    assert!(answer["refreshToken"].is_null());
    assert!(answer["accessToken"].is_string() && answer["idToken"].is_string());
    assert_eq!(answer["user"]["email"], "ada@example.com");

    let cookie = set_cookie(&answer, REFRESH_COOKIE);
    let mut attributes: Vec<_> = cookie.split("; ").skip(1).collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        [
            "HttpOnly",
            &format!("Max-Age={}", 30 * DAY),
            "Path=/",
            "SameSite=Strict",
            "Secure"
        ]
    );
    let token = &browser.cookies[REFRESH_COOKIE];
    assert!(token.len() > 1000);
    let rest = String::from_utf8(answer.bytes).unwrap();
    assert!(!rest.contains(token.as_str()));
}

#[tokio::test]
async fn a_sign_in_that_asks_for_no_cookie_gets_none() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    assert!(!guest.browser.cookies.contains_key(REFRESH_COOKIE));
    let mut browser = world.browser();
    let explicit = browser
        .sign_in_with("eve@example.com", json!({ "tokenDelivery": "body" }))
        .await;
    explicit.expect_status(200);
    assert!(explicit["refreshToken"].is_string());
    assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
}

#[tokio::test]
async fn a_refresh_by_cookie_rotates_the_cookie() {
    let world = TestWorld::start().await;
    let (mut browser, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    let first = browser.cookies[REFRESH_COOKIE].clone();
    let same_origin = [
        ("sec-fetch-site", "same-origin"),
        ("content-type", "application/json"),
    ];
    for body in [
        Vec::new(),
        b"{}".to_vec(),
        br#"{"refreshToken":null}"#.to_vec(),
    ] {
        let before = browser.cookies[REFRESH_COOKIE].clone();
        let refreshed = browser
            .send(Method::POST, "/auth/refresh", &same_origin, body)
            .await;
        refreshed.expect_status(200);
        assert!(refreshed["refreshToken"].is_null());
        assert!(opens(&world, &refreshed.text("accessToken")).await);
        let cookie = set_cookie(&refreshed, REFRESH_COOKIE);
        for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(&format!("; {attribute}")), "{cookie}");
        }
        assert!(!cookie.contains("Domain"));
        assert_ne!(browser.cookies[REFRESH_COOKIE], before);
    }
    world.advance(61);
    browser.cookies.insert(REFRESH_COOKIE.to_owned(), first);
    let reused = browser
        .send(Method::POST, "/auth/refresh", &same_origin, Vec::new())
        .await;
    expect_refused_refresh(&reused, "reused");
    assert_eq!(counted(&world, "RefreshTokenReuse"), 1);
}

/// A slow answer to an old cookie arrives when the browser has a newer one: the faster tab's, or
/// that of a new sign-in.
#[tokio::test]
async fn a_late_refusal_leaves_the_newer_cookie_alone() {
    let world = TestWorld::start().await;
    let (mut slow, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    let mut fast = world.browser();
    let sent = slow.cookies[REFRESH_COOKIE].clone();
    for browser in [&mut slow, &mut fast] {
        browser.always("sec-fetch-site", "same-origin");
        browser
            .cookies
            .insert(REFRESH_COOKIE.to_owned(), sent.clone());
    }
    let renewed = fast.post("/auth/refresh", json!({})).await;
    renewed.expect_status(200);
    let newer = fast.cookies[REFRESH_COOKIE].clone();

    world.advance(61);
    let late = slow.post("/auth/refresh", json!({})).await;
    expect_refused_refresh(&late, "reused");
    assert!(late.header("set-cookie").is_none());

    // The same after the session has ended, when another person may sign in at this browser.
    assert!(!opens(&world, &renewed.text("accessToken")).await);
    for (token, cause) in [(sent, "reused"), (newer, "revoked")] {
        slow.cookies.insert(REFRESH_COOKIE.to_owned(), token);
        let late = slow.post("/auth/refresh", json!({})).await;
        expect_refused_refresh(&late, cause);
        assert!(late.header("set-cookie").is_none());
    }
}

/// A browser's possible statements of a request's origin, and whether each makes it one of our own
/// pages'.
fn provenances(own_origin: &str) -> Vec<(Vec<(&'static str, String)>, bool)> {
    let foreign = [
        "https://evil.example",
        "null",
        "http://app.example",
        "https://app.example:8443",
        "https://app.example.evil.example",
        "https://evil-app.example",
        "https://sub.app.example",
        "https://app.example@evil.example",
        "",
    ];
    let origins = [
        (None, None),
        (Some(FRONT_END), Some(true)),
        (Some(own_origin), Some(true)),
    ];
    let origins = origins
        .into_iter()
        .chain(foreign.map(|origin| (Some(origin), Some(false))));
    let sites = [
        None,
        Some("same-origin"),
        Some("same-site"),
        Some("cross-site"),
        Some("none"),
        Some("Same-Origin, cross-site"),
    ];
    let mut all = Vec::new();
    for (origin, ours) in origins {
        for site in sites {
            let trusted = match (site, ours) {
                (Some("same-origin"), None | Some(true))
                | (None | Some("same-site"), Some(true)) => true,
                (_, _) => false,
            };
            let mut headers = Vec::new();
            headers.extend(origin.map(|origin| ("origin", origin.to_owned())));
            headers.extend(site.map(|site| ("sec-fetch-site", site.to_owned())));
            all.push((headers, trusted));
        }
    }
    all
}

async fn post_from(
    browser: &mut Browser<'_>,
    path: &str,
    provenance: &[(&'static str, String)],
) -> Answer {
    let headers: Vec<(&str, &str)> = provenance
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    browser.send(Method::POST, path, &headers, Vec::new()).await
}

/// ASVS 5.0 3.5.1 and 3.5.3; OWASP's cheat sheet on cross-site request forgery, "Fetch Metadata"
/// and "Verifying Origin".
#[tokio::test]
async fn a_refresh_cookie_counts_only_in_requests_of_our_own_pages() {
    let world = TestWorld::with_settings(&[("FRONTEND_URL", "https://app.example/login")]).await;
    let (mut browser, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    let own_origin = world.ready().gateway.clone();
    for (provenance, trusted) in provenances(&own_origin) {
        let cookie = browser.cookies[REFRESH_COOKIE].clone();
        let answer = post_from(&mut browser, "/auth/refresh", &provenance).await;
        if trusted {
            assert_eq!(answer.status, 200, "{provenance:?}");
            assert_ne!(browser.cookies[REFRESH_COOKIE], cookie);
        } else {
            assert_eq!(
                answer["code"], "AUTH_REQUIRED",
                "{provenance:?} {}",
                answer.body
            );
            answer.expect_status(401);
            assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
            assert!(answer.header("set-cookie").is_none(), "{provenance:?}");
        }
    }
}

/// ASVS 5.0 3.5.1 and 3.5.3: no foreign page signs a guest out.
#[tokio::test]
async fn a_logout_reads_the_cookie_under_the_same_guard_and_clears_it() {
    let world = TestWorld::with_settings(&[("FRONTEND_URL", "https://app.example/login")]).await;
    let (mut browser, signed_in) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.bearer(&signed_in.text("accessToken"));
    let own_origin = world.ready().gateway.clone();
    for (provenance, _) in provenances(&own_origin)
        .iter()
        .filter(|(_, trusted)| !trusted)
    {
        let refused = post_from(&mut browser, "/auth/logout", provenance).await;
        refused.expect_problem(401, "AUTH_REQUIRED");
        assert!(refused.header("set-cookie").is_none(), "{provenance:?}");
    }
    for (number, (provenance, _)) in provenances(&own_origin)
        .iter()
        .filter(|(_, trusted)| *trusted)
        .enumerate()
    {
        let email = format!("ada-{number}@example.com");
        let (mut browser, signed_in) = signed_in_by_cookie(&world, &email).await;
        browser.bearer(&signed_in.text("accessToken"));
        let mut tab = world.browser();
        let successor = refresh(&mut tab, &browser.cookies[REFRESH_COOKIE]).await;
        successor.expect_status(200);
        let done = post_from(&mut browser, "/auth/logout", provenance).await;
        assert_eq!(done.status, 204, "{provenance:?} {}", done.body);
        let cookie = set_cookie(&done, REFRESH_COOKIE);
        assert!(
            cookie.starts_with(&format!("{REFRESH_COOKIE}=; Max-Age=0; ")),
            "{cookie}"
        );
        for attribute in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
            assert!(cookie.contains(&format!("; {attribute}")), "{cookie}");
        }
        assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
        let ended = refresh(&mut tab, &successor.text("refreshToken")).await;
        expect_refused_refresh(&ended, "revoked");
    }
}

/// A token in the body proves itself: its sender holds it.
#[tokio::test]
async fn a_token_in_the_body_needs_no_origin_and_leaves_the_cookie_alone() {
    let world = TestWorld::start().await;
    let (mut browser, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    let cookie = browser.cookies[REFRESH_COOKIE].clone();
    let other = world.sign_in("eve@example.com").await;
    browser.always("sec-fetch-site", "cross-site");
    browser.always("origin", "https://evil.example");
    let refreshed = refresh(&mut browser, &other.refresh_token).await;
    refreshed.expect_status(200);
    assert_eq!(
        claims(&refreshed.text("idToken"))["email"],
        "eve@example.com"
    );
    assert!(refreshed["refreshToken"].is_string());
    assert!(refreshed.header("set-cookie").is_none());
    assert_eq!(browser.cookies[REFRESH_COOKIE], cookie);
    refresh(&mut world.browser(), &cookie)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn a_refused_refresh_takes_the_cookie_away() {
    let world = TestWorld::start().await;
    let (mut browser, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.always("sec-fetch-site", "same-origin");
    for useless in ["invented", "", "\"quoted\"", "a b", &"x".repeat(4097)] {
        browser
            .cookies
            .insert(REFRESH_COOKIE.to_owned(), useless.to_owned());
        let refused = browser.post("/auth/refresh", json!({})).await;
        expect_refused_refresh(&refused, "invalid");
        let cookie = set_cookie(&refused, REFRESH_COOKIE);
        assert!(cookie.contains("=; Max-Age=0; "), "{cookie}");
        assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
    }
}

/// An unlucky client stays signed in.
#[tokio::test]
async fn a_refresh_that_could_not_be_tried_leaves_the_cookie_alone() {
    let world = TestWorld::start().await;
    let (mut browser, _) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.always("sec-fetch-site", "same-origin");
    for kind in [FaultKind::Throttle, FaultKind::Internal, FaultKind::Lost] {
        world.fault(Fault::new(kind, "cognito-idp", "GetTokensFromRefreshToken").times(3));
        let unlucky = browser.post("/auth/refresh", json!({})).await;
        unlucky.expect_problem(503, "SERVICE_UNAVAILABLE");
        assert!(unlucky.retry_after().is_some());
        assert!(unlucky.header("set-cookie").is_none());
        world.clear_faults();
        browser
            .post("/auth/refresh", json!({}))
            .await
            .expect_status(200);
    }
}

/// The browser module's signal: without a cookie, the session is over.
#[tokio::test]
async fn a_refresh_with_no_token_at_all_asks_for_a_sign_in() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    browser.always("sec-fetch-site", "same-origin");
    for body in [json!({}), json!({ "refreshToken": null })] {
        let refused = browser.post("/auth/refresh", body).await;
        refused.expect_problem(401, "AUTH_REQUIRED");
    }
}

/// A cookie that no refresh token can be counts as revoked.
#[tokio::test]
async fn a_logout_clears_a_cookie_that_holds_nonsense() {
    let world = TestWorld::start().await;
    for useless in ["invented", "", "a b"] {
        let (mut browser, signed_in) = signed_in_by_cookie(&world, "ada@example.com").await;
        browser.bearer(&signed_in.text("accessToken"));
        browser.always("sec-fetch-site", "same-origin");
        browser
            .cookies
            .insert(REFRESH_COOKIE.to_owned(), useless.to_owned());
        let done = browser.post("/auth/logout", json!({})).await;
        done.expect_status(204);
        assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
    }
}

#[tokio::test]
async fn everywhere_needs_no_refresh_token_and_clears_the_cookie() {
    let world = TestWorld::start().await;
    let (mut browser, signed_in) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.bearer(&signed_in.text("accessToken"));
    let done = browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await;
    done.expect_status(204);
    assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
}
