//! People's input and answers stay between them and us: no log line, no metric, no problem and no
//! header reveals more than it must.
//!
//! ASVS 5.0 16.2.5 (nothing sensitive is logged), 16.5.1 (a generic message to the caller), 14.2.1
//! and 14.3.2 (nothing is kept on the way), 13.4.6 (no version is shown). The harness searches
//! every world's log for the exchanged secrets; here they are planted in every place. The records
//! and the most verbose log of every case are searched in `rules/costs.rs`.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex};

use auth_aws::{Environment, Platform};
use auth_domain::{Clock, Randomness};
use auth_lambda::Invocation;
use auth_local::{Fault, FaultKind, Mount, ObservedExchange};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use reqwest::Method;
use serde_json::value::to_raw_value;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber as _;
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::layer::SubscriberExt as _;

use crate::harness::requests::{Sample, claims};
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::harness::{Browser, TestWorld};

const EMAIL: &str = "planted.person@planted-domain.example";
const NAME: &str = "Plantedname Plantedfamily";
const CODE: &str = "97531864";
const PASSWORD: &str = "a planted pass phrase";
const SESSION_TOKEN: &str = "PlantedSessionTokenPlantedSessionTokenPlanA";
const REFRESH_TOKEN: &str = "planted-refresh-token.planted.planted.planted.planted";
const IP_ADDRESS: &str = "127.45.67.89";

/// Each test also looks for this word: every other planted text contains it.
const PLANTED: &str = "planted";

/// Internal words: AWS's, Rust's, and names of storage.
const INSIDE: [&str; 26] = [
    "exception",
    "arn:",
    "amazonaws",
    "amazoncognito",
    "cognito",
    "dynamo",
    "lambda",
    "secretsmanager",
    "kms",
    "aws",
    "eu-west-1",
    "table",
    "rust",
    "serde",
    "sdk",
    "smithy",
    "panick",
    "unwrap",
    "backtrace",
    "src/",
    ".rs",
    "::",
    "some(",
    "none",
    "sqlite",
    "stack",
];

/// Every exchange that passed a gateway.
#[derive(Clone, Default)]
struct Exchanges(Arc<Mutex<Vec<ObservedExchange>>>);

impl Exchanges {
    async fn world(&self) -> TestWorld {
        let seen = self.clone();
        TestWorld::start_with(|options| {
            // At the most that an operator can ask for. One address is used for everything.
            for (name, value) in [("LOG_LEVEL", "trace")].into_iter().chain(ROOMY_MAILBOXES) {
                options.settings = options.settings.clone().with(name, value).unwrap();
            }
            options.watchers.observer = Some(Arc::new(move |exchange| {
                seen.0.lock().unwrap().push(exchange.clone());
            }));
        })
        .await
    }

    fn all(&self) -> Vec<ObservedExchange> {
        self.0.lock().unwrap().clone()
    }
}

/// A browser that plants something in everything that it sends.
fn planting(world: &TestWorld) -> Browser<'_> {
    let mut browser = world.browser_at(IP_ADDRESS);
    for (name, value) in [
        ("user-agent", "planted-user-agent/1"),
        ("x-correlation-id", "planted-correlation-id"),
        ("x-request-id", "planted-request-id"),
        ("x-amzn-requestid", "planted-amzn-request-id"),
        ("traceparent", "00-planted-00"),
        ("origin", "https://planted-origin.example"),
        ("referer", "https://planted-referer.example/?planted=1"),
        ("x-forwarded-for", "198.51.100.77"),
        ("forwarded", "for=198.51.100.78"),
        ("cloudfront-viewer-address", "198.51.100.79:1234"),
        ("x-origin-verify", "planted-origin-secret"),
        ("accept-language", "x-planted"),
        ("x-planted-name", "1"),
    ] {
        browser.always(name, value);
    }
    browser.cookies.insert(
        "planted-cookie".to_owned(),
        "planted-cookie-value".to_owned(),
    );
    browser
}

fn with_planted_query(path: &str) -> String {
    format!("{path}?planted=1&email={EMAIL}&x=%0aplanted%22")
}

