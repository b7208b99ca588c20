//! A user's JWT, verified with the keys that its issuer publishes.

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use local_kit::seconds;
use serde::Deserialize;
use url::Url;

use crate::oauth2;
use crate::options::Issuers;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::store::fingerprint;
use crate::workload_token::Principal;

/// The claims that are read. Others are ignored.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    exp: f64,
    nbf: Option<f64>,
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

/// The user of a token that its issuer signed and that has not expired.
///
/// The issuer's keys are fetched each time: a stand-in has no reason to cache them.
pub(crate) async fn verify(service: &Service, token: &str) -> Result<Principal, Refusal> {
    verified(service, token).await.map_err(|why| {
        Refusal::new(
            service.behaviour().bad_user_token,
            format!("Invalid user token: {why}"),
        )
    })
}

async fn verified(service: &Service, token: &str) -> Result<Principal, &'static str> {
    let unreadable = |_| "it is not a JWT with iss, sub and exp";
    let header = jsonwebtoken::decode_header(token).map_err(unreadable)?;
    // Shared keys are not published; a published one would let anyone forge tokens.
    if matches!(
        header.alg,
        Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
    ) {
        return Err("it is not signed with a key pair");
    }
    let claimed = jsonwebtoken::dangerous::insecure_decode::<Claims>(token)
        .map_err(unreadable)?
        .claims;
    let admitted = match &*service.issuers() {
        Issuers::Any => true,
        Issuers::Only(issuers) => issuers.contains(&claimed.iss),
    };
    if !admitted {
        return Err("its issuer is not one of those that this stand-in takes");
    }
    let keys = keys(service, &claimed.iss).await?;
    let key = match &header.kid {
        Some(kid) => keys.find(kid),
        None => only(&keys.keys),
    };
    let key = key
        .and_then(|key| DecodingKey::from_jwk(key).ok())
        .ok_or("its issuer publishes no such key")?;
    let mut validation = Validation::new(header.alg);
    // Times are compared with the clock that was passed in, below.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(token, &key, &validation)
        .map_err(|_| "its signature is wrong")?
        .claims;
    let now = seconds(service.now());
    if claims.exp <= now {
        return Err("it has expired");
    }
    if claims.nbf.is_some_and(|begin| begin > now) {
        return Err("it is not valid yet");
    }
    Ok(Principal::Token {
        issuer: claims.iss,
        subject: claims.sub,
        token: fingerprint(token),
    })
}

async fn keys(service: &Service, issuer: &str) -> Result<JwkSet, &'static str> {
    let unreachable = |cause: oauth2::Failure| {
        tracing::warn!(%cause, "an issuer's keys cannot be fetched");
        "its issuer's keys cannot be fetched"
    };
    let discovery = format!(
        "{}/.well-known/openid-configuration",
        issuer.trim_end_matches('/')
    );
    let address = Url::parse(&discovery).map_err(|_| "its issuer is not a URL")?;
    let discovery: Discovery = oauth2::document(&service.http, address)
        .await
        .map_err(unreachable)?;
    if discovery.issuer != issuer {
        return Err("its issuer calls itself otherwise");
    }
    let address = Url::parse(&discovery.jwks_uri).map_err(|_| "its issuer's keys have no URL")?;
    oauth2::document(&service.http, address)
        .await
        .map_err(unreachable)
}

fn only(keys: &[Jwk]) -> Option<&Jwk> {
    match keys {
        [key] => Some(key),
        [] | [_, ..] => None,
    }
}
