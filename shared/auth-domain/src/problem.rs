//! Every answer of an operation besides its result.

use std::error::Error;

use crate::{ConsentRequest, LimitState, WorkChallenge};

/// A failure that no caller branches on: the attempt and its cause. For the operator's log, never
/// for a client.
#[derive(Debug, thiserror::Error)]
#[error("{attempted}")]
pub struct Report {
    attempted: &'static str,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl Report {
    /// `attempted` names the attempt, as in "read the guest".
    pub fn new(attempted: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            attempted,
            source: Some(source.into()),
        }
    }

    /// A failure without a source: the description is the whole report.
    #[must_use]
    pub const fn of(description: &'static str) -> Self {
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

/// One invalid field of the input, and the reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name on the wire.
    pub field: String,
    /// The code for programs: `required`, `type`, `invalid`, `duplicate`, `needed`, `exclusive`,
    /// `unchanged`, or the rule that a new password breaks.
    pub code: &'static str,
    /// The message for people. It never contains the value.
    pub message: String,
}

/// The numbers of codes tried and codes left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attempts {
    /// So far, this one included.
    pub made: u32,
    /// The number of further codes.
    pub remaining: u32,
}

/// The reason why a refresh token is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefreshRefusal {
    /// It was exchanged before, and the grace period is over: a thief may hold a copy.
    Reused,
    /// Its session was signed out.
    Revoked,
    /// It has expired.
    Expired,
    /// It is no refresh token of ours.
    Invalid,
}

/// A problem as the contract names it: the variant is the `code` for the client. Status codes and
/// words are in `auth-lambda`. The [`Report`] inside is for the operator.
#[derive(Debug)]
pub enum Problem {
    /// The input breaks a rule; each broken one is named.
    ValidationFailed(Vec<FieldProblem>),
    /// No sign-in belongs to this session token and address.
    InvalidSession,
    /// The sign-in has already returned its tokens: this is a repeated request.
    SignInCompleted,
    /// The request has no token, or one that is no longer accepted.
    AuthRequired,
    /// An agent's guest has to consent first, at this URL.
    ConsentRequired(Box<ConsentRequest>),
    /// The address and the password do not match, or the address is not proved yet. One answer
    /// hides which.
    InvalidCredentials,
    /// The address has a guest already.
    EmailExists,
    /// The guest has as many passkeys as one can have.
    PasskeyLimit,
    /// The guest's second factor is a passkey. A sign-in or a fresh proof by passkey brings it.
    PasskeyRequired,
    /// The code is wrong.
    InvalidOtp(Attempts),
    /// The refresh token is refused.
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
    /// The body's media type is not JSON.
    UnsupportedMediaType,
    /// The sign-in has no attempts left. A new sign-in can start at once.
    MaxAttemptsExceeded(LimitState),
    /// A limit is reached.
    RateLimited {
        /// When the limit admits the next event.
        retry_after_seconds: u64,
        /// A challenge. Its solution admits a request earlier.
        challenge: Option<Box<WorkChallenge>>,
    },
    /// Cognito has locked this user's password for a while, and the caller is a known device, so it
    /// may learn that. A sign-in by code works.
    PasswordLocked {
        /// When the lock is over for certain.
        retry_after_seconds: u64,
    },
    /// The mail could not be sent.
    EmailDeliveryFailed(Report),
    /// A service that Latchkey depends on is unavailable or overloaded. The request leaves no state
    /// that would hinder a retry.
    ServiceUnavailable {
        /// When to retry.
        retry_after_seconds: u64,
        /// The failure.
        report: Report,
    },
    /// A fault of ours.
    Internal(Report),
}

impl Problem {
    /// Other requests change the same items, or DynamoDB has left some out. It passes: the client
    /// may try again in a second.
    #[must_use]
    pub const fn contended(description: &'static str) -> Self {
        Self::ServiceUnavailable {
            retry_after_seconds: 1,
            report: Report::of(description),
        }
    }

    /// Whether the call may have acted: it failed, or its answer was lost. A refusal has changed
    /// nothing.
    #[must_use]
    pub const fn may_have_acted(&self) -> bool {
        self.report().is_some()
    }

    /// The report for the operator, if the problem has one.
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
