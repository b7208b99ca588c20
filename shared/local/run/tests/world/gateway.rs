//! The gateway behaves as an API Gateway HTTP API (payload format 2.0).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use auth_local::{Fault, FaultKind, Options, World};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::authorizations::status_path;
use crate::harness::steps::at_once;

/// A world that shows the events that its functions are invoked with.
async fn probed() -> (TestWorld, Arc<Mutex<Vec<Value>>>) {
    let events = Arc::<Mutex<Vec<Value>>>::default();
    let probe = events.clone();
    let world = TestWorld::start_with(|options: &mut Options| {
        options.watchers.event = Some(Arc::new(move |_, event| {
            probe
                .lock()
                .unwrap()
                .push(serde_json::from_str(event.get()).unwrap());
        }));
    })
    .await;
    (world, events)
}

#[tokio::test]
async fn a_new_address_signs_in_and_reads_its_profile() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    let me = guest.browser.get("/me").await;
    me.expect_status(200);
    me.expect_members(&guest.user);
}

#[tokio::test]
async fn an_event_has_everything_that_api_gateway_sends_and_no_nulls() {
    let (world, events) = probed().await;
    let mut browser = world.browser_at("127.0.0.9");
    browser.cookies.insert("a".to_owned(), "1".to_owned());
    browser.cookies.insert("b".to_owned(), "2".to_owned());
    let headers = [
        ("content-type", "application/json"),
        ("X-Two", "one"),
        ("x-two", "two"),
        ("user-agent", "probe/1"),
        ("x-forwarded-for", "203.0.113.9"),
    ];
    let path = "/auth/otp/initiate?q=1&q=2&text=a%20b";
    let answer = browser
        .send(
            Method::POST,
            path,
            &headers,
            br#"{"email":"ada@example.com"}"#.to_vec(),
        )
        .await;
    answer.expect_status(200);

    let event = events.lock().unwrap()[0].clone();
    assert_eq!(event["version"], "2.0");
    assert_eq!(event["routeKey"], "POST /auth/otp/initiate");
    assert_eq!(event["rawPath"], "/auth/otp/initiate");
    assert_eq!(event["rawQueryString"], "q=1&q=2&text=a%20b");
    assert_eq!(event["cookies"], json!(["a=1", "b=2"]));
    assert_eq!(event["headers"]["x-two"], "one,two");
    assert_eq!(
        event["headers"]["x-forwarded-for"],
        "203.0.113.9, 127.0.0.9"
    );
    assert!(event["headers"]["cookie"].is_null());
    assert_eq!(
        event["queryStringParameters"],
        json!({ "q": "1,2", "text": "a b" })
    );
    assert_eq!(event["body"], r#"{"email":"ada@example.com"}"#);
    assert_eq!(event["isBase64Encoded"], false);
    let context = &event["requestContext"];
    assert_eq!(context["http"]["sourceIp"], "127.0.0.9");
    assert_eq!(context["http"]["userAgent"], "probe/1");
    assert_eq!(context["http"]["method"], "POST");
    assert_eq!(context["http"]["protocol"], "HTTP/1.1");
    assert_eq!(context["stage"], "$default");
    assert_eq!(
        context["requestId"].as_str(),
        answer.header("apigw-requestid")
    );
    let now = world.clock().now().as_millis();
    assert!((now - context["timeEpoch"].as_i64().unwrap()).abs() < 60_000);
    for absent in ["pathParameters", "stageVariables"] {
        assert!(event.get(absent).is_none(), "{absent}");
    }
    assert!(context.get("authorizer").is_none());
    assert!(!event.to_string().contains(":null"));
}

#[tokio::test]
async fn what_is_not_there_is_left_out() {
    let (world, events) = probed().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    browser.get("/me").await.expect_status(200);
    let event = events.lock().unwrap().last().unwrap().clone();
    for absent in [
        "body",
        "cookies",
        "queryStringParameters",
        "pathParameters",
        "stageVariables",
    ] {
        assert!(event.get(absent).is_none(), "{absent}");
    }
    assert_eq!(event["rawQueryString"], "");
    assert_eq!(event["isBase64Encoded"], false);
}

/// As captured events of HTTP APIs have it: "raw" names the query alone.
#[tokio::test]
async fn a_path_arrives_decoded_and_its_parameters_decoded_twice() {
    let (world, events) = probed().await;
    let mut browser = world.browser();
    for (sent, path, parameter) in [
        (
            "/auth/session/urn%3Aietf%3Aa+b",
            "/auth/session/urn:ietf:a+b",
            "urn:ietf:a+b",
        ),
        ("/auth%2Fsession/a%20b", "/auth/session/a b", "a b"),
        ("/auth/session/a%252Fb", "/auth/session/a%2Fb", "a/b"),
        ("/auth/session/a%3Fb", "/auth/session/a", "a"),
    ] {
        let query = "q=a+b&plus=a%2Bb";
        let answer = browser.get(&format!("{sent}?{query}")).await;
        answer.expect_problem(404, "NOT_FOUND");
        let event = events.lock().unwrap().pop().unwrap();
        assert_eq!(event["routeKey"], "GET /auth/session/{sessionId}", "{sent}");
        assert_eq!(event["rawPath"], path, "{sent}");
        assert_eq!(event["requestContext"]["http"]["path"], path, "{sent}");
        assert_eq!(event["pathParameters"]["sessionId"], parameter, "{sent}");
        assert_eq!(event["rawQueryString"], query);
        let parameters = json!({ "q": "a b", "plus": "a+b" });
        assert_eq!(event["queryStringParameters"], parameters);
    }
    let parted = browser.get("/auth/session/a%2Fb").await;
    assert_eq!(parted.body, json!({ "message": "Not Found" }));
    assert!(events.lock().unwrap().is_empty());
}

#[tokio::test]
async fn bodies_that_are_not_text_arrive_in_base64() {
    let (world, events) = probed().await;
    let mut browser = world.browser();
    for (content_type, body) in [
        ("application/x-www-form-urlencoded", &b"a=b"[..]),
        ("application/octet-stream", b"{}"),
        ("application/json", b"\xff\xfe"),
    ] {
        browser
            .send(
                Method::POST,
                "/auth/otp/initiate",
                &[("content-type", content_type)],
                body.to_vec(),
            )
            .await;
    }
    let events = events.lock().unwrap();
    let bodies: Vec<_> = events
        .iter()
        .map(|event| (&event["body"], &event["isBase64Encoded"]))
        .collect();
    assert_eq!(
        bodies,
        [
            (&json!("YT1i"), &json!(true)),
            (&json!("e30="), &json!(true)),
            (&json!("//4="), &json!(true)),
        ]
    );
}

#[tokio::test]
async fn an_authorized_event_carries_the_claims_as_text() {
    let (world, events) = probed().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    guest.browser.get("/me").await.expect_status(200);
    let event = events.lock().unwrap().last().unwrap().clone();
    let jwt = &event["requestContext"]["authorizer"]["jwt"];
    assert_eq!(jwt["scopes"], json!(["latchkey/session"]));
    assert_eq!(jwt["claims"]["token_use"], "access");
    assert_eq!(jwt["claims"]["client_id"], world.operations_client_id());
    assert!(
        jwt["claims"]["exp"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .is_ok()
    );
    assert!(
        jwt["claims"]
            .as_object()
            .unwrap()
            .values()
            .all(Value::is_string)
    );
}

#[tokio::test]
async fn only_good_tokens_with_the_scope_pass_the_authorizer() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let mut browser = world.browser();

    let none = browser.get("/me").await;
    none.expect_status(401);
    assert_eq!(none.body, json!({ "message": "Unauthorized" }));
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));

    let [header, claims, signature]: [&str; 3] = guest
        .access_token
        .split('.')
        .collect::<Vec<_>>()
        .try_into()
        .unwrap();
    let forged = |header: Value| {
        format!(
            "{}.{claims}.{signature}",
            URL_SAFE_NO_PAD.encode(header.to_string())
        )
    };
    let own_header: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).unwrap()).unwrap();
    let kid = &own_header["kid"];
    let id_claims = guest.id_token.split('.').nth(1).unwrap();
    let cut = &signature[..signature.len() - 4];
    for bad in [
        "garbage".to_owned(),
        "a.b.c".to_owned(),
        forged(json!({ "alg": "none", "kid": kid })),
        forged(json!({ "alg": "HS256", "kid": kid })),
        forged(json!({ "alg": "RS512", "kid": kid })),
        forged(json!({ "alg": "RS256", "kid": "unknown" })),
        forged(json!({ "alg": "RS256" })),
        format!("{header}.{id_claims}.{signature}"),
        format!("{header}.{claims}.{cut}"),
        format!("{header}.{claims}."),
    ] {
        browser.bearer(&bad);
        let refused = browser.get("/me").await;
        refused.expect_status(401);
        assert!(
            refused
                .header("www-authenticate")
                .unwrap()
                .contains(r#"error="invalid_token""#),
            "{bad}"
        );
    }

    browser.bearer(&guest.id_token);
    let id_token = browser.get("/me").await;
    id_token.expect_status(403);
    assert_eq!(id_token.body, json!({ "message": "Forbidden" }));

    browser.always("authorization", &guest.access_token);
    browser.get("/me").await.expect_status(200);
    world.advance(3601);
    browser.get("/me").await.expect_status(401);
}

