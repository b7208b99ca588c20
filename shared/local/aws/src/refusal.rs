//! Refusals as AWS words them, and the checks that end in them.

use axum::http::StatusCode;
use local_kit::{Fault, FaultKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// An error as AWS names it, with the message that a person reads.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub(crate) status: StatusCode,
    pub(crate) error: &'static str,
    pub(crate) message: String,
}

impl Refusal {
    /// A client error: HTTP 400, as the JSON protocols answer nearly every one.
    pub(crate) fn new(error: &'static str, message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            error,
            message: message.into(),
        }
    }

    /// An operation that does not exist, or that the stand-in does not serve.
    pub(crate) fn unknown_operation() -> Self {
        Fault::unknown_operation().into()
    }

    /// The service's own fault: HTTP 500.
    pub(crate) fn internal(error: &'static str, source: &dyn std::fmt::Display) -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            error,
            message: source.to_string(),
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let status = match fault.kind {
            FaultKind::RequestTooLong => StatusCode::PAYLOAD_TOO_LARGE,
            FaultKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            FaultKind::UnknownOperation
            | FaultKind::MissingAuthenticationToken
            | FaultKind::IncompleteSignature
            | FaultKind::InvalidSignature
            | FaultKind::Serialization => StatusCode::BAD_REQUEST,
        };
        Self {
            status,
            error: fault.kind.name(),
            message: fault.message.into_owned(),
        }
    }
}

/// Reads an operation's input. Members that the operation does not have are refused.
pub(crate) fn input<Input: DeserializeOwned>(body: Value) -> Result<Input, Refusal> {
    serde_json::from_value(body)
        .map_err(|error| Refusal::new("ValidationException", error.to_string()))
}

/// Writes an operation's output.
pub(crate) fn output(output: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(output).map_err(|error| Refusal::internal("InternalFailure", &error))
}

/// Checks a length that AWS's model bounds, in characters.
pub(crate) fn check_length(
    member: &str,
    value: &str,
    lengths: std::ops::RangeInclusive<usize>,
) -> Result<(), Refusal> {
    if lengths.contains(&value.chars().count()) {
        return Ok(());
    }
    Err(Refusal::new(
        "ValidationException",
        format!(
            "1 validation error detected: Value at '{member}' failed to satisfy constraint: Member must have length \
             between {} and {}, inclusive",
            lengths.start(),
            lengths.end()
        ),
    ))
}
