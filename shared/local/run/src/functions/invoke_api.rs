//! Lambda's Invoke API, as far as the AWS CLI, the SDKs and Cognito's triggers use it.

use std::sync::Arc;
use std::time::Instant;

use auth_api::Contract;
use auth_lambda::{ClientContext, FunctionError};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{DefaultBodyLimit, Path, Query, State};
use axum::http::{HeaderMap, Response, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::logs::Logs;
use super::{Functions, Invoked, LIVE_VERSION};
use crate::control::requests::{Answered, Door, Message, Requests, problem_code};
use crate::world::clock::WorldClock;
use crate::world::random;

/// A synchronous invocation takes this much.
const LARGEST_PAYLOAD: usize = 6 * 1024 * 1024;
/// The client context's longest Base64 text.
const LONGEST_CLIENT_CONTEXT: usize = 3_583;
/// `X-Amz-Log-Result` holds the end of the log.
const LOG_TAIL: usize = 4 * 1024;
/// The alias that a deployment sends traffic to.
const LIVE_ALIAS: &str = "live";

/// The Invoke API's state.
#[derive(Clone)]
pub(crate) struct InvokeApi {
    pub(crate) functions: Arc<Functions>,
    pub(crate) logs: Arc<Logs>,
    pub(crate) requests: Arc<Requests>,
    pub(crate) clock: WorldClock,
}

#[derive(Deserialize)]
struct Parameters {
    #[serde(rename = "Qualifier")]
    qualifier: Option<String>,
}

/// An error in Lambda's REST and JSON protocol.
struct Refusal(StatusCode, &'static str, String);

impl InvokeApi {
    pub(crate) fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        Router::new()
            .route("/2015-03-31/functions/{function}/invocations", post(invoke))
            .layer(DefaultBodyLimit::max(LARGEST_PAYLOAD + 1))
            .with_state(self)
    }
}

async fn invoke(
    State(api): State<InvokeApi>,
    Path(function): Path<String>,
    Query(parameters): Query<Parameters>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    match api
        .invoke(&function, parameters.qualifier.as_deref(), &headers, &body)
        .await
    {
        Ok(response) => response,
        Err(Refusal(status, error, message)) => response(
            status,
            &[
                ("x-amzn-errortype", error),
                ("x-amzn-requestid", &random::uuid()),
            ],
            json!({ "Type": "User", "Message": message }).to_string(),
        ),
    }
}

impl InvokeApi {
    async fn invoke(
        &self,
        function: &str,
        qualifier: Option<&str>,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Response<Body>, Refusal> {
        let (name, version) = self.find(function, qualifier)?;
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        if body.len() > LARGEST_PAYLOAD {
            return Err(Refusal(
                StatusCode::PAYLOAD_TOO_LARGE,
                "RequestTooLargeException",
                format!(
                    "Request must be smaller than {LARGEST_PAYLOAD} bytes for the InvokeFunction operation"
                ),
            ));
        }
        let event = event(body)?;
        match header("x-amz-invocation-type").unwrap_or("RequestResponse") {
            "DryRun" => Ok(response(
                StatusCode::NO_CONTENT,
                &[("x-amzn-requestid", &random::uuid())],
                String::new(),
            )),
            "Event" => {
                let functions = self.functions.clone();
                tokio::spawn(
                    async move { functions.invoke(name, event, ClientContext::NoTool).await },
                );
                Ok(response(
                    StatusCode::ACCEPTED,
                    &[("x-amzn-requestid", &random::uuid())],
                    String::new(),
                ))
            }
            "RequestResponse" => {
                let context = client_context(header("x-amz-client-context"))?;
                let (started, at) = (Instant::now(), self.clock.now());
                let invoked = self
                    .functions
                    .invoke(name, event, context)
                    .await
                    .ok_or_else(|| not_found(function))?;
                self.requests.add(
                    Answered {
                        at,
                        door: Door::Direct,
                        asked: name.to_owned(),
                        operation_id: operation_id(name),
                        invocation_id: invoked.request_id.clone(),
                        status: None,
                        code: problem_code(invoked.text().as_bytes()),
                        took: started.elapsed(),
                        aws_calls: invoked.aws_calls,
                    },
                    Message::new([], body),
                    Message::json(invoked.text()),
                );
                let tail = (header("x-amz-log-type") == Some("Tail"))
                    .then(|| self.log_tail(&invoked.request_id));
                Ok(answer(&invoked, version, tail.as_deref()))
            }
            other => Err(Refusal(
                StatusCode::BAD_REQUEST,
                "InvalidParameterValueException",
                format!(
                    "Value '{other}' at 'invocationType' must be one of Event, RequestResponse, DryRun"
                ),
            )),
        }
    }

    /// The function that a name, a partial ARN or an ARN means, and the version that will run.
    fn find(
        &self,
        text: &str,
        qualifier: Option<&str>,
    ) -> Result<(&'static str, &'static str), Refusal> {
        let named = text
            .rsplit_once("function:")
            .map_or(text, |(_, named)| named);
        let (full_name, own_qualifier) = match named.split_once(':') {
            Some((name, qualifier)) => (name, Some(qualifier)),
            None => (named, None),
        };
        let version = match own_qualifier.or(qualifier) {
            None | Some("$LATEST") => "$LATEST",
            Some(LIVE_ALIAS | LIVE_VERSION) => LIVE_VERSION,
            Some(_) => return Err(not_found(text)),
        };
        self.functions
            .names()
            .find(|name| is_called(full_name, name))
            .map(|name| (name, version))
            .ok_or_else(|| not_found(text))
    }

    /// The end of this invocation's log.
    fn log_tail(&self, request_id: &str) -> String {
        let lines: Vec<String> = self
            .logs
            .lines
            .since(0)
            .into_iter()
            .map(|(_, line)| format!("{line}\n"))
            .filter(|line| line.contains(request_id))
            .collect();
        let log = lines.concat().into_bytes();
        STANDARD.encode(&log[log.len().saturating_sub(LOG_TAIL)..])
    }
}

/// Triggers and scheduled functions are no operations.
fn operation_id(name: &str) -> Option<String> {
    let mut operations = Contract::embedded().operations().iter();
    let operation = operations.find(|operation| operation.name == name)?;
    Some(operation.operation_id.clone())
}

/// Whether a name is `initiate-otp`, or its deployed form such as `latchkey-dev-initiate-otp`.
fn is_called(full_name: &str, name: &str) -> bool {
    full_name == name
        || full_name
            .strip_prefix("latchkey-")
            .and_then(|rest| rest.strip_suffix(name)?.strip_suffix('-'))
            .is_some_and(|environment| !environment.is_empty() && !environment.contains('-'))
}

/// The payload, which must be JSON. An empty payload is an empty object, as in Lambda.
fn event(body: &[u8]) -> Result<Box<RawValue>, Refusal> {
    let body = if body.is_empty() { b"{}" } else { body };
    serde_json::from_slice(body).map_err(|error| {
        Refusal(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            format!("Could not parse request body into json: {error}"),
        )
    })
}

/// The client context, if there is one: an object with any content.
fn client_context(header: Option<&str>) -> Result<ClientContext, Refusal> {
    let Some(encoded) = header else {
        return Ok(ClientContext::NoTool);
    };
    let invalid = |message: &str| {
        Refusal(
            StatusCode::BAD_REQUEST,
            "InvalidRequestContentException",
            message.to_owned(),
        )
    };
    if encoded.len() > LONGEST_CLIENT_CONTEXT {
        return Err(invalid(
            "Client context must be no more than 3583 bytes when base64-encoded",
        ));
    }
    let is_object = |text: &Vec<u8>| {
        serde_json::from_slice::<&RawValue>(text).is_ok_and(|json| json.get().starts_with('{'))
    };
    STANDARD
        .decode(encoded)
        .ok()
        .filter(is_object)
        .map(|text| ClientContext::parse(&text))
        .ok_or_else(|| invalid("Client context must be a valid Base64-encoded JSON object."))
}

/// The answer. A function's error has HTTP status 200 and a header: a caller who ignores the header
/// takes the error for an answer.
fn answer(invoked: &Invoked, version: &'static str, log_tail: Option<&str>) -> Response<Body> {
    let mut headers = vec![
        ("x-amzn-requestid", invoked.request_id.as_str()),
        ("x-amz-executed-version", version),
    ];
    headers.extend(log_tail.map(|tail| ("x-amz-log-result", tail)));
    let body = match &invoked.outcome {
        Ok(output) => output.get().to_owned(),
        Err(FunctionError {
            error_type,
            message,
        }) => {
            headers.push(("x-amz-function-error", "Unhandled"));
            json!({ "errorType": error_type, "errorMessage": message }).to_string()
        }
    };
    response(StatusCode::OK, &headers, body)
}

fn not_found(function: &str) -> Refusal {
    Refusal(
        StatusCode::NOT_FOUND,
        "ResourceNotFoundException",
        format!("Function not found: {function}"),
    )
}

fn response(status: StatusCode, headers: &[(&str, &str)], body: String) -> Response<Body> {
    let mut response = Response::builder()
        .status(status)
        .header("content-type", "application/json");
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    #[expect(
        clippy::expect_used,
        reason = "every header is a constant, a UUID or Base64"
    )]
    response
        .body(Body::from(body))
        .expect("a response of plain headers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_known_by_its_short_name_and_as_deployed() {
        for name in [
            "initiate-otp",
            "latchkey-dev-initiate-otp",
            "latchkey-local-initiate-otp",
        ] {
            assert!(is_called(name, "initiate-otp"), "{name}");
        }
        for name in [
            "latchkey-initiate-otp",
            "latchkey--initiate-otp",
            "x-initiate-otp",
            "latchkey-a-b-initiate-otp",
            "otp",
        ] {
            assert!(!is_called(name, "initiate-otp"), "{name}");
        }
    }
}
