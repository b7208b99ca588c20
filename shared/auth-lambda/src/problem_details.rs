//! Problems on the wire (RFC 9457). Only this file has their status codes and words.

use std::borrow::Cow;

use auth_domain::{
    AuthorizationId, FieldProblem, LimitState, Problem, RefreshRefusal, Timestamp, WorkChallenge,
};
use serde::Serialize;

/// The body of a problem. The same fields over HTTP and in a direct answer.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDetails<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    detail: Cow<'static, str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts_remaining: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    authorization_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session_id: Option<&'a AuthorizationId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    challenge: Option<&'a WorkChallenge>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sign_in_with: Option<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<FieldError<'a>>,
    request_id: &'a str,
}

#[derive(Debug, Serialize)]
struct FieldError<'a> {
    field: &'a str,
    code: &'static str,
    message: &'a str,
}

impl<'a> From<&'a FieldProblem> for FieldError<'a> {
    fn from(problem: &'a FieldProblem) -> Self {
        Self {
            field: &problem.field,
            code: problem.code,
            message: &problem.message,
        }
    }
}

impl<'a> ProblemDetails<'a> {
    /// The details of `problem`, as an answer to the request of that id.
    #[must_use]
    pub fn new(problem: &'a Problem, request_id: &'a str) -> Self {
        let (title, advice) = words(problem);
        let detail = retry_after_seconds(problem).map_or(Cow::Borrowed(advice), |seconds| {
            Cow::Owned(advice.replace(WAIT, &in_words(seconds)))
        });
        let code = code(problem);
        let mut details = Self {
            r#type: format!(
                "https://latchkey.dev/problems/{}",
                code.to_ascii_lowercase().replace('_', "-")
            ),
            title,
            status: status(problem),
            detail,
            code,
            attempts_remaining: None,
            cause: None,
            authorization_url: None,
            session_id: None,
            expires_at: None,
            challenge: None,
            sign_in_with: None,
            errors: Vec::new(),
            request_id,
        };
        match problem {
            Problem::ValidationFailed(fields) => {
                details.errors = fields.iter().map(FieldError::from).collect();
            }
            Problem::InvalidOtp(attempts) => details.attempts_remaining = Some(attempts.remaining),
            Problem::InvalidRefreshToken(refusal) => details.cause = Some(cause(*refusal)),
            Problem::ConsentRequired(request) => {
                details.authorization_url = Some(&request.url);
                details.session_id = Some(&request.id);
                details.expires_at = Some(request.expires_at);
            }
            Problem::RateLimited { challenge, .. } => details.challenge = challenge.as_deref(),
            Problem::PasswordLocked { .. } => details.sign_in_with = Some("CODE"),
            Problem::InvalidSession
            | Problem::SignInCompleted
            | Problem::AuthRequired
            | Problem::InvalidCredentials
            | Problem::EmailExists
            | Problem::PasskeyLimit
            | Problem::PasskeyRequired
            | Problem::UserMismatch
            | Problem::NotFound
            | Problem::OtpExpired
            | Problem::SessionExpired
            | Problem::PayloadTooLarge
            | Problem::UnsupportedMediaType
            | Problem::MaxAttemptsExceeded(_)
            | Problem::EmailDeliveryFailed(_)
            | Problem::ServiceUnavailable { .. }
            | Problem::Internal(_) => {}
        }
        details
    }

    /// The message for a person.
    #[must_use]
    pub fn into_detail(self) -> Cow<'static, str> {
        self.detail
    }
}

