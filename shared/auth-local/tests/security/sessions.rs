//! Sessions last as long as they should, end when they should, and belong to who began them.

use jsonwebtoken::{Algorithm, EncodingKey, Header, jwk::Jwk};
use reqwest::Method;
use serde_json::{Value, json};

use auth_local::{Fault, FaultKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::{Answer, Browser, TestWorld};
use crate::requests::{Sample, claims, header};

const REFRESH_COOKIE: &str = "__Host-latchkey-refresh";

const FRONT_END: &str = "https://app.example";

/// Two thousand bits that sign tokens of nobody's: PKCS#1, made for these tests.
const FOREIGN_KEY: &[u8] = include_bytes!("foreign-key.der");

const DAY: u64 = 24 * 60 * 60;

async fn refresh(browser: &mut Browser<'_>, token: &str) -> Answer {
    browser
        .post("/auth/refresh", json!({ "refreshToken": token }))
        .await
}

#[track_caller]
fn expect_refused_refresh(answer: &Answer, cause: &str) {
    answer.expect_problem(401, "INVALID_REFRESH_TOKEN");
    assert_eq!(answer["cause"], cause);
}

/// Whether an access token opens `/me`.
async fn opens(world: &TestWorld, access_token: &str) -> bool {
    let mut browser = world.browser();
    browser.bearer(access_token);
    let answer = browser.get("/me").await;
    if answer.status != 200 {
        answer.expect_problem(401, "AUTH_REQUIRED");
    }
    answer.status == 200
}

/// How often a metric was counted by now.
fn counted(world: &TestWorld, metric: &str) -> u64 {
    let lines = world.logs();
    let lines = lines
        .iter()
        .map(|line| serde_json::from_str::<Value>(line).expect("a line is JSON"));
    lines.filter_map(|line| line[metric].as_u64()).sum()
}

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

/// ASVS 5.0 7.2.4: a refresh issues a new token; RFC 9700 §4.14.2: and it is of one use.
#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    world.advance(120);
    let refreshed = refresh(&mut guest.browser, &guest.refresh_token).await;
    refreshed.expect_status(200);
    assert_eq!(refreshed["tokenType"], "Bearer");
    assert_eq!(refreshed["expiresIn"], 3600);
    assert_ne!(refreshed["refreshToken"], guest.refresh_token.as_str());
    assert_ne!(refreshed["accessToken"], guest.access_token.as_str());
    assert_ne!(refreshed["idToken"], guest.id_token.as_str());

    let (before, after) = (
        claims(&guest.access_token),
        claims(&refreshed.text("accessToken")),
    );
    for same in ["sub", "email", "client_id", "origin_jti", "auth_time"] {
        assert!(!after[same].is_null(), "{same}");
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["scope"], "latchkey/session");
    assert_eq!(after["email"], "ada@example.com");
    let millis = |claims: &Value| -> i64 {
        let text = claims["latchkey_iat_ms"].as_str().expect("an issue time");
        text.parse().unwrap()
    };
    assert!(millis(&after) >= millis(&before) + 120_000);
    assert_eq!(millis(&after) / 1000, after["iat"].as_i64().unwrap());
    assert!(opens(&world, &refreshed.text("accessToken")).await);
}

/// RFC 9700 §4.14.2. The grace is 10 seconds.
#[tokio::test]
async fn a_rotated_token_works_through_its_grace_and_not_after() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let old = guest.refresh_token.clone();
    refresh(&mut guest.browser, &old).await.expect_status(200);
    world.advance(9);
    refresh(&mut guest.browser, &old).await.expect_status(200);
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);

    world.advance(1);
    let refused = refresh(&mut guest.browser, &old).await;
    expect_refused_refresh(&refused, "reused");
    assert_eq!(counted(&world, "RefreshTokenReuse"), 1);
    let logs = world.logs();
    let warnings: Vec<_> = logs
        .iter()
        .filter(|line| line.contains("came back after its grace period"))
        .collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains(r#""level":"WARN""#), "{}", warnings[0]);
    assert!(
        warnings[0].contains(&refused.text("requestId")) || warnings[0].contains("requestId"),
        "{}",
        warnings[0]
    );
}

