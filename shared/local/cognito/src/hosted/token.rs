//! `/oauth2/token`, `/oauth2/userInfo` and `/oauth2/revoke`: the endpoints for app clients.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value, json};
use subtle::ConstantTimeEq as _;
use url::form_urlencoded;

use super::http::{Parameters, Twice};
use super::record::{AuthorizationCode, find, keep};
use crate::app_client::AppClient;
use crate::domain::Domain;
use crate::refusal::Refusal;
use crate::service::{Service, is_client_secret};
use crate::tokens::{self, Grant, OPENID, Reason};
use crate::user::User;

type Shared = State<Arc<Service>>;

/// An error of RFC 6749 section 5.2 or RFC 7009 section 2.2.1.
enum Failure {
    InvalidRequest,
    /// `challenge`: the client tried HTTP Basic, so it is told of that scheme.
    InvalidClient {
        challenge: bool,
    },
    InvalidGrant,
    UnauthorizedClient,
    UnsupportedGrantType,
    UnsupportedTokenType,
    Internal,
}

impl From<Twice> for Failure {
    fn from(Twice: Twice) -> Self {
        Self::InvalidRequest
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        if refusal.exception.status() == 500 {
            Self::Internal
        } else {
            Self::InvalidGrant
        }
    }
}

impl Failure {
    fn response(&self) -> Response<Body> {
        let (status, error) = match self {
            Self::InvalidRequest => (StatusCode::BAD_REQUEST, "invalid_request"),
            Self::InvalidClient { challenge: false } => (StatusCode::BAD_REQUEST, "invalid_client"),
            Self::InvalidClient { challenge: true } => (StatusCode::UNAUTHORIZED, "invalid_client"),
            Self::InvalidGrant => (StatusCode::BAD_REQUEST, "invalid_grant"),
            Self::UnauthorizedClient => (StatusCode::BAD_REQUEST, "unauthorized_client"),
            Self::UnsupportedGrantType => (StatusCode::BAD_REQUEST, "unsupported_grant_type"),
            Self::UnsupportedTokenType => (StatusCode::BAD_REQUEST, "unsupported_token_type"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "server_error"),
        };
        let mut response = document(status, &json!({"error": error}));
        if matches!(self, Self::InvalidClient { challenge: true }) {
            response.headers_mut().insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Basic realm=\"cognito-local\""),
            );
        }
        response
    }
}

fn document(status: StatusCode, value: &Value) -> Response<Body> {
    let mut response = Response::new(Body::from(value.to_string()));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=UTF-8"),
    );
    // RFC 6749 section 5.1.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// A call of an app client that has proved which one it is.
struct Call {
    service: Arc<Service>,
    domain: Domain,
    client: AppClient,
    form: Parameters,
}

impl Call {
    fn read(
        service: Arc<Service>,
        domain: &str,
        headers: &HeaderMap,
        body: &[u8],
    ) -> Result<Self, Failure> {
        let domain = Domain::find(&service, domain)?.ok_or(Failure::InvalidRequest)?;
        let is_form = headers
            .get(header::CONTENT_TYPE)
            .and_then(|media| media.to_str().ok())
            .and_then(|media| media.split(';').next())
            .is_some_and(|media| {
                media
                    .trim()
                    .eq_ignore_ascii_case("application/x-www-form-urlencoded")
            });
        if !is_form {
            return Err(Failure::InvalidRequest);
        }
        let form = Parameters::parse(body);
        let client = authenticated(&service, &domain, headers, &form)?;
        Ok(Self {
            service,
            domain,
            client,
            form,
        })
    }

    fn required(&self, name: &str) -> Result<&str, Failure> {
        self.form.one(name)?.ok_or(Failure::InvalidRequest)
    }

