//! A sign-in by mailed code, as the server stores it between its requests.

use std::time::Duration;

use data_encoding::HEXLOWER;

use crate::{
    Ageing, Attempts, Email, GuestId, GuestName, Limit, Problem, Randomness, Sealed, Timestamp,
    redacted::redacted_debug,
};

/// Cognito's own session. Cognito requires it together with the code. It has 1.5 to 4 KB, is
/// opaque, and never leaves to a client.
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

/// The name of one attempt. Repeated counts under one name count once, so a write can be retried.
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

    /// The first 64 bits of the name.
    #[must_use]
    pub fn number(&self) -> u64 {
        let digits = self.0.bytes().take(16);
        digits.fold(0, |number, digit| {
            let value = char::from(digit).to_digit(16).unwrap_or(0);
            number << 4 | u64::from(value)
        })
    }
}

/// The rules of a sign-in by code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignInRules {
    /// The time from the start to the end, re-sends included.
    pub lifetime: Duration,
    /// The number of code attempts, over all re-sends. NIST SP 800-63B-4 §3.1.3.2: a new code
    /// restores none.
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
    /// One session for each mail sent, the newest first. It is empty if Cognito would send no mail:
    /// every code is wrong then.
    pub cognito_sessions: Vec<CognitoSession>,
    /// Codes tried so far.
    pub attempts: u32,
    /// When the newest mail was requested.
    pub sent_at: Timestamp,
    /// When the sign-in expires.
    pub expires_at: Timestamp,
    /// The password that Cognito offered this user too.
    pub password: OfferedPassword,
    /// The registration that this sign-in confirms, if it does.
    pub registration: Option<PendingRegistration>,
}

/// A registration whose address is not proved yet. Only its own sign-in's record contains it, so it
/// blocks no other registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingRegistration {
    /// The guest's public number, drawn in advance.
    pub guest_id: GuestId,
    /// The guest's display name.
    pub name: Option<GuestName>,
    /// The password, sealed by a key of the session token's and by the key service.
    pub password: Sealed,
}

/// Whether Cognito accepts a password for a user who signs in by code, and its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfferedPassword {
    /// The user has no password.
    None,
    /// A person who had proved the address set it.
    Proven,
    /// A person who had not proved the address set it: perhaps a stranger.
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

    /// Reads a stored name.
    #[must_use]
    pub fn stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.name() == name)
    }
}

impl SignIn {
    /// A sign-in that begins at `now`, of a user to whom Cognito offers no password.
    #[must_use]
    pub fn begun(
        email: &Email,
        cognito_sessions: Vec<CognitoSession>,
        rules: &SignInRules,
        now: Timestamp,
    ) -> Self {
        Self {
            email: email.clone(),
            cognito_sessions,
            attempts: 0,
            sent_at: now,
            expires_at: now.after(rules.lifetime),
            password: OfferedPassword::None,
            registration: None,
        }
    }

    /// The attempts made and left.
    #[must_use]
    pub fn attempts(&self, rules: &SignInRules) -> Attempts {
        Attempts {
            made: self.attempts,
            remaining: rules.attempts.saturating_sub(self.attempts),
        }
    }

    /// The reason why a code for `email` is refused at `now`; `None` if it is accepted. The address
    /// is compared first, so a stranger who holds a token learns nothing else about the sign-in.
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
