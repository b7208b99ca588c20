//! Answers to the challenges of a second factor.

use local_kit::Millis;
use serde_json::Value;

use super::completion::complete;
use super::respond_to_challenge::Answer;
use super::second_factor::ask;
use crate::refusal::{Exception, Refusal};
use crate::session::{self, Found, Session, Step};
use crate::tokens::Reason;
use crate::totp::Shown;
use crate::user::{Failures, User};

impl Answer<'_> {
    /// `SELECT_MFA_TYPE`.
    pub(super) async fn select_mfa_type(&self) -> Result<Value, Refusal> {
        let choice = self.input.response("ANSWER")?;
        let user = self.known()?;
        let factor = user
            .second_factors(&self.place.pool.settings)
            .into_iter()
            .find(|factor| factor.name() == choice)
            .ok_or_else(|| {
                Refusal::invalid(format!("{choice} is not one of the MFA types of the user"))
            })?;
        self.consume(|_, _| Ok(()))?;
        let metadata = self.input.client_metadata.as_ref();
        ask(self.service, self.place, self.typed, user, factor, metadata).await
    }

    pub(super) async fn software_token(&self) -> Result<Value, Refusal> {
        let code = self.input.response("SOFTWARE_TOKEN_MFA_CODE")?;
        self.finish_with("Invalid code received for user", |user, _, now| {
            let token = user.software_token.as_mut().ok_or_else(Session::invalid)?;
            Ok(token.accept(code, now))
        })
        .await
    }

    /// `EMAIL_OTP` after a password.
    pub(super) async fn email_mfa(&self) -> Result<Value, Refusal> {
        let code = self.input.response("EMAIL_OTP_CODE")?;
        self.finish_with("Invalid code or auth state for the user.", |_, found, _| {
            let right = matches!(&found.session.step,
                    Step::EmailMfa { code: kept } if session::is_code(code, kept));
            Ok(if right { Shown::Right } else { Shown::Wrong })
        })
        .await
    }

    /// Checks a code in the transaction that counts it. A right one uses the session up and leads
    /// to tokens. A wrong one leaves the session unchanged and brings the lock nearer. Under the
    /// lock, no code is checked.
    async fn finish_with(
        &self,
        mismatch: &'static str,
        look: impl FnOnce(&mut User, &Found, Millis) -> Result<Shown, Refusal>,
    ) -> Result<Value, Refusal> {
        let username = &self.known()?.username;
        let now = self.service.now();
        let user = self.service.store.change(now, |transaction| {
            let found = Session::find(transaction, &self.service.session_key, self.text, now)?;
            let mut user = User::find(transaction, &self.place.pool, username)?;
            if !user.enabled {
                return Err(Refusal::user_disabled());
            }
            if user.mfa_failures.locked(now) {
                return Err(Refusal::attempts_exceeded());
            }
            let outcome = match look(&mut user, &found, now)? {
                Shown::Right => {
                    user.mfa_failures = Failures::default();
                    found.consume(transaction)?;
                    Ok(())
                }
                Shown::Wrong => {
                    user.mfa_failures.count(now);
                    Err(Refusal::new(Exception::CodeMismatch, mismatch))
                }
                Shown::UsedBefore => Err(Refusal::new(
                    Exception::ExpiredCode,
                    "Your software token has already been used once.",
                )),
            };
            user.save_quietly(transaction, &self.place.pool)?;
            Ok(outcome.map(|()| user))
        })??;
        complete(
            self.service,
            self.place,
            &user,
            Reason::SignIn,
            self.input.client_metadata.as_ref(),
        )
        .await
    }
}