/// A use within the grace does not lengthen it.
#[tokio::test]
async fn the_grace_counts_from_the_first_use() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let old = guest.refresh_token.clone();
    for _ in 0..2 {
        refresh(&mut guest.browser, &old).await.expect_status(200);
        world.advance(6);
    }
    expect_refused_refresh(&refresh(&mut guest.browser, &old).await, "reused");
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay_signed_in() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let (mut one, mut other) = (world.browser(), world.browser());
    let (first, second) = tokio::join!(
        refresh(&mut one, &guest.refresh_token),
        refresh(&mut other, &guest.refresh_token),
    );
    for answer in [&first, &second] {
        answer.expect_status(200);
        assert!(opens(&world, &answer.text("accessToken")).await);
    }
    assert_ne!(first["refreshToken"], second["refreshToken"]);

    let mut tabs = [first.text("refreshToken"), second.text("refreshToken")];
    for _ in 0..3 {
        world.advance(3000);
        for token in &mut tabs {
            let answer = refresh(&mut one, token).await;
            answer.expect_status(200);
            assert!(opens(&world, &answer.text("accessToken")).await);
            *token = answer.text("refreshToken");
        }
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
}

/// ASVS 5.0 7.3.2: rotation does not lengthen a session beyond its thirty days.
#[tokio::test]
async fn a_session_ends_after_thirty_days_however_often_it_was_refreshed() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    world.advance(29 * DAY);
    let refreshed = refresh(&mut guest.browser, &guest.refresh_token).await;
    refreshed.expect_status(200);
    let latest = refreshed.text("refreshToken");
    world.advance(DAY);
    expect_refused_refresh(&refresh(&mut guest.browser, &latest).await, "expired");
}

/// ASVS 5.0 7.4.1.
#[tokio::test]
async fn a_revoked_token_is_refused_as_revoked() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let rotated = refresh(&mut guest.browser, &guest.refresh_token).await;
    guest.browser.bearer(&guest.access_token);
    let goodbye = json!({ "refreshToken": rotated["refreshToken"] });
    guest
        .browser
        .post("/auth/logout", goodbye.clone())
        .await
        .expect_status(204);
    let successor = rotated.text("refreshToken");
    for token in [&guest.refresh_token, &successor] {
        expect_refused_refresh(&refresh(&mut guest.browser, token).await, "revoked");
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);

    // Once more changes nothing.
    let again = guest.browser.post("/auth/logout", goodbye).await;
    again.expect_status(204);
}

#[tokio::test]
async fn whatever_is_no_refresh_token_of_ours_is_refused_as_invalid() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let token = &guest.refresh_token;
    let swapped = if token.ends_with('A') { "B" } else { "A" };
    let invented = [
        "garbage".to_owned(),
        "!".to_owned(),
        "a.b.c.d.e".to_owned(),
        "x".repeat(4096),
        guest.access_token.clone(),
        guest.id_token.clone(),
        token[..token.len() - 1].to_owned(),
        format!("{}{swapped}", &token[..token.len() - 1]),
        format!("{token}A"),
        format!("{token}."),
        token.to_uppercase(),
    ];
    let mut browser = world.browser();
    for token in invented {
        let refused = refresh(&mut browser, &token).await;
        expect_refused_refresh(&refused, "invalid");
        assert!(refused.header("set-cookie").is_none());
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
    refresh(&mut browser, token).await.expect_status(200);
}

/// ASVS 5.0 3.3.1 to 3.3.4 and RFC 6265bis §4.1.3.2: the prefix keeps the cookie to this host, over TLS, on every path.
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
    world.advance(11);
    browser.cookies.insert(REFRESH_COOKIE.to_owned(), first);
    let reused = browser
        .send(Method::POST, "/auth/refresh", &same_origin, Vec::new())
        .await;
    expect_refused_refresh(&reused, "reused");
    assert_eq!(counted(&world, "RefreshTokenReuse"), 1);
}

/// What a browser can say of where a request comes from, and whether that makes it one of our own pages'.
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

/// ASVS 5.0 3.5.1 and 3.5.3; OWASP's cheat sheet on cross-site request forgery, "Fetch Metadata" and "Verifying Origin".
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

