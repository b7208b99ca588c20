//! Bad input at the doors that have no gateway before them: direct invocations, agents' tools,
//! triggers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::requests::{Sample, authorize, claims, named_fields, probed};
use crate::harness::tool_results::assert_described;

const GRACE: &str = "grace@example.com";

/// The Invoke API with payloads as they are.
struct Invoker {
    http: reqwest::Client,
    functions: String,
}

impl Invoker {
    fn of(world: &TestWorld) -> Self {
        Self {
            http: reqwest::Client::new(),
            functions: format!("{}/2015-03-31/functions", world.ready().lambda),
        }
    }

    /// Invokes a function directly; returns the status and the answer.
    async fn direct(&self, function: &str, payload: &[u8]) -> (u16, Value) {
        let (status, failed, answer) = self.invoke(function, payload, None).await;
        assert!(!failed, "{function} {answer}");
        (status, answer)
    }

    /// Calls a tool.
    async fn tool(&self, function: &str, tool: &str, arguments: &Value) -> Value {
        let context =
            json!({ "custom": { "bedrockAgentCoreToolName": format!("latchkey___{tool}") } });
        let arguments = arguments.to_string();
        let (status, failed, answer) = self
            .invoke(function, arguments.as_bytes(), Some(&context))
            .await;
        assert!(status == 200 && !failed, "{function} {answer}");
        assert_described(function, &answer);
        answer
    }

    /// The status, whether the function itself failed, and the answer.
    async fn invoke(
        &self,
        function: &str,
        payload: &[u8],
        context: Option<&Value>,
    ) -> (u16, bool, Value) {
        let url = format!("{}/{function}/invocations", self.functions);
        let mut request = self.http.post(url).body(payload.to_vec());
        if let Some(context) = context {
            request = request.header("x-amz-client-context", STANDARD.encode(context.to_string()));
        }
        let response = request.send().await.unwrap();
        let failed = response.headers().contains_key("x-amz-function-error");
        (
            response.status().as_u16(),
            failed,
            response.json().await.unwrap(),
        )
    }
}

