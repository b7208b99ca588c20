//! The wire protocols: which operation a request means, whether it was signed for this service, and how answers
//! and errors are written.

use axum::body::Body;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// 10 MB with some room: the largest mail that SES v2 takes by default is 10 MB, the other services take far less.
pub(crate) const LARGEST_REQUEST: usize = 14 * 1024 * 1024;

/// The services behind the one port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    /// `X-Amz-Target: secretsmanager.…`, AWS JSON 1.1.
    SecretsManager,
    /// `X-Amz-Target: TrentService.…`, AWS JSON 1.1.
    Kms,
    /// REST and JSON, by path.
    Ses,
    /// Nothing that lives here.
    Unknown,
}

impl Service {
    /// The service's name in a `SigV4` credential scope.
    fn signing_name(self) -> &'static str {
        match self {
            Self::SecretsManager => "secretsmanager",
            Self::Kms => "kms",
            Self::Ses => "ses",
            Self::Unknown => "",
        }
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
        Self::new(
            "UnknownOperationException",
            "this operation is not served here",
        )
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

/// The service and operation that a request addresses.
pub(crate) fn addressed_operation<'request>(
    method: &Method,
    uri: &Uri,
    headers: &'request HeaderMap,
) -> Option<(Service, &'request str)> {
    if method != Method::POST {
        return None;
    }
    if uri.path() == "/v2/email/outbound-emails" {
        return Some((Service::Ses, "SendEmail"));
    }
    let json = headers.get(CONTENT_TYPE)?.to_str().ok()? == "application/x-amz-json-1.1";
    let (prefix, operation) = headers
        .get("x-amz-target")?
        .to_str()
        .ok()?
        .split_once('.')?;
    match prefix {
        "secretsmanager" if json => Some((Service::SecretsManager, operation)),
        "TrentService" if json => Some((Service::Kms, operation)),
        _ => None,
    }
}

/// Refuses what no SDK client meant for this service would send: no `SigV4` header, or one whose scope names another
/// Region or service.
pub(crate) fn check_credential_scope(
    headers: &HeaderMap,
    service: Service,
    region: &str,
) -> Result<(), Refusal> {
    let missing = || {
        Refusal::new(
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        )
    };
    let incomplete = || {
        Refusal::new(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters.",
        )
    };
    let authorization = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .ok_or_else(missing)?;
    let parameters = authorization
        .strip_prefix("AWS4-HMAC-SHA256 ")
        .ok_or_else(missing)?;
    let parameter = |name: &str| {
        parameters
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .ok_or_else(incomplete)
    };
    parameter("SignedHeaders")?;
    parameter("Signature")?;
    let scope: Vec<&str> = parameter("Credential")?.rsplitn(5, '/').collect();
    match scope[..] {
        [
            "aws4_request",
            scoped_service,
            scoped_region,
            _date,
            _access_key,
        ] if scoped_service == service.signing_name() && scoped_region == region => Ok(()),
        ["aws4_request", ..] => Err(Refusal::new(
            "InvalidSignatureException",
            format!(
                "Credential should be scoped to a valid region and to service '{}'.",
                service.signing_name()
            ),
        )),
        _ => Err(incomplete()),
    }
}

/// Reads an operation's input; members that the operation does not have are refused.
pub(crate) fn input<Input: DeserializeOwned>(body: &[u8]) -> Result<Input, Refusal> {
    serde_json::from_slice(body).map_err(|error| {
        if error.is_data() {
            Refusal::new("ValidationException", error.to_string())
        } else {
            Refusal::new("SerializationException", "the request is not JSON")
        }
    })
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

/// A success, as the service writes it.
pub(crate) fn answered(service: Service, request_id: &str, answer: &Value) -> Response<Body> {
    respond(service, request_id, StatusCode::OK, None, answer)
}

/// An error, as the service writes it.
pub(crate) fn refused(service: Service, request_id: &str, refusal: &Refusal) -> Response<Body> {
    let body = match service {
        Service::Ses => json!({ "message": refusal.message }),
        Service::SecretsManager => json!({ "__type": refusal.error, "Message": refusal.message }),
        Service::Kms | Service::Unknown => {
            json!({ "__type": refusal.error, "message": refusal.message })
        }
    };
    respond(
        service,
        request_id,
        refusal.status,
        Some(refusal.error),
        &body,
    )
}

fn respond(
    service: Service,
    request_id: &str,
    status: StatusCode,
    error: Option<&'static str>,
    body: &Value,
) -> Response<Body> {
    let content_type = match service {
        Service::Ses => "application/json",
        Service::SecretsManager | Service::Kms | Service::Unknown => "application/x-amz-json-1.1",
    };
    let mut response = Response::builder()
        .status(status)
        .header(CONTENT_TYPE, content_type)
        .header("x-amzn-requestid", request_id);
    if let (Some(error), Service::Ses) = (error, service) {
        response = response.header("x-amzn-errortype", error);
    }
    #[expect(clippy::expect_used, reason = "every header is a constant or a UUID")]
    response
        .body(Body::from(body.to_string()))
        .expect("a response of constant headers")
}
