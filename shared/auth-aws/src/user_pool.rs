//! The user pool and the confidential client through which alone Latchkey speaks to it.

use auth_domain::Email;
use aws_sdk_cognitoidentityprovider::Client;
use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{ConfigurationError, Platform, SecretSet, clients::cognito, failure::Failure};

/// The pool, the client's id, and an SDK client.
#[derive(Clone)]
pub(crate) struct UserPool {
    pub(crate) client: Client,
    pub(crate) pool_id: String,
    pub(crate) client_id: String,
}

impl UserPool {
    /// The pool and client that `COGNITO_USER_POOL_ID` and `COGNITO_CLIENT_ID` name.
    pub(crate) fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: cognito(platform)?,
            pool_id: platform
                .environment()
                .text("COGNITO_USER_POOL_ID")?
                .to_owned(),
            client_id: client_id(platform)?,
        })
    }

    /// `SECRET_HASH`: what a confidential client adds to each call about a user
    /// (Base64 of HMAC-SHA256 under the client secret over user name and client id).
    pub(crate) fn secret_hash(&self, email: &Email, secrets: &SecretSet) -> String {
        #[expect(
            clippy::expect_used,
            reason = "HMAC takes a key of any length (RFC 2104 §2)"
        )]
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secrets.client_secret().as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(email.as_str().as_bytes());
        mac.update(self.client_id.as_bytes());
        STANDARD.encode(mac.finalize().into_bytes())
    }
}

pub(crate) fn client_id(platform: &Platform) -> Result<String, ConfigurationError> {
    Ok(platform.environment().text("COGNITO_CLIENT_ID")?.to_owned())
}

/// Whether Cognito refused because the client secret that we believed is not the one it has.
pub(crate) fn is_wrong_client_secret(failure: &Failure) -> bool {
    match failure.code() {
        Some("NotAuthorizedException") => failure
            .message()
            .starts_with("Unable to verify secret hash"),
        Some("UnauthorizedException") => true,
        Some(_) | None => false,
    }
}
