//! The decision: look at the code, end the other sessions, put the authenticator in force.

use auth_aws::Confirmation;
use auth_domain::{ActivityKind, Notice, OtpCode, Problem};
use auth_lambda::Exchange;
use tokio::join;

use crate::{Confirmed, VerifyMfaSetup};

impl VerifyMfaSetup {
    pub(crate) async fn confirm(
        &self,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<Confirmed, Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let pending = guest
            .pending_authenticator
            .as_ref()
            .ok_or(Problem::InvalidSession)?;
        let (sub, factors) = (&caller.sub, &self.factors);
        let proved = factors.prove_pending(sub, pending, code, exchange).await?;
        self.users.sign_out(sub).await?;
        let confirmation = Confirmation {
            sealed_keys: &pending.sealed_keys,
            step: proved.step,
            backup_codes: &proved.hashes(),
        };
        let kept = caller.session.as_ref();
        let kind = ActivityKind::AuthenticatorSetUp;
        let entry = self.activities.entry(&guest, kind, exchange)?;
        let confirming = self
            .authenticators
            .confirm(&guest, confirmation, kept, entry, proved.now);
        if !confirming.await? {
            return Err(Problem::InvalidSession);
        }
        let notice = Notice::AuthenticatorSetUp;
        let telling = self.notices.tell(&guest.email, notice, exchange);
        join!(telling, factors.clear(sub));
        Ok(Confirmed {
            backup_codes: proved.backup_codes,
        })
    }
}
