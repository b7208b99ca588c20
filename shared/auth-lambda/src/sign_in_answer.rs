//! The answer to a right factor: tokens, or the handle for the next factor. It has one shape for
//! every kind of sign-in.

use std::time::Duration;

use auth_domain::{CognitoChallenge, Guest, SessionToken, Tokens};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::IssuedTokens;

/// The state of a sign-in.
#[derive(Serialize)]
#[serde(untagged)]
pub enum SignInAnswer {
    /// No factor is missing.
    SignedIn(Box<SignedIn>),
    /// Another factor is missing.
    Held(Held),
    /// A second factor has to be set up first.
    Waiting(Waiting),
}

/// The tokens and their user.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedIn {
    #[serde(flatten)]
    tokens: IssuedTokens,
    user: Guest,
    #[serde(skip_serializing_if = "Option::is_none")]
    backup_codes_left: Option<usize>,
}

/// The handle of a sign-in whose guest must set up a second factor.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Waiting {
    #[serde(serialize_with = "crate::session_token")]
    session_token: SessionToken,
    mfa_setup_required: bool,
    expires_in: u64,
    token_type: &'static str,
}

/// The handle of a held sign-in, and its challenge.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Held {
    #[serde(serialize_with = "crate::session_token")]
    session_token: SessionToken,
    mfa_required: bool,
    challenge: CognitoChallenge,
    token_type: &'static str,
}

impl SignedIn {
    /// Tokens that leave.
    #[must_use]
    pub fn new(tokens: Tokens, user: Guest) -> Self {
        Self {
            tokens: IssuedTokens::new(tokens),
            user,
            backup_codes_left: None,
        }
    }
}

impl SignInAnswer {
    /// Tokens that leave.
    #[must_use]
    pub fn signed_in(tokens: Tokens, user: Guest) -> Self {
        Self::SignedIn(Box::new(SignedIn::new(tokens, user)))
    }

    /// Tokens that leave, and the number of backup codes left if one was used.
    #[must_use]
    pub fn after_backup_code(
        tokens: Tokens,
        user: Guest,
        backup_codes_left: Option<usize>,
    ) -> Self {
        Self::SignedIn(Box::new(SignedIn {
            backup_codes_left,
            ..SignedIn::new(tokens, user)
        }))
    }

    /// A sign-in that waits for another factor.
    #[must_use]
    pub const fn held(session_token: SessionToken, challenge: CognitoChallenge) -> Self {
        Self::Held(Held {
            session_token,
            mfa_required: true,
            challenge,
            token_type: "Bearer",
        })
    }

    /// A sign-in that waits for its guest to set up a second factor, for `lifetime`.
    #[must_use]
    pub const fn waiting(session_token: SessionToken, lifetime: Duration) -> Self {
        Self::Waiting(Waiting {
            session_token,
            mfa_setup_required: true,
            expires_in: lifetime.as_secs(),
            token_type: "Bearer",
        })
    }

    /// The result of the tool `verify_cognito_otp`: the token delivery event, which a browser that
    /// watches the agent's stream recognises. Agents have no tool for a second factor, so for them
    /// a held sign-in is a failure; a front end may finish it.
    #[must_use]
    pub fn into_tool_result(self) -> Map<String, Value> {
        let result = match &self {
            Self::SignedIn(signed_in) => {
                let SignedIn { tokens, user, .. } = &**signed_in;
                json!({
                    "event_type": "auth_tokens",
                    "id_token": tokens.id_token(),
                    "access_token": tokens.access_token(),
                    "refresh_token": tokens.refresh_token(),
                    "expires_in": tokens.expires_in(),
                    "guest_id": user.guest_id,
                    "email": user.email.as_str(),
                    "cognito_sub": user.cognito_sub.as_str(),
                })
            }
            Self::Held(held) => json!({
                "success": false,
                "error_code": "AUTH_REQUIRED",
                "message": "The code was right, and this guest's sign-ins also need a code of their authenticator.",
                "recovery": "Ask the guest to sign in on the web page, where they can enter it.",
                "mfa_required": held.mfa_required,
                "challenge": held.challenge.as_str(),
                "session_token": held.session_token.as_str(),
            }),
            Self::Waiting(waiting) => json!({
                "success": false,
                "error_code": "AUTH_REQUIRED",
                "message": "The code was right, and this guest has to set up a second factor before signing in.",
                "recovery": "Ask the guest to sign in on the web page, where they can set it up.",
                "mfa_setup_required": waiting.mfa_setup_required,
                "session_token": waiting.session_token.as_str(),
                "expires_in": waiting.expires_in,
            }),
        };
        result.as_object().cloned().unwrap_or_default()
    }
}
