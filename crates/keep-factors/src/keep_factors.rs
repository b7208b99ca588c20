//! The decision: a reset that waits is stopped, and one that is due is not.

use auth_domain::{Notice, Problem};
use auth_lambda::Exchange;

use crate::KeepFactors;

impl KeepFactors {
    /// Stops the reset that waits, if one does.
    pub(crate) async fn keep(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let Some(entry) = self.activities.stopped_reset(&guest, exchange)? else {
            return Ok(());
        };
        let now = self.clock.now();
        if !self.resets.stop(&caller.sub, entry, now).await? {
            return Err(Problem::SessionExpired);
        }
        let notice = Notice::FactorResetStopped;
        self.notices.tell(&guest, notice, exchange).await;
        Ok(())
    }
}
