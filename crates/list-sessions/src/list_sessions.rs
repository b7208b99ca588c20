//! The decision: which sessions a guest sees.

use std::cmp::Reverse;

use auth_domain::{Caller, Problem};
use tokio::try_join;

use crate::{ListSessions, Listed};

/// Sessions in one answer, at most.
const MOST: usize = 100;

impl ListSessions {
    pub(crate) async fn list(&self, caller: &Caller) -> Result<Vec<Listed>, Problem> {
        let (guest, mut sessions) = try_join!(
            self.callers.find(caller),
            self.sessions.list(&caller.sub, self.clock.now())
        )?;
        sessions.retain(|session| !session.is_signed_out_of(&guest));
        sessions.sort_by_key(|session| Reverse(session.last_used_at));
        sessions.truncate(MOST);
        let listed = sessions.into_iter().map(|session| Listed {
            current: caller.session.as_ref() == Some(&session.id),
            session,
        });
        Ok(listed.collect())
    }
}
