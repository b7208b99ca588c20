//! The checker: a conforming exchange passes, and each kind of violation is named.

#![allow(
    clippy::unwrap_used,
    reason = "helpers of tests may fail the test, as the tests themselves may"
)]

use std::sync::LazyLock;

use auth_api::Contract;
use contract_checker::{Checker, Exchange, Side};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Value, json};

static CHECKER: LazyLock<Checker<'static>> =
    LazyLock::new(|| Checker::new(Contract::embedded()).unwrap());

const SESSION_TOKEN: &str = "3q2-7wABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhs";

/// An exchange that owns its parts, so that a test can change one.
struct Spoken {
    method: &'static str,
    path: &'static str,
    request_headers: HeaderMap,
    request_body: Vec<u8>,
    status: u16,
    response_headers: HeaderMap,
    response_body: Vec<u8>,
}

impl Spoken {
    fn new(method: &'static str, path: &'static str, status: u16) -> Self {
        Self {
            method,
            path,
            request_headers: HeaderMap::new(),
            request_body: Vec::new(),
            status,
            response_headers: HeaderMap::new(),
            response_body: Vec::new(),
        }
    }

    fn sent(mut self, name: &'static str, value: &str) -> Self {
        self.request_headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    fn sent_json(mut self, body: &Value) -> Self {
        self.request_body = body.to_string().into_bytes();
        self.sent("content-type", "application/json")
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.response_headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_str(value).unwrap(),
        );
        self
    }

    fn without(mut self, name: &'static str) -> Self {
        self.response_headers.remove(name);
        self
    }

    fn with_standing_headers(self) -> Self {
        self.header("cache-control", "no-store")
            .header("x-content-type-options", "nosniff")
            .header(
                "strict-transport-security",
                "max-age=63072000; includeSubDomains",
            )
            .header("referrer-policy", "no-referrer")
    }

    fn answered(mut self, content_type: &str, body: &Value) -> Self {
        self.response_body = body.to_string().into_bytes();
        self.header("content-type", content_type)
    }

    fn problem(self, code: &str) -> Self {
        let kind = code.to_lowercase().replace('_', "-");
        let status = self.status;
        self.with_standing_headers().answered(
            "application/problem+json; charset=utf-8",
            &json!({
                "type": format!("https://latchkey.dev/problems/{kind}"),
                "title": "A title",
                "status": status,
                "detail": "A detail.",
                "code": code,
                "requestId": "r-1",
            }),
        )
    }

    fn check(&self) -> Vec<(Side, String)> {
        CHECKER
            .check(&Exchange {
                method: self.method,
                path: self.path,
                query: "",
                request_headers: &self.request_headers,
                request_body: &self.request_body,
                status: self.status,
                response_headers: &self.response_headers,
                response_body: &self.response_body,
            })
            .into_iter()
            .map(|violation| (violation.side, violation.to_string()))
            .collect()
    }
}

fn initiated() -> Spoken {
    Spoken::new("POST", "/auth/otp/initiate", 200)
        .sent_json(&json!({ "email": "ada@example.com", "unknown": [1] }))
        .with_standing_headers()
        .header(
            "ratelimit",
            "\"otp-starts-email\";r=4;t=900, \"otp-starts-ip\";r=29;t=900",
        )
        .header(
            "ratelimit-policy",
            "\"otp-starts-email\";q=5;w=900, \"otp-starts-ip\";q=30;w=900",
        )
        .answered("application/json; charset=utf-8", &code_sent())
}

fn code_sent() -> Value {
    json!({
        "sessionToken": SESSION_TOKEN,
        "expiresIn": 300,
        "resendAfter": 30,
        "delivery": { "medium": "EMAIL", "destination": "a***@e***" },
        "message": "One is on its way.",
    })
}