/// Fails if a log line contains a planted text, in any letter case.
#[track_caller]
fn assert_nothing_logged(world: &TestWorld, more: &[&str]) {
    let lines = world.logs();
    assert!(!lines.is_empty());
    for line in lines {
        let mut line: Value = serde_json::from_str(&line).expect("a line is JSON");
        // One field of one line has the sender's address, for an operator who stops a flood. No
        // other place may contain it.
        if line["message"] == "completed" {
            let viewer = line.as_object_mut().unwrap().remove("viewer");
            let viewer = viewer.and_then(|viewer| viewer.as_str().map(str::to_owned));
            assert!(
                viewer
                    .as_deref()
                    .is_none_or(|viewer| viewer == IP_ADDRESS || viewer == "127.0.0.1"),
                "{viewer:?}"
            );
        }
        assert_holds_nothing_planted(&line.to_string(), more);
        // The SDK's own warnings name the invocation, too.
        assert!(
            line["function"].is_string() || line["span"]["function"].is_string(),
            "{line}"
        );
    }
}

#[track_caller]
fn assert_holds_nothing_planted(text: &str, more: &[&str]) {
    let lower = text.to_ascii_lowercase();
    let values = [PLANTED, CODE, IP_ADDRESS, "198.51.100."];
    for value in values.iter().chain(more) {
        assert!(
            !lower.contains(&value.to_ascii_lowercase()),
            "{value} stands in {text}"
        );
    }
}

/// Bodies with something planted in each of their fields, well formed and malformed.
fn planted_bodies() -> Vec<Vec<u8>> {
    let whole = json!({
        "email": EMAIL,
        "name": NAME,
        "code": CODE,
        "sessionToken": SESSION_TOKEN,
        "refreshToken": REFRESH_TOKEN,
        "password": PASSWORD,
        "newPassword": PASSWORD,
        "planted": "planted",
        "tokenDelivery": "cookie",
    });
    let mut bodies = vec![
        whole.to_string().into_bytes(),
        whole
            .to_string()
            .replace('}', ",\"planted\":1}")
            .into_bytes(),
        whole.to_string().replace('}', "").into_bytes(),
        format!("[{whole}]").into_bytes(),
        format!("{{\"email\":\"{EMAIL}\u{0}\"}}").into_bytes(),
        b"planted \xff planted".to_vec(),
        format!("{{\"planted\":{}", "[".repeat(9000)).into_bytes(),
        "planted ".repeat(3000).into_bytes(),
    ];
    for field in [
        "email",
        "name",
        "code",
        "sessionToken",
        "refreshToken",
        "password",
        "newPassword",
        "tokenDelivery",
    ] {
        for value in [
            json!([EMAIL]),
            json!({ "planted": CODE }),
            json!("planted\u{0}"),
            json!(format!("{EMAIL}, {EMAIL}")),
        ] {
            let mut body = whole.clone();
            body[field] = value;
            bodies.push(body.to_string().into_bytes());
        }
    }
    bodies
}

#[tokio::test]
async fn what_is_planted_in_a_request_is_found_in_no_log_line_and_no_refusal() {
    let exchanges = Exchanges::default();
    let world = exchanges.world().await;
    let mut browser = planting(&world);
    let signed_in = browser.sign_in(EMAIL).await;
    signed_in.expect_status(200);
    let access_token = signed_in.text("accessToken");
    for sample in Sample::all() {
        for authorization in [
            format!("Bearer {access_token}"),
            "Bearer planted.planted.planted".to_owned(),
            "planted".to_owned(),
        ] {
            browser.always("authorization", &authorization);
            for (index, body) in planted_bodies().into_iter().enumerate() {
                let content_type = if index == 1 {
                    "text/planted"
                } else {
                    "application/json"
                };
                let headers = [("content-type", content_type)];
                let path = with_planted_query(&sample.path);
                let body = if sample.body.is_some() {
                    body
                } else {
                    Vec::new()
                };
                browser
                    .send(sample.method.clone(), &path, &headers, body)
                    .await;
            }
            world.advance(5);
        }
    }
    for path in [
        "/planted",
        "/me/planted",
        "/auth/otp/planted@planted.example",
    ] {
        browser
            .send(Method::GET, &with_planted_query(path), &[], Vec::new())
            .await
            .expect_status(404);
    }
    assert_nothing_logged(
        &world,
        &[EMAIL, NAME, &signed_in.text("refreshToken"), &access_token],
    );

    let mut refusals = 0;
    for exchange in exchanges
        .all()
        .iter()
        .filter(|exchange| exchange.status >= 400)
    {
        assert_holds_nothing_planted(&String::from_utf8_lossy(&exchange.response_body), &[]);
        refusals += 1;
    }
    assert!(refusals > 100, "{refusals}");
}