/// ASVS 5.0 3.5.1 and 3.5.3: nobody else's page signs a guest out.
#[tokio::test]
async fn a_logout_reads_the_cookie_under_the_same_guard_and_clears_it() {
    let world = TestWorld::with_settings(&[("FRONTEND_URL", "https://app.example/login")]).await;
    let (mut browser, signed_in) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.bearer(&signed_in.text("accessToken"));
    let token = browser.cookies[REFRESH_COOKIE].clone();
    let own_origin = world.ready().gateway.clone();
    for (provenance, _) in provenances(&own_origin)
        .iter()
        .filter(|(_, trusted)| !trusted)
    {
        let refused = post_from(&mut browser, "/auth/logout", provenance).await;
        refused.expect_problem(401, "AUTH_REQUIRED");
        assert!(refused.header("set-cookie").is_none(), "{provenance:?}");
    }
    let mut tab = world.browser();
    let successor = refresh(&mut tab, &token).await;
    successor.expect_status(200);
    for (provenance, _) in provenances(&own_origin)
        .iter()
        .filter(|(_, trusted)| *trusted)
    {
        browser
            .cookies
            .insert(REFRESH_COOKIE.to_owned(), token.clone());
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
    }
    let ended = refresh(&mut tab, &successor.text("refreshToken")).await;
    expect_refused_refresh(&ended, "revoked");
}

/// A token in the body proves itself: whoever can put it there holds it.
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

/// Whoever is only unlucky stays signed in.
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

/// What the browser module goes by: without a cookie, the session is over.
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

#[tokio::test]
async fn a_logout_with_no_token_names_the_field() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    for body in [
        json!({}),
        json!({ "refreshToken": null }),
        json!({ "everywhere": false }),
    ] {
        let refused = guest.browser.post("/auth/logout", body).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "refreshToken");
        assert_eq!(refused["errors"][0]["code"], "required");
    }
    refresh(&mut guest.browser, &guest.refresh_token)
        .await
        .expect_status(200);
}

/// A cookie that no refresh token can be is as good as revoked.
#[tokio::test]
async fn a_logout_clears_a_cookie_that_holds_nonsense() {
    let world = TestWorld::start().await;
    let (mut browser, signed_in) = signed_in_by_cookie(&world, "ada@example.com").await;
    browser.bearer(&signed_in.text("accessToken"));
    browser.always("sec-fetch-site", "same-origin");
    for useless in ["invented", "", "a b"] {
        browser
            .cookies
            .insert(REFRESH_COOKIE.to_owned(), useless.to_owned());
        let done = browser.post("/auth/logout", json!({})).await;
        done.expect_status(204);
        assert!(!browser.cookies.contains_key(REFRESH_COOKIE));
    }
}

#[tokio::test]
async fn a_logout_ends_this_session_only() {
    let world = TestWorld::start().await;
    let (mut laptop, mut telephone) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("ada@example.com").await,
    );
    laptop.browser.bearer(&laptop.access_token);
    let goodbye = json!({ "refreshToken": laptop.refresh_token });
    laptop
        .browser
        .post("/auth/logout", goodbye)
        .await
        .expect_status(204);
    expect_refused_refresh(
        &refresh(&mut laptop.browser, &laptop.refresh_token).await,
        "revoked",
    );
    assert!(opens(&world, &telephone.access_token).await);
    let refreshed = refresh(&mut telephone.browser, &telephone.refresh_token).await;
    refreshed.expect_status(200);
    assert!(opens(&world, &refreshed.text("accessToken")).await);
}

