//! The doors of an operation, from outside: events in, answers out.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a failure here is a failed test"
)]

mod answers;
mod direct;
mod harness;
mod http;
mod logs;
mod seeds;
mod senders;
mod tool;
mod trigger;

use serde_json::Value;

/// The answer of the echo to an HTTP event.
async fn answer_to(event: Value) -> Value {
    let event = harness::raw(&event);
    harness::invoke(&harness::echo(), event, harness::invocation()).await
}

/// An HTTP answer's status, and its body.
fn opened(answer: &Value) -> (u64, Value) {
    let body = answer["body"].as_str().unwrap_or("null");
    (
        answer["statusCode"].as_u64().unwrap(),
        serde_json::from_str(body).unwrap(),
    )
}

/// A problem's code and its broken fields, as `field:code`.
fn refusal(problem: &Value) -> (String, Vec<String>) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let errors = problem["errors"].as_array().into_iter().flatten();
    let errors = errors.map(|error| format!("{}:{}", text(&error["field"]), text(&error["code"])));
    (text(&problem["code"]), errors.collect())
}
