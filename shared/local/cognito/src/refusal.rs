//! An operation's refusal: one of the service's exceptions and the message for real callers.

use std::borrow::Cow;

use local_kit::{Fault, FaultKind, SpecError};

/// The exceptions of the user pools API that this stand-in can return, and those of the layer in
/// front of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exception {
    AliasExists,
    CodeMismatch,
    EnableSoftwareTokenMfa,
    ExpiredCode,
    FeatureUnavailableInTier,
    /// By the layer in front of the service.
    Front(FaultKind),
    InternalError,
    InvalidLambdaResponse,
    InvalidOAuthFlow,
    InvalidParameter,
    InvalidPassword,
    LimitExceeded,
    NotAuthorized,
    PasswordHistoryPolicyViolation,
    PasswordResetRequired,
    PreconditionNotMet,
    RefreshTokenReuse,
    ResourceNotFound,
    ScopeDoesNotExist,
    Serialization,
    SoftwareTokenMfaNotFound,
    Unauthorized,
    UnexpectedLambda,
    UnsupportedOperation,
    UnsupportedTokenType,
    UnsupportedUserState,
    UserLambdaValidation,
    UserNotConfirmed,
    UserNotFound,
    UsernameExists,
    WebAuthnChallengeNotFound,
    WebAuthnClientMismatch,
    WebAuthnConfigurationMissing,
    WebAuthnCredentialNotSupported,
    WebAuthnNotEnabled,
    WebAuthnOriginNotAllowed,
    WebAuthnRelyingPartyMismatch,
}

impl Exception {
    /// The name in `__type` and in `x-amzn-errortype`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AliasExists => "AliasExistsException",
            Self::CodeMismatch => "CodeMismatchException",
            Self::EnableSoftwareTokenMfa => "EnableSoftwareTokenMFAException",
            Self::ExpiredCode => "ExpiredCodeException",
            Self::FeatureUnavailableInTier => "FeatureUnavailableInTierException",
            Self::Front(kind) => kind.name(),
            Self::InternalError => "InternalErrorException",
            Self::InvalidLambdaResponse => "InvalidLambdaResponseException",
            Self::InvalidOAuthFlow => "InvalidOAuthFlowException",
            Self::InvalidParameter => "InvalidParameterException",
            Self::InvalidPassword => "InvalidPasswordException",
            Self::LimitExceeded => "LimitExceededException",
            Self::NotAuthorized => "NotAuthorizedException",
            Self::PasswordHistoryPolicyViolation => "PasswordHistoryPolicyViolationException",
            Self::PasswordResetRequired => "PasswordResetRequiredException",
            Self::PreconditionNotMet => "PreconditionNotMetException",
            Self::RefreshTokenReuse => "RefreshTokenReuseException",
            Self::ResourceNotFound => "ResourceNotFoundException",
            Self::ScopeDoesNotExist => "ScopeDoesNotExistException",
            Self::Serialization => "SerializationException",
            Self::SoftwareTokenMfaNotFound => "SoftwareTokenMFANotFoundException",
            Self::Unauthorized => "UnauthorizedException",
            Self::UnexpectedLambda => "UnexpectedLambdaException",
            Self::UnsupportedOperation => "UnsupportedOperationException",
            Self::UnsupportedTokenType => "UnsupportedTokenTypeException",
            Self::UnsupportedUserState => "UnsupportedUserStateException",
            Self::UserLambdaValidation => "UserLambdaValidationException",
            Self::UserNotConfirmed => "UserNotConfirmedException",
            Self::UserNotFound => "UserNotFoundException",
            Self::UsernameExists => "UsernameExistsException",
            Self::WebAuthnChallengeNotFound => "WebAuthnChallengeNotFoundException",
            Self::WebAuthnClientMismatch => "WebAuthnClientMismatchException",
            Self::WebAuthnConfigurationMissing => "WebAuthnConfigurationMissingException",
            Self::WebAuthnCredentialNotSupported => "WebAuthnCredentialNotSupportedException",
            Self::WebAuthnNotEnabled => "WebAuthnNotEnabledException",
            Self::WebAuthnOriginNotAllowed => "WebAuthnOriginNotAllowedException",
            Self::WebAuthnRelyingPartyMismatch => "WebAuthnRelyingPartyMismatchException",
        }
    }

    /// The HTTP status: this API answers every mistake of a caller with 400, and never with 401,
    /// 403, 404 or 429.
    pub(crate) const fn status(self) -> u16 {
        match self {
            Self::InternalError | Self::Front(FaultKind::Internal) => 500,
            Self::Front(FaultKind::RequestTooLong) => 413,
            Self::AliasExists
            | Self::CodeMismatch
            | Self::EnableSoftwareTokenMfa
            | Self::ExpiredCode
            | Self::FeatureUnavailableInTier
            | Self::Front(
                FaultKind::UnknownOperation
                | FaultKind::MissingAuthenticationToken
                | FaultKind::IncompleteSignature
                | FaultKind::InvalidSignature
                | FaultKind::Serialization,
            )
            | Self::InvalidLambdaResponse
            | Self::InvalidOAuthFlow
            | Self::InvalidParameter
            | Self::InvalidPassword
            | Self::LimitExceeded
            | Self::NotAuthorized
            | Self::PasswordHistoryPolicyViolation
            | Self::PasswordResetRequired
            | Self::PreconditionNotMet
            | Self::RefreshTokenReuse
            | Self::ResourceNotFound
            | Self::ScopeDoesNotExist
            | Self::Serialization
            | Self::SoftwareTokenMfaNotFound
            | Self::Unauthorized
            | Self::UnexpectedLambda
            | Self::UnsupportedOperation
            | Self::UnsupportedTokenType
            | Self::UnsupportedUserState
            | Self::UserLambdaValidation
            | Self::UserNotConfirmed
            | Self::UserNotFound
            | Self::UsernameExists
            | Self::WebAuthnChallengeNotFound
            | Self::WebAuthnClientMismatch
            | Self::WebAuthnConfigurationMissing
            | Self::WebAuthnCredentialNotSupported
            | Self::WebAuthnNotEnabled
            | Self::WebAuthnOriginNotAllowed
            | Self::WebAuthnRelyingPartyMismatch => 400,
        }
    }
}

