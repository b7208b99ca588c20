//! A sign-in by mailed code, as the server remembers it between its requests.

use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::{
    Ageing, Attempts, Email, GuestId, GuestName, Limit, Problem, Randomness, Sealed, Timestamp,
    redacted::redacted_debug,
};

/// Cognito's own session: what it wants to see again with the code. 1.5 to 4 KB, opaque, never
/// given to a client.
#[derive(Clone, PartialEq, Eq)]
pub struct CognitoSession(String);

redacted_debug!(CognitoSession);

impl CognitoSession {
    /// Takes a session as Cognito gave it.
    #[must_use]
    pub fn issued(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The session itself, for Cognito and the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of one attempt. Counting an attempt twice under one name counts it once, so that a
/// write may be sent again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptId(String);

impl AttemptId {
    /// A fresh name.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        Self(HEXLOWER.encode(&randomness.bytes::<12>()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The numbers that a sign-in lives by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInRules {
    /// From the start to the end, re-sends included.
    pub lifetime: Duration,
    /// Codes that may be tried, over all re-sends. NIST SP 800-63B-4 §3.1.3.2: a new code gives
    /// none back.
    pub attempts: u32,
    /// The shortest time between two mails.
    pub resend_after: Duration,
}

impl SignInRules {
    /// The least time left in a sign-in for another mail. A mail may take a minute, and a code
    /// after the end is useless.
    pub const LEAST_USE: Duration = Duration::from_mins(1);

    /// The attempts of one sign-in, as a limit that the `RateLimit` fields can name.
    #[must_use]
    pub const fn attempt_limit(&self) -> Limit {
        Limit {
            name: "otp-attempt",
            quota: self.attempts,
            window: self.lifetime,
            ageing: Ageing::OneByOne,
        }
    }

    /// The wait between two mails of one sign-in, as a limit that the `RateLimit` fields can name.
    #[must_use]
    pub const fn resend_gap(&self) -> Limit {
        Limit {
            name: "otp-resend-gap",
            quota: 1,
            window: self.resend_after,
            ageing: Ageing::OneByOne,
        }
    }
}

/// A sign-in in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignIn {
    /// The address that signs in.
    pub email: Email,
    /// One for each mail sent, the newest first. Empty where Cognito would send none: every code is
    /// wrong then.
    pub cognito_sessions: Vec<CognitoSession>,
    /// Codes tried so far.
    pub attempts: u32,
    /// When the newest mail was asked for.
    pub sent_at: Timestamp,
    /// When no code is accepted any more.
    pub expires_at: Timestamp,
    /// The password that Cognito offered this user too.
    pub password: OfferedPassword,
    /// The registration that this sign-in confirms, if it does.
    pub registration: Option<PendingRegistration>,
}

/// A registration whose address is not proved yet. It stands in its own sign-in's record alone, so
/// it blocks no registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRegistration {
    /// The public number that was drawn for the guest.
    pub guest_id: GuestId,
    /// The guest's display name.
    pub name: Option<GuestName>,
    /// The password, sealed by a key of the session token's and by the key service.
    pub password: Sealed,
}

/// Whether Cognito takes a password of a user who signs in by code, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedPassword {
    /// There is none.
    None,
    /// That of somebody who had proved the address.
    Proven,
    /// That of somebody who had not: a stranger's, perhaps.
    Unproven,
}

impl OfferedPassword {
    const ALL: [Self; 3] = [Self::None, Self::Proven, Self::Unproven];

    /// The name under which it is stored.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Proven => "proven",
            Self::Unproven => "unproven",
        }
    }

    /// Reads a name as it was stored.
    #[must_use]
    pub fn stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl SignIn {
    /// The attempts made and left.
    #[must_use]
    pub fn attempts(&self, rules: &SignInRules) -> Attempts {
        Attempts {
            made: self.attempts,
            remaining: rules.attempts.saturating_sub(self.attempts),
        }
    }

    /// Why a code for `email` is not taken at `now`; `None` where it is. Whose sign-in it is comes
    /// first, so that a stranger who holds a token learns nothing else about it.
    #[must_use]
    pub fn refusal(
        &self,
        email: Option<&Email>,
        now: Timestamp,
        rules: &SignInRules,
    ) -> Option<Problem> {
        if email.is_some_and(|email| *email != self.email) {
            return Some(Problem::InvalidSession);
        }
        if now >= self.expires_at {
            return Some(Problem::OtpExpired);
        }
        if self.attempts >= rules.attempts {
            let spent = rules.attempt_limit().spent_until(self.expires_at, now);
            return Some(Problem::MaxAttemptsExceeded(spent));
        }
        None
    }
}