/// The same at the doors that have no gateway before them.
#[tokio::test]
async fn what_is_planted_in_an_invocation_is_found_in_no_log_line_and_no_refusal() {
    let exchanges = Exchanges::default();
    let world = exchanges.world().await;
    let signed_in = world.browser().sign_in(EMAIL).await;
    for sample in Sample::all() {
        for (index, body) in planted_bodies().iter().enumerate() {
            let Ok(mut event) = serde_json::from_slice::<Value>(body) else {
                continue;
            };
            if event.is_object() && index % 2 == 0 {
                event["claims"] = claims(&signed_in.text("accessToken"));
            }
            let direct = world.invoke(sample.name(), &event).await;
            if direct["error"].is_object() {
                assert_holds_nothing_planted(&direct.body.to_string(), &[]);
            }
        }
        if let Some(tool) = &sample.operation.tool {
            for arguments in [
                json!({ "email": EMAIL, "otp_code": CODE, "session_token": SESSION_TOKEN, "planted": "planted" }),
                json!({ "email": [EMAIL], "otp_code": { "planted": 1 }, "session_token": "planted" }),
            ] {
                let answer = world.call_tool(sample.name(), &tool.name, &arguments).await;
                if answer["success"] == false {
                    assert_holds_nothing_planted(&answer.body.to_string(), &[]);
                }
            }
        }
    }
    let broken = json!({ "version": "2", "request": [EMAIL, "planted"], "planted": true });
    world.invoke("pre-token-generation", &broken).await;
    assert_nothing_logged(&world, &[EMAIL, NAME]);
}

/// For each operation, AWS refuses or fails in each way, while everything is planted.
#[tokio::test]
async fn a_failing_aws_shows_in_no_answer_and_brings_nothing_into_a_log() {
    let exchanges = Exchanges::default();
    let world = exchanges.world().await;
    let mut browser = planting(&world);
    let signed_in = browser.sign_in(EMAIL).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    let mut failures = 0;
    for kind in [
        FaultKind::Denied,
        FaultKind::Internal,
        FaultKind::Throttle,
        FaultKind::Lost,
    ] {
        for service in ["cognito-idp", "dynamodb"] {
            for sample in Sample::all() {
                let started = browser
                    .post("/auth/otp/initiate", json!({ "email": EMAIL }))
                    .await;
                let session_token = started["sessionToken"]
                    .as_str()
                    .unwrap_or(SESSION_TOKEN)
                    .to_owned();
                let body = json!({ "email": EMAIL, "name": NAME, "code": CODE, "sessionToken": session_token, "refreshToken": signed_in["refreshToken"] });
                world.advance(901);
                world.fault(Fault {
                    action: None,
                    ..Fault::new(kind, service, "").times(u32::MAX)
                });
                let body = if sample.body.is_some() {
                    body.to_string().into_bytes()
                } else {
                    Vec::new()
                };
                let answer = sample.send_bytes(&mut browser, body).await;
                world.clear_faults();
                failures += u32::from(answer.status >= 500);
                assert_ne!(
                    answer.body,
                    json!({ "message": "Internal Server Error" }),
                    "{}",
                    sample.name()
                );
            }
            let refreshed = browser.sign_in(EMAIL).await;
            refreshed.expect_status(200);
            browser.bearer(&refreshed.text("accessToken"));
        }
    }
    assert!(failures > 15, "{failures}");
    assert_nothing_logged(&world, &[EMAIL, NAME, &signed_in.text("refreshToken")]);
    let mut problems = 0;
    for exchange in exchanges
        .all()
        .iter()
        .filter(|exchange| exchange.status >= 400)
    {
        assert_holds_nothing_planted(&String::from_utf8_lossy(&exchange.response_body), &[]);
        problems += u32::from(assert_says_nothing_of_the_inside(exchange));
    }
    assert!(problems > 20, "{problems}");
}

