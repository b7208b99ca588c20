//! The decision: count the code, look at it, end the other sessions, put the authenticator in force.

use std::{array, collections::BTreeSet};

use auth_aws::Confirmation;
use auth_domain::{
    AttemptId, AuthenticatorKeys, BackupCode, Notice, OtpCode, PendingAuthenticator, Problem,
    TotpStep, UserSub,
};
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
        let guest = self.guests.find_caller(caller).await?;
        let pending = guest
            .pending_authenticator
            .as_ref()
            .ok_or(Problem::InvalidSession)?;
        if self.clock.now() >= pending.expires_at {
            return Err(Problem::SessionExpired);
        }
        let (keys, step) = self.look(pending, &caller.sub, code, exchange).await?;
        let backup_codes = array::from_fn(|_| BackupCode::generate(&self.randomness));
        let hashes: BTreeSet<_> = backup_codes.iter().map(|code| keys.hash(code)).collect();
        self.token_service
            .sign_out_everywhere(&self.pool_id, &caller.sub)
            .await?;
        let confirmation = Confirmation {
            sealed_keys: &pending.sealed_keys,
            step,
            backup_codes: &hashes,
        };
        let now = self.clock.now();
        let confirmed = self
            .authenticators
            .confirm(&guest, confirmation, caller.session.as_ref(), now)
            .await?;
        if !confirmed {
            return Err(Problem::InvalidSession);
        }
        let (told, ()) = join!(
            self.mailer
                .notify(&guest.email, Notice::AuthenticatorSetUp, now),
            self.authenticators.clear(&caller.sub)
        );
        exchange.note_notice(told);
        Ok(Confirmed { backup_codes })
    }

    /// Whose step the code is. Counted with all wrong codes of the guest's, so that nobody who has a session alone can guess it.
    async fn look(
        &self,
        pending: &PendingAuthenticator,
        sub: &UserSub,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<(AuthenticatorKeys, TotpStep), Problem> {
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let attempts = self
            .authenticators
            .count(sub, &attempt, now, |state| exchange.rate_limit(state))
            .await?;
        match self.authenticators.open(&pending.sealed_keys, sub).await {
            Ok(keys) => match keys.secret().step_of(code, now) {
                Some(step) => Ok((keys, step)),
                None => Err(Problem::InvalidOtp(attempts)),
            },
            Err(problem) => {
                if self.authenticators.take_back(sub, &attempt).await.is_err() {
                    tracing::warn!("an attempt that nobody looked at stays counted");
                }
                Err(problem)
            }
        }
    }
}
