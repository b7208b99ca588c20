//! The decision: check both proofs, end every session, and remove the authenticator.

use auth_domain::{ActivityKind, Notice, Problem, Proofs};
use auth_lambda::Exchange;

use crate::DisableMfa;

impl DisableMfa {
    pub(crate) async fn disable(
        &self,
        proofs: &Proofs,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let Some(authenticator) = &guest.authenticator else {
            return Ok(());
        };
        self.proofs.require(&guest, proofs, exchange).await?;
        self.users.sign_out(&caller.sub).await?;
        let kind = ActivityKind::AuthenticatorRemoved;
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let (kept, now) = (caller.session.as_ref(), self.clock.now());
        self.authenticators
            .remove(&guest, authenticator, kept, entry, now)
            .await?;
        let notice = Notice::AuthenticatorRemoved;
        self.notices.tell(&guest, notice, exchange).await;
        Ok(())
    }
}