/// Whether it was a problem from an operation.
#[track_caller]
fn assert_says_nothing_of_the_inside(exchange: &ObservedExchange) -> bool {
    let body: Value = serde_json::from_slice(&exchange.response_body).unwrap();
    let Some(members) = body.as_object().filter(|body| body.contains_key("code")) else {
        return false;
    };
    for member in members.keys() {
        let known = [
            "type",
            "title",
            "status",
            "detail",
            "code",
            "cause",
            "attemptsRemaining",
            "errors",
            "requestId",
        ];
        assert!(known.contains(&member.as_str()), "{member}");
    }
    let mut words = members.clone();
    words.remove("requestId");
    let words = Value::Object(words).to_string().to_ascii_lowercase();
    for word in INSIDE {
        assert!(!words.contains(word), "{word} in {words}");
    }
    true
}

/// ASVS 5.0 3.4.1, 3.4.4, 13.4.6, 14.3.2.
#[tokio::test]
async fn answers_carry_what_protects_them_and_no_header_that_says_more() {
    let exchanges = Exchanges::default();
    let world = exchanges.world().await;
    let mut browser = world.browser();
    let signed_in = browser
        .sign_in_with(EMAIL, json!({ "tokenDelivery": "cookie" }))
        .await;
    for origin in ["", world.ready().gateway.as_str()] {
        browser.always("origin", origin);
        for authorization in ["", &format!("Bearer {}", signed_in.text("accessToken"))] {
            browser.always("authorization", authorization);
            for sample in Sample::all() {
                sample.send(&mut browser).await;
                if sample.body.is_none() {
                    continue;
                }
                sample.send_bytes(&mut browser, b"[]".to_vec()).await;
                sample.send_bytes(&mut browser, vec![b' '; 20_000]).await;
            }
        }
    }
    browser.get("/nowhere").await.expect_status(404);
    world.fault(Fault {
        action: None,
        ..Fault::new(FaultKind::Denied, "dynamodb", "").times(u32::MAX)
    });
    for sample in Sample::all() {
        sample.send(&mut browser).await;
    }
    let known: BTreeSet<&str> = [
        "access-control-allow-credentials",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "apigw-requestid",
        "cache-control",
        "content-type",
        "ratelimit",
        "ratelimit-policy",
        "referrer-policy",
        "retry-after",
        "set-cookie",
        "strict-transport-security",
        "www-authenticate",
        "x-content-type-options",
    ]
    .into();
    let (mut statuses, mut by_an_operation) = (BTreeSet::new(), 0);
    for exchange in exchanges.all() {
        statuses.insert(exchange.status);
        let headers = &exchange.response_headers;
        for (name, value) in headers {
            assert!(known.contains(name.as_str()), "{name}: {value:?}");
        }
        let one = |name: &str| {
            let mut values = headers
                .get_all(name)
                .iter()
                .map(|value| value.to_str().unwrap().to_owned());
            let value = values.next();
            assert!(values.next().is_none(), "{name} stands twice");
            value
        };
        let gateways_own: Value =
            serde_json::from_slice(&exchange.response_body).unwrap_or_default();
        if gateways_own["message"].is_string()
            && gateways_own.as_object().is_some_and(|body| body.len() == 1)
        {
            continue;
        }
        by_an_operation += 1;
        assert_eq!(one("cache-control").as_deref(), Some("no-store"));
        assert_eq!(one("x-content-type-options").as_deref(), Some("nosniff"));
        assert_eq!(
            one("strict-transport-security").as_deref(),
            Some("max-age=63072000; includeSubDomains")
        );
        let content_type = one("content-type");
        if exchange.response_body.is_empty() {
            assert_eq!(content_type, None);
        } else if exchange.status < 400 {
            assert_eq!(
                content_type.as_deref(),
                Some("application/json; charset=utf-8")
            );
        } else {
            assert_eq!(
                content_type.as_deref(),
                Some("application/problem+json; charset=utf-8")
            );
        }
    }
    assert!(by_an_operation > 40, "{by_an_operation}");
    for status in [200, 204, 400, 401, 404, 413, 500] {
        assert!(statuses.contains(&status), "{statuses:?}");
    }
}

