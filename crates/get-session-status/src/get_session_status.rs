//! The decision: read the authorization, record an abandoned one, and answer with the next poll
//! time.

use auth_domain::{AuthorizationId, AuthorizationStatus, Problem};
use auth_lambda::Exchange;

use crate::{GetSessionStatus, SessionStatus};

/// When to ask again while a person is reading and typing.
const ASK_AGAIN_SECONDS: u32 = 2;

impl GetSessionStatus {
    pub(crate) async fn look(
        &self,
        id: AuthorizationId,
        exchange: &Exchange,
    ) -> Result<SessionStatus, Problem> {
        let now = self.clock.now();
        let found = self.authorizations.find(&id, now).await?;
        let authorization = found.ok_or(Problem::NotFound)?;
        let status = authorization.status(now);
        self.end.note_abandoned(&authorization, exchange).await?;
        if status == AuthorizationStatus::Pending {
            exchange.set_header("retry-after", ASK_AGAIN_SECONDS.to_string());
        }
        Ok(SessionStatus {
            session_id: id,
            status,
            expires_at: authorization.expires_at,
        })
    }
}
