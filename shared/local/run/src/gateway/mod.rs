//! An API Gateway HTTP API as AWS runs it: routes, throttles, authorizes and converts, in front of
//! the functions.

mod answer;
mod authorizer;
mod cors;
mod event;
mod signature;
mod throttle;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth_api::{Contract, Routed, Security};
use auth_lambda::ClientContext;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::Semaphore;

use crate::control::observer::{ObservedExchange, Served};
use crate::control::requests::{Answered, Door, Message, Requests, problem_code};
use crate::functions::Functions;
use crate::world::clock::WorldClock;
use crate::world::options::Watcher;
use crate::world::random;

use answer::Answer;
use authorizer::Authorizer;
use cors::Cors;
pub(crate) use cors::Origins;
use event::{Admitted, Received};
use throttle::Throttles;

/// Request line and headers together.
const LARGEST_HEAD: usize = 10_240;
/// The body of a request.
const LARGEST_PAYLOAD: usize = 10 * 1024 * 1024;
/// Lambda takes and gives this much in a synchronous invocation.
const LARGEST_EVENT: usize = 6 * 1024 * 1024;
/// The longest integration time-out of an HTTP API.
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);
/// Invocations at once. In Lambda each has a processor of its own; here they share one machine's.
/// Under more load than that computes, the others wait their turn, and none runs into a time-out
/// half-done.
const AT_ONCE: usize = 128;

const REQUEST_ID: HeaderName = HeaderName::from_static("apigw-requestid");

/// A gateway's options.
pub(crate) struct Setup {
    pub(crate) issuer: String,
    pub(crate) audience: Vec<String>,
    pub(crate) origins: Origins,
    pub(crate) throttled: bool,
    pub(crate) functions: Arc<Functions>,
    pub(crate) clock: WorldClock,
    pub(crate) observer: Option<Watcher<ObservedExchange>>,
    pub(crate) requests: Arc<Requests>,
}

/// The HTTP API.
pub(crate) struct Gateway {
    contract: &'static Contract,
    authorizer: Authorizer,
    cors: Cors,
    throttles: Option<Throttles>,
    functions: Arc<Functions>,
    /// The turns of invocations.
    turns: Semaphore,
    clock: WorldClock,
    observer: Option<Watcher<ObservedExchange>>,
    requests: Arc<Requests>,
}

/// The facts about an answered request.
struct Handled {
    answer: Answer,
    operation_id: Option<&'static str>,
    body: Vec<u8>,
    invoked: Invocation,
}

/// The outcome of an invocation; the default means none.
#[derive(Default)]
struct Invocation {
    id: String,
    aws_calls: u32,
}

impl Handled {
    /// Answered by the gateway itself, before a body was read.
    fn early(operation_id: Option<&'static str>, answer: Answer) -> Self {
        Self {
            answer,
            operation_id,
            body: Vec::new(),
            invoked: Invocation::default(),
        }
    }
}

impl Gateway {
    pub(crate) fn new(setup: Setup) -> Result<Self, reqwest::Error> {
        Ok(Self {
            contract: Contract::embedded(),
            authorizer: Authorizer::new(setup.issuer, setup.audience)?,
            cors: Cors::new(setup.origins),
            throttles: setup.throttled.then(Throttles::default),
            functions: setup.functions,
            turns: Semaphore::new(AT_ONCE),
            clock: setup.clock,
            observer: setup.observer,
            requests: setup.requests,
        })
    }

    /// Resets the throttles.
    pub(crate) fn reset(&self) {
        if let Some(throttles) = &self.throttles {
            throttles.reset();
        }
    }

