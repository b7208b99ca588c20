//! Keyed hashes: one key, one label for each purpose. The previous key is still valid for reading.

use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq};

use crate::redacted::redacted_debug;

/// A key of 256 bits.
#[derive(Clone, PartialEq, Eq)]
pub struct Key([u8; 32]);

redacted_debug!(Key);

/// The text is not a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a key is the base64 of 32 bytes")]
pub struct InvalidKey;

impl Key {
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes of the key, for the cipher.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Parses the base64 of 32 bytes, as Secrets Manager keeps it.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        let bytes = BASE64.decode(text.as_bytes()).map_err(|_| InvalidKey)?;
        bytes.try_into().map(Self).map_err(|_| InvalidKey)
    }
}

/// The purpose of a hash. Hashes for different purposes never match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Naming an address in a limit or a log line.
    Address,
    /// Naming a mailbox in a limit.
    Mailbox,
    /// Naming a client's IP address in a limit.
    IpAddress,
    /// Naming the calling agent or principal in a limit.
    Principal,
    /// Signing a proof-of-work challenge.
    ProofOfWork,
    /// Binding a proof-of-work challenge to an address.
    ProofOfWorkAddress,
    /// Signing a device cookie.
    DeviceCookie,
    /// Naming a device cookie after its address.
    DeviceCookieName,
    /// Storing a backup code.
    BackupCode,
    /// Storing the code that was mailed to prove an address.
    AddressCode,
    /// Storing the secret of the browser that began an authorization.
    AuthorizationBinding,
    /// Storing the state that an authorization was sent out with, and naming its cookie.
    AuthorizationState,
    /// Signing a link that begins an authorization.
    StartLink,
    /// Tying a consent page's form to the browser that shows it.
    ConsentForm,
    /// Making the secret of a browser whose person has allowed an authorization.
    ConsentBinding,
    /// Marking a refresh token as one of its session.
    RefreshFamily,
}

impl Purpose {
    const fn label(self) -> &'static [u8] {
        match self {
            Self::Address => b"latchkey/v1/address",
            Self::Mailbox => b"latchkey/v1/mailbox",
            Self::IpAddress => b"latchkey/v1/ip-address",
            Self::Principal => b"latchkey/v1/principal",
            Self::ProofOfWork => b"latchkey/v1/proof-of-work",
            Self::ProofOfWorkAddress => b"latchkey/v1/proof-of-work-address",
            Self::DeviceCookie => b"latchkey/v1/device-cookie",
            Self::DeviceCookieName => b"latchkey/v1/device-cookie-name",
            Self::BackupCode => b"latchkey/v1/backup-code",
            Self::AddressCode => b"latchkey/v1/address-code",
            Self::AuthorizationBinding => b"latchkey/v1/authorization-binding",
            Self::AuthorizationState => b"latchkey/v1/authorization-state",
            Self::StartLink => b"latchkey/v1/start-link",
            Self::ConsentForm => b"latchkey/v1/consent-form",
            Self::ConsentBinding => b"latchkey/v1/consent-binding",
            Self::RefreshFamily => b"latchkey/v1/refresh-family",
        }
    }
}

/// An HMAC-SHA256 (RFC 2104). Compared in constant time only.
#[derive(Clone, Copy)]
pub struct Tag([u8; 32]);

redacted_debug!(Tag);

impl Tag {
    /// Lower-case hexadecimal.
    #[must_use]
    pub fn to_hex(self) -> String {
        HEXLOWER.encode(&self.0)
    }

    /// The first 8 hexadecimal digits: enough to distinguish hashes, too few to prove anything.
    #[must_use]
    pub fn short(self) -> String {
        HEXLOWER.encode(&self.0[..4])
    }
}

/// The key in use, the one before it, and earlier ones.
#[derive(Clone, Debug)]
pub struct KeyRing {
    current: Key,
    previous: Option<Key>,
    earlier: Vec<Key>,
}

impl KeyRing {
    /// A ring that writes with `current` and reads with both.
    #[must_use]
    pub fn new(current: Key, previous: Option<Key>) -> Self {
        Self {
            current,
            previous,
            earlier: Vec::new(),
        }
    }