/// ASVS 5.0 7.4.1 and 7.4.3: every operation that the contract puts behind the authorizer refuses all tokens from before, also
/// one that is added later.
#[tokio::test]
async fn after_everywhere_every_operation_refuses_every_token_from_before() {
    let world = TestWorld::start().await;
    let mut laptop = world.sign_in("ada@example.com").await;
    let mut telephone = world.sign_in("ada@example.com").await;
    let refreshed = refresh(&mut telephone.browser, &telephone.refresh_token).await;
    let (cookie, by_cookie) = signed_in_by_cookie(&world, "ada@example.com").await;
    let bystander = world.sign_in("eve@example.com").await;
    let access_tokens = [
        laptop.access_token.clone(),
        telephone.access_token.clone(),
        refreshed.text("accessToken"),
        by_cookie.text("accessToken"),
    ];
    let mut browser = world.browser();
    for token in &access_tokens {
        for sample in Sample::behind_the_authorizer() {
            browser.bearer(token);
            let before = sample.send(&mut browser).await;
            assert!(before.status < 400, "{} {}", sample.name(), before.body);
        }
    }

    laptop.browser.bearer(&laptop.access_token);
    let done = laptop
        .browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await;
    done.expect_status(204);
    for token in &access_tokens {
        for sample in Sample::behind_the_authorizer() {
            browser.bearer(token);
            let after = sample.send(&mut browser).await;
            assert_eq!(
                after["code"],
                "AUTH_REQUIRED",
                "{} {}",
                sample.name(),
                after.body
            );
            after.expect_status(401);
            let mut event = sample.body.clone().unwrap_or_else(|| json!({}));
            event["claims"] = claims(token);
            let direct = world.invoke(sample.name(), &event).await;
            assert_eq!(
                direct["error"]["code"],
                "AUTH_REQUIRED",
                "{}",
                sample.name()
            );
        }
    }
    let refresh_tokens = [
        &laptop.refresh_token,
        &telephone.refresh_token,
        &refreshed.text("refreshToken"),
        &cookie.cookies[REFRESH_COOKIE],
    ];
    for token in refresh_tokens {
        expect_refused_refresh(&refresh(&mut browser, token).await, "revoked");
    }

    assert!(opens(&world, &bystander.access_token).await);
    refresh(&mut browser, &bystander.refresh_token)
        .await
        .expect_status(200);
}

/// Issue times are kept in milliseconds: the clock has not moved, and the second is most often the same.
#[tokio::test]
async fn a_sign_in_right_after_everywhere_works_at_once() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    for _ in 0..3 {
        let stale = guest.access_token.clone();
        guest.browser.bearer(&stale);
        let done = guest
            .browser
            .post("/auth/logout", json!({ "everywhere": true }))
            .await;
        done.expect_status(204);
        guest.browser.always("authorization", "");
        let back = guest.browser.sign_in("ada@example.com").await;
        back.expect_status(200);
        let mut browser = world.browser();
        for sample in Sample::behind_the_authorizer() {
            browser.bearer(&back.text("accessToken"));
            let answer = sample.send(&mut browser).await;
            assert!(answer.status < 400, "{} {}", sample.name(), answer.body);
        }
        assert!(!opens(&world, &stale).await);
        refresh(&mut browser, &back.text("refreshToken"))
            .await
            .expect_status(200);
        guest.access_token = back.text("accessToken");
    }
}

