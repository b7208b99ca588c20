//! A passkey's data from a browser. It is parsed here and serialized again for Cognito, so both
//! parsers see the same document.

use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

use super::{
    PasskeyName,
    authenticator_data::{name_of_maker, user_verified, within},
};
use crate::redacted::redacted_debug;

/// The longest part taken, in characters. Client data and attestation objects have some hundreds of
/// bytes; a key of RSA has 512.
const LONGEST_PART: usize = 8192;

/// The longest credential id (`WebAuthn` Level 3, section 4) in base64url.
const LONGEST_ID: usize = 1364;

/// The text is not such a part of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be base64url as browsers write it")]
pub struct InvalidCredentialPart;

/// The name of a credential, in base64url. The authenticator chose it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CredentialId(String);

impl CredentialId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for CredentialId {
    type Err = InvalidCredentialPart;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > LONGEST_ID {
            return Err(InvalidCredentialPart);
        }
        base64url_part(text).map(|_| Self(text.to_owned()))
    }
}

/// The bytes of a part.
fn base64url_part(text: &str) -> Result<Vec<u8>, InvalidCredentialPart> {
    if text.is_empty() || text.len() > LONGEST_PART {
        return Err(InvalidCredentialPart);
    }
    BASE64URL_NOPAD
        .decode(text.as_bytes())
        .map_err(|_| InvalidCredentialPart)
}

/// A part that stays in base64url.
#[derive(Clone, PartialEq, Eq)]
struct Part {
    text: String,
    bytes: Vec<u8>,
}

impl Part {
    fn parse(text: &str) -> Result<Self, InvalidCredentialPart> {
        Ok(Self {
            bytes: base64url_part(text)?,
            text: text.to_owned(),
        })
    }
}

/// A new passkey as a browser sends it (`RegistrationResponseJSON`).
#[derive(Clone, PartialEq, Eq)]
pub struct Attestation {
    id: CredentialId,
    client_data: Part,
    object: Part,
    attachment: Option<&'static str>,
    transports: Vec<&'static str>,
}

redacted_debug!(Attestation);

impl Attestation {
    /// Reads the parts. An attachment or a transport that no specification names is left out.
    pub fn parse(
        id: CredentialId,
        client_data: &str,
        attestation_object: &str,
        attachment: Option<&str>,
        transports: &[String],
    ) -> Result<Self, InvalidCredentialPart> {
        Ok(Self {
            id,
            client_data: Part::parse(client_data)?,
            object: Part::parse(attestation_object)?,
            attachment: attachment.and_then(known_attachment),
            transports: transports
                .iter()
                .filter_map(|text| TRANSPORTS.iter().find(|known| **known == *text).copied())
                .collect(),
        })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Whether the device verified its user, by more than a touch.
    #[must_use]
    pub fn user_verified(&self) -> bool {
        within(&self.object.bytes).is_some_and(user_verified)
    }

    /// The default name, for a guest who chooses none.
    #[must_use]
    pub fn name_of_maker(&self) -> Option<PasskeyName> {
        name_of_maker(within(&self.object.bytes)?)
    }

    /// The document for Cognito.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut written = json!({
            "id": self.id.as_str(),
            "rawId": self.id.as_str(),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": self.client_data.text,
                "attestationObject": self.object.text,
                "transports": self.transports,
            },
        });
        if let Some(attachment) = self.attachment {
            written["authenticatorAttachment"] = attachment.into();
        }
        written
    }
}

/// A use of a passkey as a browser sends it (`AuthenticationResponseJSON`).
#[derive(Clone, PartialEq, Eq)]
pub struct Assertion {
    id: CredentialId,
    client_data: Part,
    authenticator_data: Part,
    signature: Part,
    user_handle: Option<Part>,
}

redacted_debug!(Assertion);

impl Assertion {
    /// Reads the parts.
    pub fn parse(
        id: CredentialId,
        client_data: &str,
        authenticator_data: &str,
        signature: &str,
        user_handle: Option<&str>,
    ) -> Result<Self, InvalidCredentialPart> {
        Ok(Self {
            id,
            client_data: Part::parse(client_data)?,
            authenticator_data: Part::parse(authenticator_data)?,
            signature: Part::parse(signature)?,
            user_handle: user_handle.map(Part::parse).transpose()?,
        })
    }

    /// Its name.
    #[must_use]
    pub const fn id(&self) -> &CredentialId {
        &self.id
    }

    /// Whether the device verified its user, by more than a touch. Trust this only after Cognito
    /// has accepted the assertion: the signature covers it.
    #[must_use]
    pub fn user_verified(&self) -> bool {
        user_verified(&self.authenticator_data.bytes)
    }

    /// The text for Cognito.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut written = json!({
            "id": self.id.as_str(),
            "rawId": self.id.as_str(),
            "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "clientDataJSON": self.client_data.text,
                "authenticatorData": self.authenticator_data.text,
                "signature": self.signature.text,
            },
        });
        if let Some(handle) = &self.user_handle {
            written["response"]["userHandle"] = handle.text.as_str().into();
        }
        written.to_string()
    }
}

/// `AuthenticatorTransport` (`WebAuthn` Level 3, section 5.8.4).
const TRANSPORTS: [&str; 6] = ["usb", "nfc", "ble", "smart-card", "hybrid", "internal"];

/// `AuthenticatorAttachment` (`WebAuthn` Level 3, section 5.4.5).
fn known_attachment(text: &str) -> Option<&'static str> {
    match text {
        "platform" => Some("platform"),
        "cross-platform" => Some("cross-platform"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_base64url_without_padding() {
        assert_eq!(base64url_part("AQID"), Ok(vec![1, 2, 3]));
        for text in ["", "AQ==", "A+/=", "a b", &"A".repeat(LONGEST_PART + 4)] {
            assert!(base64url_part(text).is_err());
        }
        assert!("A".repeat(LONGEST_ID + 4).parse::<CredentialId>().is_err());
    }

    #[test]
    fn what_no_specification_names_is_not_passed_on() {
        let id = "AQID".parse().unwrap();
        let transports = ["internal".to_owned(), "telepathy".to_owned()];
        let made = Attestation::parse(id, "e30", "oA", Some("implant"), &transports).unwrap();
        let written = made.to_json();
        assert_eq!(written["response"]["transports"], json!(["internal"]));
        assert!(written.get("authenticatorAttachment").is_none());
    }
}
