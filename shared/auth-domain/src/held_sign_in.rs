//! A sign-in between its first and second factor, as the server stores it.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::{
    Ageing, Attempts, CognitoSession, Email, Limit, PasskeyId, Sealed, SessionId, Timestamp,
    TokenDelivery, UserSub, redacted::redacted_debug,
};

/// A sign-in whose first factor was right. Its tokens do not leave before the second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSignIn {
    /// The address of the sign-in.
    pub email: Email,
    /// The missing step.
    pub awaits: AwaitedFactor,
    /// The passkey that was the first factor, if its device has verified its user. The second
    /// factor confirms it.
    pub passkey: Option<PasskeyId>,
    /// The delivery of the refresh token, unless the request with the second factor changes it.
    pub token_delivery: TokenDelivery,
    /// Codes tried so far.
    pub attempts: u32,
    /// When the sign-in expires.
    pub expires_at: Timestamp,
}

/// The step that a held sign-in waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwaitedFactor {
    /// A code of the guest's authenticator, or a backup code.
    Authenticator(HeldToken),
    /// The set-up of a second factor, for a guest who has none.
    SetUp(HeldSetUp),
    /// The answer to a challenge of Cognito's own.
    Cognito(FollowUp),
}

/// The refresh token that the first factor earned. The second factor exchanges it for tokens; until
/// then no client has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldToken {
    /// The user who signs in.
    pub sub: UserSub,
    /// When the first factor was shown: the session begins then. The exchanged tokens know it only
    /// to the second.
    pub begun: Timestamp,
    /// The token.
    pub sealed: Sealed,
}

/// A sign-in that waits for its guest to set up a second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldSetUp {
    /// The refresh token that the completed set-up exchanges for tokens.
    pub token: HeldToken,
    /// The session that continues. The set-up ends all others.
    pub session: SessionId,
}

/// Cognito's next challenge after a right password. Cognito returns it in place of tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowUp {
    /// The kind of challenge.
    pub challenge: CognitoChallenge,
    /// Cognito's session, which must come back with the answer.
    pub session: CognitoSession,
    /// The user, by the name that the challenge gave.
    pub username: CognitoUsername,
}

/// A user's name at Cognito, as a challenge gives it: a sub as a rule, or the address.
#[derive(Clone, PartialEq, Eq)]
pub struct CognitoUsername(String);

redacted_debug!(CognitoUsername);

impl CognitoUsername {
    /// Takes a name as Cognito gave it.
    #[must_use]
    pub fn given(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The name itself, for Cognito and the table.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Cognito's own challenges that users of an existing pool may get, and that Latchkey can finish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CognitoChallenge {
    /// An administrator chose the password: the user must choose a new one.
    NewPasswordRequired,
    /// A code of an authenticator that Cognito keeps.
    SoftwareTokenMfa,
    /// A code that Cognito has just mailed.
    EmailOtp,
}

impl CognitoChallenge {
    /// The challenge by Cognito's name, which is also the contract's.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NewPasswordRequired => "NEW_PASSWORD_REQUIRED",
            Self::SoftwareTokenMfa => "SOFTWARE_TOKEN_MFA",
            Self::EmailOtp => "EMAIL_OTP",
        }
    }

    /// Reads Cognito's name; `None` for a challenge that Latchkey cannot finish.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [
            Self::NewPasswordRequired,
            Self::SoftwareTokenMfa,
            Self::EmailOtp,
        ]
        .into_iter()
        .find(|challenge| challenge.as_str() == text)
    }
}

impl Serialize for CognitoChallenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The rules of a held sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecondFactorRules {
    /// The time between the first and the second factor.
    pub lifetime: Duration,
    /// The number of code attempts.
    pub attempts: u32,
}

impl SecondFactorRules {
    /// The attempts of one held sign-in, as a limit that the `RateLimit` fields can name.
    #[must_use]
    pub const fn attempt_limit(&self) -> Limit {
        Limit {
            name: "second-factor-attempt",
            quota: self.attempts,
            window: self.lifetime,
            ageing: Ageing::OneByOne,
        }
    }
}

impl HeldSignIn {
    /// The attempts made and left.
    #[must_use]
    pub fn attempts(&self, rules: &SecondFactorRules) -> Attempts {
        Attempts {
            made: self.attempts,
            remaining: rules.attempts.saturating_sub(self.attempts),
        }
    }
}
