//! The decision: check the code, end the other sessions, put the authenticator in force; and finish
//! the waiting sign-in.

use auth_aws::Confirmation;
use auth_domain::{
    ActivityKind, Guest, Notice, OtpCode, PendingAuthenticator, Problem, SessionToken,
};
use auth_flows::{Attempt, ProvedAuthenticator, SettingUp};
use auth_lambda::Exchange;

use crate::{Confirmed, VerifyMfaSetup};

impl VerifyMfaSetup {
    /// Confirms the authenticator of a caller.
    pub(crate) async fn confirm(
        &self,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<Confirmed, Problem> {
        let caller = self.entrance.caller(exchange).await?;
        let guest = self.callers.find(caller).await?;
        let pending = pending(&guest)?;
        let (sub, factors) = (&caller.sub, &self.factors);
        let proved = factors.prove_pending(sub, pending, code, exchange).await?;
        self.users.sign_out(sub).await?;
        let confirmation = Confirmation {
            sealed_keys: &pending.sealed_keys,
            step: proved.step,
            backup_codes: &proved.hashes(),
            kept: caller.session.as_ref(),
            waiting: None,
            stopped_reset: self.activities.stopped_reset(&guest, exchange)?,
        };
        let enforcing = self.put_in_force(&guest, confirmation, &proved, exchange);
        enforcing.await?;
        factors.clear(sub).await;
        Ok(Confirmed {
            backup_codes: proved.backup_codes,
            signed_in: None,
        })
    }

    /// Confirms the authenticator of a guest with a waiting sign-in, and finishes the sign-in.
    /// Cognito is not asked to end all sessions: it would end this one. The instant in the guest's
    /// record ends the others.
    pub(crate) async fn finish(
        &self,
        session_token: &SessionToken,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<Confirmed, Problem> {
        let id = session_token.held_sign_in_id();
        let setting_up = self.waiting.resume(id, exchange).await?;
        let pending = match pending(&setting_up.guest) {
            Ok(pending) if setting_up.now() < pending.expires_at => pending.clone(),
            not_there => {
                self.waiting.give_back(&setting_up).await;
                return Err(not_there.err().unwrap_or(Problem::SessionExpired));
            }
        };
        let attempt = self.waiting.count_code(&setting_up).await?;
        let proved = self.look(&setting_up, &attempt, &pending, code).await?;
        let confirmation = Confirmation {
            sealed_keys: &pending.sealed_keys,
            step: proved.step,
            backup_codes: &proved.hashes(),
            kept: Some(&setting_up.set_up.session),
            waiting: Some(&setting_up.set_up),
            // The sign-in has proved one factor.
            stopped_reset: None,
        };
        self.put_in_force(&setting_up.guest, confirmation, &proved, exchange)
            .await?;
        Ok(Confirmed {
            backup_codes: proved.backup_codes,
            signed_in: self.waiting.sign_in(setting_up, attempt).await,
        })
    }

    async fn look(
        &self,
        setting_up: &SettingUp<'_>,
        attempt: &Attempt<'_>,
        pending: &PendingAuthenticator,
        code: &OtpCode,
    ) -> Result<ProvedAuthenticator, Problem> {
        let sub = &setting_up.guest.cognito_sub;
        let looking = self
            .factors
            .look(attempt, sub, pending, code, setting_up.now());
        match looking.await? {
            Some(proved) => Ok(proved),
            None => Err(self.waiting.refuse(setting_up, attempt).await),
        }
    }

    async fn put_in_force(
        &self,
        guest: &Guest,
        confirmation: Confirmation<'_>,
        proved: &ProvedAuthenticator,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let kind = ActivityKind::AuthenticatorSetUp;
        let entry = self.activities.entry(guest, kind, exchange)?;
        let stops_a_reset = confirmation.stopped_reset.is_some();
        let confirming = self
            .authenticators
            .confirm(guest, confirmation, entry, proved.now);
        if !confirming.await? {
            return Err(Problem::InvalidSession);
        }
        let notice = Notice::AuthenticatorSetUp;
        self.notices.tell(guest, notice, exchange).await;
        if stops_a_reset {
            let notice = Notice::FactorResetStopped;
            self.notices.tell(guest, notice, exchange).await;
        }
        Ok(())
    }
}

fn pending(guest: &Guest) -> Result<&PendingAuthenticator, Problem> {
    let pending = guest.pending_authenticator.as_ref();
    pending.ok_or(Problem::InvalidSession)
}
