//! Sealing by KMS: small secrets that must be read again, each bound to its owner and its use.

use auth_domain::{Problem, Sealed, SignInId, UserSub};
use aws_sdk_kms::{Client, primitives::Blob};

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::{Deferred, kms},
    failure::failure,
};

/// The use of a sealed secret. A secret sealed for one use cannot be opened for another.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Use {
    /// An authenticator's keys.
    Authenticator,
    /// The refresh token of a sign-in between its factors.
    HeldSignIn,
    /// The tokens of a fresh proof, until a passkey's registration is completed.
    PasskeySetUp,
    /// The password of a registration whose address is not proved yet.
    PendingPassword,
}

impl Use {
    const fn name(self) -> &'static str {
        match self {
            Self::Authenticator => "authenticator",
            Self::HeldSignIn => "held-sign-in",
            Self::PasskeySetUp => "passkey-set-up",
            Self::PendingPassword => "pending-password",
        }
    }
}

/// The owner of a sealed secret. A secret that was moved to another owner's record does not open
/// there.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Owner<'a> {
    /// A user.
    User(&'a UserSub),
    /// A sign-in. Its user is not proved yet.
    SignIn(&'a SignInId),
}

impl<'a> Owner<'a> {
    /// The owner as encryption context, which AWS logs: no address.
    fn context(self) -> (&'static str, &'a str) {
        match self {
            Self::User(sub) => ("sub", sub.as_str()),
            Self::SignIn(id) => ("sign-in", id.as_str()),
        }
    }
}

/// The KMS key that `KMS_KEY_ID` names.
#[derive(Clone)]
pub(crate) struct Vault {
    client: Deferred<Client>,
    key_id: String,
}

impl Vault {
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: kms(platform)?,
            key_id: platform.environment().text("KMS_KEY_ID")?.to_owned(),
        })
    }

    /// Seals at most 4096 bytes, under owner and use as encryption context.
    pub(crate) async fn seal(
        &self,
        secret: &[u8],
        owner: Owner<'_>,
        purpose: Use,
    ) -> Result<Sealed, Problem> {
        let (kind, name) = owner.context();
        let sealed = self
            .client
            .encrypt()
            .key_id(&self.key_id)
            .plaintext(Blob::new(secret))
            .encryption_context(kind, name)
            .encryption_context("use", purpose.name())
            .send()
            .boxed()
            .await
            .map_err(failure("seal a secret"))?;
        sealed
            .ciphertext_blob
            .map(|blob| Sealed::from_bytes(blob.into_inner()))
            .ok_or_else(|| Problem::Internal(auth_domain::Report::of("KMS sealed nothing")))
    }

    /// Opens a secret that was sealed for the same owner and use.
    pub(crate) async fn open(
        &self,
        sealed: &Sealed,
        owner: Owner<'_>,
        purpose: Use,
    ) -> Result<Vec<u8>, Problem> {
        let (kind, name) = owner.context();
        let opened = self
            .client
            .decrypt()
            .key_id(&self.key_id)
            .ciphertext_blob(Blob::new(sealed.as_bytes()))
            .encryption_context(kind, name)
            .encryption_context("use", purpose.name())
            .send()
            .boxed()
            .await
            .map_err(failure("open a sealed secret"))?;
        opened
            .plaintext
            .map(Blob::into_inner)
            .ok_or_else(|| Problem::Internal(auth_domain::Report::of("KMS opened nothing")))
    }
}
