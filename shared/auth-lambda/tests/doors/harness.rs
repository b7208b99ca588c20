//! An operation that takes every kind of field and returns its input, events for it, and the rules
//! for each answer. The fuzz target and the tests share it.

use std::net::IpAddr;

use auth_domain::{
    Clock, Deployment, Email, FrontDoor, GuestName, OtpCode, Problem, RefreshToken, SessionToken,
    Timestamp, TokenDelivery,
};
use auth_lambda::{
    Access, AgentTool, ClientContext, Exchange, Fields, Function, Invocation, Operation, Patch,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serialize;
use serde_json::{Map, Value, json, value::RawValue};

/// API Gateway's id of every request here.
pub(crate) const REQUEST_ID: &str = "JKJaXmPLvHcESHA=";

/// Lambda's id of every invocation here.
pub(crate) const INVOCATION_ID: &str = "8f5c8d0a-6a0f-4f0e-9d53-2d0c8d1b7e11";

/// The tests' secret by which CloudFront proves itself.
pub(crate) const ORIGIN_SECRET: &str = "only-cloudfront-knows";

/// Its hash, as a function is given it.
const ORIGIN_SECRET_SHA256: &str =
    "8a5b23624407dd2839f1f869a2f701d09a0aaaf3c557a73794bd2180bfc13206";

/// Returns its input. With `CALLER`, only a caller may ask.
pub(crate) struct Echo<const CALLER: bool>;

pub(crate) struct Given {
    email: Email,
    code: Option<OtpCode>,
    session_token: Option<SessionToken>,
    refresh_token: Option<RefreshToken>,
    delivery: Option<TokenDelivery>,
    name: Patch<GuestName>,
    everywhere: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Echoed {
    email: String,
    secrets: [bool; 3],
    by_cookie: bool,
    name: Value,
    everywhere: bool,
    ip_address: Option<IpAddr>,
    cookie: Option<String>,
    caller: Option<String>,
    signed_in_at: Option<Timestamp>,
}

impl<const CALLER: bool> Operation for Echo<CALLER> {
    const NAME: &'static str = "echo";
    const ACCESS: Access = if CALLER {
        Access::Caller
    } else {
        Access::Public
    };

    type Input = Given;
    type Output = Echoed;

    fn parse(&self, fields: &mut Fields) -> Result<Given, Problem> {
        let email = fields.required("email");
        let code = fields.optional("code");
        let session_token = fields.optional("sessionToken");
        let refresh_token = fields.optional("refreshToken");
        let delivery = fields.optional("tokenDelivery");
        let name = fields.patch("name");
        let everywhere = fields.flag("everywhere");
        fields.finish_with(email.map(|email| Given {
            email,
            code,
            session_token,
            refresh_token,
            delivery,
            name,
            everywhere,
        }))
    }

    async fn run(&self, given: Given, exchange: &Exchange) -> Result<Echoed, Problem> {
        let caller = exchange.caller().ok();
        Ok(Echoed {
            email: given.email.as_str().to_owned(),
            secrets: [
                given.code.is_some(),
                given.session_token.is_some(),
                given.refresh_token.is_some(),
            ],
            by_cookie: given.delivery == Some(TokenDelivery::Cookie),
            name: match given.name {
                Patch::Keep => "kept".into(),
                Patch::Clear => Value::Null,
                Patch::Set(name) => json!({ "set": name.as_str() }),
            },
            everywhere: given.everywhere,
            ip_address: exchange.ip_address(),
            cookie: exchange.cookie("__Host-crumb").map(str::to_owned),
            caller: caller.map(|caller| caller.sub.as_str().to_owned()),
            signed_in_at: caller.map(|caller| caller.signed_in_at),
        })
    }
}

impl<const CALLER: bool> AgentTool for Echo<CALLER> {
    const TOOL: &'static str = "echo_fields";
    const ARGUMENTS: &'static [(&'static str, &'static str)] =
        &[("email", "email"), ("otp_code", "code")];

    fn result(output: Echoed) -> Map<String, Value> {
        Map::from_iter([("email_address".to_owned(), output.email.into())])
    }
}

/// The accepted app client.
pub(crate) const CLIENT: &str = "4t1examplec0nf1dentialcl1ent";

/// Settings of a deployment named `test`, with a clock that stands still.
pub(crate) fn deployment() -> Deployment {
    Deployment {
        clock: Clock::new(|| Timestamp::from_millis(1_795_239_650_123)),
        environment: "test".to_owned(),
        front_door: FrontDoor::default(),
        app_clients: CLIENT.parse().unwrap(),
    }
}

/// The same behind CloudFront.
pub(crate) fn behind_cloudfront() -> Deployment {
    Deployment {
        front_door: ORIGIN_SECRET_SHA256.parse().unwrap(),
        ..deployment()
    }
}

/// [`Echo`] for anyone, with all three doors.
pub(crate) fn echo() -> Function {
    Function::agent_tool(Echo::<false>, deployment())
}

/// An invocation without a client context.
pub(crate) fn invocation() -> Invocation {
    Invocation {
        request_id: INVOCATION_ID.to_owned(),
        trace_id: None,
        client_context: ClientContext::NoTool,
    }
}

/// An AgentCore Gateway's call of a tool.
pub(crate) fn tool_call(tool: &str) -> Invocation {
    let context = json!({ "custom": { "bedrockAgentCoreToolName": tool } });
    Invocation {
        client_context: ClientContext::parse(context.to_string().as_bytes()),
        ..invocation()
    }
}

/// An event of payload format 2.0, to be changed.
pub(crate) fn http_event() -> Value {
    json!({
        "version": "2.0",
        "routeKey": "POST /echo",
        "rawPath": "/echo",
        "rawQueryString": "",
        "headers": { "content-type": "application/json", "host": "api.example.com" },
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "latchkey00",
            "domainName": "api.example.com",
            "domainPrefix": "api",
            "http": { "method": "POST", "path": "/echo", "protocol": "HTTP/1.1", "sourceIp": "203.0.113.7", "userAgent": "test" },
            "requestId": REQUEST_ID,
            "routeKey": "POST /echo",
            "stage": "$default",
            "time": "21/Nov/2026:05:40:50 +0000",
            "timeEpoch": 1_795_239_650_123_i64,
        },
        "isBase64Encoded": false,
    })
}

/// [`http_event`] with a body.
pub(crate) fn post(body: &str) -> Value {
    let mut event = http_event();
    event["body"] = body.into();
    event
}

/// [`http_event`] with a body that API Gateway passes as binary.
pub(crate) fn post_bytes(body: &[u8]) -> Value {
    let mut event = http_event();
    event["body"] = STANDARD.encode(body).into();
    event["isBase64Encoded"] = true.into();
    event
}

/// Invokes a function, checks its answer against the rules for every answer, and returns it.
pub(crate) async fn invoke(
    function: &Function,
    event: Box<RawValue>,
    invocation: Invocation,
) -> Value {
    let answer = function
        .invoke(event, invocation)
        .await
        .expect("an operation answers with a problem, and never fails");
    let answer: Value = serde_json::from_str(answer.get()).expect("an answer is JSON");
    assert_is_well_formed(&answer);
    answer
}

/// The rules for every answer of every door.
fn assert_is_well_formed(answer: &Value) {
    assert!(answer.is_object(), "an answer is an object: {answer}");
    if let Some(status) = answer.get("statusCode") {
        assert_is_well_formed_http(
            answer,
            status.as_u64().expect("an HTTP answer has a status"),
        );
    } else if let Some(problem) = answer.get("error") {
        assert_is_problem(problem);
    } else if answer.get("success") == Some(&false.into()) {
        for name in ["error_code", "message", "recovery", "request_id"] {
            assert!(
                answer[name].is_string(),
                "a tool's failure has {name}: {answer}"
            );
        }
    }
}

fn assert_is_well_formed_http(answer: &Value, status: u64) {
    let header = |name: &str| answer["headers"][name].as_str();
    assert_eq!(header("cache-control"), Some("no-store"));
    assert_eq!(header("x-content-type-options"), Some("nosniff"));
    assert!(header("strict-transport-security").is_some());
    assert_eq!(answer["isBase64Encoded"], false);
    let body = answer["body"].as_str().unwrap_or_default();
    if status == 204 {
        assert_eq!((body, header("content-type")), ("", None));
        return;
    }
    if body == r#"{"message":"Forbidden"}"# {
        // API Gateway's words, to a request that bypasses the front door.
        assert_eq!(
            (status, header("content-type")),
            (403, Some("application/json"))
        );
        return;
    }
    let body: Value = serde_json::from_str(body).expect("a body is JSON");
    if status < 400 {
        assert_eq!(
            header("content-type"),
            Some("application/json; charset=utf-8")
        );
    } else {
        assert_eq!(
            header("content-type"),
            Some("application/problem+json; charset=utf-8")
        );
        assert_eq!(body["status"], status);
        assert_is_problem(&body);
    }
}

