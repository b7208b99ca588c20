//! Access tokens that no authorizer of API Gateway has checked: on the one route where the token is
//! optional, and from AgentCore after a person's consent.

use std::{sync::Arc, time::Duration};

use auth_domain::{AccessToken, AppClients, Caller, Clock, Problem, Report, Timestamp, claims};
use aws_smithy_runtime::client::{
    orchestrator::operation::Operation,
    retries::classifiers::{HttpStatusCodeClassifier, TransientErrorClassifier},
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::error::metadata::{ErrorMetadata, ProvideErrorMetadata};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

use crate::{ConfigurationError, Platform, failure::failure, user_pool::claims_of};

/// How long the pool's keys are cached. Cognito publishes a new one long before it signs with it.
const BELIEVED_FOR: Duration = Duration::from_hours(6);

/// The shortest time between two fetches of the keys, so that invented key ids cannot cause a fetch
/// each.
const FETCHED_AT_MOST_EVERY: Duration = Duration::from_mins(1);

/// The pool's keys, and when they were read.
type Read = (Timestamp, Arc<JwkSet>);

/// Checks access tokens of the user pool.
#[derive(Clone)]
pub struct AccessTokens {
    issuer: String,
    app_clients: AppClients,
    clock: Clock,
    keys: Operation<(), JwkSet, NoKeys>,
    read: Arc<Mutex<Option<Read>>>,
}

/// Statuses after which a plain request is retried. The SDK's own list for them lacks the first.
const TRANSIENT: &[u16] = &[429, 500, 502, 503, 504];

/// The pool's keys are unavailable.
#[derive(Debug, thiserror::Error)]
#[error("the pool's signing keys were not available")]
struct NoKeys(ErrorMetadata);

impl ProvideErrorMetadata for NoKeys {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl AccessTokens {
    /// Tokens of the issuer that `COGNITO_ISSUER` names, and of the clients that `API_CLIENT_IDS`
    /// does.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let issuer = platform.issuer()?;
        Ok(Self {
            keys: Operation::builder()
                .service_name("cognito-idp")
                .operation_name("GetSigningKeys")
                .runtime_plugin(platform.plain_requests())
                .retry_classifier(HttpStatusCodeClassifier::new_from_codes(TRANSIENT))
                .retry_classifier(TransientErrorClassifier::<NoKeys>::new())
                .endpoint_url(&issuer)
                .no_auth()
                .serializer(|()| HttpRequest::get("/.well-known/jwks.json").map_err(Into::into))
                .deserializer(keys)
                .build(),
            issuer,
            app_clients: platform.app_clients()?,
            clock: platform.clock(),
            read: Arc::default(),
        })
    }

    /// The caller of a token from one of our own sign-ins. It makes the checks of API Gateway's
    /// authorizer, and also checks that it is an access token.
    pub async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let claims = self.verified(token).await?;
        let claim = |name: &str| claims.get(name).and_then(Value::as_str);
        let scopes = claim("scope").unwrap_or_default();
        let is_ours = claim("client_id").is_some_and(|client| self.app_clients.take(client))
            && scopes
                .split(' ')
                .any(|scope| scope == claims::SESSION_SCOPE);
        if is_ours {
            caller(&claims)
        } else {
            Err(Problem::AuthRequired)
        }
    }

    /// The user of a provider's token, when the provider is the pool. Any of the pool's clients may
    /// have requested it.
    pub async fn person(&self, token: &str) -> Result<Caller, Problem> {
        caller(&self.verified(token).await?)
    }

    /// The claims of a token that the pool has signed and that has not expired.
    async fn verified(&self, token: &str) -> Result<Map<String, Value>, Problem> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| Problem::AuthRequired)?;
        let kid = header.kid.ok_or(Problem::AuthRequired)?;
        let keys = self.keys_with(&kid).await?;
        let key = keys.find(&kid).ok_or(Problem::AuthRequired)?;
        let key = DecodingKey::from_jwk(key)
            .map_err(|error| Problem::Internal(Report::new("read a signing key", error)))?;
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_issuer(&[&self.issuer]);
        // An access token of Cognito's has a client and no audience. Times are checked below, on
        // our own clock.
        validation.validate_aud = false;
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["iss", "exp"]);
        let verified = jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|_| Problem::AuthRequired)?;
        let now = self.clock.now().as_seconds();
        let ends = verified.claims.get("exp").and_then(Value::as_i64);
        let begins = verified.claims.get("nbf").map(Value::as_i64);
        let has_begun = begins.is_none_or(|begin| begin.is_some_and(|begin| begin <= now));
        if has_begun && ends.is_some_and(|end| now < end) {
            Ok(verified.claims)
        } else {
            Err(Problem::AuthRequired)
        }
    }

    /// The keys. They are fetched again if they are old or lack `kid`.
    async fn keys_with(&self, kid: &str) -> Result<Arc<JwkSet>, Problem> {
        let mut read = self.read.lock().await;
        let now = self.clock.now();
        if let Some((at, keys)) = &*read {
            let is_there = keys.find(kid).is_some() && now < at.after(BELIEVED_FOR);
            if is_there || now < at.after(FETCHED_AT_MOST_EVERY) {
                return Ok(Arc::clone(keys));
            }
        }
        let fetched = self.keys.invoke(()).await;
        let keys = Arc::new(fetched.map_err(failure("read the pool's signing keys"))?);
        *read = Some((now, Arc::clone(&keys)));
        Ok(keys)
    }
}

/// The caller of a token that Cognito has just returned.
pub(crate) fn issued(token: &AccessToken) -> Option<Caller> {
    caller(&claims_of(token.as_str())?).ok()
}

fn caller(claims: &Map<String, Value>) -> Result<Caller, Problem> {
    let text = |name: &str| match claims.get(name)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    };
    Caller::of_claims(text).ok_or(Problem::AuthRequired)
}

fn keys(response: &HttpResponse) -> Result<JwkSet, OrchestratorError<NoKeys>> {
    let none = |code: &str| {
        let code = ErrorMetadata::builder().code(code).build();
        OrchestratorError::operation(NoKeys(code))
    };
    if !response.status().is_success() {
        return Err(none("ServiceUnavailable"));
    }
    let body = response.body().bytes().unwrap_or_default();
    serde_json::from_slice(body).map_err(|_| none("NotAKeySet"))
}