/// ASVS 5.0 7.4.1: nothing that a refresh hands out meanwhile outlives the sign-out.
#[tokio::test]
async fn a_refresh_that_races_everywhere_gains_nothing() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    let mut tabs: Vec<Browser<'_>> = (0..8).map(|_| world.browser()).collect();
    let race = futures_util::future::join_all(
        tabs.iter_mut()
            .map(|tab| refresh(tab, &guest.refresh_token)),
    );
    let everywhere = json!({ "everywhere": true });
    let (done, answers) = tokio::join!(guest.browser.post("/auth/logout", everywhere), race);
    done.expect_status(204);
    for answer in answers {
        if answer.status == 200 {
            assert!(!opens(&world, &answer.text("accessToken")).await);
            let token = answer.text("refreshToken");
            expect_refused_refresh(&refresh(&mut world.browser(), &token).await, "revoked");
        } else {
            expect_refused_refresh(&answer, "revoked");
        }
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

/// RFC 8725 §3.1 (algorithms), §3.2 (keys), §3.5 (foreign keys), §3.8 (issuer), §3.9 (audience), §3.10 (claims that name keys);
/// ASVS 5.0 9.1.1, 9.1.2, 9.1.3, 9.2.1. The gateway answers, so no function runs.
#[tokio::test]
async fn a_token_that_this_pool_did_not_sign_opens_no_route() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let forged = forgeries(&world, &guest.access_token).await;
    let before = world.last_call();
    let mut browser = world.browser();
    for (how, token) in &forged {
        for sample in Sample::behind_the_authorizer() {
            browser.bearer(token);
            let refused = sample.send(&mut browser).await;
            assert_eq!(refused.status, 401, "{how} at {}", sample.name());
            assert_eq!(refused.body, json!({ "message": "Unauthorized" }));
            let challenge = refused.header("www-authenticate").unwrap();
            assert!(
                challenge.contains(r#"error="invalid_token""#),
                "{how}: {challenge}"
            );
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
    assert!(opens(&world, &guest.access_token).await);
}

/// Tokens as attackers make them of a good one.
async fn forgeries(world: &TestWorld, good: &str) -> Vec<(&'static str, String)> {
    let [head, body, signature]: [&str; 3] =
        good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let kid = header(good)["kid"].as_str().unwrap().to_owned();
    let with_header =
        |header: &Value| format!("{}.{body}", URL_SAFE_NO_PAD.encode(header.to_string()));
    let with_claims = |changes: Value| {
        let mut claims = claims(good);
        claims
            .as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        format!(
            "{head}.{}.{signature}",
            URL_SAFE_NO_PAD.encode(claims.to_string())
        )
    };
    let foreign = EncodingKey::from_rsa_der(FOREIGN_KEY);
    let by_foreign_key =
        |header: Header| jsonwebtoken::encode(&header, &claims(good), &foreign).unwrap();
    let named = |kid: &str| Header {
        kid: Some(kid.to_owned()),
        ..Header::new(Algorithm::RS256)
    };

    let mut forged = vec![
        ("no signature", format!("{head}.{body}.")),
        ("two parts", format!("{head}.{body}")),
        ("four parts", format!("{good}.{signature}")),
        ("a signature cut short", good[..good.len() - 4].to_owned()),
        ("a padded signature", format!("{good}==")),
        (
            "another's sub",
            with_claims(json!({ "sub": "11111111-2222-4333-8444-555555555555" })),
        ),
        (
            "another's address",
            with_claims(json!({ "email": "eve@example.com" })),
        ),
        (
            "a longer life",
            with_claims(json!({ "exp": 4_102_444_800_i64 })),
        ),
        ("another key under our id", by_foreign_key(named(&kid))),
        (
            "another key under its own id",
            by_foreign_key(named("mine")),
        ),
        (
            "another key and no id",
            by_foreign_key(Header::new(Algorithm::RS256)),
        ),
        (
            "an id that is a path",
            by_foreign_key(named("../../../../dev/null")),
        ),
        ("an id that is SQL", by_foreign_key(named("' OR 1=1 --"))),
        ("a key that it brings along", {
            let jwk = Jwk::from_encoding_key(&foreign, Algorithm::RS256).unwrap();
            by_foreign_key(Header {
                jwk: Some(jwk),
                ..named(&kid)
            })
        }),
        (
            "a place to fetch keys from",
            by_foreign_key(Header {
                jku: Some(format!("{}/keys", world.ready().gateway)),
                x5u: Some(format!("{}/keys", world.ready().gateway)),
                ..named(&kid)
            }),
        ),
    ];
    for name in ["none", "None", "NONE", "nOnE", ""] {
        let unsigned = with_header(&json!({ "alg": name, "kid": kid }));
        forged.push(("no algorithm", format!("{unsigned}.")));
        forged.push((
            "no algorithm, but a signature",
            format!("{unsigned}.{signature}"),
        ));
    }
    for name in ["RS384", "RS512", "PS256", "ES256", "EdDSA", "rs256"] {
        forged.push((
            "another algorithm",
            format!(
                "{}.{signature}",
                with_header(&json!({ "alg": name, "kid": kid }))
            ),
        ));
    }
    // The public key taken for the secret of a symmetric algorithm.
    let keys = published_keys(world).await;
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == kid.as_str())
        .unwrap();
    let modulus = key["n"].as_str().unwrap();
    for secret in [
        URL_SAFE_NO_PAD.decode(modulus).unwrap(),
        modulus.as_bytes().to_vec(),
        key.to_string().into_bytes(),
        keys.to_string().into_bytes(),
        kid.as_bytes().to_vec(),
        Vec::new(),
    ] {
        let header = Header {
            kid: Some(kid.clone()),
            ..Header::new(Algorithm::HS256)
        };
        let token =
            jsonwebtoken::encode(&header, &claims(good), &EncodingKey::from_secret(&secret))
                .unwrap();
        forged.push(("a symmetric signature by public text", token));
    }
    forged
}

async fn published_keys(world: &TestWorld) -> Value {
    let ready = world.ready();
    let url = format!(
        "{}/{}/.well-known/jwks.json",
        ready.cognito, ready.user_pool_id
    );
    reqwest::get(url).await.unwrap().json().await.unwrap()
}

/// ASVS 5.0 9.2.1.
#[tokio::test]
async fn an_access_token_lives_an_hour() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    world.advance(3590);
    browser.get("/me").await.expect_status(200);
    world.advance(10);
    for sample in Sample::behind_the_authorizer() {
        sample.send(&mut browser).await.expect_status(401);
    }
}

/// ASVS 5.0 9.2.2, RFC 8725 §3.12: a token for one purpose serves no other. The gateway misses the scope; the direct door, which
/// has no gateway before it, looks at `token_use` itself.
#[tokio::test]
async fn an_id_token_opens_no_route() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    for sample in Sample::behind_the_authorizer() {
        browser.bearer(&guest.id_token);
        let refused = sample.send(&mut browser).await;
        refused.expect_status(403);
        assert_eq!(refused.body, json!({ "message": "Forbidden" }));
        browser.bearer(&guest.refresh_token);
        sample.send(&mut browser).await.expect_status(401);
        for uses in [
            json!("id"),
            json!("refresh"),
            json!("Access"),
            Value::Null,
            json!(["access"]),
        ] {
            let mut event = sample.body.clone().unwrap_or_else(|| json!({}));
            event["claims"] = claims(&guest.access_token);
            event["claims"]["token_use"] = uses.clone();
            let direct = world.invoke(sample.name(), &event).await;
            assert_eq!(
                direct["error"]["code"],
                "AUTH_REQUIRED",
                "{} {uses}",
                sample.name()
            );
        }
    }
}

