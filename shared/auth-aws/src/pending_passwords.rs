//! Passwords of registrations whose address is not proved. Each is sealed twice, so that no single
//! party can open it.
//!
//! The inner seal uses a key from the session token, which only the client holds. The outer one
//! uses KMS. The table without KMS, KMS without the table, and both without the token reveal
//! nothing.

use auth_domain::{NewPassword, Problem, Report, Sealed, SessionToken};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};

use crate::{
    ConfigurationError, Platform,
    items::unreadable,
    vault::{Owner, Use, Vault},
};

/// The key that `KMS_KEY_ID` names, for pending passwords.
#[derive(Clone)]
pub struct PendingPasswords {
    vault: Vault,
}

impl PendingPasswords {
    /// Pending passwords, sealed by the key that `KMS_KEY_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            vault: Vault::new(platform)?,
        })
    }

    /// Seals the password that was registered with `token`.
    pub async fn seal(
        &self,
        password: &NewPassword,
        token: &SessionToken,
    ) -> Result<Sealed, Problem> {
        let mut inner = password.as_str().as_bytes().to_vec();
        let sealed = token_key(token)
            .and_then(|key| key.seal_in_place_append_tag(nonce(), Aad::empty(), &mut inner));
        sealed.map_err(|_| Problem::Internal(Report::of("the password was not sealed")))?;
        let id = token.registration_id();
        self.vault
            .seal(&inner, Owner::SignIn(&id), Use::PendingPassword)
            .await
    }

    /// Opens it again with the same token.
    pub async fn open(
        &self,
        sealed: &Sealed,
        token: &SessionToken,
    ) -> Result<NewPassword, Problem> {
        let id = token.registration_id();
        let mut inner = self
            .vault
            .open(sealed, Owner::SignIn(&id), Use::PendingPassword)
            .await?;
        let opened = token_key(token)
            .and_then(|key| {
                key.open_in_place(nonce(), Aad::empty(), &mut inner)
                    .map(|text| &*text)
            })
            .ok()
            .and_then(|text| std::str::from_utf8(text).ok())
            .and_then(|text| NewPassword::parse(text, None).ok());
        opened.ok_or_else(|| {
            Problem::Internal(unreadable("a registration's password does not read back"))
        })
    }
}

fn token_key(token: &SessionToken) -> Result<LessSafeKey, ring::error::Unspecified> {
    UnboundKey::new(&CHACHA20_POLY1305, token.sealing_key().as_bytes()).map(LessSafeKey::new)
}

/// The same nonce for every password: a token's key seals exactly one (RFC 8439 §4 forbids a
/// repeated nonce under one key).
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; ring::aead::NONCE_LEN])
}