/// RFC 9457, and the members that Latchkey adds.
fn assert_is_problem(problem: &Value) {
    for name in ["type", "title", "detail", "code", "requestId"] {
        assert!(problem[name].is_string(), "a problem has {name}: {problem}");
    }
    assert!(
        problem["status"]
            .as_u64()
            .is_some_and(|status| (400..600).contains(&status))
    );
    for error in problem["errors"].as_array().into_iter().flatten() {
        for name in ["field", "code", "message"] {
            assert!(error[name].is_string(), "an error has {name}: {error}");
        }
    }
}

/// Sends `bytes` through every door: as a whole event, as an agent's arguments, and as the parts of
/// an HTTP request, separated by a byte 0xFF: cookies, headers (`name: value` lines), query (the
/// same), and the rest as the body.
///
/// For any bytes, the answer is well-formed and reports no fault of the server.
pub(crate) async fn hold_against_everything(bytes: &[u8]) {
    for function in [echo(), Function::agent_tool(Echo::<true>, deployment())] {
        // Other text than JSON never reaches a function: the runtime refuses it.
        if let Ok(event) = serde_json::from_slice::<Box<RawValue>>(bytes) {
            for invocation in [invocation(), tool_call("target___echo_fields")] {
                assert_is_not_our_fault(&invoke(&function, event.clone(), invocation).await);
            }
        }
        let event = raw(&request_of(bytes));
        assert_is_not_our_fault(&invoke(&function, event, invocation()).await);
    }
}

