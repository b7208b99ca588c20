//! Callers on routes that accept an access token or another proof. API Gateway has one authorizer a
//! route, so these routes have none, and Latchkey checks the token here.

use auth_aws::{AccessTokens, ConfigurationError, Platform};
use auth_domain::{Caller, Problem};
use auth_lambda::Exchange;

/// Checks access tokens on routes without an authorizer.
#[derive(Clone)]
pub struct Entrance {
    access_tokens: AccessTokens,
}

impl Entrance {
    /// Tokens of the pool and the clients that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            access_tokens: AccessTokens::new(platform)?,
        })
    }

    /// The caller of the request's token. A bad token is refused, never treated as absent.
    pub async fn caller<'a>(&self, exchange: &'a Exchange) -> Result<&'a Caller, Problem> {
        if let (Err(_), Some(token)) = (exchange.caller(), exchange.bearer_token()) {
            exchange.let_in(self.access_tokens.caller(token).await?);
        }
        exchange.caller()
    }
}
