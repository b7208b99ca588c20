//! Triggers: Cognito's event in, the same event out, or a refusal.

use auth_lambda::{Function, Trigger};
use serde_json::{Map, Value, json, value::RawValue};

use crate::harness::{invocation, raw};

/// Answers for everyone but Eve.
struct Greeter;

impl Trigger for Greeter {
    const NAME: &'static str = "greeter";

    async fn respond(
        &self,
        mut event: Map<String, Value>,
    ) -> Result<Map<String, Value>, &'static str> {
        if event["userName"] == "eve" {
            return Err("not for you");
        }
        event.insert("response".to_owned(), "hello".into());
        Ok(event)
    }
}

#[tokio::test]
async fn the_event_comes_back_with_its_response() {
    let event = raw(&json!({ "userName": "ada", "request": {} }));
    let answer = Function::trigger(Greeter)
        .invoke(event, invocation())
        .await
        .unwrap();
    let answer: Value = serde_json::from_str(answer.get()).unwrap();
    assert_eq!(
        answer,
        json!({ "userName": "ada", "request": {}, "response": "hello" })
    );
}

#[tokio::test]
async fn a_refusal_is_an_error_of_the_function() {
    let event = raw(&json!({ "userName": "eve" }));
    let refused = Function::trigger(Greeter)
        .invoke(event, invocation())
        .await
        .unwrap_err();
    assert_eq!(
        (refused.error_type.as_str(), refused.message.as_str()),
        ("TriggerRefused", "not for you")
    );
}

#[tokio::test]
async fn what_is_no_event_is_refused() {
    for event in ["[]", "7", r#"{"userName":"ada","userName":"eve"}"#] {
        let event = RawValue::from_string(event.to_owned()).unwrap();
        assert!(
            Function::trigger(Greeter)
                .invoke(event, invocation())
                .await
                .is_err()
        );
    }
}