#[tokio::test]
async fn tokens_of_the_public_client_open_no_route() {
    let world = TestWorld::start().await;
    let client = world.ready().client_id.clone().unwrap();
    world.sign_in("ada@example.com").await;
    let begun = world
        .cognito_call("InitiateAuth", json!({
            "ClientId": client,
            "AuthFlow": "USER_AUTH",
            "AuthParameters": { "USERNAME": "ada@example.com", "PREFERRED_CHALLENGE": "EMAIL_OTP" },
        }))
        .await;
    begun.expect_status(200);
    let tokens = world
        .cognito_call(
            "RespondToAuthChallenge",
            json!({
                "ClientId": client,
                "ChallengeName": "EMAIL_OTP",
                "Session": begun["Session"],
                "ChallengeResponses": {
                    "USERNAME": "ada@example.com",
                    "EMAIL_OTP_CODE": world.mail_code("ada@example.com").await,
                },
            }),
        )
        .await;
    tokens.expect_status(200);
    let mut browser = world.browser();
    browser.bearer(
        tokens["AuthenticationResult"]["AccessToken"]
            .as_str()
            .unwrap(),
    );
    browser.get("/me").await.expect_status(401);
}

#[tokio::test]
async fn no_route_is_the_gateways_own_404() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for (method, path) in [
        (Method::GET, "/auth/otp/initiate"),
        (Method::POST, "/"),
        (Method::GET, "/me/"),
        (Method::GET, "/ME"),
        (Method::HEAD, "/me"),
        (Method::OPTIONS, "/me"),
    ] {
        let answer = browser.send(method.clone(), path, &[], Vec::new()).await;
        answer.expect_status(404);
        assert!(answer.header("apigw-requestid").is_some());
        if method != Method::HEAD {
            assert_eq!(answer.body, json!({ "message": "Not Found" }));
        }
    }
}

