//! `getSessionStatus`, GET /auth/session/{sessionId}: how far a three-legged authorization has
//! come.
//!
//! The id grants nothing. Its holder learns whether the authorization is pending, completed, failed
//! or over, but not why, and not in which conversation. A front end asks again and again, so an
//! answer that waits says when to ask next. Every answer comes whole: CloudFront, which hands
//! cookies on, does not hand conditions such as `If-None-Match` on.
//!
//! The first reader of an unfinished authorization records that it was abandoned: one conditional
//! write, so it counts once.
//!
//! If a call fails: nothing has changed, or the note is there, and the next look finds either.

mod get_session_status;

use auth_aws::{Authorizations, ConfigurationError, Platform};
use auth_domain::{AuthorizationId, AuthorizationStatus, Clock, Problem, Timestamp};
use auth_flows::AuthorizationEnd;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function, wired to what it uses.
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

/// The operation with its capabilities.
struct GetSessionStatus {
    authorizations: Authorizations,
    end: AuthorizationEnd,
    clock: Clock,
}

/// How far it has come.
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

    /// Text that is no id names no authorization.
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
