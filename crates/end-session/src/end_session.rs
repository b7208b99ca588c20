//! The decision: end the session, and clear the browser's cookie if it is the caller's own.

use auth_domain::{Activity, ActivityKind, Problem, SessionId, SessionKey};
use auth_lambda::{Exchange, SetCookie};

use crate::EndSession;

impl EndSession {
    /// Ends a session of the caller's guest. Another guest's session gets the answer of an unknown
    /// one.
    pub(crate) async fn end(&self, id: SessionId, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let is_current = caller.session.as_ref() == Some(&id);
        let sub = caller.sub.clone();
        let key = SessionKey { sub, id };
        let entry = self.activities.write_of(&Activity {
            session: Some(key.id.clone()),
            ..self
                .activities
                .event(&guest, ActivityKind::SessionEnded, exchange)
        })?;
        let now = self.clock.now();
        if !self.sessions.end_listed(&key, entry, now).await? {
            return Err(Problem::NotFound);
        }
        if is_current {
            exchange.set_cookie(SetCookie::no_refresh_token());
        }
        Ok(())
    }
}
