//! The direct door: the operation's own input in, its output out, a problem under `error`.

use auth_domain::Problem;
use serde::Serialize;
use serde_json::{Value, json, value::RawValue};

use crate::{
    Exchange, Invocation, ProblemDetails,
    door::{Door, Opened},
    exchange::{Sender, caller_from_claims},
    parse_object,
};

/// Reads the event. The invoker, whom IAM admits, may name the caller by the token's claims, and
/// the operator's principal.
pub(crate) fn open(event: &RawValue, invocation: &Invocation) -> Opened {
    let exchange =
        |caller, sender| Exchange::new(invocation.request_id.clone(), Door::Direct, caller, sender);
    let mut fields = match parse_object(event.get()) {
        Ok(fields) => fields,
        Err(problem) => return (exchange(None, Sender::default()), Err(problem)),
    };
    let claims = fields.take("claims");
    let claims = claims.as_ref().and_then(Value::as_object);
    let principal = fields.take("principal");
    let principal = principal.as_ref().and_then(Value::as_str);
    let conversation = fields.text("conversationId");
    let conversation = conversation.or_else(|| fields.text("sessionId"));
    let sender = Sender {
        conversation: conversation
            .filter(|name| !name.is_empty())
            .map(str::to_owned),
        principal: principal.and_then(|principal| principal.parse().ok()),
        ..Sender::default()
    };
    (
        exchange(claims.and_then(caller_from_claims), sender),
        Ok(fields),
    )
}

/// An output, or an empty object where HTTP sends no body.
pub(crate) fn success<Output: Serialize>(status: u16, output: &Output) -> impl Serialize {
    #[derive(Serialize)]
    #[serde(untagged)]
    enum Success<'a, Output> {
        Nothing {},
        Something(&'a Output),
    }
    match status {
        204 => Success::Nothing {},
        _ => Success::Something(output),
    }
}

/// A problem.
pub(crate) fn failure(problem: &Problem, request_id: &str) -> Value {
    json!({ "error": ProblemDetails::new(problem, request_id) })
}