    /// Answers any request.
    pub(crate) async fn serve(
        &self,
        peer: SocketAddr,
        request: Request,
    ) -> (Response<Body>, Served) {
        let started = Instant::now();
        let at = self.clock.now();
        let (parts, body) = request.into_parts();
        let request_id = STANDARD.encode(random::bytes::<11>());
        let mut handled = if let Some(answer) = self.cors.preflight(&parts.method, &parts.headers) {
            Handled::early(None, answer)
        } else {
            let mut handled = self.handle(peer, &parts, body, &request_id).await;
            self.cors.apply(&parts.headers, &mut handled.answer);
            handled
        };
        if let Ok(id) = HeaderValue::from_str(&request_id) {
            handled.answer.headers.push((REQUEST_ID, id));
        }
        // A head that is refused for its length is no request yet, so no operation's description
        // applies to it.
        let understood = handled.answer.status != StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        if let Some(observer) = self.observer.as_ref().filter(|_| understood) {
            observer(&ObservedExchange {
                operation_id: handled.operation_id.map(str::to_owned),
                method: parts.method.to_string(),
                path: parts.uri.path().to_owned(),
                query: parts.uri.query().unwrap_or_default().to_owned(),
                request_headers: parts.headers.clone(),
                request_body: handled.body.clone(),
                status: handled.answer.status.as_u16(),
                response_headers: handled.answer.headers.iter().cloned().collect(),
                response_body: handled.answer.body.clone(),
            });
        }
        let served = Served {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            status: handled.answer.status.as_u16(),
            code: problem_code_of(&handled.answer),
            took: started.elapsed(),
            aws_calls: handled.invoked.aws_calls,
        };
        self.requests.add(
            Answered {
                at,
                door: Door::Http,
                asked: format!("{} {}", served.method, path_for_eyes(&served.path)),
                operation_id: handled.operation_id.map(str::to_owned),
                invocation_id: handled.invoked.id,
                status: Some(served.status),
                code: served.code.clone(),
                took: served.took,
                aws_calls: served.aws_calls,
            },
            Message::new(&parts.headers, &handled.body),
            Message::new(
                handled
                    .answer
                    .headers
                    .iter()
                    .map(|(name, value)| (name, value)),
                &handled.answer.body,
            ),
        );
        (handled.answer.into_response(), served)
    }

    async fn handle(
        &self,
        peer: SocketAddr,
        parts: &Parts,
        body: Body,
        request_id: &str,
    ) -> Handled {
        if head_length(parts) > LARGEST_HEAD {
            let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
            return Handled::early(
                None,
                Answer::message(status, "Request Header Fields Too Large"),
            );
        }
        let Some(routed) = self.contract.route(parts.method.as_str(), parts.uri.path()) else {
            return Handled::early(None, self.unrouted());
        };
        let operation_id = Some(routed.operation.operation_id.as_str());
        let mut admitted = match self.admit(&routed, &parts.headers).await {
            Ok(admitted) => admitted,
            Err(answer) => return Handled::early(operation_id, answer),
        };
        let Ok(body) = to_bytes(body, LARGEST_PAYLOAD).await else {
            let answer = Answer::message(StatusCode::PAYLOAD_TOO_LARGE, "Request Entity Too Large");
            return Handled::early(operation_id, answer);
        };
        // A signature covers the body, so this authorizer comes last.
        if routed.operation.security == Security::Iam {
            let now = self.clock.system_time();
            let Some(caller) = signature::caller(parts, &body, now) else {
                if let Some(apart) = signature::time_apart(parts, now) {
                    tracing::warn!(
                        path = parts.uri.path(),
                        "a signature was refused: its time is {} s from the local run's clock. GET /_local/clock says how far that is ahead, and \
                         POST /_local/reset puts it back",
                        apart.as_secs()
                    );
                }
                let answer = Answer::message(StatusCode::FORBIDDEN, "Forbidden");
                return Handled::early(operation_id, answer);
            };
            admitted = Some(Admitted::Iam(caller));
        }
        let received = Received {
            parts,
            body: &body,
            peer,
            routed: &routed,
            admitted: admitted.as_ref(),
            request_id,
            at: self.clock.now(),
        };
        let (answer, invoked) = self.integrate(&received).await;
        Handled {
            answer,
            operation_id,
            body: body.into(),
            invoked,
        }
    }

    fn unrouted(&self) -> Answer {
        let unrouted = self.contract.unrouted();
        let status = StatusCode::from_u16(unrouted.status).unwrap_or(StatusCode::NOT_FOUND);
        Answer::message(status, &unrouted.message)
    }

