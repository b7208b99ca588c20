//! The decision: a reset that waits is stopped, and one that is due is not.

use auth_domain::{ActivityKind, Notice, Problem};
use auth_lambda::Exchange;

use crate::KeepFactors;

impl KeepFactors {
    /// Stops the reset that waits, if one does.
    pub(crate) async fn keep(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        if guest.factor_reset_at.is_none() {
            return Ok(());
        }
        let kind = ActivityKind::FactorResetStopped;
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let now = self.clock.now();
        if !self.resets.stop(&caller.sub, entry, now).await? {
            return Err(Problem::SessionExpired);
        }
        let notice = Notice::FactorResetStopped;
        self.notices.tell(&guest, notice, exchange).await;
        Ok(())
    }
}
