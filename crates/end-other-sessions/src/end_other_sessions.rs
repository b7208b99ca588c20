//! The decision: which session stays.

use auth_domain::{Caller, Problem};

use crate::EndOtherSessions;

impl EndOtherSessions {
    /// Ends all sessions but the caller's. A caller who names no session keeps none.
    pub(crate) async fn end_others(&self, caller: &Caller) -> Result<(), Problem> {
        self.callers.find(caller).await?;
        let now = self.clock.now();
        let kept = caller.session.as_ref();
        self.guests.end_other_sessions(&caller.sub, kept, now).await
    }
}