    /// Throttle first, then the route's authorizer, if its head is enough for that.
    async fn admit(
        &self,
        routed: &Routed<'_>,
        headers: &HeaderMap,
    ) -> Result<Option<Admitted>, Answer> {
        let now = self.clock.now();
        let throttles = self.throttles.as_ref();
        if throttles.is_some_and(|throttles| !throttles.admit(routed.operation, now)) {
            return Err(Answer::message(
                StatusCode::TOO_MANY_REQUESTS,
                "Too Many Requests",
            ));
        }
        match &routed.operation.security {
            Security::Public | Security::OptionalJwt | Security::Iam => Ok(None),
            Security::Jwt { scopes } => self
                .authorizer
                .admit(headers, scopes, now)
                .await
                .map(|authorized| Some(Admitted::Jwt(authorized)))
                .map_err(|refusal| {
                    let challenge = refusal.challenge(scopes);
                    match refusal {
                        authorizer::Refusal::Unauthorized(_) => {
                            Answer::challenge(StatusCode::UNAUTHORIZED, "Unauthorized", &challenge)
                        }
                        authorizer::Refusal::Forbidden => {
                            Answer::challenge(StatusCode::FORBIDDEN, "Forbidden", &challenge)
                        }
                    }
                }),
        }
    }

    /// The Lambda proxy integration: it sends the event, and returns the answer and the
    /// invocation's outcome.
    async fn integrate(&self, received: &Received<'_>) -> (Answer, Invocation) {
        let none = Invocation::default();
        let Ok(event) = received.to_event() else {
            return (Answer::internal_server_error(), none);
        };
        if event.get().len() > LARGEST_EVENT {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return (Answer::message(status, "Request Entity Too Large"), none);
        }
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let invocation = self.functions.invoke(
            &received.routed.operation.name,
            event,
            ClientContext::NoTool,
        );
        let invoked = match tokio::time::timeout(INTEGRATION_TIMEOUT, invocation).await {
            Ok(Some(invoked)) => invoked,
            Ok(None) => return (Answer::internal_server_error(), none),
            Err(_elapsed) => {
                let status = StatusCode::SERVICE_UNAVAILABLE;
                return (Answer::message(status, "Service Unavailable"), none);
            }
        };
        let answer = match invoked.outcome {
            Ok(output) if output.get().len() > LARGEST_EVENT => Answer::internal_server_error(),
            Ok(output) => {
                Answer::from_output(&output).unwrap_or_else(|_| Answer::internal_server_error())
            }
            Err(_function_error) => Answer::internal_server_error(),
        };
        let invoked = Invocation {
            id: invoked.request_id,
            aws_calls: invoked.aws_calls,
        };
        (answer, invoked)
    }
}

/// The code of a problem, for the line on the terminal.
fn problem_code_of(answer: &Answer) -> Option<String> {
    if answer.status.is_success() || answer.status.is_redirection() {
        return None;
    }
    problem_code(&answer.body)
}

/// A path with its long segments truncated: a link's segment is a credential.
fn path_for_eyes(path: &str) -> String {
    let segments = path.split('/').map(|segment| {
        let shown: String = segment.chars().take(12).collect();
        if segment.chars().count() > 40 {
            format!("{shown}…")
        } else {
            segment.to_owned()
        }
    });
    segments.collect::<Vec<_>>().join("/")
}

/// The length of the request's head on the wire: `METHOD target HTTP/1.1`, and `name: value` for
/// each header, with their line ends.
fn head_length(parts: &Parts) -> usize {
    let version = match parts.version {
        Version::HTTP_10 | Version::HTTP_11 => "HTTP/1.1".len(),
        _ => 0,
    };
    let target = parts
        .uri
        .path_and_query()
        .map_or(0, |target| target.as_str().len());
    let headers = parts
        .headers
        .iter()
        .map(|(name, value)| name.as_str().len() + value.len() + 4);
    parts.method.as_str().len() + target + version + 4 + headers.sum::<usize>()
}