fn verify(status: u16) -> Spoken {
    Spoken::new("POST", "/auth/otp/verify", status).sent_json(&json!({
        "email": "ada@example.com", "code": "12345678", "sessionToken": SESSION_TOKEN,
    }))
}

/// One violation of that side, whose text contains `text`.
fn assert_one(spoken: &Spoken, side: Side, text: &str) {
    let found = spoken.check();
    assert!(
        matches!(&found[..], [(one, message)] if *one == side && message.contains(text)),
        "want {side:?} {text}, found {found:?}"
    );
}

#[test]
fn a_conforming_exchange_has_no_violations() {
    assert_eq!(initiated().check(), []);
}

#[test]
fn an_answer_with_a_field_more_or_less_is_a_violation_at_any_depth() {
    let with = |change: fn(&mut Value)| {
        let mut body = code_sent();
        change(&mut body);
        initiated()
            .without("content-type")
            .answered("application/json", &body)
    };
    assert_one(
        &with(|body| body["leak"] = 1.into()),
        Side::Response,
        "leak",
    );
    assert_one(
        &with(|body| body["delivery"]["leak"] = 1.into()),
        Side::Response,
        "body /delivery",
    );
    assert_one(
        &with(|body| drop(body.as_object_mut().unwrap().remove("message"))),
        Side::Response,
        "\"message\" is a required property",
    );
    assert_one(
        &with(|body| body["sessionToken"] = "short".into()),
        Side::Response,
        "body /sessionToken",
    );
}

#[test]
fn a_violation_never_repeats_a_value() {
    let mut body = code_sent();
    body["sessionToken"] = "top-secret".into();
    let found = initiated()
        .without("content-type")
        .answered("application/json", &body)
        .check();
    assert_eq!(found.len(), 1);
    assert!(!found[0].1.contains("top-secret"), "{}", found[0].1);
}

#[test]
fn a_missing_or_wrong_header_is_a_violation() {
    for name in [
        "cache-control",
        "x-content-type-options",
        "strict-transport-security",
        "referrer-policy",
        "ratelimit",
        "ratelimit-policy",
    ] {
        assert_one(
            &initiated().without(name),
            Side::Response,
            &format!("header {name}: is missing"),
        );
    }
    let stored = initiated()
        .without("cache-control")
        .header("cache-control", "private");
    assert_one(&stored, Side::Response, "header cache-control");
}

#[test]
fn a_status_content_type_or_code_that_is_not_in_the_contract_is_a_violation() {
    let mut moved = initiated();
    moved.status = 302;
    assert_one(&moved, Side::Response, "status: is not in the contract");
    assert_one(
        &initiated()
            .without("content-type")
            .header("content-type", "text/html"),
        Side::Response,
        "header content-type",
    );
    assert_one(
        &verify(410).problem("SESSION_EXPIRED"),
        Side::Response,
        "SESSION_EXPIRED is not one of OTP_EXPIRED",
    );
}

#[test]
fn a_problem_is_held_against_the_schema_of_its_code() {
    assert_eq!(verify(400).problem("INVALID_SESSION").check(), []);
    assert_one(
        &verify(401).problem("INVALID_OTP"),
        Side::Response,
        "\"attemptsRemaining\" is a required property",
    );

    let mut mislabelled = verify(410).problem("OTP_EXPIRED");
    let text = String::from_utf8(mislabelled.response_body).unwrap();
    mislabelled.response_body = text
        .replace("problems/otp-expired", "problems/other")
        .into_bytes();
    assert_one(&mislabelled, Side::Response, "body /type");
}

#[test]
fn an_operation_owes_headers_that_the_gateway_does_not() {
    let gateway = verify(503).answered(
        "application/json",
        &json!({ "message": "Service Unavailable" }),
    );
    assert_eq!(gateway.check(), []);

    let operation = verify(503).problem("SERVICE_UNAVAILABLE");
    assert_one(&operation, Side::Response, "header retry-after: is missing");
    assert_eq!(operation.header("retry-after", "3").check(), []);
    let vague = verify(503)
        .problem("SERVICE_UNAVAILABLE")
        .header("retry-after", "soon");
    assert_one(&vague, Side::Response, "header retry-after");
}

