//! The decision: count the code, look at it, end the other sessions, put the authenticator in
//! force.

use std::{array, collections::BTreeSet};

use auth_aws::Confirmation;
use auth_domain::{BackupCode, Notice, OtpCode, Problem};
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
        if self.clock.now() >= pending.expires_at {
            return Err(Problem::SessionExpired);
        }
        let (keys, step) = self
            .factors
            .prove_pending(&caller.sub, pending, code, exchange)
            .await?;
        let backup_codes = array::from_fn(|_| BackupCode::generate(&self.randomness));
        let hashes: BTreeSet<_> = backup_codes.iter().map(|code| keys.hash(code)).collect();

        self.users.sign_out(&caller.sub).await?;
        let confirmation = Confirmation {
            sealed_keys: &pending.sealed_keys,
            step,
            backup_codes: &hashes,
        };
        let kept = caller.session.as_ref();
        let now = self.clock.now();
        let confirmed = self
            .authenticators
            .confirm(&guest, confirmation, kept, now)
            .await?;
        if !confirmed {
            return Err(Problem::InvalidSession);
        }
        join!(
            self.notices
                .tell(&guest.email, Notice::AuthenticatorSetUp, exchange),
            self.factors.clear(&caller.sub)
        );
        Ok(Confirmed { backup_codes })
    }
}
