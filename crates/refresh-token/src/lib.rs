//! `refreshToken`, POST /auth/refresh: exchanges a refresh token for new tokens.
//!
//! The token comes in the body, or in the `__Host-` cookie, and the new one returns the same way.
//!
//! Cognito is asked first. One conditional write then counts the refresh for the session, and
//! decides between any number of its tokens. It accepts the current one, and the previous one
//! within the grace. Any other token ends the session with all its branches. An ended session gets
//! nothing, and Cognito's new tokens are revoked.
//!
//! A client that lost an answer and returns after the grace is signed out. The guest gets one
//! notice of a theft, if a later token than a repeated one has been used.
//!
//! If Cognito revokes a session (a disabled user, a sign-out there), it ends here with its next
//! refresh, access tokens included. A refusal for another reason ends nothing here: a client that
//! is configured wrongly is refused for every session.
//!
//! If a call fails before Cognito has answered, nothing has changed. If one fails after it, no
//! tokens leave: the token sent works throughout the grace, so the next try succeeds.

mod refresh_token;

use std::time::Duration;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Guest, Problem, RefreshToken};
use auth_flows::Refreshes;
use auth_lambda::{Access, Exchange, Fields, Function, IssuedTokens, Operation, Origin};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = Refresh {
        refreshes: Refreshes::new(platform)?,
        front_end: environment.required("FRONTEND_URL")?,
        cookie_lifetime: environment.refresh_token_lifetime()?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct Refresh {
    refreshes: Refreshes,
    front_end: Origin,
    cookie_lifetime: Duration,
}

/// The token to exchange, unless it comes in the cookie.
struct Input {
    refresh_token: Option<RefreshToken>,
}

/// The new tokens and their user.
#[derive(Serialize)]
struct Refreshed {
    #[serde(flatten)]
    tokens: IssuedTokens,
    user: Guest,
}

impl Operation for Refresh {
    const NAME: &'static str = "refresh-token";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = Refreshed;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let refresh_token = fields.optional("refreshToken");
        fields.finish()?;
        Ok(Input { refresh_token })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Refreshed, Problem> {
        self.refresh(input.refresh_token, exchange).await
    }
}
