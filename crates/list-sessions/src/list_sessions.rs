//! The decision: list the guest's live sessions, and mark the caller's.

use auth_domain::{Problem, UserSession};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{ListSessions, Listed};

impl ListSessions {
    pub(crate) async fn list(&self, exchange: &Exchange) -> Result<Vec<Listed>, Problem> {
        let caller = exchange.caller()?;
        let ((guest, recorded), mut sessions) = try_join!(
            self.callers.find(exchange),
            self.sessions.list(&caller.sub, self.clock.now())
        )?;
        // The record may be younger than the list: this request has made it, or a parallel one.
        let is_missing = |own: &UserSession| sessions.iter().all(|session| session.id != own.id);
        if let Some(own) = recorded.filter(is_missing) {
            sessions.push(own);
        }
        let sessions = UserSession::going_on(sessions, &guest);
        let listed = sessions.into_iter().map(|session| Listed {
            current: caller.session.as_ref() == Some(&session.id),
            session,
        });
        Ok(listed.collect())
    }
}
