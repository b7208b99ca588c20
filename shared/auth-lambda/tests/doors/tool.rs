//! The agent's door: calls of an AgentCore Gateway.

use auth_lambda::Function;
use serde_json::{Value, json};

use crate::harness::{self, Echo, INVOCATION_ID, deployment, echo, raw, tool_call};

async fn call(tool: &str, arguments: Value) -> Value {
    harness::invoke(&echo(), raw(&arguments), tool_call(tool)).await
}

#[tokio::test]
async fn a_tool_takes_and_answers_in_snake_case() {
    for name in ["echo_fields", "latchkey___echo_fields"] {
        let answer = call(
            name,
            json!({ "email": "ada@example.com", "otp_code": "12345678" }),
        )
        .await;
        assert_eq!(
            answer,
            json!({ "success": true, "email_address": "ada@example.com" })
        );
    }
}

#[tokio::test]
async fn a_failure_is_an_ordinary_result() {
    let answer = call("latchkey___echo_fields", json!({ "email": "nonsense" })).await;
    assert_eq!(answer["success"], false);
    assert_eq!(answer["error_code"], "VALIDATION_FAILED");
    assert_eq!(answer["request_id"], INVOCATION_ID);
}

#[tokio::test]
async fn only_the_tools_own_arguments_reach_the_operation() {
    // `code` is the operation's name for `otp_code`. The door ignores it from an agent, so the bad
    // value has no effect.
    let answer = call(
        "echo_fields",
        json!({ "email": "ada@example.com", "code": "bad", "everywhere": "bad" }),
    )
    .await;
    assert_eq!(answer["success"], true);
    let answer = call(
        "echo_fields",
        json!({ "email": "ada@example.com", "otp_code": "bad" }),
    )
    .await;
    assert_eq!(answer["success"], false);
}

#[tokio::test]
async fn another_tools_name_is_not_found() {
    for name in ["echo", "latchkey___other", "echo_fields___other", ""] {
        let answer = call(name, json!({ "email": "ada@example.com" })).await;
        assert_eq!(answer["error_code"], "NOT_FOUND", "{name}");
    }
    let function = Function::operation(Echo::<false>, deployment());
    let event = raw(&json!({ "email": "ada@example.com" }));
    let answer = harness::invoke(&function, event, tool_call("echo_fields")).await;
    assert_eq!(answer["error_code"], "NOT_FOUND");
}

#[tokio::test]
async fn an_agent_cannot_bring_a_caller_or_an_http_event() {
    let function = Function::agent_tool(Echo::<true>, deployment());
    let claims = json!({ "sub": "5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3", "token_use": "access", "iat": 1_795_239_650 });
    let mut event = harness::post(r#"{"email":"ada@example.com"}"#);
    event["claims"] = claims.clone();
    event["email"] = "ada@example.com".into();
    event["requestContext"]["authorizer"] = json!({ "jwt": { "claims": claims } });
    let answer = harness::invoke(&function, raw(&event), tool_call("echo_fields")).await;
    assert_eq!(answer["error_code"], "AUTH_REQUIRED");
}