    /// The ring with keys that were in use before the previous one. They count for
    /// [`KeyRing::ever_verified`] alone.
    #[must_use]
    pub fn with_earlier(self, earlier: Vec<Key>) -> Self {
        Self { earlier, ..self }
    }

    /// The hash of `parts` under the current key. Each part is hashed with its length, so different
    /// parts never produce the same input.
    #[must_use]
    pub fn tag(&self, purpose: Purpose, parts: &[&str]) -> Tag {
        tag(&self.current, purpose, parts)
    }

    /// Whether `candidate` is the hash of `parts` under either key. Compares in constant time.
    #[must_use]
    pub fn verifies(&self, purpose: Purpose, parts: &[&str], candidate: &str) -> bool {
        let matches = |key: &Key| {
            tag(key, purpose, parts)
                .to_hex()
                .as_bytes()
                .ct_eq(candidate.as_bytes())
        };
        let previous = self.previous.as_ref().map_or(0.into(), matches);
        (matches(&self.current) | previous).into()
    }

    /// Whether `candidate` is the hash of `parts` under a key of any age, for hashes that outlive
    /// two rotations.
    #[must_use]
    pub fn ever_verified(&self, purpose: Purpose, parts: &[&str], candidate: &str) -> bool {
        let is_of_earlier = self.earlier.iter().fold(Choice::from(0), |found, key| {
            let hash = tag(key, purpose, parts).to_hex();
            found | hash.as_bytes().ct_eq(candidate.as_bytes())
        });
        self.verifies(purpose, parts, candidate) | bool::from(is_of_earlier)
    }

    /// The hash of `parts` under each key, the current one first: for lookups by a hashed name.
    pub fn tags<'a>(
        &'a self,
        purpose: Purpose,
        parts: &'a [&str],
    ) -> impl Iterator<Item = Tag> + 'a {
        std::iter::once(&self.current)
            .chain(&self.previous)
            .map(move |key| tag(key, purpose, parts))
    }
}

pub(crate) fn tag(key: &Key, purpose: Purpose, parts: &[&str]) -> Tag {
    #[expect(
        clippy::expect_used,
        reason = "HMAC takes a key of any length (RFC 2104 §2)"
    )]
    let mut mac =
        <Hmac<Sha256> as KeyInit>::new_from_slice(&key.0).expect("HMAC takes a key of any length");
    mac.update(purpose.label());
    for part in parts {
        mac.update(&(part.len() as u64).to_be_bytes());
        mac.update(part.as_bytes());
    }
    Tag(mac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> Key {
        Key([byte; 32])
    }

    #[test]
    fn the_key_before_stays_good_for_reading_only() {
        let old = KeyRing::new(key(1), None)
            .tag(Purpose::DeviceCookie, &["a"])
            .to_hex();
        let rotated = KeyRing::new(key(2), Some(key(1)));
        assert!(rotated.verifies(Purpose::DeviceCookie, &["a"], &old));
        assert_ne!(rotated.tag(Purpose::DeviceCookie, &["a"]).to_hex(), old);
        assert!(!KeyRing::new(key(3), Some(key(2))).verifies(Purpose::DeviceCookie, &["a"], &old));
    }

    #[test]
    fn purposes_and_parts_do_not_run_into_each_other() {
        let ring = KeyRing::new(key(1), None);
        let hex = |purpose, parts: &[&str]| ring.tag(purpose, parts).to_hex();
        assert_ne!(
            hex(Purpose::Address, &["a"]),
            hex(Purpose::IpAddress, &["a"])
        );
        assert_ne!(
            hex(Purpose::Address, &["ab", "c"]),
            hex(Purpose::Address, &["a", "bc"])
        );
        assert!(!ring.verifies(Purpose::Address, &["a"], ""));
    }

    #[test]
    fn a_key_has_32_bytes() {
        assert!(Key::parse(&BASE64.encode(&[0; 32])).is_ok());
        assert!(Key::parse(&BASE64.encode(&[0; 31])).is_err());
        assert!(Key::parse("not base64").is_err());
    }
}