#[tokio::test]
async fn preflights_are_answered_without_a_route_and_for_known_origins_only() {
    let world = TestWorld::with_settings(&[("FRONTEND_URL", "https://app.example/login")]).await;
    let mut browser = world.browser();
    for (origin, allowed) in [
        ("https://app.example", true),
        (world.ready().gateway.as_str(), true),
        ("https://evil.example", false),
        ("null", false),
    ] {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", "POST"),
        ];
        let preflight = browser
            .send(Method::OPTIONS, "/nowhere", &headers, Vec::new())
            .await;
        preflight.expect_status(204);
        assert_eq!(
            preflight.header("access-control-allow-origin"),
            allowed.then_some(origin)
        );
        let answer = browser
            .send(Method::GET, "/me", &[("origin", origin)], Vec::new())
            .await;
        answer.expect_status(401);
        assert_eq!(
            answer.header("access-control-allow-origin"),
            allowed.then_some(origin)
        );
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            allowed.then_some("true")
        );
    }
}

#[tokio::test]
async fn any_page_of_this_machine_may_call_unless_front_ends_are_named() {
    let named = Options {
        front_ends: vec!["http://localhost:3000".to_owned()],
        ..Options::default()
    };
    for (options, allowed) in [
        (
            Options::default(),
            [
                ("http://localhost:5173", true),
                ("http://127.0.0.1:5173", true),
                ("https://[::1]:5173", true),
                ("http://app.localhost:3000", true),
                ("http://localhost.evil.example", false),
                ("https://evil.example", false),
            ],
        ),
        (
            named,
            [
                ("http://localhost:3000", true),
                ("http://localhost:5173", false),
                ("http://127.0.0.1:3000", false),
                ("https://localhost:3000", false),
                ("https://evil.example", false),
                ("null", false),
            ],
        ),
    ] {
        let world = World::start(options).await.unwrap();
        for (origin, allowed) in allowed {
            let preflight = reqwest::Client::new()
                .request(Method::OPTIONS, format!("{}/me", world.ready().gateway))
                .header("origin", origin)
                .header("access-control-request-method", "GET");
            let preflight = preflight.send().await.unwrap();
            let granted = preflight.headers().get("access-control-allow-origin");
            assert_eq!(
                granted.is_some_and(|granted| granted == origin),
                allowed,
                "{origin}"
            );
        }
        world.shutdown().await;
    }
}

