//! The answer of operations that ask a browser for a passkey.

use auth_domain::{CredentialId, RelyingParty, SessionToken, UserVerification};
use serde::Serialize;

use crate::session_token;

/// The options for the browser, and the handle for its answer.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PasskeyAsked {
    /// The handle of the challenge.
    #[serde(serialize_with = "session_token")]
    session_token: SessionToken,
    /// Seconds until the challenge ends.
    expires_in: u64,
    options: Options,
}

/// `PublicKeyCredentialRequestOptionsJSON`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    challenge: String,
    rp_id: String,
    timeout: u64,
    user_verification: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    allow_credentials: Vec<Allowed>,
}

/// `PublicKeyCredentialDescriptorJSON`.
#[derive(Serialize)]
struct Allowed {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

impl PasskeyAsked {
    /// A question to any passkey of `relying_party`. All passkeys are discoverable, so the browser
    /// finds them itself.
    #[must_use]
    pub fn new(
        session_token: SessionToken,
        expires_in: u64,
        challenge: String,
        relying_party: &RelyingParty,
        user_verification: UserVerification,
    ) -> Self {
        Self {
            session_token,
            expires_in,
            options: Options {
                challenge,
                rp_id: relying_party.as_str().to_owned(),
                timeout: expires_in.saturating_mul(1_000),
                user_verification: user_verification.as_str(),
                allow_credentials: Vec::new(),
            },
        }
    }

    /// The same question to these passkeys alone. It shows who has them, so it is for their guest.
    #[must_use]
    pub fn of<'a>(mut self, passkeys: impl Iterator<Item = &'a CredentialId>) -> Self {
        let allowed = |id: &CredentialId| Allowed {
            id: id.as_str().to_owned(),
            kind: "public-key",
        };
        self.options.allow_credentials = passkeys.map(allowed).collect();
        self
    }
}
