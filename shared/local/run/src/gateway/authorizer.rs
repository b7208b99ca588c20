//! The JWT authorizer. It fetches the issuer's keys over HTTP and checks signature, issuer,
//! audience, times and scopes, in API Gateway's order. Like the real one, it ignores revocation and
//! `token_use`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use auth_domain::Timestamp;
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tokio::sync::Mutex;

/// API Gateway gives discovery and keys this long.
const FETCH_TIMEOUT: Duration = Duration::from_millis(1_500);

/// An authorizer of one issuer.
pub(super) struct Authorizer {
    issuer: String,
    audience: Vec<String>,
    http: reqwest::Client,
    /// The cached keys. The lock is held during a fetch, so concurrent requests fetch once.
    keys: Mutex<Option<Arc<JwkSet>>>,
}

/// The part of an admitted request's event about its token.
#[derive(Serialize)]
pub(super) struct Authorized {
    /// Every claim, as text.
    claims: BTreeMap<String, String>,
    /// The route's scopes that the token has.
    scopes: Vec<String>,
}

/// The reason why a request is refused.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// 401: no token, or an invalid one. Contains the value of `WWW-Authenticate`.
    Unauthorized(&'static str),
    /// 403: a good token without any of the route's scopes.
    Forbidden,
}

#[derive(Deserialize)]
struct Discovery {
    jwks_uri: String,
}

impl Authorizer {
    pub(super) fn new(issuer: String, audience: Vec<String>) -> Result<Self, reqwest::Error> {
        Ok(Self {
            issuer,
            audience,
            http: reqwest::Client::builder()
                .timeout(FETCH_TIMEOUT)
                .no_proxy()
                .build()?,
            keys: Mutex::new(None),
        })
    }

    /// Admits a request with a valid token that has at least one of `scopes`.
    pub(super) async fn admit(
        &self,
        headers: &HeaderMap,
        scopes: &[String],
        now: Timestamp,
    ) -> Result<Authorized, Refusal> {
        let token = bearer(headers).ok_or(Refusal::Unauthorized(""))?;
        let claims = self.verified(token).await?;
        self.check(&claims, now)?;
        let granted: Vec<&str> = ["scope", "scp"]
            .iter()
            .filter_map(|name| claims.get(*name)?.as_str())
            .flat_map(str::split_ascii_whitespace)
            .collect();
        let scopes: Vec<String> = scopes
            .iter()
            .filter(|scope| granted.contains(&scope.as_str()))
            .cloned()
            .collect();
        if scopes.is_empty() {
            return Err(Refusal::Forbidden);
        }
        Ok(Authorized {
            claims: texts(&claims),
            scopes,
        })
    }

    /// The claims of a token that one of the issuer's keys has signed.
    async fn verified(&self, token: &str) -> Result<Map<String, Value>, Refusal> {
        let undecodable = Refusal::Unauthorized("unable to decode the token");
        let header = jsonwebtoken::decode_header(token).map_err(|_| undecodable)?;
        let kid = header
            .kid
            .ok_or(Refusal::Unauthorized("the token has no kid"))?;
        if header.alg != Algorithm::RS256 {
            return Err(Refusal::Unauthorized("the signing method is not supported"));
        }
        let key = self.key(&kid).await?;
        let mut validation = Validation::new(Algorithm::RS256);
        // Issuer, audience and times are checked below: in API Gateway's order, on the world's
        // clock.
        validation.validate_exp = false;
        validation.validate_aud = false;
        validation.required_spec_claims.clear();
        jsonwebtoken::decode::<Map<String, Value>>(token, &key, &validation)
            .map(|verified| verified.claims)
            .map_err(|_| Refusal::Unauthorized("the signature is not valid"))
    }

    fn check(&self, claims: &Map<String, Value>, now: Timestamp) -> Result<(), Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(Refusal::Unauthorized("the issuer is not valid"));
        }
        let meant_for_us = |audience: &Value| {
            audience
                .as_str()
                .is_some_and(|one| self.audience.iter().any(|ours| ours == one))
        };
        let audience_is_ours = match (claims.get("aud"), claims.get("client_id")) {
            (Some(Value::Array(several)), _) => several.iter().any(meant_for_us),
            (Some(audience), _) => meant_for_us(audience),
            (None, Some(client)) => meant_for_us(client),
            (None, None) => false,
        };
        if !audience_is_ours {
            return Err(Refusal::Unauthorized("the token has no valid audience"));
        }
        let time = |name: &str| {
            claims
                .get(name)
                .map(|value| value.as_f64().unwrap_or(f64::NAN))
        };
        #[expect(
            clippy::cast_precision_loss,
            reason = "seconds fit into 52 bits for as long as anybody will run this"
        )]
        let now = now.as_seconds() as f64;
        if !time("exp").is_some_and(|expiry| expiry > now) {
            return Err(Refusal::Unauthorized("the token has expired"));
        }
        if !["nbf", "iat"]
            .into_iter()
            .filter_map(time)
            .all(|begin| begin <= now)
        {
            return Err(Refusal::Unauthorized("the token is not valid yet"));
        }
        Ok(())
    }

    /// The key of this id: from the cache, or fetched anew, because an unknown id may be a key that
    /// was just rotated in.
    async fn key(&self, kid: &str) -> Result<DecodingKey, Refusal> {
        let mut cached = self.keys.lock().await;
        if let Some(key) = cached.as_ref().and_then(|keys| key_of(keys, kid)) {
            return Ok(key);
        }
        let fetched = Arc::new(self.fetch().await.map_err(|error| {
            tracing::warn!(%error, "the issuer's keys cannot be fetched");
            Refusal::Unauthorized("OIDC discovery endpoint communication error")
        })?);
        let key = key_of(&fetched, kid);
        *cached = Some(fetched);
        key.ok_or(Refusal::Unauthorized("the kid is not known to the issuer"))
    }

    async fn fetch(&self) -> Result<JwkSet, reqwest::Error> {
        let discovery = format!("{}/.well-known/openid-configuration", self.issuer);
        let discovery: Discovery = self
            .http
            .get(discovery)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        self.http
            .get(discovery.jwks_uri)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await
    }
}