/// The `code` that a client branches on.
#[must_use]
pub const fn code(problem: &Problem) -> &'static str {
    match problem {
        Problem::ValidationFailed(_) => "VALIDATION_FAILED",
        Problem::InvalidSession => "INVALID_SESSION",
        Problem::SignInCompleted => "SIGN_IN_COMPLETED",
        Problem::AuthRequired | Problem::ConsentRequired(_) => "AUTH_REQUIRED",
        Problem::InvalidCredentials => "INVALID_CREDENTIALS",
        Problem::EmailExists => "EMAIL_EXISTS",
        Problem::PasskeyLimit => "PASSKEY_LIMIT",
        Problem::PasskeyRequired => "PASSKEY_REQUIRED",
        Problem::InvalidOtp(_) => "INVALID_OTP",
        Problem::InvalidRefreshToken(_) => "INVALID_REFRESH_TOKEN",
        Problem::UserMismatch => "USER_MISMATCH",
        Problem::NotFound => "NOT_FOUND",
        Problem::OtpExpired => "OTP_EXPIRED",
        Problem::SessionExpired => "SESSION_EXPIRED",
        Problem::PayloadTooLarge => "PAYLOAD_TOO_LARGE",
        Problem::UnsupportedMediaType => "UNSUPPORTED_MEDIA_TYPE",
        Problem::MaxAttemptsExceeded(_) => "MAX_ATTEMPTS_EXCEEDED",
        Problem::RateLimited { .. } | Problem::PasswordLocked { .. } => "RATE_LIMITED",
        Problem::EmailDeliveryFailed(_) => "EMAIL_DELIVERY_FAILED",
        Problem::ServiceUnavailable { .. } => "SERVICE_UNAVAILABLE",
        Problem::Internal(_) => "INTERNAL",
    }
}

/// The HTTP status.
#[must_use]
pub const fn status(problem: &Problem) -> u16 {
    match problem {
        Problem::ValidationFailed(_) | Problem::InvalidSession => 400,
        Problem::AuthRequired
        | Problem::ConsentRequired(_)
        | Problem::InvalidCredentials
        | Problem::InvalidOtp(_)
        | Problem::InvalidRefreshToken(_) => 401,
        Problem::UserMismatch | Problem::PasskeyRequired => 403,
        Problem::NotFound => 404,
        Problem::EmailExists | Problem::PasskeyLimit | Problem::SignInCompleted => 409,
        Problem::OtpExpired | Problem::SessionExpired => 410,
        Problem::PayloadTooLarge => 413,
        Problem::UnsupportedMediaType => 415,
        Problem::MaxAttemptsExceeded(_)
        | Problem::RateLimited { .. }
        | Problem::PasswordLocked { .. } => 429,
        Problem::Internal(_) => 500,
        Problem::EmailDeliveryFailed(_) => 502,
        Problem::ServiceUnavailable { .. } => 503,
    }
}

/// Seconds for `Retry-After`, if a retry helps.
pub(crate) const fn retry_after_seconds(problem: &Problem) -> Option<u64> {
    match problem {
        Problem::MaxAttemptsExceeded(LimitState {
            reset_seconds: retry_after_seconds,
            ..
        })
        | Problem::RateLimited {
            retry_after_seconds,
            ..
        }
        | Problem::PasswordLocked {
            retry_after_seconds,
        }
        | Problem::ServiceUnavailable {
            retry_after_seconds,
            ..
        } => Some(*retry_after_seconds),
        Problem::ValidationFailed(_)
        | Problem::InvalidSession
        | Problem::SignInCompleted
        | Problem::AuthRequired
        | Problem::ConsentRequired(_)
        | Problem::InvalidCredentials
        | Problem::EmailExists
        | Problem::PasskeyLimit
        | Problem::PasskeyRequired
        | Problem::InvalidOtp(_)
        | Problem::InvalidRefreshToken(_)
        | Problem::UserMismatch
        | Problem::NotFound
        | Problem::OtpExpired
        | Problem::SessionExpired
        | Problem::PayloadTooLarge
        | Problem::UnsupportedMediaType
        | Problem::EmailDeliveryFailed(_)
        | Problem::Internal(_) => None,
    }
}

/// The agent's next step, for the `recovery` of a tool's failure.
pub(crate) const fn recovery(problem: &Problem) -> &'static str {
    match problem {
        Problem::ValidationFailed(_) | Problem::PayloadTooLarge | Problem::UnsupportedMediaType => {
            "Correct the arguments and call the tool again."
        }
        Problem::InvalidOtp(_) => {
            "Ask the guest for the newest code in their mailbox and call verify_cognito_otp again."
        }
        Problem::SignInCompleted => {
            "The guest is signed in already. Use the tokens that the first call returned."
        }
        Problem::InvalidSession
        | Problem::OtpExpired
        | Problem::SessionExpired
        | Problem::MaxAttemptsExceeded(_)
        | Problem::AuthRequired
        | Problem::InvalidRefreshToken(_) => {
            "Call initiate_cognito_login again to send a fresh code."
        }
        Problem::RateLimited { .. }
        | Problem::ServiceUnavailable { .. }
        | Problem::EmailDeliveryFailed(_)
        | Problem::Internal(_) => "Wait a while, then call the tool again.",
        Problem::InvalidCredentials | Problem::EmailExists | Problem::PasswordLocked { .. } => {
            "Ask the guest to sign in with a code by mail instead."
        }
        Problem::ConsentRequired(_) => {
            "Give the guest the authorization_url. When they are back, call get_authenticated_guest again with this session_id."
        }
        Problem::PasskeyRequired => "Ask the guest to sign in on the web page, with their passkey.",
        Problem::UserMismatch | Problem::NotFound | Problem::PasskeyLimit => {
            "Ask the guest to contact support."
        }
    }
}