/// The lines that a function writes here.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// An AWS that refuses every call in a way of its choice, and quotes the whole of it.
async fn quoting_aws(status: u16, code: &'static str) -> String {
    let quote = move |State(()): State<()>, headers: HeaderMap, body: Bytes| async move {
        let body = String::from_utf8_lossy(&body).into_owned();
        let authorization = headers
            .get("authorization")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        let message = format!(
            "1 validation error detected: Value '{body}' at 'planted' failed to satisfy constraint: Member must be other. {body} \"{body}\" \
             User: arn:aws:sts::123456789012:assumed-role/planted/planted is not authorized to perform this, by {authorization}"
        );
        let answer = json!({ "__type": code, "message": message }).to_string();
        (
            StatusCode::from_u16(status).unwrap(),
            [
                ("x-amzn-errortype", code),
                ("content-type", "application/x-amz-json-1.1"),
            ],
            answer,
        )
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(quote).with_state(());
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

/// The constructor of each operation of the contract.
fn operations() -> impl Iterator<Item = Mount> {
    let contract = auth_api::Contract::embedded();
    let of_the_contract = |(name, mount): &(&str, Mount)| contract.operation(name).map(|_| *mount);
    auth_local::mounted().iter().filter_map(of_the_contract)
}

/// The environment of an operation of this world, with one service replaced.
fn environment(world: &TestWorld, service: &str, endpoint: &str) -> Environment {
    let ready = world.ready();
    let settings = auth_api::Contract::embedded().settings();
    let mut pairs: Vec<(String, String)> = settings
        .iter()
        .filter_map(|setting| Some((setting.name.clone(), setting.default.clone()?)))
        .filter(|(name, _)| !name.ends_with("_FLOOR_MS"))
        .collect();
    let of = |name: &str, usual: &str| {
        if name == service {
            endpoint.to_owned()
        } else {
            usual.to_owned()
        }
    };
    for (name, value) in [
        ("ENVIRONMENT", "local".to_owned()),
        ("COGNITO_USER_POOL_ID", ready.user_pool_id.clone()),
        (
            "COGNITO_ISSUER",
            format!("{}/{}", of("cognito", &ready.cognito), ready.user_pool_id),
        ),
        ("COGNITO_CLIENT_ID", world.operations_client_id().to_owned()),
        ("API_CLIENT_IDS", world.operations_client_id().to_owned()),
        ("GUESTS_TABLE_NAME", ready.tables["guests"].to_owned()),
        (
            "USER_SESSIONS_TABLE_NAME",
            ready.tables["user-sessions"].to_owned(),
        ),
        ("ACTIVITY_TABLE_NAME", ready.tables["activity"].to_owned()),
        ("AUDIT_TABLE_NAME", ready.tables["audit"].to_owned()),
        (
            "CHALLENGES_TABLE_NAME",
            ready.tables["challenges"].to_owned(),
        ),
        ("SECRETS_ID", "latchkey-local/secrets".to_owned()),
        ("FRONTEND_URL", world.origin()),
        (
            "DYNAMODB_OAUTH2_SESSIONS_TABLE",
            ready.tables["sessions"].to_owned(),
        ),
        (
            "OAUTH2_CALLBACK_URL",
            format!("{}auth/callback", ready.page),
        ),
        ("COGNITO_HOSTED_URL", ready.cognito.clone()),
        ("AGENT_NAME", "The assistant".to_owned()),
        ("AGENTCORE_WORKLOAD_NAME", "latchkey-local-agent".to_owned()),
        (
            "AGENTCORE_IDENTITY_PROVIDER_NAME",
            "latchkey-local-cognito".to_owned(),
        ),
        ("KMS_KEY_ID", "alias/latchkey-local".to_owned()),
        ("MAIL_SENDER", "no-reply@latchkey.example".to_owned()),
        ("OTP_RESPONSE_FLOOR_MS", "0".to_owned()),
        ("OTP_REFUSAL_FLOOR_MS", "0".to_owned()),
        ("AWS_REGION", ready.region.clone()),
        ("AWS_ACCESS_KEY_ID", "PLANTEDKEYID".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "planted-secret-key".to_owned()),
        (
            "AWS_ENDPOINT_URL_BEDROCK_AGENTCORE",
            of("agentcore", &ready.agentcore),
        ),
        (
            "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER",
            of("cognito", &ready.cognito),
        ),
        ("AWS_ENDPOINT_URL_DYNAMODB", of("dynamodb", &ready.dynamodb)),
        (
            "AWS_ENDPOINT_URL_SECRETS_MANAGER",
            of("secretsmanager", &ready.secretsmanager),
        ),
        ("AWS_ENDPOINT_URL_KMS", ready.kms.clone()),
        ("AWS_ENDPOINT_URL_SESV2", ready.ses.clone()),
    ] {
        pairs.push((name.to_owned(), value));
    }
    Environment::from_pairs(pairs)
}

/// AWS quotes the refused value ("Value 'x' at 'y' failed to satisfy constraint") and names the
/// caller by ARN. Neither leaves.
#[tokio::test]
async fn an_aws_that_quotes_what_it_refuses_is_not_quoted_on() {
    let world = TestWorld::start().await;
    let signed_in = world.browser().sign_in(EMAIL).await;
    let refresh_token = signed_in.text("refreshToken");
    let started = world
        .browser()
        .post("/auth/otp/initiate", json!({ "email": EMAIL }))
        .await;
    let session_token = started.text("sessionToken");
    let event = json!({
        "email": EMAIL, "name": NAME, "code": CODE, "sessionToken": session_token, "refreshToken": refresh_token,
        "password": PASSWORD, "newPassword": PASSWORD,
        "claims": claims(&signed_in.text("accessToken")),
    });
    let asked = Asked {
        event: &event,
        secrets: &[
            EMAIL,
            NAME,
            PASSWORD,
            &session_token,
            &refresh_token,
            "AWS4-HMAC",
        ],
    };
    let mut invocations = Vec::new();
    for (status, code) in [
        (400, "InvalidParameterException"),
        (400, "ValidationException"),
        (400, "NotAuthorizedException"),
        (400, "AccessDeniedException"),
        (400, "UserNotFoundException"),
        (400, "TooManyRequestsException"),
        (400, "CodeDeliveryFailureException"),
        (400, "UnheardOfException"),
        (500, "InternalErrorException"),
    ] {
        let endpoint = quoting_aws(status, code).await;
        for service in ["cognito", "dynamodb", "secretsmanager"] {
            for mount in operations() {
                let environment = environment(&world, service, &endpoint);
                invocations.push(asked.of(&world, environment, mount));
            }
        }
    }
    let refused = futures_util::future::join_all(invocations).await;
    let refused = refused.iter().filter(|refused| **refused).count();
    assert!(refused > 60, "{refused}");
}

/// One invocation, and the texts that must not leave it.
struct Asked<'a> {
    event: &'a Value,
    secrets: &'a [&'a str],
}

