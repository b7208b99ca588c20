//! `logoutUser`, POST /auth/logout: ends this session, or with `everywhere` all sessions of the
//! guest.
//!
//! Ending one session revokes its refresh token. Ending all revokes every refresh token at Cognito
//! and then notes the instant on the guest: from there on every operation refuses access tokens
//! issued up to it, which by their signature would live on.
//!
//! If a call fails: revoking is safe to repeat. The instant is noted last, so until everything is
//! done the caller's own token still works for the next try.

mod logout_user;

use auth_aws::{ConfigurationError, Guests, Platform, TokenService};
use auth_domain::{Problem, RefreshToken};
use auth_flows::Sessions;
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Origin};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = LogoutUser {
        guests: Guests::new(platform)?,
        token_service: TokenService::new(platform)?,
        sessions: Sessions::new(platform)?,
        front_end: platform.environment().required("FRONTEND_URL")?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation with its capabilities.
struct LogoutUser {
    guests: Guests,
    token_service: TokenService,
    sessions: Sessions,
    front_end: Origin,
}

/// The sessions to end.
struct Input {
    refresh_token: Option<RefreshToken>,
    everywhere: bool,
}

impl Operation for LogoutUser {
    const NAME: &'static str = "logout-user";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (refresh_token, everywhere) =
            (fields.optional("refreshToken"), fields.flag("everywhere"));
        fields.finish()?;
        Ok(Input {
            refresh_token,
            everywhere,
        })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input {
            refresh_token,
            everywhere,
        } = input;
        if everywhere {
            self.end_all(exchange).await
        } else {
            self.end_one(refresh_token, exchange).await
        }
    }
}
