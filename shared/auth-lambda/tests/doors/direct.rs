//! The direct door: the console's Test tab, and the Invoke API.

use auth_lambda::Function;
use serde_json::{Value, json, value::RawValue};

use crate::{
    harness::{self, Echo, INVOCATION_ID, deployment, echo, invocation, raw},
    refusal,
};

async fn answer_to(event: Value) -> Value {
    harness::invoke(&echo(), raw(&event), invocation()).await
}

#[tokio::test]
async fn the_event_is_the_input_and_the_answer_the_output() {
    let answer = answer_to(json!({ "email": "ada@example.com", "name": "Ada" })).await;
    assert_eq!(answer["email"], "ada@example.com");
    assert_eq!(answer["name"], json!({ "set": "Ada" }));
    assert_eq!(answer["ipAddress"], Value::Null);
}

#[tokio::test]
async fn a_problem_is_the_same_as_over_http() {
    let answer = answer_to(json!({ "email": 7 })).await;
    let problem = &answer["error"];
    assert_eq!(
        refusal(problem),
        (
            "VALIDATION_FAILED".to_owned(),
            vec!["email:type".to_owned()]
        )
    );
    assert_eq!(problem["status"], 400);
    assert_eq!(problem["requestId"], INVOCATION_ID);
    assert_eq!(answer.as_object().map(serde_json::Map::len), Some(1));
}

#[tokio::test]
async fn the_input_is_read_as_strictly_as_a_body() {
    let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
    for (event, error) in [
        ("[]", "body:type"),
        ("null", "body:type"),
        ("\"text\"", "body:type"),
        (&deep, "body:too_deep"),
        (
            r#"{"email":"a@example.com","email":"b@example.com"}"#,
            "body:duplicate",
        ),
    ] {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        let answer = harness::invoke(&echo(), event, invocation()).await;
        assert_eq!(refusal(&answer["error"]).1, [error]);
    }
}

#[tokio::test]
async fn what_only_resembles_an_http_event_is_an_input() {
    for event in [
        json!({ "version": "2.0", "email": "ada@example.com" }),
        json!({ "requestContext": { "http": {} }, "email": "ada@example.com" }),
        json!({ "version": "1.0", "requestContext": { "stage": "prod" }, "email": "ada@example.com" }),
    ] {
        let answer = answer_to(event).await;
        assert_eq!(answer["email"], "ada@example.com");
    }
}

#[tokio::test]
async fn whoever_may_invoke_may_name_the_caller_by_claims_of_an_access_token() {
    let function = Function::operation(Echo::<true>, deployment());
    let mut event = json!({
        "email": "ada@example.com",
        "claims": { "sub": "5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3", "token_use": "access", "iat": 1_795_239_650 },
    });
    let answer = harness::invoke(&function, raw(&event), invocation()).await;
    assert_eq!(answer["caller"], "5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3");
    // Claims of a token say which app client it was issued to, and then that counts.
    event["claims"]["client_id"] = harness::CLIENT.into();
    let answer = harness::invoke(&function, raw(&event), invocation()).await;
    assert_eq!(answer["caller"], "5f1c2a9e-7b1d-4c52-9a51-0d4be2f6a7c3");
    for (claim, value) in [("client_id", "an0therclient"), ("token_use", "id")] {
        let mut event = event.clone();
        event["claims"][claim] = value.into();
        let answer = harness::invoke(&function, raw(&event), invocation()).await;
        assert_eq!(refusal(&answer["error"]).0, "AUTH_REQUIRED", "{claim}");
    }
}
