//! `getSessionStatus`, GET /auth/session/{sessionId}: the state of a three-legged authorization.
//!
//! The id grants nothing. Its holder learns whether the authorization is pending, completed, failed
//! or expired, but not the reason, and not its conversation. A front end polls, so the answer for a
//! pending one contains the time of the next poll. Every answer is complete: CloudFront forwards
//! cookies here, and therefore no conditions such as `If-None-Match`.
//!
//! The first reader of an unfinished authorization records that it was abandoned: one conditional
//! write, so it counts once.
//!
//! If a call fails: nothing has changed, or the record is written, and the next poll finds either.

mod get_session_status;

use auth_aws::{Authorizations, ConfigurationError, Platform};
use auth_domain::{AuthorizationId, AuthorizationStatus, Clock, Problem, Timestamp};
use auth_flows::AuthorizationEnd;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        GetSessionStatus {
            authorizations: Authorizations::new(platform)?,
            end: AuthorizationEnd::new(platform)?,
            clock: platform.clock(),
        },
        platform.deployment()?,
    ))
}

/// The operation's dependencies.
struct GetSessionStatus {
    authorizations: Authorizations,
    end: AuthorizationEnd,
    clock: Clock,
}

/// The state of the authorization.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SessionStatus {
    session_id: AuthorizationId,
    status: AuthorizationStatus,
    expires_at: Timestamp,
}

impl Operation for GetSessionStatus {
    const NAME: &'static str = "get-session-status";
    const ACCESS: Access = Access::Public;

    type Input = AuthorizationId;
    type Output = SessionStatus;

    /// A text that is no id names no authorization.
    fn parse(&self, fields: &mut Fields) -> Result<AuthorizationId, Problem> {
        let id = fields.required("sessionId");
        fields.finish().map_err(|_| Problem::NotFound)?;
        id.ok_or(Problem::NotFound)
    }

    async fn run(
        &self,
        id: AuthorizationId,
        exchange: &Exchange,
    ) -> Result<SessionStatus, Problem> {
        self.look(id, exchange).await
    }
}