const fn cause(refusal: RefreshRefusal) -> &'static str {
    match refusal {
        RefreshRefusal::Reused => "reused",
        RefreshRefusal::Revoked => "revoked",
        RefreshRefusal::Expired => "expired",
        RefreshRefusal::Invalid => "invalid",
    }
}

/// A placeholder in a sentence for the time until a retry can succeed.
const WAIT: &str = "{wait}";

/// A waiting time for people, never shorter than the seconds in `Retry-After`.
fn in_words(seconds: u64) -> String {
    match seconds.div_ceil(60) {
        0 | 1 => "a minute".to_owned(),
        minutes @ 2..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes.div_ceil(60)),
    }
}

/// Title and detail.
const fn words(problem: &Problem) -> (&'static str, &'static str) {
    match problem {
        Problem::ValidationFailed(_) => (
            "The request is not valid",
            "Some fields are missing or wrong.",
        ),
        Problem::InvalidSession => (
            "The session is not valid",
            "No sign-in is in progress for this session and address. Start again.",
        ),
        Problem::SignInCompleted => (
            "The sign-in is complete",
            "An earlier request with this session token returned the tokens. Use those, or start again.",
        ),
        Problem::AuthRequired => (
            "Sign-in required",
            "The access token is missing or no longer accepted. Sign in again.",
        ),
        Problem::ConsentRequired(_) => (
            "Sign-in required",
            "The guest must first sign in and consent at the authorization URL.",
        ),
        Problem::InvalidCredentials => (
            "Email or password is not right",
            "Check both. After registering, confirm the address first, or sign in with a mailed code.",
        ),
        Problem::EmailExists => (
            "The address has an account",
            "Sign in with the password or a mailed code, or reset the password.",
        ),
        Problem::PasskeyLimit => (
            "You have 20 passkeys",
            "Remove one that you no longer use, then add another.",
        ),
        Problem::PasskeyRequired => (
            "Your passkey is needed",
            "Your second factor is a passkey. Continue with it. If you have lost it, contact support.",
        ),
        Problem::InvalidOtp(_) => ("The code is not right", "Enter the newest code."),
        Problem::InvalidRefreshToken(_) => (
            "The refresh token is not accepted",
            "This session has ended. Sign in again.",
        ),
        Problem::UserMismatch => ("Another user", "This guest belongs to another user."),
        Problem::NotFound => ("Not found", "The requested item does not exist."),
        Problem::OtpExpired => (
            "The code has expired",
            "Ask for a fresh code, or start again.",
        ),
        Problem::SessionExpired => (
            "The session has expired",
            "Too much time has passed. Start again.",
        ),
        Problem::PayloadTooLarge => (
            "The request is too large",
            "The body is larger than this operation accepts.",
        ),
        Problem::UnsupportedMediaType => (
            "The media type is not supported",
            "Send the body as application/json.",
        ),
        Problem::MaxAttemptsExceeded(_) => (
            "Too many attempts",
            "All attempts of this sign-in are used up. Start again for a fresh code.",
        ),
        Problem::RateLimited { .. } => ("Too many requests", "Try again in {wait}."),
        Problem::PasswordLocked { .. } => (
            "Too many wrong passwords",
            "Sign in with a mailed code, or try the password again in {wait}.",
        ),
        Problem::EmailDeliveryFailed(_) => {
            ("The mail could not be sent", "Try again in a few minutes.")
        }
        Problem::ServiceUnavailable { .. } => ("Temporarily unavailable", "Try again in {wait}."),
        Problem::Internal(_) => (
            "Something went wrong",
            "The failure is recorded. Quote the requestId when you report it.",
        ),
    }
}
