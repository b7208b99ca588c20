//! Which service and operation a request means, and how each service writes its answers and errors.

use std::sync::Arc;

use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use local_kit::{Answer, Fault, FaultKind, Protocol, Scope};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::account::Account;
use crate::{kms, secrets_manager, ses};

/// The services behind the one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// `X-Amz-Target: secretsmanager.…`, AWS JSON 1.1.
    SecretsManager,
    /// `X-Amz-Target: TrentService.…`, AWS JSON 1.1.
    Kms,
    /// REST and JSON, by path.
    Ses,
}

impl Service {
    /// The service's name in a `SigV4` credential scope.
    fn signing_name(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::Kms => "kms",
            Self::Ses => "ses",
        }
    }

    fn protocol(self) -> Protocol {
        match self {
            Self::SecretsManager | Self::Kms => Protocol::Json11,
            Self::Ses => Protocol::RestJson,
        }
    }
}

/// An operation of one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    service: Service,
    name: String,
}

impl local_kit::Service for Account {
    type Operation = Operation;
    type Refusal = Refusal;
    /// 10 MB with some room: the largest mail that SES v2 takes by default is 10 MB, the other services take far less.
    const LONGEST_BODY: usize = 14 * 1024 * 1024;

    fn request_id(&self) -> String {
        self.new_uuid()
    }

    fn addressed(&self, request: &Parts) -> Option<Operation> {
        let (service, name) = addressed(request)?;
        Some(Operation {
            service,
            name: name.to_owned(),
        })
    }

    fn signed_for(&self, operation: &Operation) -> Option<Scope<'_>> {
        Some(Scope {
            service: operation.service.signing_name(),
            region: &self.region,
        })
    }

    async fn run(self: Arc<Self>, operation: Operation, body: Value) -> Result<Answer, Refusal> {
        let name = operation.name.as_str();
        let answer = match operation.service {
            Service::SecretsManager => secrets_manager::serve(&self, name, body),
            Service::Kms => kms::serve(&self, name, body),
            Service::Ses => ses::serve(&self, body),
        }?;
        Ok(Answer::new(200, operation.service.protocol(), answer))
    }

    fn refused(operation: Option<&Operation>, refusal: Refusal) -> Answer {
        let service = operation.map(|operation| operation.service);
        let body = match service {
            Some(Service::Ses) => json!({ "message": refusal.message }),
            Some(Service::SecretsManager) => {
                json!({ "__type": refusal.error, "Message": refusal.message })
            }
            Some(Service::Kms) | None => {
                json!({ "__type": refusal.error, "message": refusal.message })
            }
        };
        let protocol = service.map_or(Protocol::Json11, Service::protocol);
        let mut answer = Answer::new(refusal.status.as_u16(), protocol, body);
        if protocol == Protocol::RestJson {
            answer.headers = vec![("x-amzn-errortype", refusal.error.to_owned())];
        }
        answer
    }
}

fn addressed(request: &Parts) -> Option<(Service, &str)> {
    if request.method == Method::POST && request.uri.path() == "/v2/email/outbound-emails" {
        return Some((Service::Ses, "SendEmail"));
    }
    if request.headers.get(CONTENT_TYPE)? != "application/x-amz-json-1.1" {
        return None;
    }
    match local_kit::target(request)? {
        ("secretsmanager", operation) => Some((Service::SecretsManager, operation)),
        ("TrentService", operation) => Some((Service::Kms, operation)),
        _ => None,
    }
}

/// An error as AWS names it, with the message that a person reads.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    message: String,
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

    /// An operation that does not exist, or that is not served here.
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

/// Reads an operation's input; members that the operation does not have are refused.
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
