//! The decision: a guest sees the events of their own account.

use auth_aws::ActivityPage;
use auth_domain::{ActivityWish, Caller, Problem};
use tokio::try_join;

use crate::ListActivity;

impl ListActivity {
    pub(crate) async fn list(
        &self,
        wish: &ActivityWish,
        caller: &Caller,
    ) -> Result<ActivityPage, Problem> {
        let (_, page) = try_join!(
            self.callers.find(caller),
            self.log.page(&caller.sub, wish, self.clock.now())
        )?;
        Ok(page)
    }
}
