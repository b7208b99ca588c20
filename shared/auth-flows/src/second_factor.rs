//! Attempts at second factors: counted over all of a guest's sign-ins. So a thief of the first
//! factor cannot guess the second, and the guest learns of the thief.

use std::{array, collections::BTreeSet, time::Duration};

use auth_aws::{Authenticators, ConfigurationError, FactorProof, Limits, Platform, UsedBy};
use auth_domain::{
    Ageing, Attempts, Authenticator, AuthenticatorKeys, BACKUP_CODES, BackupCode, BackupCodeHash,
    Clock, Email, Guest, Limit, LimitSubject, Locale, Notice, OtpCode, PendingAuthenticator,
    Problem, Randomness, SecondFactor, Timestamp, TotpStep, UserSub,
};
use auth_lambda::Exchange;

use crate::{Attempt, Notices, Turn, attempt::Budget};

/// The number of wrong second factors in a day, over all sign-ins, after which the guest gets a
/// notice. A person mistypes fewer. A guesser who stays below every other limit makes hundreds.
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

/// An authenticator whose first code was right, and its new backup codes.
pub struct ProvedAuthenticator {
    /// The step of the code.
    pub step: TotpStep,
    /// When it was shown.
    pub now: Timestamp,
    /// The backup codes. They count once the authenticator is in force.
    pub backup_codes: [BackupCode; BACKUP_CODES],
    keys: AuthenticatorKeys,
}

impl ProvedAuthenticator {
    /// The stored form of the backup codes.
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

    /// Demands a right second factor of a signed-in guest who has just brought a fresh proof, and
    /// uses it up.
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
                let (subject, left) = (LimitSubject::user(sub), attempt.left());
                let reader = (&guest.email, guest.locale.as_ref());
                Err(self.refuse(&turn, reader, &subject, left).await)
            }
        }
    }

    /// Proves an authenticator during its set-up by its first code, in time.
    /// [`SecondFactorAttempts::clear`] clears the count, once the authenticator is in force.
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

    /// Checks the first code of an authenticator during its set-up. The attempt is already counted.
    /// `None` for a wrong code.
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

    /// The answer to a wrong second factor after a right first one: the sender knows the first
    /// factor. The guest gets a notice of the last attempt, and of the fifth wrong factor of
    /// `subject` in a day. A failed count or mail does not fail the request.
    pub(crate) async fn refuse(
        &self,
        turn: &Turn<'_>,
        (email, locale): (&Email, Option<&Locale>),
        subject: &LimitSubject,
        left: Attempts,
    ) -> Problem {
        tracing::warn!(of = subject.as_str(), "wrong second factor");
        let noted = self.limits.admit(&TOLD, turn.event(subject)).await;
        let is_fifth = noted.is_ok_and(|count| {
            count.refusal.is_none() && count.states.iter().all(|state| state.remaining == 0)
        });
        if left.remaining == 0 || is_fifth {
            let notice = Notice::SecondFactorFailed;
            self.notices
                .tell_at(email, locale, notice, turn.exchange)
                .await;
        }
        Problem::InvalidOtp(left)
    }

    /// Clears the wrong codes of a user who has just brought a right one. If that fails, they age
    /// out.
    pub async fn clear(&self, sub: &UserSub) {
        self.budget(sub).clear_or_note().await;
    }

    /// The budget for a user's wrong codes.
    pub(crate) fn budget(&self, sub: &UserSub) -> Budget<'_> {
        Budget::Failures {
            limits: &self.limits,
            limit: &self.failures,
            subject: LimitSubject::user(sub),
        }
    }

    fn turn<'a>(&self, exchange: &'a Exchange) -> Turn<'a> {
        Turn::of(exchange, &self.clock, &self.randomness)
    }
}
