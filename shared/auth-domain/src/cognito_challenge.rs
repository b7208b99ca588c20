//! Challenges of Cognito's own, which users of a pool that is older than Latchkey may have to answer after their password.

use crate::{CognitoSession, NewPassword, OtpCode, redacted::redacted_debug};

/// What Cognito asks for after a right password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeKind {
    /// An administrator gave the password: another one must be chosen.
    NewPassword,
    /// A code from an authenticator that is kept in Cognito itself.
    SoftwareToken,
    /// A code that Cognito has mailed.
    EmailCode,
}

impl ChallengeKind {
    /// Cognito's name for it, which the contract uses too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewPassword => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareToken => "SOFTWARE_TOKEN_MFA",
            Self::EmailCode => "EMAIL_OTP",
        }
    }

    /// Reads Cognito's name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::NewPassword, Self::SoftwareToken, Self::EmailCode]
            .into_iter()
            .find(|kind| kind.as_str() == name)
    }
}

/// A challenge that waits for its answer. Held on the server, like everything between two factors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CognitoChallenge {
    /// What is asked for.
    pub kind: ChallengeKind,
    /// What Cognito wants to see again with the answer.
    pub session: CognitoSession,
    /// The user by the name that Cognito gave, which the answer must use.
    pub username: CognitoUsername,
}

/// A user's name in Cognito: an address, or the name that Cognito made.
#[derive(Clone, PartialEq, Eq)]
pub struct CognitoUsername(String);

redacted_debug!(CognitoUsername);

impl CognitoUsername {
    /// Takes a name as Cognito gave it.
    #[must_use]
    pub fn issued(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name itself, for Cognito and the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The answer to a challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChallengeAnswer {
    /// For [`ChallengeKind::NewPassword`].
    NewPassword(NewPassword),
    /// For the other two.
    Code(OtpCode),
}
