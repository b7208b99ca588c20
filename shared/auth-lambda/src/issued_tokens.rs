//! Tokens in the contract's form. Only this file writes them into an answer.

use auth_domain::{AccessToken, IdToken, RefreshToken, Tokens};
use serde::{Serialize, Serializer};

/// The *Tokens* of the contract, to be flattened into an output.
pub struct IssuedTokens(Tokens);

impl IssuedTokens {
    /// Marks tokens as leaving.
    #[must_use]
    pub const fn new(tokens: Tokens) -> Self {
        Self(tokens)
    }

    /// The access token.
    #[must_use]
    pub fn access_token(&self) -> &str {
        self.0.access_token.as_str()
    }

    /// The ID token.
    #[must_use]
    pub fn id_token(&self) -> &str {
        self.0.id_token.as_str()
    }

    /// The refresh token, unless it travels in a cookie.
    #[must_use]
    pub fn refresh_token(&self) -> Option<&str> {
        self.0.refresh_token.as_ref().map(RefreshToken::as_str)
    }

    /// Seconds until the access token ends.
    #[must_use]
    pub fn expires_in(&self) -> u32 {
        self.0.expires_in
    }
}

impl Serialize for IssuedTokens {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Body<'a> {
            access_token: &'a str,
            id_token: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            refresh_token: Option<&'a str>,
            token_type: &'static str,
            expires_in: u32,
        }
        Body {
            access_token: AccessToken::as_str(&self.0.access_token),
            id_token: IdToken::as_str(&self.0.id_token),
            refresh_token: self.refresh_token(),
            token_type: "Bearer",
            expires_in: self.0.expires_in,
        }
        .serialize(serializer)
    }
}
