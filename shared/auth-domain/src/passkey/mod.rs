//! Passkeys: Latchkey's own list of them, and their data from browsers.
//!
//! Cognito keeps the keys and verifies signatures. A passkey counts only while it is on its guest's
//! list.

mod authenticator_data;
mod credential;
mod settings;

use std::{fmt, str::FromStr};

use data_encoding::BASE64URL_NOPAD;
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::{
    Authenticator, Guest, GuestName, InvalidGuestName, Randomness, Timestamp,
    redacted::redacted_debug,
};

pub use credential::{Assertion, Attestation, CredentialId, InvalidCredentialPart};
pub use settings::{InvalidRelyingParty, RelyingParty, UnknownUserVerification, UserVerification};

/// The maximum number of passkeys of one guest: Cognito accepts no more.
pub const MOST_PASSKEYS: usize = 20;

/// A passkey on its guest's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    /// Its name on the wire.
    pub id: PasskeyId,
    /// Its name at Cognito.
    pub credential_id: CredentialId,
    /// The guest's name for it.
    pub name: PasskeyName,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it was last used: at a sign-in, or as a fresh proof.
    pub last_used_at: Option<Timestamp>,
    /// Whether its device has ever verified its user, by a finger, a face or a PIN.
    pub user_verified: bool,
    /// The authenticator that was shown together with it.
    pub shown_with: Option<AuthenticatorMark>,
}

impl Passkey {
    /// The passkey on the list of `guest` that an assertion names.
    #[must_use]
    pub fn shown_by<'a>(assertion: &Assertion, guest: &'a Guest) -> Option<&'a Self> {
        let mut passkeys = guest.passkeys.iter();
        passkeys.find(|passkey| passkey.credential_id == *assertion.id())
    }

    /// Whether a verified use of it proves both factors of `guest`.
    #[must_use]
    pub fn is_both_factors_of(&self, guest: &Guest) -> bool {
        let authenticator = guest.authenticator.as_ref();
        authenticator.is_none_or(|authenticator| self.stands_for(authenticator))
    }

    /// Whether a verified use of it replaces the authenticator's code. An older passkey than the
    /// authenticator does not: the guest may have set up the authenticator against it.
    #[must_use]
    pub fn stands_for(&self, authenticator: &Authenticator) -> bool {
        self.shown_with.as_ref() == Some(&AuthenticatorMark::of(authenticator))
    }
}

impl Serialize for Passkey {
    /// The *Passkey* of the contract.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Shown<'a> {
            passkey_id: &'a str,
            name: &'a str,
            created_at: Timestamp,
            #[serde(skip_serializing_if = "Option::is_none")]
            last_used_at: Option<Timestamp>,
            user_verified: bool,
        }
        Shown {
            passkey_id: self.id.as_str(),
            name: self.name.as_str(),
            created_at: self.created_at,
            last_used_at: self.last_used_at,
            user_verified: self.user_verified,
        }
        .serialize(serializer)
    }
}

/// A passkey's name on the wire: the SHA-256 of its credential id, in base64url. Credential ids
/// have up to 1023 bytes, too many for a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasskeyId(String);

/// The text is not a passkey id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the passkeyId of a passkey")]
pub struct InvalidPasskeyId;

impl PasskeyId {
    /// The id of a credential.
    #[must_use]
    pub fn of(credential_id: &CredentialId) -> Self {
        let hash = Sha256::digest(credential_id.as_str().as_bytes());
        Self(BASE64URL_NOPAD.encode(&hash))
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PasskeyId {
    type Err = InvalidPasskeyId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(InvalidPasskeyId),
        }
    }
}

impl fmt::Display for PasskeyId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A challenge as long as Cognito's (16 bytes in base64url), for users for whom Cognito has none.
#[must_use]
pub fn made_up_challenge(randomness: &Randomness) -> String {
    BASE64URL_NOPAD.encode(&randomness.bytes::<16>())
}

/// A guest's name for a passkey. It keeps the rules of a guest's name.
#[derive(Clone, PartialEq, Eq)]
pub struct PasskeyName(GuestName);

redacted_debug!(PasskeyName);

impl PasskeyName {
    /// Parses typed text.
    pub fn parse(text: &str) -> Result<Self, InvalidGuestName> {
        GuestName::parse(text).map(Self)
    }

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for PasskeyName {
    type Err = InvalidGuestName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// The mark of one authenticator: a hash of its sealed keys. Another authenticator of the same
/// guest has another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorMark(String);

impl AuthenticatorMark {
    /// The mark of an authenticator.
    #[must_use]
    pub fn of(authenticator: &Authenticator) -> Self {
        let hash = Sha256::digest(authenticator.sealed_keys.as_bytes());
        Self(BASE64URL_NOPAD.encode(&hash))
    }

    /// Takes a stored mark.
    #[must_use]
    pub fn stored(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The mark as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_id_is_a_hash_and_reads_back() {
        let credential_id: CredentialId = "AQID".parse().unwrap();
        let id = PasskeyId::of(&credential_id);
        assert_eq!(id.as_str().len(), 43);
        assert_eq!(id.as_str().parse(), Ok(id));
        for text in ["", "AQID", "../x"] {
            assert_eq!(text.parse::<PasskeyId>(), Err(InvalidPasskeyId), "{text}");
        }
    }
}
