//! `authorize-request`: whether a request to a team's own API may pass, by its access token.
//!
//! A token passes that every JWT route of Latchkey would take: signed by the pool, of the issuer
//! and a client that count, an access token with the scope `latchkey/session`, begun and not over;
//! and its session has not ended. Guest and session are read together, each time: the gateway keeps
//! an answer for 30 seconds, and a second memory here would add to that.
//!
//! If a call fails, the request does not pass, and the gateway answers 500 and keeps nothing.

mod authorize_request;

use auth_aws::{AccessTokens, Callers, ConfigurationError, Platform};
use auth_domain::Problem;
use auth_lambda::{Authorizer, Function, Passed};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::authorizer(AuthorizeRequest {
        access_tokens: AccessTokens::new(platform)?,
        callers: Callers::new(platform)?,
    }))
}

/// What the function works with.
struct AuthorizeRequest {
    access_tokens: AccessTokens,
    callers: Callers,
}

impl Authorizer for AuthorizeRequest {
    const NAME: &'static str = "authorize-request";

    async fn authorize(&self, token: &str) -> Result<Passed, Problem> {
        self.decide(token).await
    }
}
