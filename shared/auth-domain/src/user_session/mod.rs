//! Sessions: from one sign-in on one browser or app until the end.

mod client_name;
mod refresh_family;

use std::{cmp::Reverse, fmt, ops::Not, str::FromStr};

use serde::{Serialize, Serializer};

use crate::{Guest, Timestamp, UserSub};

pub use client_name::ClientName;
pub use refresh_family::{Generation, PresentedToken, RefreshFamily};

/// The longest id of a session. Cognito's are UUIDs.
const LONGEST_SESSION_ID: usize = 64;

/// Sessions in one answer, at most.
const MOST_LISTED: usize = 100;

/// The id that all tokens of one sign-in share, refreshed ones too: Cognito's `origin_jti`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionId(String);

/// The text is not the id of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a sessionId that listSessions names")]
pub struct InvalidSessionId;

impl SessionId {
    /// Parses the claim, or a client's text.
    pub fn parse(text: &str) -> Result<Self, InvalidSessionId> {
        let well_formed = (1..=LONGEST_SESSION_ID).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSessionId)
        }
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SessionId {
    type Err = InvalidSessionId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// How the guest signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    /// By a mailed code.
    Code,
    /// By a password.
    Password,
    /// By a passkey.
    Passkey,
    /// By one of them and an authenticator or a backup code.
    SecondFactor,
    /// By a mailed code that an agent asked for.
    Agent,
    /// No operation saw the sign-in, or the session is older than its record.
    Unknown,
}

impl SignInMethod {
    const ALL: [Self; 6] = [
        Self::Code,
        Self::Password,
        Self::Passkey,
        Self::SecondFactor,
        Self::Agent,
        Self::Unknown,
    ];

    /// The name that the contract gives it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Password => "password",
            Self::Passkey => "passkey",
            Self::SecondFactor => "second-factor",
            Self::Agent => "agent",
            Self::Unknown => "unknown",
        }
    }

    /// The method of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.as_str() == name)
    }
}

impl Serialize for SignInMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A country by its two letters (ISO 3166-1).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Country(String);

impl Country {
    /// The country of this code; `None` for anything else.
    #[must_use]
    pub fn parse(code: &str) -> Option<Self> {
        let is_code = code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| Self(code.to_owned()))
    }

    /// The two letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The sign-in in a session's record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOrigin {
    /// How the guest signed in.
    pub method: SignInMethod,
    /// The name of the browser or app.
    pub device: ClientName,
    /// The country of the sign-in.
    pub country: Option<Country>,
}

/// A session as its record has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserSession {
    /// Its id.
    pub id: SessionId,
    /// When it began, as [`Caller`](crate::Caller) has it.
    pub signed_in_at: Timestamp,
    /// When its tokens were last renewed. Of the public client's: when its record was made.
    pub last_used_at: Timestamp,
    /// The sign-in that began it.
    pub origin: SessionOrigin,
    /// Whether it is of the public app client, which renews its tokens at Cognito.
    pub is_public_clients: bool,
}

impl UserSession {
    /// Whether the guest has since signed out everywhere from another session.
    #[must_use]
    pub fn is_signed_out_of(&self, guest: &Guest) -> bool {
        guest.has_signed_out_since(self.signed_in_at, Some(&self.id))
    }

    /// A guest's live sessions, the last used first, and a hundred at most.
    #[must_use]
    pub fn going_on(mut sessions: Vec<Self>, guest: &Guest) -> Vec<Self> {
        sessions.retain(|session| !session.is_signed_out_of(guest));
        sessions.sort_by_key(|session| Reverse(session.last_used_at));
        sessions.truncate(MOST_LISTED);
        sessions
    }
}

impl Serialize for UserSession {
    /// The *Session* of the contract, without `current`: it depends on the session that asks.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Session<'a> {
            #[serde(rename = "sessionId")]
            id: &'a SessionId,
            created_at: Timestamp,
            last_used_at: Timestamp,
            method: SignInMethod,
            device: &'a ClientName,
            #[serde(skip_serializing_if = "Option::is_none")]
            country: Option<&'a Country>,
            #[serde(skip_serializing_if = "Not::not")]
            public_client: bool,
        }
        Session {
            id: &self.id,
            created_at: self.signed_in_at,
            last_used_at: self.last_used_at,
            method: self.origin.method,
            device: &self.origin.device,
            country: self.origin.country.as_ref(),
            public_client: self.is_public_clients,
        }
        .serialize(serializer)
    }
}

/// The reason why a session has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// The guest has ended it, here or from another session.
    Guest,
    /// A refresh token was repeated after its grace.
    Reuse,
    /// Its sign-in failed after it was recorded.
    FailedSignIn,
    /// Cognito has revoked its refresh tokens.
    Cognito,
}

impl SessionEnd {
    /// The name under which it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Guest => "guest",
            Self::Reuse => "reuse",
            Self::FailedSignIn => "failed-sign-in",
            Self::Cognito => "cognito",
        }
    }
}

/// The user and the session of an access token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionKey {
    /// The user.
    pub sub: UserSub,
    /// The session.
    pub id: SessionId,
}
