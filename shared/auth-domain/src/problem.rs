//! Everything that an operation can answer instead of its result.

use std::error::Error;

use crate::{ConsentRequest, LimitState, WorkChallenge};

/// A failure that no caller branches on: what was tried, and what came of it. For the operator's
/// log, never for a client.
#[derive(Debug, thiserror::Error)]
#[error("{attempted}")]
pub struct Report {
    attempted: &'static str,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Report {
    /// `attempted` says what was being done, as in "read the guest".
    pub fn new(attempted: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            attempted,
            source: Some(source.into()),
        }
    }

    /// A failure that has no source: the description is all there is.
    #[must_use]
    pub fn of(description: &'static str) -> Self {
        Self {
            attempted: description,
            source: None,
        }
    }

    /// The whole chain, "what: why: why".
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            text.push_str(": ");
            text.push_str(&error.to_string());
            source = error.source();
        }
        text
    }
}

/// One field of the input, and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name on the wire.
    pub field: String,
    /// The code for programs: `required`, `type`, `invalid`, `duplicate`, `needed`, `exclusive`, or
    /// the rule that a new password breaks.
    pub code: &'static str,
    /// The message for people. Never holds the value.
    pub message: String,
}

/// Codes tried and codes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// So far, this one included.
    pub made: u32,
    /// From now on.
    pub remaining: u32,
}

/// Why a refresh token buys nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// It was exchanged before, and the grace period is over: somebody else may hold a copy.
    Reused,
    /// Its session was signed out.
    Revoked,
    /// Its life is over.
    Expired,
    /// It is no refresh token of ours.
    Invalid,
}

/// A problem as the contract names it: the variant is the `code` that a client reads. Status codes
/// and words stand in `auth-lambda`; what an operator reads travels inside as a [`Report`].
#[derive(Debug)]
pub enum Problem {
    /// The input breaks a rule; each broken one is named.
    ValidationFailed(Vec<FieldProblem>),
    /// No sign-in belongs to this session token and address.
    InvalidSession,
    /// The sign-in has brought its tokens already: the request came twice.
    SignInCompleted,
    /// No caller, or one whose tokens are no longer accepted.
    AuthRequired,
    /// An agent's guest has to consent first, and where.
    ConsentRequired(Box<ConsentRequest>),
    /// Address and password do not belong together, or the address is not proved yet. One answer,
    /// so that neither shows.
    InvalidCredentials,
    /// The address has a guest already.
    EmailExists,
    /// The guest has as many passkeys as one can have.
    PasskeyLimit,
    /// The first factor was right. The guest's second factor is a passkey, and only a sign-in by
    /// passkey brings it.
    PasskeyRequired,
    /// The code is wrong.
    InvalidOtp(Attempts),
    /// The refresh token buys nothing.
    InvalidRefreshToken(RefreshRefusal),
    /// The guest belongs to another user.
    UserMismatch,
    /// The item does not exist.
    NotFound,
    /// The sign-in's time is over.
    OtpExpired,
    /// The time is over. The person must start again.
    SessionExpired,
    /// The body is too large.
    PayloadTooLarge,
    /// The body is not JSON by its own account.
    UnsupportedMediaType,
    /// The sign-in's attempts are used up, until it ends; another may be started at once.
    MaxAttemptsExceeded(LimitState),
    /// A limit is reached.
    RateLimited {
        /// When the next event is admitted.
        retry_after_seconds: u64,
        /// A challenge that admits a request before that, if there is one.
        challenge: Option<Box<WorkChallenge>>,
    },
    /// Cognito takes no password of this user for a while, and the caller is a known device, which
    /// may hear it. A code signs in.
    PasswordLocked {
        /// When the lock is over for certain.
        retry_after_seconds: u64,
    },
    /// The mail could not be sent.
    EmailDeliveryFailed(Report),
    /// Something that we depend on is away or overloaded. Nothing stays behind that the next try
    /// would trip over.
    ServiceUnavailable {
        /// When to try again.
        retry_after_seconds: u64,
        /// The failure.
        report: Report,
    },
    /// A fault of ours.
    Internal(Report),
}

impl Problem {
    /// The report for an operator, if there is one.
    #[must_use]
    pub const fn report(&self) -> Option<&Report> {
        match self {
            Self::EmailDeliveryFailed(report)
            | Self::ServiceUnavailable { report, .. }
            | Self::Internal(report) => Some(report),
            Self::ValidationFailed(_)
            | Self::InvalidSession
            | Self::SignInCompleted
            | Self::AuthRequired
            | Self::ConsentRequired(_)
            | Self::InvalidCredentials
            | Self::EmailExists
            | Self::PasskeyLimit
            | Self::PasskeyRequired
            | Self::InvalidOtp(_)
            | Self::InvalidRefreshToken(_)
            | Self::UserMismatch
            | Self::NotFound
            | Self::OtpExpired
            | Self::SessionExpired
            | Self::PayloadTooLarge
            | Self::UnsupportedMediaType
            | Self::MaxAttemptsExceeded(_)
            | Self::RateLimited { .. }
            | Self::PasswordLocked { .. } => None,
        }
    }
}