#[tokio::test]
async fn heads_and_bodies_have_api_gateways_limits() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    browser.always("x-padding", &"x".repeat(10_000));
    assert_eq!(browser.get("/me").await.status, 401);
    browser.always("x-padding", &"x".repeat(10_240));
    let answer = world
        .raw(
            format!(
                "GET /me HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nX-Padding: {}\r\n\r\n",
                "x".repeat(10_240)
            )
            .as_bytes(),
        )
        .await;
    assert!(answer.starts_with("HTTP/1.1 431"), "{answer}");

    let mut browser = world.browser();
    let json = [("content-type", "application/json")];
    let too_much = browser
        .send(
            Method::POST,
            "/auth/otp/initiate",
            &json,
            vec![b' '; 10 * 1024 * 1024 + 1],
        )
        .await;
    too_much.expect_status(413);
    assert_eq!(
        too_much.body,
        json!({ "message": "Request Entity Too Large" })
    );
    let too_much_for_lambda = browser
        .send(
            Method::POST,
            "/auth/otp/initiate",
            &json,
            vec![b' '; 7 * 1024 * 1024],
        )
        .await;
    too_much_for_lambda.expect_status(413);
}

#[tokio::test]
async fn a_route_admits_its_burst_and_then_its_rate() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let burst = auth_api::Contract::embedded()
        .operation("updateProfile")
        .unwrap()
        .throttle
        .burst;
    let mut statuses = Vec::new();
    for _ in 0..burst * 2 {
        statuses.push(browser.patch("/me", json!({})).await);
    }
    let refused = statuses
        .iter()
        .find(|answer| answer.status == 429)
        .expect("a throttled request");
    assert_eq!(refused.body, json!({ "message": "Too Many Requests" }));
    browser.get("/me").await.expect_status(401);
    world.advance(60);
    browser.patch("/me", json!({})).await.expect_status(401);
}

#[tokio::test]
async fn a_load_test_meets_no_throttle() {
    let world = TestWorld::start_with(|options| options.throttled = false).await;
    let mut browser = world.browser();
    let operation = auth_api::Contract::embedded().operation("updateProfile");
    for _ in 0..operation.unwrap().throttle.burst * 2 {
        browser.patch("/me", json!({})).await.expect_status(401);
    }
}