impl Asked<'_> {
    /// Invokes an operation in an environment, searches its answer and its log, and returns whether
    /// it was refused.
    async fn of(&self, world: &TestWorld, environment: Environment, mount: Mount) -> bool {
        let (lines, clock) = (Lines::default(), world.clock().clone());
        let platform = Platform::new(
            environment,
            aws_smithy_http_client::Builder::new().build_http(),
            Clock::new(move || clock.now()),
            Randomness::new(|bytes| bytes.fill(7)),
        );
        let function = mount(&platform.unwrap()).unwrap();
        let written = lines.clone();
        let log = auth_lambda::logging::lines(LevelFilter::INFO, move || written.clone());
        let log = tracing_subscriber::registry().with(log);
        let event = to_raw_value(self.event).unwrap();
        let answer = function.invoke(event, Invocation::default());
        let answer = answer.with_subscriber(log).await.unwrap();
        let answer: Value = serde_json::from_str(answer.get()).unwrap();
        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("completed"), "{log}");
        assert_holds_nothing_planted(&log, self.secrets);
        let Some(problem) = answer["error"].as_object() else {
            return false;
        };
        let mut problem = problem.clone();
        // Random letters may spell any word.
        for random in ["requestId", "authorizationUrl", "sessionId"] {
            problem.remove(random);
        }
        let problem = json!(problem).to_string().to_ascii_lowercase();
        assert_holds_nothing_planted(&problem, self.secrets);
        for word in INSIDE {
            assert!(!problem.contains(word), "{word} in {problem}");
        }
        true
    }
}
