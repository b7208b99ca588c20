//! Second factors of guests: counted over all sign-ins, so that a thief of the first factor cannot
//! guess the other, and the guest hears of the thief.

use std::{array, collections::BTreeSet, time::Duration};

use auth_aws::{Authenticators, ConfigurationError, FactorProof, Limits, Platform, UsedBy};
use auth_domain::{
    Ageing, AttemptId, Attempts, Authenticator, AuthenticatorKeys, BACKUP_CODES, BackupCode,
    BackupCodeHash, Clock, Email, Guest, Limit, LimitState, Notice, OtpCode, PendingAuthenticator,
    Problem, Randomness, SecondFactor, Timestamp, TotpStep, UserSub,
};
use auth_lambda::Exchange;

use crate::{Attempt, Notices, Turn, attempt::Budget};

/// Wrong second factors in a day of which a guest hears, over however many sign-ins. A person
/// mistypes fewer. A guesser who keeps below every other limit makes hundreds.
const TOLD: Limit = Limit {
    name: "mfa-wrong-told",
    quota: 5,
    window: Duration::from_hours(24),
    ageing: Ageing::OneByOne,
};

/// Attempts at the second factors of guests.
#[derive(Clone)]
pub struct SecondFactorAttempts {
    authenticators: Authenticators,
    limits: Limits,
    failures: Limit,
    notices: Notices,
    clock: Clock,
    randomness: Randomness,
}

/// An authenticator whose first code was right, and the backup codes that are drawn for it.
pub struct ProvedAuthenticator {
    /// The step whose code it was.
    pub step: TotpStep,
    /// When it was shown.
    pub now: Timestamp,
    /// The backup codes. They count once the authenticator is in force.
    pub backup_codes: [BackupCode; BACKUP_CODES],
    keys: AuthenticatorKeys,
}

impl ProvedAuthenticator {
    /// What is to be stored of the backup codes.
    #[must_use]
    pub fn hashes(&self) -> BTreeSet<BackupCodeHash> {
        let hash = |code| self.keys.hash(code);
        self.backup_codes.iter().map(hash).collect()
    }
}

impl SecondFactorAttempts {
    /// Attempts within the limit that the environment sets.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            authenticators: Authenticators::new(platform)?,
            limits: Limits::new(platform)?,
            failures: platform.environment().second_factor_failures()?,
            notices: Notices::new(platform)?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Demands a right second factor of a guest who is signed in and has just brought a fresh
    /// proof. It is used up.
    pub async fn require(
        &self,
        guest: &Guest,
        authenticator: &Authenticator,
        factor: &SecondFactor,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let turn = self.turn(exchange);
        let sub = &guest.cognito_sub;
        let attempt = Attempt::count(&turn, None, Some(self.budget(sub)), None).await?;
        let by = UsedBy::Request(&turn.attempt);
        let proving = self
            .authenticators
            .prove(sub, authenticator, factor, by, turn.now);
        match attempt.evaluate(proving).await? {
            FactorProof::Right { .. } => {
                attempt.clear().await;
                Ok(())
            }
            FactorProof::Wrong => {
                let (subject, left) = (user(sub), attempt.left());
                Err(self.refuse(&turn, &guest.email, &subject, left).await)
            }
        }
    }

    /// Proves an authenticator that is being set up by its first code, in time. The count is
    /// cleared by [`SecondFactorAttempts::clear`], once the authenticator is in force.
    pub async fn prove_pending(
        &self,
        sub: &UserSub,
        pending: &PendingAuthenticator,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<ProvedAuthenticator, Problem> {
        let turn = self.turn(exchange);
        if turn.now >= pending.expires_at {
            return Err(Problem::SessionExpired);
        }
        let attempt = Attempt::count(&turn, None, Some(self.budget(sub)), None).await?;
        let proved = self.look(&attempt, sub, pending, code, turn.now).await?;
        proved.ok_or_else(|| Problem::InvalidOtp(attempt.left()))
    }

    /// Looks at the first code of an authenticator that is being set up, by an attempt that is
    /// counted already. `None` for a wrong code.
    pub async fn look(
        &self,
        attempt: &Attempt<'_>,
        sub: &UserSub,
        pending: &PendingAuthenticator,
        code: &OtpCode,
        now: Timestamp,
    ) -> Result<Option<ProvedAuthenticator>, Problem> {
        let looking = self
            .authenticators
            .look(&pending.sealed_keys, sub, code, now);
        let (keys, step) = attempt.evaluate(looking).await?;
        Ok(step.map(|step| ProvedAuthenticator {
            step,
            now,
            backup_codes: array::from_fn(|_| BackupCode::generate(&self.randomness)),
            keys,
        }))
    }

    /// The answer to a wrong second factor after a right first one, which somebody knows then. The
    /// guest hears of the last attempt, and of the fifth wrong factor of `subject` in a day. A note
    /// or a mail that fails is none, and fails nothing.
    pub(crate) async fn refuse(
        &self,
        turn: &Turn<'_>,
        email: &Email,
        subject: &str,
        left: Attempts,
    ) -> Problem {
        tracing::warn!(of = subject, "wrong second factor");
        let mut untold = TOLD.quota;
        let note = |state: LimitState| untold = state.remaining;
        let noting = self
            .limits
            .admit(&TOLD, subject, &turn.attempt, turn.now, note);
        let is_noted = noting.await.is_ok();
        if left.remaining == 0 || (is_noted && untold == 0) {
            let notice = Notice::SecondFactorFailed;
            self.notices.tell(email, notice, turn.exchange).await;
        }
        Problem::InvalidOtp(left)
    }

    /// Forgets the wrong codes of a user who has just brought a right one. Where that fails, they
    /// age out.
    pub async fn clear(&self, sub: &UserSub) {
        self.budget(sub).clear_or_note().await;
    }

    /// The budget for a user's wrong codes.
    pub(crate) fn budget(&self, sub: &UserSub) -> Budget<'_> {
        Budget::Failures {
            limits: &self.limits,
            limit: &self.failures,
            subject: user(sub),
        }
    }

    fn turn<'a>(&self, exchange: &'a Exchange) -> Turn<'a> {
        Turn {
            exchange,
            attempt: AttemptId::generate(&self.randomness),
            now: self.clock.now(),
        }
    }
}

/// The subject of what counts for a user.
pub(crate) fn user(sub: &UserSub) -> String {
    format!("user#{}", sub.as_str())
}
