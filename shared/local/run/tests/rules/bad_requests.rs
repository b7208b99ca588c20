//! Bad requests around the body: types, queries, paths, methods, heads (ASVS 5.0 4.1.1, 4.1.4,
//! 4.2.1).

use auth_api::Security;
use reqwest::Method;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::requests::{Sample, authorize, opens, probed};

const GRACE: &str = "grace@example.com";

/// ASVS 5.0 3.5.2 and 4.1.1: a content type that browsers send across sites without asking is
/// refused.
#[tokio::test]
async fn a_body_that_does_not_call_itself_json_is_refused() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(GRACE).await;
    let mut browser = world.browser();
    let before = world.last_call();
    for sample in Sample::with_a_body() {
        authorize(&mut browser, &sample, &guest);
        let body = sample.body.as_ref().unwrap().to_string().into_bytes();
        for content_type in [
            None,
            Some(""),
            Some("text/plain"),
            Some("text/plain; application/json"),
            Some("text/json"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/octet-stream"),
            Some("application/jsonp"),
            Some("application/javascript"),
            Some("application/problem+json"),
            Some("application/vnd.api+json"),
            Some("application/xml"),
            Some("application/json, text/plain"),
            Some("application/json application/json"),
            Some("json"),
            Some("*/*"),
            Some(";"),
        ] {
            let headers: Vec<(&str, &str)> = content_type
                .map(|value| ("content-type", value))
                .into_iter()
                .collect();
            let answer = browser
                .send(sample.method.clone(), &sample.path, &headers, body.clone())
                .await;
            assert_eq!(answer.status, 415, "{} {content_type:?}", sample.name());
            answer.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
        }
        let twice = [
            ("content-type", "application/json"),
            ("content-type", "text/plain"),
        ];
        let answer = browser
            .send(sample.method.clone(), &sample.path, &twice, body.clone())
            .await;
        answer.expect_problem(415, "UNSUPPORTED_MEDIA_TYPE");
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn json_may_carry_parameters_and_any_letter_case() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(GRACE).await;
    guest.browser.bearer(&guest.access_token);
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json;charset=utf-8",
        "application/json; charset=\"UTF-8\"",
        "application/json ; x=y; z",
        " application/json ",
    ] {
        let body = json!({ "name": "Gr\u{fc}n" }).to_string().into_bytes();
        let answer = guest
            .browser
            .send(
                Method::PATCH,
                "/me",
                &[("content-type", content_type)],
                body,
            )
            .await;
        answer.expect_status(200);
        assert_eq!(answer["name"], "Gr\u{fc}n");
    }
}