#[test]
fn a_reached_limit_shows_its_budget_and_spent_attempts_need_not() {
    assert_eq!(
        verify(429)
            .problem("MAX_ATTEMPTS_EXCEEDED")
            .header("retry-after", "0")
            .check(),
        []
    );
    let limited = verify(429)
        .problem("RATE_LIMITED")
        .header("retry-after", "9")
        .check();
    assert_eq!(limited.len(), 2, "{limited:?}");
    assert!(
        limited
            .iter()
            .all(|(side, text)| *side == Side::Response && text.contains("header ratelimit"))
    );
}

#[test]
fn every_cookie_is_looked_at() {
    let signed_out = |cookie: &str| {
        Spoken::new("POST", "/auth/logout", 204)
            .sent("authorization", "Bearer a.b.c")
            .with_standing_headers()
            .header("set-cookie", "__Host-latchkey-device-0123abcd=v; Max-Age=9; Path=/; Secure; HttpOnly; SameSite=Strict")
            .header("set-cookie", cookie)
    };
    let good = "__Host-latchkey-refresh=; Max-Age=0; Path=/; Secure; HttpOnly; SameSite=Strict";
    assert_eq!(signed_out(good).check(), []);
    for bad in [
        good.replace("; Secure", ""),
        good.replace("; HttpOnly", ""),
        good.replace("Strict", "None"),
        good.replace("Path=/", "Path=/auth"),
        format!("{good}; Domain=example.com"),
        good.replace("__Host-", ""),
    ] {
        assert_one(&signed_out(&bad), Side::Response, "header set-cookie");
    }
}

#[test]
fn an_answer_without_content_has_no_body() {
    let mut signed_out = Spoken::new("POST", "/auth/logout", 204)
        .sent("authorization", "Bearer a.b.c")
        .with_standing_headers();
    assert_eq!(signed_out.check(), []);
    signed_out.response_body = b"{}".to_vec();
    assert_one(&signed_out, Side::Response, "body: must be empty");
}

#[test]
fn a_bad_request_is_the_clients_fault() {
    let refused = || {
        let spoken = Spoken::new("POST", "/auth/otp/initiate", 400).problem("VALIDATION_FAILED");
        let text = String::from_utf8(spoken.response_body.clone()).unwrap();
        let errors =
            r#","errors":[{"field":"email","code":"required","message":"must be given"}]}"#;
        let response_body = text.replace('}', errors).into_bytes();
        Spoken {
            response_body,
            ..spoken
        }
    };
    let raw = |body: &[u8]| {
        let mut spoken = refused().sent("content-type", "application/json");
        spoken.request_body = body.to_vec();
        spoken
    };
    let deep = format!(
        r#"{{"email":"ada@example.com","deep":{}{}}}"#,
        "[".repeat(16),
        "]".repeat(16)
    );
    for body in [
        b"not json".as_slice(),
        b"[]",
        b"\xff\xfe",
        br#"{"email":1}"#,
        br#"{"email":"ada@example"}"#,
        br"{}",
        br#"{"email":"ada@example.com","email":"eve@example.com"}"#,
        deep.as_bytes(),
        "[".repeat(10_000).as_bytes(),
    ] {
        assert_one(&raw(body), Side::Request, "body");
    }
    assert_one(&refused(), Side::Request, "body: is missing");

    let mut plain = refused().sent("content-type", "text/plain");
    plain.request_body = br#"{"email":"ada@example.com"}"#.to_vec();
    assert_one(&plain, Side::Request, "header content-type");
}

