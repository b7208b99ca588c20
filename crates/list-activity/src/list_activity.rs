//! The decision: a guest sees the events of their own account.

use auth_aws::ActivityPage;
use auth_domain::{Caller, Problem};
use tokio::try_join;

use crate::{Input, ListActivity, Output};

impl ListActivity {
    pub(crate) async fn list(&self, input: &Input, caller: &Caller) -> Result<Output, Problem> {
        let (before, now) = (input.before.as_ref(), self.clock.now());
        let (_, page) = try_join!(
            self.callers.find(caller),
            self.log.page(&caller.sub, before, input.limit, now)
        )?;
        let ActivityPage { events, before } = page;
        Ok(Output { events, before })
    }
}
