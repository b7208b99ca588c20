//! `logoutUser`, POST /auth/logout: ends this session, or with `everywhere` all sessions of the
//! guest.
//!
//! Ending one session records the end, and revokes its refresh token if the request brings it.
//! Ending all revokes every refresh token at Cognito and then records the instant in the guest's
//! record. From then on every operation refuses the access tokens, although their signatures stay
//! valid.
//!
//! If a call fails: revocation can be repeated. The end is recorded last, so until then the
//! caller's own token still works for the next try.

mod logout_user;

use auth_aws::{Callers, ConfigurationError, Platform, Secrets, TokenService, UserSessions, Users};
use auth_domain::{Clock, Problem, RefreshToken};
use auth_flows::{Activities, Sessions};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Origin};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = LogoutUser {
        callers: Callers::new(platform)?,
        token_service: TokenService::new(platform)?,
        user_sessions: UserSessions::new(platform)?,
        sessions: Sessions::new(platform)?,
        activities: Activities::new(platform)?,
        users: Users::new(platform)?,
        secrets: Secrets::new(platform)?,
        client_id: environment.text("COGNITO_CLIENT_ID")?.to_owned(),
        front_end: environment.required("FRONTEND_URL")?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct LogoutUser {
    callers: Callers,
    token_service: TokenService,
    user_sessions: UserSessions,
    sessions: Sessions,
    activities: Activities,
    users: Users,
    secrets: Secrets,
    /// The operations' own app client.
    client_id: String,
    front_end: Origin,
    clock: Clock,
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