/// ASVS 5.0 8.2.1: no route behind the authorizer answers without it, at any door.
#[tokio::test]
async fn nobody_reaches_an_operation_of_callers_without_a_caller() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    for sample in Sample::behind_the_authorizer() {
        for authorization in [
            String::new(),
            "Bearer".to_owned(),
            "Basic YTpi".to_owned(),
            format!("Basic {}", guest.access_token),
            format!("Bearer {0},{0}", guest.access_token),
        ] {
            browser.always("authorization", &authorization);
            let refused = sample.send(&mut browser).await;
            // A scheme is not looked at by API Gateway: a good token passes under any, or none.
            if refused.status < 400 {
                assert!(!authorization.starts_with("Bearer"), "{authorization}");
            } else {
                refused.expect_status(401);
            }
        }
        browser.always("authorization", "");
        let mut body = sample.body.clone().unwrap_or_else(|| json!({}));
        body["claims"] = claims(&guest.access_token);
        sample
            .send_json(&mut browser, &body)
            .await
            .expect_status(401);
        let direct = world
            .invoke(
                sample.name(),
                &sample.body.clone().unwrap_or_else(|| json!({})),
            )
            .await;
        assert_eq!(
            direct["error"]["code"],
            "AUTH_REQUIRED",
            "{}",
            sample.name()
        );
    }
}

#[tokio::test]
async fn a_guest_sets_changes_and_clears_their_name() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    assert!(guest.user["name"].is_null());
    guest.browser.bearer(&guest.access_token);
    let longest = "\u{1d538}".repeat(100);
    for (sent, kept) in [
        ("Ada", "Ada"),
        ("  Ada Lovelace ", "Ada Lovelace"),
        ("Ame\u{301}lie", "Am\u{e9}lie"),
        ("\u{212b}ngstr\u{f6}m", "\u{c5}ngstr\u{f6}m"),
        (
            "O'Neill <b>\"x\"</b> \\ ${jndi} {{7*7}} '; DROP TABLE guests --",
            "O'Neill <b>\"x\"</b> \\ ${jndi} {{7*7}} '; DROP TABLE guests --",
        ),
        ("\u{5d0}\u{5d3}\u{5d4}", "\u{5d0}\u{5d3}\u{5d4}"),
        (
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        ),
        (longest.as_str(), longest.as_str()),
    ] {
        world.advance(1);
        let changed = guest.browser.patch("/me", json!({ "name": sent })).await;
        changed.expect_status(200);
        assert_eq!(changed["name"], kept);
        assert_ne!(changed["updatedAt"], guest.user["updatedAt"]);
        for same in [
            "guestId",
            "email",
            "emailVerified",
            "cognitoSub",
            "createdAt",
        ] {
            assert_eq!(changed[same], guest.user[same], "{same}");
        }
        assert_eq!(guest.browser.get("/me").await.body, changed.body);
        let unchanged = guest.browser.patch("/me", json!({})).await;
        assert_eq!(unchanged.body, changed.body);
    }
    for _ in 0..2 {
        let cleared = guest.browser.patch("/me", json!({ "name": null })).await;
        cleared.expect_status(200);
        assert!(cleared.body.get("name").is_none());
        assert!(guest.browser.get("/me").await["name"].is_null());
    }
}