/// The Invoke API accepts only JSON. JSON other than an object is bad input of the operation.
#[tokio::test]
async fn the_direct_door_refuses_as_the_http_door_does() {
    let world = TestWorld::start().await;
    let invoker = Invoker::of(&world);
    let guest = world.sign_in(GRACE).await;
    let before = world.last_call();
    for sample in Sample::with_a_body() {
        for payload in [
            "null",
            "true",
            "7",
            "\"text\"",
            "[]",
            "[{}]",
            "{\"a\":1,\"a\":2}",
            "{\"email\":\"a@example.com\",\"\\u0065mail\":\"b@example.com\"}",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([
            format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)),
            format!(
                "{{\"a\":{}1{}}}",
                "{\"a\":".repeat(10_000),
                "}".repeat(10_000)
            ),
        ]) {
            let (status, answer) = invoker.direct(sample.name(), payload.as_bytes()).await;
            assert_eq!(status, 200, "{} {answer}", sample.name());
            let code = answer["error"]["code"].as_str().unwrap();
            // Without an object there are no claims either, and the missing caller is reported
            // first.
            let wanted = if sample.needs_token() {
                "AUTH_REQUIRED"
            } else {
                "VALIDATION_FAILED"
            };
            assert_eq!(code, wanted, "{} {answer}", sample.name());
        }
        for payload in [
            &b"{"[..],
            b"nonsense",
            b"\xff",
            b"{\"a\":\"\xc0\xaf\"}",
            b"\xef\xbb\xbf{}",
        ] {
            let (status, answer) = invoker.direct(sample.name(), payload).await;
            assert_eq!(
                (status, &answer["Type"]),
                (400, &json!("User")),
                "{} {answer}",
                sample.name()
            );
        }
        for field in &sample.fields {
            let mut event = sample.event();
            event["claims"] = claims(&guest.access_token);
            event[field.name] = json!({ "x": [1] });
            let (_, answer) = invoker
                .direct(sample.name(), event.to_string().as_bytes())
                .await;
            assert_eq!(
                answer["error"]["code"],
                "VALIDATION_FAILED",
                "{}",
                sample.name()
            );
            assert_eq!(answer["error"]["status"], 400);
            // An error within an object has the object's name as a prefix.
            let mut named = named_fields(&answer["error"]);
            for name in &mut named {
                *name = name.split('.').next().unwrap_or(name);
            }
            named.dedup();
            assert_eq!(named, [field.name]);
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn claims_that_make_no_sense_are_nobodys() {
    let world = TestWorld::start().await;
    let invoker = Invoker::of(&world);
    let guest = world.sign_in(GRACE).await;
    let good = claims(&guest.access_token);
    let before = world.last_call();
    let mut bad = vec![
        json!(null),
        json!([]),
        json!("x"),
        json!({}),
        json!(7),
        json!([good]),
    ];
    for (name, values) in [
        (
            "sub",
            vec![
                json!(null),
                json!(""),
                json!({}),
                json!("a b"),
                json!("x".repeat(129)),
                json!("\u{0}"),
                json!(["x"]),
            ],
        ),
        (
            "token_use",
            vec![json!(null), json!("id"), json!(""), json!(true)],
        ),
    ] {
        for value in values {
            let mut claims = good.clone();
            claims[name] = value;
            bad.push(claims);
        }
    }
    let mut timeless = good.clone();
    timeless["iat"] = json!("soon");
    timeless["latchkey_iat_ms"] = json!(-0.5);
    bad.push(timeless);
    for sample in Sample::behind_the_authorizer() {
        for claims in &bad {
            let mut event = sample.event();
            event["claims"] = claims.clone();
            let (_, answer) = invoker
                .direct(sample.name(), event.to_string().as_bytes())
                .await;
            assert_eq!(
                answer["error"]["code"],
                "AUTH_REQUIRED",
                "{} {claims}",
                sample.name()
            );
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn the_tool_door_refuses_in_its_own_words() {
    let world = TestWorld::start().await;
    let invoker = Invoker::of(&world);
    let before = world.last_call();
    for sample in Sample::all() {
        let Some(tool) = &sample.operation.tool else {
            let answer = invoker
                .tool(sample.name(), "initiate_cognito_login", &json!({}))
                .await;
            assert_eq!(answer["success"], false, "{}", sample.name());
            let nobody = sample.needs_token();
            let wanted = if nobody { "AUTH_REQUIRED" } else { "NOT_FOUND" };
            assert_eq!(answer["error_code"], wanted, "{}", sample.name());
            continue;
        };
        let mut arguments = vec![json!([]), json!("x"), json!(null), json!(7)];
        let may_be_empty = tool.input_schema.required.is_empty();
        arguments.extend((!may_be_empty).then(|| json!({})));
        for name in tool.input_schema.properties.keys() {
            let missing = (!may_be_empty).then_some(Value::Null);
            for value in missing.into_iter().chain([
                json!(7),
                json!([]),
                json!({}),
                json!(""),
                json!("\u{0}"),
                json!("x".repeat(5000)),
            ]) {
                let mut good = json!({ "email": "ada@example.com", "otp_code": "12345678", "session_token": "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs" });
                good[name] = value;
                arguments.push(good);
            }
        }
        for arguments in arguments {
            let answer = invoker.tool(sample.name(), &tool.name, &arguments).await;
            assert_eq!(answer["success"], false, "{arguments}");
            assert_eq!(answer["error_code"], "VALIDATION_FAILED", "{arguments}");
            assert!(answer["message"].is_string() && answer["recovery"].is_string());
            // An agent corrects the named field, by the tool's own name for it.
            for error in answer["errors"].as_array().expect("errors") {
                let argument = error["argument"].as_str().expect("a name");
                let known =
                    tool.input_schema.properties.contains_key(argument) || !arguments.is_object();
                assert!(
                    known && error["message"].is_string(),
                    "{arguments}: {error}"
                );
            }
        }
        for wrong in ["", "x", "INITIATE_COGNITO_LOGIN", "get_workload_token"] {
            let answer = invoker.tool(sample.name(), wrong, &json!({})).await;
            assert_eq!(answer["error_code"], "NOT_FOUND", "{wrong}");
        }
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

/// An event of API Gateway's, every part of it in turn of another type or gone.
#[tokio::test]
async fn a_broken_event_breaks_no_operation() {
    let (world, events) = probed().await;
    let invoker = Invoker::of(&world);
    let mut guest = world.sign_in(GRACE).await;
    guest.browser.bearer(&guest.access_token);
    guest.browser.cookies.insert("a".to_owned(), "b".to_owned());
    guest
        .browser
        .patch("/me", json!({ "name": "Grace" }))
        .await
        .expect_status(200);
    let good = events.lock().unwrap().last().unwrap().clone();
    let mut paths = Vec::new();
    pointers(&good, "", &mut paths);
    assert!(paths.len() > 40);
    for path in paths {
        for value in [
            json!(null),
            json!(7),
            json!("\u{0}"),
            json!([]),
            json!(["x"]),
            json!({}),
            json!({ "x": { "y": [] } }),
            json!(true),
        ] {
            let mut event = good.clone();
            *event.pointer_mut(&path).unwrap() = value.clone();
            let (status, answer) = invoker
                .direct("update-profile", event.to_string().as_bytes())
                .await;
            assert_eq!(status, 200, "{path} {value}: {answer}");
            let status = answer["statusCode"]
                .as_u64()
                .or(answer["error"]["status"].as_u64());
            assert!(
                status.is_some_and(|status| status < 500),
                "{path} {value}: {answer}"
            );
        }
    }
}

/// RFC 9110 §9.3.1: the body of a GET has no meaning, so it cannot be bad either.
#[tokio::test]
async fn the_body_of_a_get_is_not_read() {
    let (world, events) = probed().await;
    let mut guest = world.sign_in(GRACE).await;
    guest.browser.bearer(&guest.access_token);
    guest.browser.get("/me").await.expect_status(200);
    let mut event = events.lock().unwrap().last().unwrap().clone();
    for body in ["[]", "nonsense", "{\"a\":1,\"a\":1}", &"x".repeat(100_000)] {
        event["body"] = body.into();
        let answer = world.invoke("get-profile", &event).await;
        assert_eq!(answer["statusCode"], 200, "{}", answer.body);
    }
}

/// RFC 9110 §9.3.5: neither has that of a DELETE, except for an operation that needs a proof in it.
#[tokio::test]
async fn the_body_of_a_delete_is_read_where_the_contract_has_one() {
    let (world, events) = probed().await;
    let guest = world.sign_in(GRACE).await;
    let deletes = || {
        let samples = Sample::all().into_iter();
        samples.filter(|sample| sample.method == Method::DELETE)
    };
    for sample in deletes() {
        let mut browser = world.browser();
        authorize(&mut browser, &sample, &guest);
        sample.send(&mut browser).await;
        let mut event = events.lock().unwrap().last().unwrap().clone();
        event["body"] = "nonsense".into();
        let answer = world.invoke(sample.name(), &event).await;
        let is_read = answer["statusCode"] == 415 || answer["statusCode"] == 400;
        assert_eq!(is_read, sample.body.is_some(), "{}", answer.body);
    }
}

/// The places of all values within a value.
fn pointers(value: &Value, path: &str, into: &mut Vec<String>) {
    if !path.is_empty() {
        into.push(path.to_owned());
    }
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                pointers(
                    member,
                    &format!("{path}/{}", name.replace('~', "~0").replace('/', "~1")),
                    into,
                );
            }
        }
        Value::Array(several) => {
            for (index, one) in several.iter().enumerate() {
                pointers(one, &format!("{path}/{index}"), into);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Cognito issues no token if the trigger refuses, and does not learn the reason.
#[tokio::test]
async fn a_trigger_refuses_an_event_that_is_not_cognitos() {
    let world = TestWorld::start().await;
    let invoker = Invoker::of(&world);
    for payload in [
        "null",
        "[]",
        "7",
        "\"x\"",
        "{}",
        r#"{"version":"1","request":{}}"#,
        r#"{"version":"2"}"#,
        r#"{"version":"2","request":[]}"#,
        r#"{"version":2,"request":{}}"#,
        r#"{"version":"2","version":"2","request":{}}"#,
    ] {
        let (status, failed, answer) = invoker
            .invoke("pre-token-generation", payload.as_bytes(), None)
            .await;
        assert!(status == 200 && failed, "{payload} {answer}");
        assert_eq!(answer["errorType"], "TriggerRefused");
        assert!(answer["errorMessage"].as_str().unwrap().len() < 60);
    }
}
