//! `authorize-request`: decides by the access token whether a request to a team's own API may pass.
//!
//! It admits a token that every JWT route of Latchkey would admit: an access token, signed by the
//! pool, of an accepted issuer and client, with the scope `latchkey/session`, valid now; and its
//! session has not ended. Guest and session are read together for each request: the gateway caches
//! an answer for 30 seconds, and a second cache here would add to that.
//!
//! If a call fails, the request is denied, and the gateway answers 500 and caches nothing.

mod authorize_request;

use auth_aws::{AccessTokens, Callers, ConfigurationError, Platform};
use auth_domain::Problem;
use auth_lambda::{Authorizer, Function, Passed};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::authorizer(AuthorizeRequest {
        access_tokens: AccessTokens::new(platform)?,
        callers: Callers::new(platform)?,
    }))
}

/// The function's dependencies.
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