/// ASVS 5.0 1.3.11: a name goes into mails, and ends no line there.
#[tokio::test]
async fn a_name_that_could_forge_a_header_or_hide_text_is_refused() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    let too_long = "a".repeat(101);
    for name in [
        "Ada\r\nBcc: eve@example.com",
        "Ada\nSubject: x",
        "Ada\rx",
        "Ada\u{0}x",
        "Ada\u{1b}[31m",
        "Ada\u{85}x",
        "Ada\u{2028}x",
        "Ada\u{2029}x",
        "Ada \u{202e}gnp.exe",
        "Ada\u{2066}x",
        "\u{feff}Ada",
        "Ada\u{e0041}",
        "Ada\u{7f}",
        "",
        "   ",
        "\r\n",
        too_long.as_str(),
    ] {
        let refused = guest.browser.patch("/me", json!({ "name": name })).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "name", "{name:?}");
    }
    assert!(guest.browser.get("/me").await["name"].is_null());
}

/// ASVS 5.0 8.2.2 (whose record) and 15.3.3 (which fields): a request chooses neither.
#[tokio::test]
async fn nobody_reaches_another_guests_record_or_a_field_that_is_not_theirs() {
    let world = TestWorld::start().await;
    let (ada, mut eve) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("eve@example.com").await,
    );
    eve.browser.bearer(&eve.access_token);
    let aimed = json!({
        "name": "Eve",
        "email": "ada@example.com",
        "guestId": ada.user["guestId"],
        "cognitoSub": ada.user["cognitoSub"],
        "sub": ada.user["cognitoSub"],
        "emailVerified": false,
        "createdAt": "2020-01-01T00:00:00Z",
        "signedOutAt": 1,
        "claims": claims(&ada.access_token),
        "caller": { "sub": ada.user["cognitoSub"] },
    });
    let changed = eve.browser.patch("/me", aimed).await;
    changed.expect_status(200);
    assert_eq!(changed["name"], "Eve");
    for same in [
        "guestId",
        "email",
        "emailVerified",
        "cognitoSub",
        "createdAt",
    ] {
        assert_eq!(changed[same], eve.user[same], "{same}");
    }
    let (email, sub) = ("ada@example.com", ada.user["cognitoSub"].as_str().unwrap());
    for path in [
        format!("/me?email={email}"),
        format!("/me?cognitoSub={sub}&sub={sub}"),
    ] {
        assert_eq!(eve.browser.get(&path).await["email"], "eve@example.com");
        let changed = eve
            .browser
            .patch(&format!("{path}&name=Mallory"), json!({}))
            .await;
        assert_eq!(changed["name"], "Eve");
    }
    for path in [
        format!("/me/{sub}"),
        "/me/ada@example.com".to_owned(),
        "/guests".to_owned(),
    ] {
        eve.browser.get(&path).await.expect_status(404);
    }
    let mut browser = world.browser();
    browser.bearer(&ada.access_token);
    assert_eq!(browser.get("/me").await.body, ada.user);
}

/// ASVS 5.0 7.2.3 and 7.2.4.
#[tokio::test]
async fn every_sign_in_has_tokens_of_its_own() {
    let world = TestWorld::start().await;
    let (one, other) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("ada@example.com").await,
    );
    assert_ne!(one.access_token, other.access_token);
    assert_ne!(one.refresh_token, other.refresh_token);
    let (one, other) = (claims(&one.access_token), claims(&other.access_token));
    assert_ne!(one["origin_jti"], other["origin_jti"]);
    assert_ne!(one["jti"], other["jti"]);
    assert_eq!(one["sub"], other["sub"]);
}
