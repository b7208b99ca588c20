//! Refusals by the layer in front of a service. The service may replace the words.

use std::borrow::Cow;

/// A request that reaches no operation, or that fails inside the stand-in. The stand-in turns it
/// into its own refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which exception the caller sees.
    pub kind: FaultKind,
    /// The message for the caller.
    pub message: Cow<'static, str>,
}

/// The exceptions that AWS's services share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// No operation has this address, or the stand-in does not serve it.
    UnknownOperation,
    /// The request has no signature.
    MissingAuthenticationToken,
    /// The signature lacks a part.
    IncompleteSignature,
    /// The signature is for another service or Region.
    InvalidSignature,
    /// The body exceeds the limit for every request.
    RequestTooLong,
    /// The body is not a JSON object.
    Serialization,
    /// The stand-in failed. It logged the cause at its place.
    Internal,
}

impl FaultKind {
    /// The exception's name. Services name an internal failure differently.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownOperation => "UnknownOperationException",
            Self::MissingAuthenticationToken => "MissingAuthenticationTokenException",
            Self::IncompleteSignature => "IncompleteSignatureException",
            Self::InvalidSignature => "InvalidSignatureException",
            Self::RequestTooLong => "RequestEntityTooLargeException",
            Self::Serialization => "SerializationException",
            Self::Internal => "InternalFailure",
        }
    }
}

impl Fault {
    /// A fault of this kind with this message.
    pub fn new(kind: FaultKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            message: message.into(),
        }
    }

    /// An operation that does not exist, or that the stand-in does not serve.
    #[must_use]
    pub fn unknown_operation() -> Self {
        Self::new(
            FaultKind::UnknownOperation,
            "This operation is not served here.",
        )
    }

    /// Tells the caller only that the stand-in failed. The log has the cause.
    pub fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(cause, "an operation failed inside the stand-in");
        Self::new(
            FaultKind::Internal,
            "The service encountered an internal error. Try your request again later.",
        )
    }
}

/// The reason why an embedding program's request is refused, in the service's own words.
#[derive(Debug, thiserror::Error)]
#[error("{exception}: {message}")]
pub struct SpecError {
    exception: &'static str,
    message: String,
}

impl SpecError {
    /// The service's answer.
    pub fn new(exception: &'static str, message: impl Into<String>) -> Self {
        Self {
            exception,
            message: message.into(),
        }
    }
}