impl Refusal {
    /// The challenge for `WWW-Authenticate` (RFC 6750).
    pub(super) fn challenge(&self, scopes: &[String]) -> String {
        let scopes = scopes.join(" ");
        match self {
            Self::Unauthorized("") => "Bearer".to_owned(),
            Self::Unauthorized(description) => {
                format!(
                    r#"Bearer scope="{scopes}" error="invalid_token" error_description="{description}""#
                )
            }
            Self::Forbidden => format!(
                r#"Bearer scope="{scopes}" error="insufficient_scope" error_description="the token lacks the scopes of this route""#
            ),
        }
    }
}

/// The token in the identity source `$request.header.Authorization`. "Bearer " in front may be left
/// out.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let token = match value.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => token.trim(),
        Some(_) | None => value,
    };
    (!token.is_empty()).then_some(token)
}

fn key_of(keys: &JwkSet, kid: &str) -> Option<DecodingKey> {
    keys.find(kid)
        .and_then(|key| DecodingKey::from_jwk(key).ok())
}

/// The claims in the event's form, without null claims.
fn texts(claims: &Map<String, Value>) -> BTreeMap<String, String> {
    let given = claims.iter().filter(|(_, value)| !value.is_null());
    given
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// A claim in the event's form: text, whatever its type was.
fn text(claim: &Value) -> String {
    match claim {
        Value::String(text) => text.clone(),
        Value::Array(several) => {
            format!(
                "[{}]",
                several.iter().map(text).collect::<Vec<_>>().join(" ")
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => claim.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_claim_becomes_text() {
        assert_eq!(text(&json!(true)), "true");
        assert_eq!(text(&json!(1_700_000_000)), "1700000000");
        assert_eq!(text(&json!(["a", "b"])), "[a b]");
        assert_eq!(text(&json!("text")), "text");
        let claims = json!({ "sub": "ada", "nickname": null, "roles": [null] });
        assert_eq!(
            json!(texts(claims.as_object().unwrap())),
            json!({ "sub": "ada", "roles": "[null]" })
        );
    }

    #[test]
    fn the_scheme_may_be_left_out() {
        let header = |value: &str| HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]);
        assert_eq!(bearer(&header("Bearer a.b.c")), Some("a.b.c"));
        assert_eq!(bearer(&header("bearer a.b.c")), Some("a.b.c"));
        assert_eq!(bearer(&header("a.b.c")), Some("a.b.c"));
        assert_eq!(bearer(&header("Bearer ")), Some("Bearer"));
        assert_eq!(bearer(&HeaderMap::new()), None);
    }

    #[test]
    fn audience_issuer_and_times_are_checked_to_the_second() {
        let authorizer =
            Authorizer::new("https://issuer".to_owned(), vec!["app".to_owned()]).unwrap();
        let now = Timestamp::from_millis(1_000_000);
        let good = json!({ "iss": "https://issuer", "client_id": "app", "exp": 1001, "iat": 1000, "nbf": 1000 });
        let check = |changes: Value| {
            let mut claims = good.as_object().unwrap().clone();
            claims.extend(changes.as_object().unwrap().clone());
            claims.retain(|_, value| !value.is_null());
            authorizer.check(&claims, now)
        };
        assert_eq!(check(json!({})), Ok(()));
        assert_eq!(check(json!({ "aud": ["other", "app"] })), Ok(()));
        for changes in [
            json!({ "iss": "https://issuer/" }),
            json!({ "client_id": "other" }),
            json!({ "client_id": null }),
            json!({ "aud": "other" }),
            json!({ "exp": 1000 }),
            json!({ "exp": null }),
            json!({ "exp": "1001" }),
            json!({ "iat": 1001 }),
            json!({ "nbf": 1001 }),
            json!({ "nbf": "soon" }),
        ] {
            assert!(check(changes.clone()).is_err(), "{changes}");
        }
    }
}
