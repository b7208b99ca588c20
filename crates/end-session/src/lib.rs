//! `endSession`, DELETE /me/sessions/{sessionId}: ends one session of the guest.
//!
//! Its access tokens are refused from now on. Its refresh tokens are refused too, and revoked on
//! their next use: the server does not store them.
//!
//! The public app client renews its tokens at Cognito, which cannot end one session of a user. So
//! the end of such a session also signs the user out there: no session of the guest renews its
//! tokens after that. Another session's end is recorded first, so it is refused here even if
//! Cognito fails. The caller's own is recorded last, so its token works for another try.
//!
//! If a call fails: nothing has changed, or a part is done and a repeated request does the rest.

mod end_session;

use auth_aws::{Callers, ConfigurationError, Platform, UserSessions, Users};
use auth_domain::{Clock, Problem, SessionId};
use auth_flows::Activities;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = EndSession {
        callers: Callers::new(platform)?,
        sessions: UserSessions::new(platform)?,
        activities: Activities::new(platform)?,
        users: Users::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct EndSession {
    callers: Callers,
    sessions: UserSessions,
    activities: Activities,
    users: Users,
    clock: Clock,
}

/// The session to end.
struct Input {
    session_id: SessionId,
}

impl Operation for EndSession {
    const NAME: &'static str = "end-session";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_id = fields.required("sessionId");
        let input = || {
            Some(Input {
                session_id: session_id?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.end(input.session_id, exchange).await
    }
}
