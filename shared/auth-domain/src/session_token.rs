//! The client's handle of a sign-in that the server keeps.

use std::{fmt, str::FromStr};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use sha2::{Digest, Sha256};

use crate::{Key, Randomness, redacted::redacted_debug};

/// An unguessable handle of 256 bits, in base64url (43 characters). ASVS 5.0 7.2.3 asks for at
/// least 128.
#[derive(Clone, PartialEq, Eq)]
pub struct SessionToken(String);

redacted_debug!(SessionToken);

/// The text is not a session token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be the sessionToken that the sign-in was started with")]
pub struct InvalidSessionToken;

impl SessionToken {
    /// A fresh handle.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        Self(BASE64URL_NOPAD.encode(&randomness.bytes::<32>()))
    }

    /// Parses a client's text.
    pub fn parse(text: &str) -> Result<Self, InvalidSessionToken> {
        match BASE64URL_NOPAD.decode(text.as_bytes()) {
            Ok(bytes) if bytes.len() == 32 => Ok(Self(text.to_owned())),
            Ok(_) | Err(_) => Err(InvalidSessionToken),
        }
    }

    /// The token itself, for the answer.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name under which the sign-in is stored: a hash, so that a reader of the table cannot
    /// answer for a person.
    #[must_use]
    pub fn sign_in_id(&self) -> SignInId {
        SignInId(self.plain_hash())
    }

    /// The name under which a sign-in between its factors is stored.
    #[must_use]
    pub fn held_sign_in_id(&self) -> HeldSignInId {
        HeldSignInId(self.plain_hash())
    }

    /// The name under which a registration is stored. It differs from [`Self::sign_in_id`]: a
    /// registration's token is unknown to every operation but the one that confirms it.
    #[must_use]
    pub fn registration_id(&self) -> SignInId {
        SignInId(HEXLOWER.encode(&self.hash_for("registration:")))
    }

    /// The name under which a sign-in by passkey is stored. No operation for codes knows it.
    #[must_use]
    pub fn passkey_sign_in_id(&self) -> SignInId {
        SignInId(HEXLOWER.encode(&self.hash_for("passkey sign-in:")))
    }

    /// The name of a mailed proof in the table. No sign-in has this name, so a proof signs nobody
    /// in.
    #[must_use]
    pub fn proof_id(&self) -> SignInId {
        SignInId(HEXLOWER.encode(&self.hash_for("proof:")))
    }

    /// The name of a passkey's challenge for a fresh proof. No sign-in and no mailed proof has it.
    #[must_use]
    pub fn passkey_proof_id(&self) -> SignInId {
        SignInId(HEXLOWER.encode(&self.hash_for("passkey proof:")))
    }

    /// The name under which the code for another address is stored.
    #[must_use]
    pub fn address_code_id(&self) -> AddressCodeId {
        AddressCodeId(HEXLOWER.encode(&self.hash_for("address code:")))
    }

    /// The name under which a passkey's registration is stored.
    #[must_use]
    pub fn passkey_set_up_id(&self) -> PasskeySetUpId {
        PasskeySetUpId(HEXLOWER.encode(&self.hash_for("passkey set-up:")))
    }

    /// The key that seals a registration's password. It is never stored, and cannot be derived from
    /// the stored name.
    #[must_use]
    pub fn sealing_key(&self) -> Key {
        Key::from_bytes(self.hash_for("pending password:"))
    }

    fn plain_hash(&self) -> String {
        HEXLOWER.encode(&Sha256::digest(self.0.as_bytes()))
    }

    fn hash_for(&self, purpose: &str) -> [u8; 32] {
        Sha256::new()
            .chain_update(purpose)
            .chain_update(&self.0)
            .finalize()
            .into()
    }
}

impl FromStr for SessionToken {
    type Err = InvalidSessionToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Declares the names of one kind of item in the challenges table. Each is the SHA-256 of a
/// [`SessionToken`], in hexadecimal. A plain hash suffices: the token has more than 112 bits (ASVS
/// 5.0 6.5.2).
macro_rules! name_of_item {
    ($(#[doc = $doc:literal] $name:ident;)*) => {$(
        #[doc = $doc]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Takes a name as the table has it.
            #[must_use]
            pub fn stored(text: &str) -> Self {
                Self(text.to_owned())
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }
    )*};
}

name_of_item! {
    #[doc = "The name of a sign-in, of a registration, or of a fresh proof that was asked for."]
    SignInId;
    #[doc = "The name of a sign-in between its factors."]
    HeldSignInId;
    #[doc = "The name of a code for another address."]
    AddressCodeId;
    #[doc = "The name of a passkey's registration."]
    PasskeySetUpId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_names_of_a_token_and_its_key_differ() {
        let token = SessionToken::generate(&Randomness::new(|bytes| bytes.fill(7)));
        let key = HEXLOWER.encode(token.sealing_key().as_bytes());
        assert_ne!(token.sign_in_id(), token.registration_id());
        assert_ne!(token.sign_in_id().as_str(), key);
        assert_ne!(token.registration_id().as_str(), key);
    }

    #[test]
    fn a_token_reads_back_and_nothing_else_does() {
        let token = SessionToken::generate(&Randomness::new(|bytes| bytes.fill(7)));
        assert_eq!(SessionToken::parse(token.as_str()), Ok(token.clone()));
        assert_eq!(token.as_str().len(), 43);
        for text in [
            "",
            "abc",
            &token.as_str()[1..],
            &format!("{}=", token.as_str()),
            &"é".repeat(22),
        ] {
            assert_eq!(
                SessionToken::parse(text),
                Err(InvalidSessionToken),
                "{text:?}"
            );
        }
    }
}
