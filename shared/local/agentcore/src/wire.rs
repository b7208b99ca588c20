//! The HTTP face: operations by path, the two addresses that browsers come to, and the form of
//! answers and errors.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::get;
use local_kit::{Answer, Operation, Protocol, Scope};
use serde_json::Value;
use url::{Host, Url, form_urlencoded};

use crate::authorization::{self, Redirect, Step};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::{model, operations};

/// Above the largest request of the model: two tokens of 128 KiB, and lists that are short in
/// practice.
const LONGEST_BODY: usize = 1_024 * 1_024;

pub(crate) fn router(service: Arc<Service>) -> Router {
    // A HEAD gets an answer without effect: it does not open the link.
    let opened = get(visit).head(only_get);
    let sent_back = get(called_back).head(only_get);
    Router::new()
        .route("/identities/oauth2/authorize", opened)
        .route("/identities/oauth2/callback/{callback}", sent_back)
        .fallback(local_kit::call::<Service>)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&service),
            own_host_only,
        ))
        .with_state(service)
}

impl local_kit::Service for Service {
    type Operation = (&'static str, &'static Operation);
    type Refusal = Refusal;
    const LONGEST_BODY: usize = LONGEST_BODY;

    fn request_id(&self) -> String {
        self.uuid()
    }

    fn addressed(&self, request: &Parts) -> Option<Self::Operation> {
        Some(request.uri.path())
            .filter(|_| request.method == Method::POST)
            .and_then(model::operation_at)
    }

    fn signed_for(&self, _operation: &Self::Operation) -> Option<Scope<'_>> {
        Some(Scope {
            service: SIGNING_NAME,
            region: self.region(),
        })
    }

    async fn run(
        self: Arc<Self>,
        (name, operation): Self::Operation,
        body: Value,
    ) -> Result<Answer, Refusal> {
        model::check(name, &body)?;
        let answer = operations::run(&self, name, body).await?;
        Ok(Answer::new(operation.status, Protocol::RestJson, answer))
    }

    fn refused(_operation: Option<&Self::Operation>, refusal: Refusal) -> Answer {
        let exception = refusal.exception;
        let mut answer = Answer::new(exception.status(), Protocol::RestJson, refusal.body());
        answer.headers = vec![("x-amzn-errortype", exception.name().to_owned())];
        answer
    }
}

/// Both services sign under this name.
const SIGNING_NAME: &str = "bedrock-agentcore";

/// Pages of other sites have no access: there are no CORS headers, and a page that reaches this
/// port under its own name (DNS rebinding) is refused. Names of this machine are admitted, and the
/// name in the stand-in's own public URL.
async fn own_host_only(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let named = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    let own = Url::parse(&service.url("/")).ok();
    let admitted = match named.as_ref().and_then(Url::host) {
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => true,
        Some(Host::Ipv4(address)) if address.is_loopback() => true,
        Some(Host::Ipv6(address)) if address.is_loopback() => true,
        Some(host) => own.as_ref().and_then(Url::host) == Some(host),
        None => false,
    };
    if admitted {
        next.run(request).await
    } else {
        page(StatusCode::FORBIDDEN, "This host is not served here.")
    }
}

async fn only_get() -> StatusCode {
    StatusCode::METHOD_NOT_ALLOWED
}

async fn visit(State(service): State<Arc<Service>>, RawQuery(query): RawQuery) -> Response<Body> {
    let Some([Some(request_uri)]) = read_query(query.as_deref(), ["request_uri"]) else {
        return step(Ok(Step::DeadEnd("This is not a sign-in link.")));
    };
    let went = tokio::spawn(async move { authorization::visit(&service, &request_uri).await });
    step(
        went.await
            .map_err(|cause| Refusal::internal(&cause))
            .flatten(),
    )
}

async fn called_back(
    State(service): State<Arc<Service>>,
    Path(callback): Path<String>,
    RawQuery(query): RawQuery,
) -> Response<Body> {
    let names = ["state", "code", "error", "error_description", "iss"];
    let Some([state, code, error, error_description, iss]) = read_query(query.as_deref(), names)
    else {
        return step(Ok(Step::DeadEnd(
            "The sign-in service's answer makes no sense.",
        )));
    };
    let redirect = Redirect {
        state,
        code,
        error,
        error_description,
        iss,
    };
    let went =
        tokio::spawn(
            async move { authorization::called_back(&service, &callback, redirect).await },
        );
    step(
        went.await
            .map_err(|cause| Refusal::internal(&cause))
            .flatten(),
    )
}

/// The parameters of these names. Each may occur once (RFC 6749, section 3.1). Others are ignored.
fn read_query<const N: usize>(
    query: Option<&str>,
    names: [&str; N],
) -> Option<[Option<String>; N]> {
    let mut values = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.unwrap_or_default().as_bytes()) {
        let Some(place) = names.iter().position(|known| *known == name) else {
            continue;
        };
        if values[place].replace(value.into_owned()).is_some() {
            return None;
        }
    }
    Some(values)
}

fn step(outcome: Result<Step, Refusal>) -> Response<Body> {
    match outcome {
        Ok(Step::Redirect(url)) => {
            let mut response = page(StatusCode::FOUND, "");
            if let Ok(location) = HeaderValue::from_str(url.as_str()) {
                response.headers_mut().insert(header::LOCATION, location);
            }
            response
        }
        Ok(Step::DeadEnd(sentence)) => page(StatusCode::BAD_REQUEST, sentence),
        Err(refusal) => page(
            StatusCode::from_u16(refusal.exception.status())
                .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            "Something went wrong. Try again.",
        ),
    }
}

/// A sentence for a person. It never contains any part of the request.
fn page(status: StatusCode, sentence: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(sentence));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_TYPE, "text/plain; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
