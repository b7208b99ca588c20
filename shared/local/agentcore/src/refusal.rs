//! An operation's refusal: one of the service's exceptions and its message.

use std::borrow::Cow;

use local_kit::{Breach, Fault, FaultKind, SpecError, summary};
use serde_json::{Value, json};

use crate::behaviour::ErrorClass;

/// The exceptions that this stand-in can return, including those of the layer in front of the
/// service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exception {
    AccessDenied,
    Conflict,
    /// By the layer in front of the service.
    Front(FaultKind),
    InternalServer,
    ResourceNotFound,
    Unauthorized,
    Validation,
}

impl Exception {
    /// The name in `x-amzn-errortype`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccessDenied => "AccessDeniedException",
            Self::Conflict => "ConflictException",
            Self::Front(kind) => kind.name(),
            Self::InternalServer => "InternalServerException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::Unauthorized => "UnauthorizedException",
            Self::Validation => "ValidationException",
        }
    }

    /// The HTTP status.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::Front(FaultKind::IncompleteSignature | FaultKind::Serialization)
            | Self::Validation => 400,
            Self::Unauthorized => 401,
            Self::AccessDenied
            | Self::Front(FaultKind::InvalidSignature | FaultKind::MissingAuthenticationToken) => {
                403
            }
            Self::Front(FaultKind::UnknownOperation) | Self::ResourceNotFound => 404,
            Self::Conflict => 409,
            Self::Front(FaultKind::RequestTooLong) => 413,
            Self::Front(FaultKind::Internal) | Self::InternalServer => 500,
        }
    }
}

impl From<ErrorClass> for Exception {
    fn from(class: ErrorClass) -> Self {
        match class {
            ErrorClass::AccessDenied => Self::AccessDenied,
            ErrorClass::Conflict => Self::Conflict,
            ErrorClass::ResourceNotFound => Self::ResourceNotFound,
            ErrorClass::Unauthorized => Self::Unauthorized,
            ErrorClass::Validation => Self::Validation,
        }
    }
}

/// A refusal: the exception and its message. The cause of an internal error is logged at its place
/// and not part of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exception: Exception,
    pub(crate) message: Cow<'static, str>,
    /// The additional reason of a `ValidationException`.
    reason: &'static str,
    breaches: Vec<Breach>,
}

impl Refusal {
    pub(crate) fn new(
        exception: impl Into<Exception>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            exception: exception.into(),
            message: message.into(),
            reason: "FieldValidationFailed",
            breaches: Vec::new(),
        }
    }

    /// A request that makes no sense, for a reason beyond the model.
    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Exception::Validation, message)
    }

    /// A body that does not fit the operation.
    pub(crate) fn unreadable(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            reason: "CannotParse",
            ..Self::invalid(message)
        }
    }

    /// Members that break rules of the model.
    pub(crate) fn breached(breaches: Vec<Breach>) -> Self {
        let message = summary(&breaches);
        Self {
            breaches,
            ..Self::invalid(message)
        }
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Exception::ResourceNotFound, message)
    }

    /// Tells the caller only that the stand-in failed; the log has the cause.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        Fault::internal(cause).into()
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        if self.exception != Exception::Validation {
            return json!({"message": self.message});
        }
        let mut body = json!({"message": self.message, "reason": self.reason});
        if !self.breaches.is_empty() {
            let fields = self
                .breaches
                .iter()
                .map(|breach| json!({"name": breach.member, "message": breach.message}));
            body["fieldList"] = fields.collect();
        }
        body
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Serialization => Self::unreadable(fault.message),
            FaultKind::Internal => Self::new(Exception::InternalServer, fault.message),
            FaultKind::UnknownOperation
            | FaultKind::MissingAuthenticationToken
            | FaultKind::IncompleteSignature
            | FaultKind::InvalidSignature
            | FaultKind::RequestTooLong => Self::new(Exception::Front(fault.kind), fault.message),
        }
    }
}

impl From<Refusal> for SpecError {
    fn from(refusal: Refusal) -> Self {
        Self::new(refusal.exception.name(), refusal.message)
    }
}

impl From<rusqlite::Error> for Refusal {
    fn from(cause: rusqlite::Error) -> Self {
        Self::internal(&cause)
    }
}

impl From<serde_json::Error> for Refusal {
    fn from(cause: serde_json::Error) -> Self {
        Self::internal(&cause)
    }
}