    /// RFC 6749 section 4.1.3. The client's first try uses up the code, with any outcome. A second
    /// try revokes the tokens of the first (section 4.1.2).
    async fn exchange_code(&self) -> Result<Value, Failure> {
        if !self.client.settings.allows_code_grant() {
            return Err(Failure::UnauthorizedClient);
        }
        let code = self.required("code")?;
        let redirect_uri = self.required("redirect_uri")?;
        let verifier = self.form.one("code_verifier")?;
        let service = &self.service;
        let now = service.now();
        let origin_jti = local_kit::uuid(service.random());
        let (record, user) = service.store.change(now, |transaction| {
            let pool = &self.domain.pool;
            let found = find::<AuthorizationCode>(transaction, pool, code, now)?
                .filter(|(record, _)| record.request.client == self.client.id);
            let Some((mut record, expires)) = found else {
                return Ok(Err(Failure::InvalidGrant));
            };
            if let Some(spent_on) = &record.origin_jti {
                tokens::revoke_sign_in(transaction, spent_on)?;
                return Ok(Err(Failure::InvalidGrant));
            }
            record.origin_jti = Some(origin_jti.clone());
            keep(transaction, pool, code, expires, &record)?;
            if record.request.redirect_uri != redirect_uri
                || !fits(record.request.code_challenge.as_deref(), verifier)
            {
                return Ok(Err(Failure::InvalidGrant));
            }
            let user = User::find(transaction, pool, &record.username)?;
            Ok(Ok((record, user)))
        })??;
        let grant = Grant {
            origin_jti,
            auth_time: record.auth_time / 1_000,
            scopes: Some(record.request.scopes),
            nonce: record.request.nonce,
        };
        let result = tokens::sign_in(
            service,
            &self.domain.pool,
            &self.client,
            &user,
            Reason::Hosted,
            None,
            grant,
        )
        .await?;
        Ok(renamed(&result))
    }

    /// RFC 6749 section 6.
    async fn refresh(&self) -> Result<Value, Failure> {
        let settings = &self.client.settings;
        if !settings.allows_flow("ALLOW_REFRESH_TOKEN_AUTH") && settings.rotation_grace().is_none()
        {
            return Err(Failure::UnauthorizedClient);
        }
        let token = self.required("refresh_token")?;
        let pool = &self.domain.pool;
        let result = tokens::refresh(&self.service, pool, &self.client, token, None).await?;
        Ok(renamed(&result))
    }
}

/// The client, by HTTP Basic or by the form (RFC 6749 section 2.3.1), never by both; a public one
/// by its id alone.
fn authenticated(
    service: &Service,
    domain: &Domain,
    headers: &HeaderMap,
    form: &Parameters,
) -> Result<AppClient, Failure> {
    let (in_form, secret_in_form) = (form.one("client_id")?, form.one("client_secret")?);
    let challenge = headers.contains_key(header::AUTHORIZATION);
    let (id, secret) = if challenge {
        let (id, secret) = basic(headers).ok_or(Failure::InvalidClient { challenge })?;
        if secret_in_form.is_some() || in_form.is_some_and(|in_form| in_form != id) {
            return Err(Failure::InvalidRequest);
        }
        (id, Some(secret).filter(|secret| !secret.is_empty()))
    } else {
        let id = in_form.ok_or(Failure::InvalidRequest)?;
        (id.to_owned(), secret_in_form.map(str::to_owned))
    };
    service
        .store
        .read(|connection| AppClient::look_for(connection, &id))?
        .filter(|client| client.pool == domain.pool.id)
        .filter(|client| client.is_confidential() || secret.is_none())
        .filter(|client| is_client_secret(client, secret.as_deref()))
        .ok_or(Failure::InvalidClient { challenge })
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let credentials = String::from_utf8(STANDARD.decode(credentials.trim()).ok()?).ok()?;
    let (id, secret) = credentials.split_once(':')?;
    let decoded = |text: &str| {
        form_urlencoded::parse(text.as_bytes())
            .next()
            .map(|(text, _)| text.into_owned())
            .unwrap_or_default()
    };
    Some((decoded(id), decoded(secret)))
}

/// RFC 7636 section 4.6. A verifier for a code without a challenge is refused too: an attacker may
/// have removed the challenge from the request (RFC 9700 section 2.1.1).
fn fits(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) if (43..=128).contains(&verifier.len()) => {
            let hashed = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
            hashed.as_bytes().ct_eq(challenge.as_bytes()).into()
        }
        (Some(_) | None, Some(_) | None) => false,
    }
}

