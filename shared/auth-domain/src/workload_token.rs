//! Workload access tokens: an agent's proof of its own identity and of its user's. AgentCore issues
//! them, and only AgentCore can read them.

use std::str::FromStr;

use crate::{AgentUserId, Timestamp, claims, redacted::redacted_debug};

/// The longest accepted token of a person. Cognito's have 1 to 2 KB.
const LONGEST_USER_TOKEN: usize = 8192;

/// A person's JWT. AgentCore verifies it; here it only needs the form of one.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct UserToken(String);

redacted_debug!(UserToken);

/// The text is no JWT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a signed JWT of at most {LONGEST_USER_TOKEN} characters")]
pub struct InvalidUserToken;

impl UserToken {
    /// The token itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The token's claims as JSON, if it has any. They are not verified here.
    #[must_use]
    pub fn stated_claims(&self) -> Option<Vec<u8>> {
        claims::stated_by(&self.0)
    }
}

impl FromStr for UserToken {
    type Err = InvalidUserToken;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_base64url = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let well_formed = text.len() <= LONGEST_USER_TOKEN
            && text.split('.').count() == 3
            && text.split('.').all(is_base64url);
        if well_formed {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidUserToken)
        }
    }
}

/// The user for whom an agent acts. To AgentCore, each way of naming a person is a different user.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ActingFor {
    /// For itself alone.
    Itself,
    /// A user that Latchkey names.
    User(AgentUserId),
    /// For the user of a token.
    TokenHolder(UserToken),
}

/// A workload access token.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkloadToken {
    text: String,
    /// When Latchkey stops returning the token. AgentCore does not reveal when its tokens end, so
    /// this instant is ours.
    pub expires_at: Timestamp,
}

redacted_debug!(WorkloadToken);

impl WorkloadToken {
    /// Takes a token as AgentCore issued it.
    #[must_use]
    pub fn issued(text: impl Into<String>, expires_at: Timestamp) -> Self {
        Self {
            text: text.into(),
            expires_at,
        }
    }

    /// The token itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_persons_token_has_three_parts() {
        assert!("a.b-c.d_e".parse::<UserToken>().is_ok());
        for text in ["", "a.b", "a.b.c.d", "a..c", "a.b c.d", "a.b=.c"] {
            assert_eq!(text.parse::<UserToken>(), Err(InvalidUserToken), "{text:?}");
        }
        assert!(
            "a".repeat(LONGEST_USER_TOKEN + 1)
                .parse::<UserToken>()
                .is_err()
        );
    }
}
