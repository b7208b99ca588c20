//! `refreshToken`, POST /auth/refresh: exchanges a refresh token for new tokens. One call to
//! Cognito, none to DynamoDB.
//!
//! The token comes in the body, or in the `__Host-` cookie, and the new one goes back the same way.
//!
//! If the call fails, nothing has changed. If its answer is lost, the token sent works on through
//! the client's grace period, so the next try succeeds.

mod refresh_token;

use std::time::Duration;

use auth_aws::{ConfigurationError, Platform, TokenService};
use auth_domain::{Problem, RefreshToken};
use auth_lambda::{Access, Exchange, Fields, Function, IssuedTokens, Operation, Origin};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = Refresh {
        token_service: TokenService::new(platform)?,
        front_end: environment.required("FRONTEND_URL")?,
        cookie_lifetime: environment.refresh_token_lifetime()?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation with its capabilities.
struct Refresh {
    token_service: TokenService,
    front_end: Origin,
    cookie_lifetime: Duration,
}

/// The token to exchange, unless it comes in the cookie.
struct Input {
    refresh_token: Option<RefreshToken>,
}

impl Operation for Refresh {
    const NAME: &'static str = "refresh-token";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = IssuedTokens;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let refresh_token = fields.optional("refreshToken");
        fields.finish()?;
        Ok(Input { refresh_token })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<IssuedTokens, Problem> {
        self.refresh(input.refresh_token, exchange).await
    }
}