/// ASVS 5.0 14.2.1 (nothing secret in a URL) and 3.5.1: another site's form can fill in a query
/// without a body.
#[tokio::test]
async fn a_query_is_no_body() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(GRACE).await;
    let started = world
        .browser()
        .post(
            "/auth/otp/initiate",
            json!({ "email": "grace@example.com" }),
        )
        .await;
    let (code, session) = (
        world.mail_code("grace@example.com").await,
        started.text("sessionToken"),
    );
    let before = world.last_call();
    let mut browser = world.browser();
    let query = format!(
        "email=grace@example.com&code={code}&sessionToken={session}&tokenDelivery=cookie&refreshToken={}&everywhere=true&name=Mallory",
        guest.refresh_token
    );
    // A sign-out needs no body; the next test covers it.
    for sample in Sample::with_a_body().iter().filter(|sample| {
        sample.method != Method::PATCH
            && sample.operation.security != Security::Iam
            && sample.name() != "logout-user"
    }) {
        authorize(&mut browser, sample, &guest);
        let path = format!("{}?{query}", sample.path);
        for headers in [
            &[][..],
            &[
                ("content-type", "application/x-www-form-urlencoded"),
                ("origin", "https://evil.example"),
                ("sec-fetch-site", "cross-site"),
            ],
            &[("content-type", "application/json")],
        ] {
            let answer = browser
                .send(sample.method.clone(), &path, headers, Vec::new())
                .await;
            assert!(
                [400, 401].contains(&answer.status),
                "{} {}",
                sample.name(),
                answer.body
            );
            assert!(answer.header("set-cookie").is_none());
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_sign_out_reads_no_query() {
    let world = TestWorld::start().await;
    let (guest, mut other) = (world.sign_in(GRACE).await, world.sign_in(GRACE).await);
    let query = format!("refreshToken={}&everywhere=true", guest.refresh_token);
    other.browser.bearer(&other.access_token);
    let path = format!("/auth/logout?{query}");
    let left = other.browser.send(Method::POST, &path, &[], Vec::new());
    left.await.expect_status(204);
    assert!(!opens(&world, &other.access_token).await);
    assert!(opens(&world, &guest.access_token).await);
    let kept = json!({ "refreshToken": guest.refresh_token });
    let refreshed = world.browser().post("/auth/refresh", kept).await;
    refreshed.expect_status(200);
}

/// ASVS 5.0 4.1.4 and 4.2.1, RFC 3986 §6.2.2: no other path leads to an operation, or past the
/// authorizer. HTTP APIs decode a path before they choose, so its characters may be
/// percent-encoded: then it is the same route with the same authorizer.
#[tokio::test]
async fn no_other_path_leads_to_an_operation() {
    let (world, events) = probed().await;
    let guest = world.sign_in(GRACE).await;
    let before = events.lock().unwrap().len();
    for path in [
        "/auth/otp/./initiate",
        "/auth/otp/../otp/initiate",
        "/auth/otp/x/../initiate",
        "//auth/otp/initiate",
        "/auth//otp/initiate",
        "/auth/otp/initiate/",
        "/auth/otp/initiate//",
        "/AUTH/otp/initiate",
        "/auth/otp/Initiate",
        "/auth/otp/initiate%00",
        "/auth/otp/initiate%20",
        "/auth/otp/initiate%2f",
        "/auth/otp/initiate;x=1",
        "/auth/otp/initiate%23",
        "/auth/otp\\initiate",
        "/auth/otp/%2e/initiate",
        "/%2e%2e/auth/otp/initiate",
        "/auth/otp/%c0%ae/initiate",
        "/auth/otp/initiate.json",
        "/api/auth/otp/initiate",
        "/$default/auth/otp/initiate",
        "/me/",
        "/me/.",
        "/./me",
        "/me/../me",
        "/ME",
        "/me%00",
        "/me%2f",
        "/me;",
        "/me.",
        "/auth/../me",
        "/me/%2e%2e/me",
        "/%2fme",
        "/2015-03-31/functions/get-profile/invocations",
        "/%5f%6c%6f%63%61%6c/mailbox",
    ] {
        for method in ["GET", "POST", "PATCH"] {
            let request = format!(
                "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\nContent-Length: 29\r\n\r\n{{\"email\":\"grace@example.com\"}}",
                guest.access_token
            );
            let answer = world.raw(request.as_bytes()).await;
            let status = answer.get(9..12).unwrap_or_default();
            assert!(
                ["400", "404"].contains(&status),
                "{method} {path}: {answer}"
            );
        }
    }
    assert_eq!(events.lock().unwrap().len(), before);
}

#[tokio::test]
async fn a_route_keeps_its_authorizer_however_its_path_is_encoded() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(GRACE).await;
    let bearer = format!("Authorization: Bearer {}\r\n", guest.access_token);
    for path in ["/me", "/m%65", "/%6d%65", "/me%3fx"] {
        for (authorization, status) in [("", "401"), (bearer.as_str(), "200")] {
            let request = format!(
                "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{authorization}\r\n"
            );
            let answer = world.raw(request.as_bytes()).await;
            assert_eq!(answer.get(9..12), Some(status), "{path}: {answer}");
        }
    }
}

/// ASVS 5.0 4.1.4.
#[tokio::test]
async fn a_method_that_the_contract_does_not_name_is_not_there() {
    let (world, events) = probed().await;
    let guest = world.sign_in(GRACE).await;
    let before = events.lock().unwrap().len();
    let samples = Sample::all();
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    for override_name in [
        "x-http-method-override",
        "x-http-method",
        "x-method-override",
    ] {
        browser.always(override_name, "POST");
    }
    for sample in &samples {
        for method in [
            "GET",
            "HEAD",
            "POST",
            "PUT",
            "PATCH",
            "DELETE",
            "OPTIONS",
            "TRACE",
            "PROPFIND",
            "get",
            "Patch",
            "BREW",
            "A-VERY-LONG-METHOD-OF-NO-KNOWN-PROTOCOL-AT-ALL",
        ] {
            if samples
                .iter()
                .any(|other| other.takes(&sample.path) && other.method.as_str() == method)
            {
                continue;
            }
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = browser
                .send(method.clone(), &sample.path, &[], Vec::new())
                .await;
            assert_eq!(answer.status, 404, "{method} {}", sample.path);
            if method != Method::HEAD {
                assert_eq!(answer.body, json!({ "message": "Not Found" }));
            }
        }
    }
    assert_eq!(events.lock().unwrap().len(), before);
}

#[tokio::test]
async fn odd_heads_are_answered_like_plain_ones() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(GRACE).await;
    let body = r#"{"email":"grace@example.com"}"#;
    let send = |line: &str, head: &[u8], body: &str| {
        let mut request = format!("{line} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n").into_bytes();
        request.extend_from_slice(head);
        request.extend_from_slice(b"\r\n\r\n");
        request.extend_from_slice(body.as_bytes());
        request
    };
    let many_cookies = "name=value; ".repeat(400);
    let authorization = format!("Authorization: Bearer {}", guest.access_token);
    for head in [
        format!("Cookie: {many_cookies}x=y").into_bytes(),
        b"Cookie: ".to_vec(),
        b"Cookie: =; ;;; a; b=; =c; \"d\"=\"e\"; a=b=c; \t".to_vec(),
        b"Cookie: __Host-latchkey-refresh".to_vec(),
        b"Cookie: __Host-latchkey-device-00000000=v1.1.1.1; __Host-latchkey-device-00000000=v1.99999999999999999999.x.y".to_vec(),
        b"Cookie: a=\xe4\xff\x80".to_vec(),
        b"Cookie: a=1\r\nCookie: b=2".to_vec(),
        b"User-Agent: \xe4\xff\x80".to_vec(),
        b"User-Agent:".to_vec(),
        b"Origin: \xe4\xff\x80".to_vec(),
        b"Origin: null\r\nOrigin: null".to_vec(),
        b"Sec-Fetch-Site: \xff".to_vec(),
        b"X-Forwarded-For: ,,, \"; 999.999.999.999, ::1, [".to_vec(),
        b"CloudFront-Viewer-Address: 999.999.999.999:99999".to_vec(),
        b"CloudFront-Viewer-Address: :\r\nX-Origin-Verify: \xff".to_vec(),
        b"X-Amzn-Trace-Id: nonsense\r\nX-Amz-Client-Context: !".to_vec(),
        b"Accept: application/xml\r\nAccept-Encoding: br;q=9\r\nRange: bytes=0-1\r\nIf-None-Match: *".to_vec(),
        format!("X-Long: {}", "x".repeat(9000)).into_bytes(),
        (0..90).map(|index| format!("X-{index}: y")).collect::<Vec<_>>().join("\r\n").into_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&head[..head.len().min(60)]).into_owned();
        let mut public = head.clone();
        public.extend_from_slice(format!("\r\nContent-Length: {}", body.len()).as_bytes());
        let answer = world.raw(&send("POST /auth/otp/resend", &public, body)).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{shown}: {answer}");
        assert!(answer.contains("\"field\":\"sessionToken\""), "{shown}: {answer}");
        let mut of_caller = head.clone();
        of_caller.extend_from_slice(format!("\r\n{authorization}").as_bytes());
        let answer = world.raw(&send("GET /me", &of_caller, "")).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{shown}: {answer}");
    }
}

/// ASVS 5.0 4.2.1, RFC 9112 §6: all servers must agree on a body's end.
#[tokio::test]
async fn heads_that_two_servers_could_read_differently_are_refused() {
    let (world, events) = probed().await;
    for head in [
        "Content-Length: 2\r\nContent-Length: 29",
        "Content-Length: 2\r\nTransfer-Encoding: chunked",
        "Content-Length: -1",
        "Content-Length: 0x1d",
        "Content-Length: +29",
        "Transfer-Encoding: gzip",
        "Transfer-Encoding : chunked",
        "No colon",
        " Folded: line",
        "X-Nul: a\u{0}b",
    ] {
        let request = format!(
            "POST /auth/otp/initiate HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json\r\n{head}\r\n\r\n{{\"email\":\"grace@example.com\"}}"
        );
        let answer = world.raw(request.as_bytes()).await;
        let status = answer.get(9..10).unwrap_or("4");
        assert_eq!(status, "4", "{head}: {answer}");
    }
    assert!(events.lock().unwrap().is_empty());
}
