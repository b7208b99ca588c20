//! A guest's authenticator: the fields in the guest's record, and the keys, which only the key
//! service can open.

use std::collections::BTreeSet;

use crate::{
    BackupCode, BackupCodeHash, Key, OtpCode, Purpose, Randomness, Sealed, Timestamp, TotpSecret,
    TotpStep, keys::tag, redacted::redacted_debug, totp::SECRET_LENGTH,
};

/// An authenticator that guards every sign-in of its guest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticator {
    /// Its keys.
    pub sealed_keys: Sealed,
    /// The last accepted step. Codes of this step and of earlier ones are refused.
    pub last_step: TotpStep,
    /// The unused backup codes.
    pub backup_codes: BTreeSet<BackupCodeHash>,
}

/// An authenticator during its set-up. It protects nothing before its first code is confirmed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingAuthenticator {
    /// Its keys.
    pub sealed_keys: Sealed,
    /// When the set-up expires.
    pub expires_at: Timestamp,
}

/// The second of a guest's two proofs.
#[derive(Clone, Debug)]
pub enum SecondFactor {
    /// A code that the authenticator shows.
    Code(OtpCode),
    /// One of the codes for a lost authenticator.
    BackupCode(BackupCode),
}

/// The keys of one authenticator: the TOTP secret, and the key that hashes its backup codes. That
/// key is random and unique to this set of codes, so it serves as their salt. A rotation of other
/// keys does not change it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthenticatorKeys {
    secret: TotpSecret,
    backup_key: Key,
}

redacted_debug!(AuthenticatorKeys);

impl AuthenticatorKeys {
    /// Fresh keys.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        Self {
            secret: TotpSecret::generate(randomness),
            backup_key: Key::from_bytes(randomness.bytes()),
        }
    }

    /// The keys as they are sealed: the secret, then the key of the hashes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        [&self.secret.as_bytes()[..], self.backup_key.as_bytes()].concat()
    }

    /// Reads the bytes that [`AuthenticatorKeys::to_bytes`] wrote; `None` for any other bytes.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (secret, backup_key) = bytes.split_first_chunk::<SECRET_LENGTH>()?;
        Some(Self {
            secret: TotpSecret::from_bytes(*secret),
            backup_key: Key::from_bytes(backup_key.try_into().ok()?),
        })
    }

    /// The TOTP secret, which the guest sees while setting up.
    #[must_use]
    pub const fn secret(&self) -> &TotpSecret {
        &self.secret
    }

    /// The stored form of a backup code: a keyed hash (ASVS 5.0 6.5.2). Without the key service it
    /// is useless.
    #[must_use]
    pub fn hash(&self, code: &BackupCode) -> BackupCodeHash {
        BackupCodeHash::of(tag(&self.backup_key, Purpose::BackupCode, &[code.as_str()]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back_and_two_sets_hash_a_code_differently() {
        let keys =
            |byte| AuthenticatorKeys::generate(&Randomness::new(move |bytes| bytes.fill(byte)));
        let bytes = keys(1).to_bytes();
        assert_eq!(AuthenticatorKeys::from_bytes(&bytes), Some(keys(1)));
        assert_eq!(AuthenticatorKeys::from_bytes(&bytes[1..]), None);
        assert_eq!(AuthenticatorKeys::from_bytes(b""), None);
        let code = BackupCode::parse("7K3Q-XB2M-9FTR-04WZ").unwrap();
        assert_eq!(keys(1).hash(&code), keys(1).hash(&code));
        assert_ne!(keys(1).hash(&code), keys(2).hash(&code));
    }
}
