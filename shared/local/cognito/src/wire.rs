//! The HTTP face: one address for all operations, keys and discovery per pool, CORS, and the form of answers and errors.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::{any, get};
use serde_json::{Value, json};

use crate::hosted;
use crate::operations;
use crate::random;
use crate::refusal::{Exception, Refusal};
use crate::service::Service;

const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("application/x-amz-json-1.1");

const TARGET_PREFIX: &str = "AWSCognitoIdentityProviderService.";

/// Far above the largest request that the model allows, far below what would hurt.
const LONGEST_BODY: usize = 1_024 * 1_024;

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", any(call))
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
        .merge(hosted::endpoints())
        .layer(middleware::from_fn(cross_origin))
        .merge(hosted::pages())
        .with_state(service)
}

async fn call(State(service): State<Arc<Service>>, request: Request) -> Response<Body> {
    let request_id = random::uuid(service.random());
    let outcome = answer(&service, request).await;
    respond(outcome, &request_id)
}

async fn answer(service: &Arc<Service>, request: Request) -> Result<Value, Refusal> {
    let (parts, body) = request.into_parts();
    let operation = parts
        .headers
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok())
        .and_then(|target| target.strip_prefix(TARGET_PREFIX))
        .filter(|operation| parts.method == Method::POST && operations::is_served(operation))
        .ok_or_else(|| Refusal::new(Exception::UnknownOperation, ""))?;
    if operations::needs_signature(operation) {
        check_signature_is_there(&parts.headers)?;
    }
    let body = to_bytes(body, LONGEST_BODY)
        .await
        .map_err(|_| Refusal::new(Exception::RequestTooLong, "Request is too long."))?;
    let body = read_body(&body)?;
    // A task of its own: a caller who hangs up half-way leaves no half-done operation behind.
    let operation = operation.to_owned();
    let service = Arc::clone(service);
    tokio::spawn(async move { operations::run(&service, &operation, body).await })
        .await
        .map_err(|cause| Refusal::internal(&cause))?
}

fn read_body(body: &Bytes) -> Result<Value, Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|_| {
        Refusal::new(
            Exception::Serialization,
            "The request body could not be read as JSON.",
        )
    })?;
    if value.is_object() {
        Ok(value)
    } else {
        Err(Refusal::new(
            Exception::Serialization,
            "The request body must be a JSON object.",
        ))
    }
}

/// The stand-in knows no credentials, so it cannot check a signature; it asks for one where AWS does, in its form.
fn check_signature_is_there(headers: &HeaderMap) -> Result<(), Refusal> {
    let Some(authorization) = headers.get(header::AUTHORIZATION) else {
        return Err(Refusal::new(
            Exception::MissingAuthenticationToken,
            "Missing Authentication Token",
        ));
    };
    let authorization = authorization.to_str().unwrap_or_default();
    let complete = authorization.starts_with("AWS4-HMAC-SHA256")
        && ["Credential=", "SignedHeaders=", "Signature="]
            .iter()
            .all(|part| authorization.contains(part));
    if !complete {
        return Err(Refusal::new(
            Exception::IncompleteSignature,
            "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters.",
        ));
    }
    if !authorization.contains("/cognito-idp/aws4_request") {
        return Err(Refusal::new(
            Exception::InvalidSignature,
            "Credential should be scoped to correct service: 'cognito-idp'.",
        ));
    }
    Ok(())
}

fn respond(outcome: Result<Value, Refusal>, request_id: &str) -> Response<Body> {
    let (status, body, refusal) = match outcome {
        Ok(value) => (200, value, None),
        Err(refusal) => (
            refusal.exception.status(),
            if refusal.message.is_empty() {
                json!({"__type": refusal.exception.name()})
            } else {
                json!({"__type": refusal.exception.name(), "message": refusal.message})
            },
            Some(refusal),
        ),
    };
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, CONTENT_TYPE);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    set(headers, "x-amzn-requestid", request_id);
    if let Some(refusal) = refusal {
        set(
            headers,
            "x-amzn-errortype",
            &format!("{}:", refusal.exception.name()),
        );
        set(headers, "x-amzn-errormessage", &refusal.message);
    }
    response
}

/// What a header cannot carry is left out; the body has it too.
fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value)
        && value.to_str().is_ok()
    {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// Any page may call, as in AWS: nothing here goes by cookies.
async fn cross_origin(request: Request, next: Next) -> Response<Body> {
    let preflight = request.method() == Method::OPTIONS;
    let asked = request
        .headers()
        .get(header::ACCESS_CONTROL_REQUEST_HEADERS)
        .cloned();
    let mut response = if preflight {
        Response::new(Body::empty())
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_ORIGIN,
        HeaderValue::from_static("*"),
    );
    headers.insert(
        header::ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"),
    );
    if preflight {
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_METHODS,
            HeaderValue::from_static("GET,POST"),
        );
        headers.insert(
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            asked.unwrap_or(HeaderValue::from_static(
                "content-type,x-amz-target,x-amz-user-agent,cache-control,amz-sdk-invocation-id,amz-sdk-request",
            )),
        );
        headers.insert(
            header::ACCESS_CONTROL_MAX_AGE,
            HeaderValue::from_static("172800"),
        );
    }
    response
}

async fn jwks(State(service): State<Arc<Service>>, Path(pool): Path<String>) -> Response<Body> {
    document(&service, service.keys(&pool).map(|keys| keys.jwks()))
}

async fn discovery(
    State(service): State<Arc<Service>>,
    Path(pool): Path<String>,
) -> Response<Body> {
    let issuer = service.issuer(&pool);
    let described = service.keys(&pool).and_then(|_| {
        let mut described = json!({
            "issuer": issuer,
            "jwks_uri": format!("{issuer}/.well-known/jwks.json"),
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "token"],
            "scopes_supported": ["openid", "email", "phone", "profile"],
            "subject_types_supported": ["public"],
        });
        let domain = service
            .store
            .read(|connection| hosted::domain_of(connection, &pool))?;
        if let Some(domain) = domain {
            let base = service.domain_url(&domain);
            for (name, path) in [
                ("authorization_endpoint", "oauth2/authorize"),
                ("token_endpoint", "oauth2/token"),
                ("userinfo_endpoint", "oauth2/userInfo"),
                ("revocation_endpoint", "oauth2/revoke"),
                ("end_session_endpoint", "logout"),
            ] {
                described[name] = json!(format!("{base}/{path}"));
            }
            described["token_endpoint_auth_methods_supported"] =
                json!(["client_secret_basic", "client_secret_post"]);
        }
        Ok(described)
    });
    let mut response = document(&service, described);
    // Unlike the keys, it changes when the pool gets a domain.
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

fn document(service: &Service, outcome: Result<Value, Refusal>) -> Response<Body> {
    let found = outcome.is_ok();
    let mut response = respond(outcome, &random::uuid(service.random()));
    if found {
        response.headers_mut().insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        response.headers_mut().insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=86400, immutable"),
        );
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