/// A refusal: the exception and its message. The cause of an internal error is logged at its place
/// and not part of this.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    pub(crate) exception: Exception,
    pub(crate) message: Cow<'static, str>,
}

impl Refusal {
    pub(crate) fn new(exception: Exception, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            exception,
            message: message.into(),
        }
    }

    pub(crate) fn not_authorized(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Exception::NotAuthorized, message)
    }

    pub(crate) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Exception::InvalidParameter, message)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        Self::invalid(format!("Missing required parameter {name}"))
    }

    pub(crate) fn incorrect_username_or_password() -> Self {
        Self::not_authorized("Incorrect username or password.")
    }

    pub(crate) fn user_disabled() -> Self {
        Self::not_authorized("User is disabled.")
    }

    pub(crate) fn user_not_found() -> Self {
        Self::new(Exception::UserNotFound, "User does not exist.")
    }

    pub(crate) fn no_such_pool(pool_id: &str) -> Self {
        Self::new(
            Exception::ResourceNotFound,
            format!("User pool {pool_id} does not exist."),
        )
    }

    pub(crate) fn no_such_client(client_id: &str) -> Self {
        Self::new(
            Exception::ResourceNotFound,
            format!("User pool client {client_id} does not exist."),
        )
    }

    /// The lock that wrong passwords and wrong second factors lead to.
    pub(crate) fn attempts_exceeded() -> Self {
        Self::not_authorized("Password attempts exceeded")
    }

    pub(crate) fn cannot_reset() -> Self {
        Self::not_authorized("User password cannot be reset in the current state.")
    }

    pub(crate) fn wrong_verification_code() -> Self {
        Self::new(
            Exception::CodeMismatch,
            "Invalid verification code provided, please try again.",
        )
    }

    pub(crate) fn expired_verification_code() -> Self {
        Self::new(
            Exception::ExpiredCode,
            "Invalid code provided, please request a code again.",
        )
    }

    pub(crate) fn unsupported(what: &str) -> Self {
        Self::new(
            Exception::UnsupportedOperation,
            format!("cognito-local does not do {what}."),
        )
    }

    /// Tells the caller only that the stand-in failed; the log has the cause.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        Fault::internal(cause).into()
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            FaultKind::Serialization => Self::new(Exception::Serialization, fault.message),
            FaultKind::Internal => Self::new(
                Exception::InternalError,
                "Something went wrong while processing your request.",
            ),
            // This service returns the exception without a message.
            FaultKind::UnknownOperation => Self::new(Exception::Front(fault.kind), ""),
            FaultKind::MissingAuthenticationToken
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
