//! Pending registrations of passkeys, in the challenges table under the hash of their session
//! token. Both tokens of the fresh proof are sealed in the item: they never leave.

use std::time::Duration;

use auth_domain::{
    AccessToken, AttemptId, AuthenticatorMark, HeldSignInId, PasskeySetUpId, Problem, RefreshToken,
    Sealed, SelfServiceTokens, Timestamp, UserSub,
};
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::try_join;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_sealed, get_text, millis, number,
        sealed, text, unreadable,
    },
    vault::{Owner, Use, Vault},
};

/// How long a registration is kept after its end. A late answer then gets "expired", not "unknown".
const KEPT: Duration = Duration::from_hours(1);

/// The challenges table, for passkeys' registrations, and the key that seals their tokens.
#[derive(Clone)]
pub struct PasskeySetUps {
    challenges: Challenges,
    vault: Vault,
}

/// A registration, claimed for its one answer.
#[derive(Debug)]
pub struct PasskeySetUp {
    /// The tokens for the calls to Cognito.
    pub tokens: SelfServiceTokens,
    /// The future owner of the passkey.
    pub sub: UserSub,
    /// The authenticator that was shown for it.
    pub shown_with: Option<AuthenticatorMark>,
    /// The sign-in that waits for it.
    pub waiting: Option<HeldSignInId>,
}

/// A registration that has begun.
#[derive(Clone, Copy, Debug)]
pub struct BegunPasskeySetUp<'a> {
    /// The future owner of the passkey.
    pub sub: &'a UserSub,
    /// The tokens for the calls to Cognito.
    pub tokens: &'a SelfServiceTokens,
    /// The authenticator that was shown for it.
    pub shown_with: Option<&'a AuthenticatorMark>,
    /// The sign-in that waits for it.
    pub waiting: Option<&'a HeldSignInId>,
    /// When it stops taking an answer.
    pub expires_at: Timestamp,
}

impl PasskeySetUps {
    /// Registrations in the table that `CHALLENGES_TABLE_NAME` names, sealed by the key that
    /// `KMS_KEY_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
            vault: Vault::new(platform)?,
        })
    }

    /// Stores a new registration.
    pub async fn begin(
        &self,
        id: &PasskeySetUpId,
        begun: BegunPasskeySetUp<'_>,
    ) -> Result<(), Problem> {
        let BegunPasskeySetUp {
            sub,
            tokens,
            shown_with,
            waiting,
            expires_at,
        } = begun;
        let (access_token, refresh_token) = try_join!(
            self.seal(tokens.access_token.as_str(), sub),
            self.seal(tokens.refresh_token.as_str(), sub)
        )?;
        let mut put = self
            .challenges
            .put(key(id))
            .item("sub", text(sub.as_str()))
            .item("accessToken", sealed(&access_token))
            .item("refreshToken", sealed(&refresh_token))
            .item("expiresAt", millis(expires_at))
            .item("ttl", number(expires_at.after(KEPT).as_seconds()));
        if let Some(mark) = shown_with {
            put = put.item("shownWith", text(mark.as_str()));
        }
        if let Some(sign_in) = waiting {
            put = put.item("waiting", text(sign_in.as_str()));
        }
        put.send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("remember the passkey's registration"))
            .map_err(Problem::from)
    }

    /// Claims a registration for its one answer. One conditional write checks its owner, its time,
    /// and that it is unanswered. Without a `caller` it must be one that a sign-in waits for.
    pub async fn claim(
        &self,
        id: &PasskeySetUpId,
        caller: Option<&UserSub>,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<PasskeySetUp, Problem> {
        let write = self
            .challenges
            .update(key(id))
            .update_expression("SET answeredBy = :attempt")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":now", millis(now));
        let open =
            "expiresAt > :now AND (attribute_not_exists(answeredBy) OR answeredBy = :attempt)";
        let write = match caller {
            Some(sub) => write
                .condition_expression(format!(
                    "#sub = :sub AND attribute_not_exists(waiting) AND {open}"
                ))
                .expression_attribute_names("#sub", "sub")
                .expression_attribute_values(":sub", text(sub.as_str())),
            None => write.condition_expression(format!("attribute_exists(waiting) AND {open}")),
        };
        let item = match conditional_update(write, "claim the passkey's registration").await? {
            Written::Made(item) => item,
            Written::Refused(item) => return Err(refusal(item.as_ref(), caller, now)),
        };
        self.open(&item).await
    }

    async fn open(&self, item: &Item) -> Result<PasskeySetUp, Problem> {
        let broken =
            || Problem::Internal(unreadable("a passkey's registration does not read back"));
        let sub = get_text(item, "sub").ok_or_else(broken)?;
        let sub = &UserSub::parse(sub).map_err(|_| broken())?;
        let waiting = get_text(item, "waiting").map(HeldSignInId::stored);
        let (access_token, refresh_token) = try_join!(
            self.opened(item, "accessToken", sub),
            self.opened(item, "refreshToken", sub)
        )?;
        Ok(PasskeySetUp {
            tokens: SelfServiceTokens {
                access_token: AccessToken::issued(access_token),
                refresh_token: RefreshToken::issued(refresh_token),
            },
            sub: sub.clone(),
            shown_with: get_text(item, "shownWith").map(AuthenticatorMark::stored),
            waiting,
        })
    }

    async fn seal(&self, token: &str, sub: &UserSub) -> Result<Sealed, Problem> {
        self.vault
            .seal(token.as_bytes(), Owner::User(sub), Use::PasskeySetUp)
            .await
    }

    async fn opened(&self, item: &Item, name: &str, sub: &UserSub) -> Result<String, Problem> {
        let broken =
            || Problem::Internal(unreadable("a passkey's registration does not read back"));
        let sealed = get_sealed(item, name).ok_or_else(broken)?;
        let opened = self
            .vault
            .open(&sealed, Owner::User(sub), Use::PasskeySetUp)
            .await?;
        String::from_utf8(opened).map_err(|_| broken())
    }
}

fn key(id: &PasskeySetUpId) -> AttributeValue {
    text(format!("passkey-set-up#{id}"))
}

/// The reason why a registration takes no answer. An answered one looks like an unknown one.
fn refusal(item: Option<&Item>, caller: Option<&UserSub>, now: Timestamp) -> Problem {
    let Some(item) = item else {
        return Problem::InvalidSession;
    };
    let is_callers = match caller {
        Some(sub) => get_text(item, "sub") == Some(sub.as_str()),
        None => item.contains_key("waiting"),
    };
    let is_over = get_millis(item, "expiresAt").is_some_and(|end| now >= end);
    if is_callers && is_over {
        Problem::SessionExpired
    } else {
        Problem::InvalidSession
    }
}
