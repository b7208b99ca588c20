//! The decision: when the second factors end, and that the guest hears of it.

use auth_domain::{ActOnGuest, ActivityKind, Guest, Notice, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{ResetFactors, Waits};

impl ResetFactors {
    /// Lets a reset wait, and tells the guest. Asking again tells the guest again.
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
            self.notices.tell(&guest.email, notice, exchange).await;
            Ok(Waits { effective_at })
        };
        self.acts
            .on_guest(OperatorAct::ResetFactors, act, exchange, asking)
            .await
    }
}
