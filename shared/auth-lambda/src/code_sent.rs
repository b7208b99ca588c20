//! The answer to a request for a code: the same shape for the first mail and for each after it.

use auth_domain::{Email, MaskedEmail, SessionToken};
use serde::{Serialize, Serializer};

/// The destination of a code, and the handle for the next step.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CodeSent {
    /// The handle of the sign-in.
    #[serde(serialize_with = "session_token")]
    pub session_token: SessionToken,
    /// Seconds until the sign-in ends.
    pub expires_in: u64,
    /// Seconds until another mail may be asked for.
    pub resend_after: u64,
    delivery: Delivery,
    /// The message to the person.
    pub message: &'static str,
}

/// The destination of a code. It reveals the address only to those who know it.
#[derive(Serialize)]
pub struct Delivery {
    medium: &'static str,
    destination: MaskedEmail,
}

impl Delivery {
    /// The delivery of a mail to `email`.
    #[must_use]
    pub fn to(email: &Email) -> Self {
        Self {
            medium: "EMAIL",
            destination: email.masked(),
        }
    }
}

impl CodeSent {
    /// The answer about a mail to `email`.
    #[must_use]
    pub fn new(
        session_token: SessionToken,
        email: &Email,
        expires_in: u64,
        resend_after: u64,
        message: &'static str,
    ) -> Self {
        Self {
            session_token,
            expires_in,
            resend_after,
            delivery: Delivery::to(email),
            message,
        }
    }
}

/// Serializes a session token in an answer. Only this function may: the type itself does not
/// serialize.
pub fn session_token<S: Serializer>(
    token: &SessionToken,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(token.as_str())
}
