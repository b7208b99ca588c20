//! Which service and operation a request means, and how each service writes its answers and errors.

use std::sync::Arc;

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use local_kit::{Answer, Protocol, Scope};
use serde_json::{Value, json};

use crate::account::Account;
use crate::refusal::Refusal;
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
    /// 10 MB with some room: the largest mail that SES v2 accepts by default is 10 MB, and the
    /// other services accept far less.
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
