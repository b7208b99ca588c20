//! Passwords of registrations whose address is not proved: sealed twice, so that no one place opens
//! them.
//!
//! The inner seal is by a key of the session token's, which the client alone holds; the outer one
//! is by KMS. The table without KMS, KMS without the table, and both of them without the token read
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

/// The same for every password: a token's key seals one and no other (RFC 8439 §4 asks for a nonce
/// that no key sees twice).
fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; ring::aead::NONCE_LEN])
}