/// `AuthenticationResult` in the names of RFC 6749 section 5.1.
fn renamed(result: &Value) -> Value {
    let mut answer = Map::new();
    for (theirs, ours) in [
        ("id_token", "IdToken"),
        ("access_token", "AccessToken"),
        ("refresh_token", "RefreshToken"),
        ("expires_in", "ExpiresIn"),
        ("token_type", "TokenType"),
    ] {
        if let Some(value) = result.get(ours) {
            answer.insert(theirs.to_owned(), value.clone());
        }
    }
    Value::Object(answer)
}

/// `POST /oauth2/token`.
pub(super) async fn token(
    State(service): Shared,
    Path(domain): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    // A task of its own: if the client hangs up, the exchange still completes.
    let outcome = tokio::spawn(async move {
        let call = Call::read(service, &domain, &headers, &body)?;
        match call.required("grant_type")? {
            "authorization_code" => call.exchange_code().await,
            "refresh_token" => call.refresh().await,
            _ => Err(Failure::UnsupportedGrantType),
        }
    });
    match outcome.await {
        Ok(Ok(tokens)) => document(StatusCode::OK, &tokens),
        Ok(Err(failure)) => failure.response(),
        Err(cause) => {
            Refusal::internal(&cause);
            Failure::Internal.response()
        }
    }
}

/// `POST /oauth2/revoke` (RFC 7009). An unknown token, or another client's, counts as revoked.
pub(super) async fn revoke(
    State(service): Shared,
    Path(domain): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    let outcome = Call::read(service, &domain, &headers, &body).and_then(|call| {
        let token = call.required("token")?;
        if !call.client.settings.enable_token_revocation {
            return Err(Failure::InvalidRequest);
        }
        if tokens::is_signed_token(token) {
            return Err(Failure::UnsupportedTokenType);
        }
        let service = &call.service;
        Ok(service.store.change(service.now(), |transaction| {
            tokens::revoke(transaction, &call.client, token)
        })?)
    });
    match outcome {
        Ok(()) => Response::new(Body::empty()),
        // Here AWS documents 401 for every client that is not recognised.
        Err(Failure::InvalidClient { .. }) => Failure::InvalidClient { challenge: true }.response(),
        Err(failure) => failure.response(),
    }
}

/// `/oauth2/userInfo` (`OpenID` Connect Core section 5.3): the attributes that the token's scopes
/// open, all of them text.
pub(super) async fn user_info(
    State(service): Shared,
    Path(domain): Path<String>,
    headers: HeaderMap,
) -> Response<Body> {
    let bearer = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    let Some(token) = bearer else {
        return unfit(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            "Bad OAuth2 request at UserInfo Endpoint",
        );
    };
    let invalid = |text| unfit(StatusCode::UNAUTHORIZED, "invalid_token", text);
    let ended =
        "Access token is expired, disabled, or deleted, or the user has globally signed out.";
    let holder = match (
        Domain::find(&service, &domain),
        tokens::bearer(&service, token),
    ) {
        (Ok(Some(domain)), Ok(holder)) if holder.pool.id == domain.pool.id => holder,
        (_, _) => return invalid(ended),
    };
    if !holder.scopes.iter().any(|scope| scope == OPENID) {
        return invalid("Access token does not contain openid scope");
    }
    let mut info = Map::new();
    info.insert("sub".to_owned(), json!(holder.user.sub));
    for (name, value) in &holder.user.attributes {
        if tokens::opens(&holder.scopes, name) {
            info.insert(name.clone(), json!(value));
        }
    }
    info.insert("username".to_owned(), json!(holder.user.username));
    document(StatusCode::OK, &Value::Object(info))
}

/// RFC 6750 section 3.
fn unfit(status: StatusCode, error: &str, description: &str) -> Response<Body> {
    let mut response = document(
        status,
        &json!({"error": error, "error_description": description}),
    );
    let challenge = format!("Bearer error=\"{error}\", error_description=\"{description}\"");
    if let Ok(challenge) = HeaderValue::from_str(&challenge) {
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
