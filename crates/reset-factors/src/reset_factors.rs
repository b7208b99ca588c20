//! The decision: set when the second factors end, and tell the guest.

use auth_domain::{ActOnGuest, ActivityKind, Guest, Notice, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{ResetFactors, Waits};

impl ResetFactors {
    /// Begins a reset's delay, and tells the guest. A second request tells the guest again.
    pub(crate) async fn reset(
        &self,
        act: ActOnGuest,
        exchange: &Exchange,
    ) -> Result<Waits, Problem> {
        let asking = |guest: Guest| async move {
            let (sub, kind) = (&guest.cognito_sub, ActivityKind::FactorResetAsked);
            let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
            let entry = self.activities.write_of(&activity)?;
            let at = self.clock.now().after(self.delay);
            let effective_at = self.resets.ask(&guest, at, entry).await?;
            let notice = Notice::FactorResetAsked;
            self.notices.tell(&guest, notice, exchange).await;
            Ok(Waits { effective_at })
        };
        self.acts
            .on_guest(OperatorAct::ResetFactors, act, exchange, asking)
            .await
    }
}