fn assert_is_not_our_fault(answer: &Value) {
    let code = answer["error"]["code"]
        .as_str()
        .or(answer["error_code"].as_str());
    assert_ne!(code, Some("INTERNAL"), "{answer}");
    let status = answer["statusCode"].as_u64().unwrap_or_default();
    assert!(status < 500, "{answer}");
}

fn request_of(bytes: &[u8]) -> Value {
    let mut parts = bytes.splitn(4, |byte| *byte == 0xff);
    let mut part = || parts.next().unwrap_or_default();
    let (cookies, headers, query, body) = (part(), part(), part(), part());
    let mut event = match std::str::from_utf8(body) {
        Ok(text) => post(text),
        Err(_) => post_bytes(body),
    };
    let cookies = String::from_utf8_lossy(cookies);
    event["cookies"] = cookies.split(';').map(str::trim).collect();
    for (name, value) in pairs(&String::from_utf8_lossy(headers)) {
        event["headers"][name] = value.into();
    }
    event["queryStringParameters"] = pairs(&String::from_utf8_lossy(query))
        .map(|(name, value)| (name.to_owned(), Value::from(value)))
        .collect();
    event
}

fn pairs(lines: &str) -> impl Iterator<Item = (&str, &str)> {
    lines
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim(), value.trim()))
}

/// A value as an event's text.
pub(crate) fn raw(event: &Value) -> Box<RawValue> {
    serde_json::value::to_raw_value(event).expect("a value is JSON")
}
