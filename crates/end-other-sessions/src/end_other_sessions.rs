//! The decision: keep the caller's session, and end all others.

use auth_domain::{ActivityKind, Problem};
use auth_lambda::Exchange;

use crate::EndOtherSessions;

impl EndOtherSessions {
    /// Ends all sessions except the caller's. A caller whose token names no session keeps none.
    pub(crate) async fn end_others(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let kept = caller.session.as_ref();
        let kind = match kept {
            Some(_) => ActivityKind::OtherSessionsEnded,
            None => ActivityKind::AllSessionsEnded,
        };
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let now = self.clock.now();
        self.guests
            .end_other_sessions(&guest, kept, entry, now)
            .await
    }
}
