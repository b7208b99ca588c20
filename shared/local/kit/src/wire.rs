//! The wire: from an HTTP request to an operation, and from its outcome to an HTTP answer with a
//! request id.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, Method, Response, StatusCode, header};
use serde_json::Value;

use crate::fault::{Fault, FaultKind};
use crate::signature::Scope;

/// The two JSON protocols of AWS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.1: one path for all operations. `X-Amz-Target` names the operation.
    Json11,
    /// REST and JSON: each operation has its path.
    RestJson,
}

impl Protocol {
    const fn content_type(self) -> HeaderValue {
        match self {
            Self::Json11 => HeaderValue::from_static("application/x-amz-json-1.1"),
            Self::RestJson => HeaderValue::from_static("application/json"),
        }
    }
}

/// A service that speaks over this wire.
pub trait Service: Send + Sync + 'static {
    /// The targets of a request.
    type Operation: Clone + Send + Sync;
    /// The service's refusals.
    type Refusal: From<Fault> + Send;
    /// The longest body that any request may have, in bytes.
    const LONGEST_BODY: usize;

    /// A fresh id for a request.
    fn request_id(&self) -> String;

    /// The operation that the request addresses, if it is served here.
    fn addressed(&self, request: &Parts) -> Option<Self::Operation>;

    /// The required scope of the signature; `None` if AWS leaves the operation unsigned.
    fn signed_for(&self, operation: &Self::Operation) -> Option<Scope<'_>>;

    /// Runs the operation on a JSON body.
    fn run(
        self: Arc<Self>,
        operation: Self::Operation,
        body: Value,
    ) -> impl Future<Output = Result<Answer, Self::Refusal>> + Send;

    /// Writes the refusal. Without an operation, the request addressed none.
    fn refused(operation: Option<&Self::Operation>, refusal: Self::Refusal) -> Answer;
}

/// An answer before it becomes HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The protocol, which decides the content type.
    pub protocol: Protocol,
    /// The body; `null` without one.
    pub body: Value,
    /// Headers besides content type and request id. A value that a header cannot carry is left out.
    pub headers: Vec<(&'static str, String)>,
}

impl Answer {
    /// An answer without further headers.
    #[must_use]
    pub fn new(status: u16, protocol: Protocol, body: Value) -> Self {
        Self {
            status,
            protocol,
            body,
            headers: Vec::new(),
        }
    }
}

/// Serves one request, as an axum handler.
pub async fn call<S: Service>(State(service): State<Arc<S>>, request: Request) -> Response<Body> {
    let request_id = service.request_id();
    let (parts, body) = request.into_parts();
    let operation = service.addressed(&parts);
    let outcome = match operation.clone() {
        Some(operation) => serve(service, operation, &parts, body).await,
        None => Err(Fault::unknown_operation().into()),
    };
    let answer = outcome.unwrap_or_else(|refusal| S::refused(operation.as_ref(), refusal));
    respond(&answer, &request_id)
}

async fn serve<S: Service>(
    service: Arc<S>,
    operation: S::Operation,
    parts: &Parts,
    body: Body,
) -> Result<Answer, S::Refusal> {
    if let Some(scope) = service.signed_for(&operation) {
        scope.check(&parts.headers)?;
    }
    let body = to_bytes(body, S::LONGEST_BODY)
        .await
        .map_err(|_| Fault::new(FaultKind::RequestTooLong, "Request is too long."))?;
    let body: Value = serde_json::from_slice(&body).map_err(|_| {
        Fault::new(
            FaultKind::Serialization,
            "The request body could not be read as JSON.",
        )
    })?;
    if !body.is_object() {
        return Err(Fault::new(
            FaultKind::Serialization,
            "The request body must be a JSON object.",
        )
        .into());
    }
    // A task of its own: if the caller hangs up, the operation still completes.
    tokio::spawn(async move { service.run(operation, body).await })
        .await
        .map_err(|cause| Fault::internal(&cause))?
}

/// The prefix and the operation of `X-Amz-Target`, if the request is a POST that has it.
#[must_use]
pub fn target(request: &Parts) -> Option<(&str, &str)> {
    let target = request.headers.get("x-amz-target")?.to_str().ok()?;
    target
        .split_once('.')
        .filter(|_| request.method == Method::POST)
}

/// Writes the answer.
#[must_use]
pub fn respond(answer: &Answer, request_id: &str) -> Response<Body> {
    let body = if answer.body.is_null() {
        Body::empty()
    } else {
        Body::from(answer.body.to_string())
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, answer.protocol.content_type());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let mut set = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value)
            && value.to_str().is_ok()
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    };
    set("x-amzn-requestid", request_id);
    for (name, value) in &answer.headers {
        set(name, value);
    }
    response
}
