//! The decision: list the guest's live sessions, and mark the caller's.

use auth_domain::{Caller, Problem, UserSession};
use tokio::try_join;

use crate::{ListSessions, Listed};

impl ListSessions {
    pub(crate) async fn list(&self, caller: &Caller) -> Result<Vec<Listed>, Problem> {
        let (guest, sessions) = try_join!(
            self.callers.find(caller),
            self.sessions.list(&caller.sub, self.clock.now())
        )?;
        let sessions = UserSession::going_on(sessions, &guest);
        let listed = sessions.into_iter().map(|session| Listed {
            current: caller.session.as_ref() == Some(&session.id),
            session,
        });
        Ok(listed.collect())
    }
}
