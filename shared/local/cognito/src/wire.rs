//! The HTTP face: one address for all operations, keys and discovery per pool, CORS, and the form
//! of answers and errors.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::middleware::{self, Next};
use axum::routing::{any, get};
use local_kit::{Answer, Protocol, Scope};
use serde_json::{Value, json};

use crate::domain::domain_of;
use crate::hosted;
use crate::import_upload;
use crate::model;
use crate::operations;
use crate::refusal::Refusal;
use crate::service::Service;

const TARGET_PREFIX: &str = "AWSCognitoIdentityProviderService";

/// Far above the largest request of the model, and far below a harmful size.
const LONGEST_BODY: usize = 1_024 * 1_024;

pub(crate) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", any(local_kit::call::<Service>))
        .route("/{pool}/.well-known/jwks.json", get(jwks))
        .route("/{pool}/.well-known/openid-configuration", get(discovery))
        .merge(hosted::endpoints())
        .layer(middleware::from_fn(cross_origin))
        .merge(hosted::pages())
        .merge(import_upload::endpoint())
        .with_state(service)
}

impl local_kit::Service for Service {
    type Operation = &'static str;
    type Refusal = Refusal;
    const LONGEST_BODY: usize = LONGEST_BODY;

    fn request_id(&self) -> String {
        local_kit::uuid(self.random())
    }

    fn addressed(&self, request: &Parts) -> Option<Self::Operation> {
        let (service, operation) = local_kit::target(request)?;
        model::operation(operation).filter(|_| service == TARGET_PREFIX)
    }

    fn signed_for(&self, operation: &Self::Operation) -> Option<Scope<'_>> {
        operations::needs_signature(operation).then_some(Scope {
            service: "cognito-idp",
            region: &self.options.region,
        })
    }

    async fn run(
        self: Arc<Self>,
        operation: Self::Operation,
        body: Value,
    ) -> Result<Answer, Refusal> {
        let answer = operations::run(&self, operation, body).await?;
        Ok(Answer::new(200, Protocol::Json11, answer))
    }

    fn refused(_operation: Option<&Self::Operation>, refusal: Refusal) -> Answer {
        let name = refusal.exception.name();
        let mut body = json!({"__type": name});
        if !refusal.message.is_empty() {
            body["message"] = json!(refusal.message);
        }
        let mut answer = Answer::new(refusal.exception.status(), Protocol::Json11, body);
        answer.headers = vec![
            ("x-amzn-errortype", format!("{name}:")),
            ("x-amzn-errormessage", refusal.message.into_owned()),
        ];
        answer
    }
}

/// Any page may call, as in AWS: cookies play no role here.
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
            .read(|connection| domain_of(connection, &pool))?;
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
    let answer = outcome.map_or_else(
        |refusal| <Service as local_kit::Service>::refused(None, refusal),
        |document| Answer::new(200, Protocol::RestJson, document),
    );
    let mut response = local_kit::respond(&answer, &local_kit::uuid(service.random()));
    if found {
        response.headers_mut().insert(
            header::CACHE_CONTROL,
            HeaderValue::from_static("public, max-age=86400, immutable"),
        );
    } else {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
