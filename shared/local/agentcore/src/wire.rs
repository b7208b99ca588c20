//! The HTTP face: operations by path, the two addresses that browsers come to, and the form of answers and errors.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::get;
use serde_json::Value;
use url::{Host, Url, form_urlencoded};

use crate::authorization::{self, Redirect, Step};
use crate::refusal::{Exception, Refusal};
use crate::service::Service;
use crate::{model, operations};

/// Above the largest request that the model allows: two tokens of 128 KiB, and lists that nobody fills.
const LONGEST_BODY: usize = 1_024 * 1_024;

pub(crate) fn router(service: Arc<Service>) -> Router {
    // A HEAD is answered without a look: it is not somebody who opens the link.
    let opened = get(visit).head(only_get);
    let sent_back = get(called_back).head(only_get);
    Router::new()
        .route("/identities/oauth2/authorize", opened)
        .route("/identities/oauth2/callback/{callback}", sent_back)
        .fallback(call)
        .layer(middleware::from_fn_with_state(
            Arc::clone(&service),
            own_host_only,
        ))
        .with_state(service)
}

async fn call(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let request_id = service.uuid();
    let outcome = answer(&service, request).await;
    respond(outcome, &request_id)
}

async fn answer(service: &Arc<Service>, request: Request) -> Result<(u16, Value), Refusal> {
    let (parts, body) = request.into_parts();
    let (name, operation) = Some(parts.uri.path())
        .filter(|_| parts.method == Method::POST)
        .and_then(model::operation_at)
        .ok_or_else(|| {
            Refusal::new(
                Exception::UnknownOperation,
                "This operation is not served here.",
            )
        })?;
    check_signature(&parts.headers, service.region())?;
    let body = to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| Refusal::new(Exception::RequestTooLong, "Request is too long."))?;
    let body = read_body(&body)?;
    model::check(name, &body)?;
    // A task of its own: a caller who hangs up half-way leaves no half-done operation behind.
    let service = Arc::clone(service);
    let answer = tokio::spawn(async move { operations::run(&service, name, body).await })
        .await
        .map_err(|cause| Refusal::internal(&cause))??;
    Ok((operation.status, answer))
}

fn read_body(body: &Bytes) -> Result<Value, Refusal> {
    serde_json::from_slice(body)
        .map_err(|_| Refusal::unreadable("The request body could not be read as JSON."))
}

/// The stand-in knows no credentials, so it cannot check a signature; it asks for one, in its form, for this service and Region.
fn check_signature(headers: &HeaderMap, region: &str) -> Result<(), Refusal> {
    let missing = || {
        Refusal::new(
            Exception::MissingAuthenticationToken,
            "Missing Authentication Token",
        )
    };
    let incomplete = || {
        Refusal::new(
            Exception::IncompleteSignature,
            "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.",
        )
    };
    let parameters = headers
        .get(header::AUTHORIZATION)
        .ok_or_else(missing)?
        .to_str()
        .ok()
        .and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 "))
        .ok_or_else(incomplete)?;
    let parameter = |name: &str| {
        parameters
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='))
            .filter(|value| !value.is_empty())
            .ok_or_else(incomplete)
    };
    parameter("SignedHeaders")?;
    parameter("Signature")?;
    let wrong = |what: String| {
        let message = format!("Credential should be scoped to {what}.");
        Err(Refusal::new(Exception::InvalidSignature, message))
    };
    let scope: Vec<&str> = parameter("Credential")?.rsplitn(5, '/').collect();
    match scope[..] {
        ["aws4_request", service, ..] if service != SIGNING_NAME => {
            wrong(format!("correct service: '{SIGNING_NAME}'"))
        }
        ["aws4_request", _, scoped_region, ..] if scoped_region != region => {
            wrong("a valid region".to_owned())
        }
        ["aws4_request", _service, _region, _date, _access_key] => Ok(()),
        _ => Err(incomplete()),
    }
}

/// Both services sign under this name.
const SIGNING_NAME: &str = "bedrock-agentcore";

fn respond(outcome: Result<(u16, Value), Refusal>, request_id: &str) -> Response<Body> {
    let (status, body, error) = match outcome {
        Ok((status, body)) => (status, body, None),
        Err(refusal) => (
            refusal.exception.status(),
            refusal.body(),
            Some(refusal.exception.name()),
        ),
    };
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(request_id) = HeaderValue::from_str(request_id) {
        headers.insert(HeaderName::from_static("x-amzn-requestid"), request_id);
    }
    if let Some(error) = error {
        headers.insert(
            HeaderName::from_static("x-amzn-errortype"),
            HeaderValue::from_static(error),
        );
    }
    response
}

/// Nothing here is for pages of other sites: there are no CORS headers, and a page that reaches this port under a name of its own
/// (DNS rebinding) is turned away. Names of this machine pass, and the name under which the stand-in was told that it is reached.
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

/// The parameters of these names, each there once at most (RFC 6749, section 3.1). Others are passed over.
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

/// A sentence for a person. It never holds anything that came with the request.
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
