//! Second factors of guests: counted over all sign-ins, so that a thief of the first factor cannot
//! guess the other, and the guest hears of the thief.

use std::{array, collections::BTreeSet, time::Duration};

use auth_aws::{Authenticators, ConfigurationError, FactorProof, Limits, Platform, UsedBy};
use auth_domain::{
    Ageing, AttemptId, Authenticator, AuthenticatorKeys, BACKUP_CODES, BackupCode, BackupCodeHash,
    Clock, Guest, Limit, LimitState, OtpCode, PendingAuthenticator, Problem, Randomness,
    SecondFactor, Timestamp, TotpStep, UserSub,
};
use auth_lambda::Exchange;

use crate::{Attempt, Requester, Turn, attempt::Budget};

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
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// Demands a right second factor of a guest who is signed in. It is used up.
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
                tracing::warn!(sub = sub.as_str(), "wrong second factor");
                Err(Problem::InvalidOtp(attempt.left()))
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
        let (keys, step) = attempt
            .evaluate(
                self.authenticators
                    .look(&pending.sealed_keys, sub, code, turn.now),
            )
            .await?;
        match step {
            Some(step) => Ok(ProvedAuthenticator {
                step,
                now: turn.now,
                backup_codes: array::from_fn(|_| BackupCode::generate(&self.randomness)),
                keys,
            }),
            None => Err(Problem::InvalidOtp(attempt.left())),
        }
    }

    /// Notes a wrong second factor of a sign-in, and says whether the guest has to hear of it: of
    /// the fifth in a day. A note that fails is none, and fails nothing.
    pub async fn is_worth_a_notice(&self, requester: &Requester<'_>) -> bool {
        let subject = format!("address#{}", requester.address_tag());
        let mut left = TOLD.quota;
        let (attempt, now) = (requester.attempt(), requester.now());
        let note = |state: LimitState| left = state.remaining;
        let noted = self.limits.admit(&TOLD, &subject, attempt, now, note).await;
        noted.is_ok() && left == 0
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
            subject: format!("user#{}", sub.as_str()),
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
