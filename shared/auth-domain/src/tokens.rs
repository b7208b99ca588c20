//! Cognito's tokens, and their delivery to a front end.

use std::str::FromStr;

use crate::redacted::redacted_debug;

macro_rules! token {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(String);

        redacted_debug!($name);

        impl $name {
            /// Takes a token as Cognito issued it.
            #[must_use]
            pub fn issued(text: impl Into<String>) -> Self {
                Self(text.into())
            }

            /// The token itself, for the answer.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

token! {
    /// Authorizes calls; carries the scope `latchkey/session`.
    AccessToken
}
token! {
    /// Identifies the signed-in user.
    IdToken
}
token! {
    /// Can be exchanged for new tokens; opaque.
    RefreshToken
}

/// The longest refresh token taken from a client. Cognito's have 1 to 2 KB.
const LONGEST_REFRESH_TOKEN: usize = 4096;

/// The text cannot be a refresh token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the refresh token of a sign-in")]
pub struct InvalidRefreshToken;

impl RefreshToken {
    /// Parses a client's text: visible ASCII of a plausible length. Only Cognito can check more.
    pub fn parse(text: &str) -> Result<Self, InvalidRefreshToken> {
        let well_formed = (1..=LONGEST_REFRESH_TOKEN).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidRefreshToken)
        }
    }
}

impl FromStr for RefreshToken {
    type Err = InvalidRefreshToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The tokens of a sign-in.
#[derive(Clone, Debug)]
pub struct Tokens {
    /// For the API.
    pub access_token: AccessToken,
    /// For the front end.
    pub id_token: IdToken,
    /// For the next tokens; absent if the client keeps its present one.
    pub refresh_token: Option<RefreshToken>,
    /// Seconds until the access token ends.
    pub expires_in: u32,
}

/// The tokens of a fresh proof. With them Latchkey changes a user's passkeys at Cognito. The access
/// token keeps the scope that lets its holder change the account there, so neither token leaves.
#[derive(Clone, Debug)]
pub struct SelfServiceTokens {
    /// For Cognito's operations on one's own account.
    pub access_token: AccessToken,
    /// The refresh token, which revokes both.
    pub refresh_token: RefreshToken,
}

/// How the refresh token travels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenDelivery {
    /// In the body, beside the other tokens.
    #[default]
    Body,
    /// In a `__Host-` cookie that scripts cannot read.
    Cookie,
}

impl TokenDelivery {
    /// The delivery's name, which it also parses from.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Cookie => "cookie",
        }
    }
}

/// The text names no way of delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be body or cookie")]
pub struct UnknownTokenDelivery;

impl FromStr for TokenDelivery {
    type Err = UnknownTokenDelivery;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "body" => Ok(Self::Body),
            "cookie" => Ok(Self::Cookie),
            _ => Err(UnknownTokenDelivery),
        }
    }
}