#[test]
fn good_input_that_is_called_bad_stands_out() {
    let mut spoken = verify(400).problem("VALIDATION_FAILED");
    let text = String::from_utf8(spoken.response_body).unwrap();
    let errors = r#","errors":[{"field":"email","code":"invalid","message":"must be better"}]}"#;
    spoken.response_body = text.replace('}', errors).into_bytes();
    assert_one(&spoken, Side::Exchange, "was answered VALIDATION_FAILED");
}

#[test]
fn a_protected_operation_without_a_token_may_only_refuse() {
    let refused = Spoken::new("GET", "/me", 401)
        .answered("application/json", &json!({ "message": "Unauthorized" }));
    assert_one(&refused, Side::Request, "header authorization: is missing");

    let profile = &Contract::embedded().as_json()["components"]["responses"]["Profile"]["content"]
        ["application/json"]["examples"]["named"]["value"];
    let served = Spoken::new("GET", "/me", 200)
        .with_standing_headers()
        .answered("application/json", profile);
    let sides: Vec<Side> = served.check().into_iter().map(|(side, _)| side).collect();
    assert_eq!(sides, [Side::Request, Side::Exchange]);
    assert_eq!(served.sent("authorization", "Bearer a.b.c").check(), []);
}

#[test]
fn the_refresh_cookie_is_held_against_its_limits() {
    let refreshed = |cookie: &str| {
        Spoken::new("POST", "/auth/refresh", 401)
            .sent("cookie", cookie)
            .problem("AUTH_REQUIRED")
    };
    assert_eq!(
        refreshed("theme=dark; __Host-latchkey-refresh=abc").check(),
        []
    );
    let long = format!("__Host-latchkey-refresh={}", "a".repeat(4097));
    assert_one(
        &refreshed(&long),
        Side::Request,
        "parameter __Host-latchkey-refresh",
    );
}

#[test]
fn where_there_is_no_route_only_the_gateway_answers() {
    let gateway = Spoken::new("GET", "/nowhere", 404)
        .answered("application/json", &json!({ "message": "Not Found" }));
    assert_eq!(gateway.check(), []);
    let operation = Spoken::new("GET", "/nowhere", 404).problem("NOT_FOUND");
    assert_one(
        &operation,
        Side::Response,
        "no operation, response (404), body",
    );
    assert_one(&Spoken::new("DELETE", "/me", 200), Side::Response, "status");
    assert_eq!(Spoken::new("OPTIONS", "/me", 204).check(), []);
}

#[test]
fn paths_with_parameters_can_be_checked() {
    let mut document = Contract::embedded().as_json().clone();
    let mut operation = document["paths"]["/me"]["get"].clone();
    operation["operationId"] = "getNote".into();
    operation["security"] = json!([]);
    operation["parameters"] = json!([
        { "name": "noteId", "in": "path", "required": true, "schema": { "type": "string", "maxLength": 4 } },
        { "name": "wait", "in": "query", "required": true, "schema": { "type": "integer" } },
    ]);
    document["paths"]["/notes/{noteId}"] = json!({ "get": operation });
    let contract = Contract::read(&document.to_string()).unwrap();
    let checker = Checker::new(&contract).unwrap();
    let spoken = Spoken::new("GET", "/notes/%61bcd", 404).problem("NOT_FOUND");
    let check = |path, query| {
        let exchange = Exchange {
            method: "GET",
            path,
            query,
            request_headers: &spoken.request_headers,
            request_body: &[],
            status: 404,
            response_headers: &spoken.response_headers,
            response_body: &spoken.response_body,
        };
        let found = checker.check(&exchange);
        found
            .iter()
            .map(|violation| violation.place.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(check("/notes/%61bcd", "wait=5"), [""; 0]);
    assert_eq!(check("/notes/abcde", "a=b&w%61it=5"), ["parameter noteId"]);
    assert_eq!(check("/notes/abcd", ""), ["parameter wait"]);
    assert_eq!(check("/notes/abcd", "wait=long"), ["parameter wait"]);
}