#[tokio::test]
async fn hosts_that_are_not_this_machine_are_refused() {
    let world = TestWorld::start().await;
    for path in ["/", "/me", "/_local/mailbox"] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: rebound.example:8787\r\nConnection: close\r\n\r\n"
        );
        let answer = world.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
    }
    let ready = world.ready();
    let services = [
        &ready.cognito,
        &ready.dynamodb,
        &ready.agentcore,
        &ready.secretsmanager,
    ];
    for service in services {
        let rebound = reqwest::Client::new()
            .post(service)
            .header("host", "rebound.example");
        assert_eq!(rebound.send().await.unwrap().status(), 403);
    }
}

/// The stand-ins do not verify signatures, so a page that made one up could read and change
/// everything. Cognito's unsigned operations stay open to pages.
#[tokio::test]
async fn a_web_page_gets_nothing_of_what_takes_a_signature() {
    let world = TestWorld::start().await;
    let client = reqwest::Client::new();
    let ready = world.ready();
    for (url, target, scope) in [
        (
            &ready.cognito,
            "AWSCognitoIdentityProviderService.DescribeUserPoolClient",
            "cognito-idp",
        ),
        (&ready.dynamodb, "DynamoDB_20120810.Scan", "dynamodb"),
        (
            &ready.secretsmanager,
            "secretsmanager.GetSecretValue",
            "secretsmanager",
        ),
        (&ready.kms, "TrentService.Decrypt", "kms"),
    ] {
        let question = client
            .request(reqwest::Method::OPTIONS, url)
            .header("origin", "https://evil.example")
            .header("access-control-request-method", "POST")
            .header(
                "access-control-request-headers",
                "authorization,content-type,x-amz-date,x-amz-target",
            );
        let signature = format!(
            "AWS4-HMAC-SHA256 Credential=LOCAL/20260312/eu-west-1/{scope}/aws4_request, SignedHeaders=host, Signature=0"
        );
        let call = client
            .post(url)
            .header("origin", "https://evil.example")
            .header("authorization", signature)
            .header("x-amz-date", "20260312T000000Z")
            .header("x-amz-target", target)
            .body("{}");
        for request in [question, call] {
            let answer = request.send().await.unwrap();
            let opened = answer.headers().get("access-control-allow-origin");
            assert_eq!(opened, None, "{target}");
        }
    }
    let from_a_page = client
        .post(&ready.cognito)
        .header("origin", "https://front-end.example")
        .header(
            "x-amz-target",
            "AWSCognitoIdentityProviderService.InitiateAuth",
        )
        .body("{}");
    let answer = from_a_page.send().await.unwrap();
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
}

/// More requests than a machine computes at once wait for their turn. None is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn beyond_a_number_of_invocations_at_once_the_others_wait() {
    const AT_ONCE: usize = 128;
    let (open, most) = (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default());
    let (begun, ended, highest) = (open.clone(), open.clone(), most.clone());
    let world = TestWorld::start_with(|options| {
        options.throttled = false;
        options.watchers.event = Some(Arc::new(move |_, _| {
            let now = begun.fetch_add(1, Ordering::SeqCst) + 1;
            highest.fetch_max(now, Ordering::SeqCst);
        }));
        options.watchers.served = Some(Arc::new(move |_| {
            ended.fetch_sub(1, Ordering::SeqCst);
        }));
    })
    .await;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "GetItem");
    world.fault(slow.times(u32::MAX).lasting(Duration::from_millis(500)));
    let browser = world.browser();
    let path = status_path("urn:ietf:params:oauth:request_uri:NmY1ZTJkYzQtM2IxYS00ZjYw");
    let asked = (0..AT_ONCE + 40).map(|_| {
        let (mut browser, path) = (browser.clone(), path.clone());
        async move { browser.get(&path).await }
    });
    let answers = at_once(asked).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.status == answers[0].status)
    );
    assert!(answers[0].status < 500, "{}", answers[0].body);
    let most = most.load(Ordering::SeqCst);
    // An answer is told a moment after its turn has ended.
    assert!((AT_ONCE / 8..AT_ONCE + 20).contains(&most), "{most}");
}
