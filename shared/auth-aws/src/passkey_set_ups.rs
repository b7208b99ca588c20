//! Registrations of passkeys under way, in the challenges table under the hash of their session
//! token. Both tokens of the fresh proof lie sealed in the item: they never leave.

use std::time::Duration;

use auth_domain::{
    AccessToken, AttemptId, AuthenticatorMark, Problem, RefreshToken, Sealed, SelfServiceTokens,
    SignInId, Timestamp, UserSub,
};
use aws_sdk_dynamodb::Client;
use tokio::try_join;

use crate::{
    ConfigurationError, Platform,
    clients::dynamodb,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_sealed, get_text, millis, number,
        sealed, text, unreadable,
    },
    vault::{Owner, Use, Vault},
};

/// How long after its end a registration is kept, so that a late answer is told "expired" and not
/// "unknown".
const KEPT: Duration = Duration::from_hours(1);

/// The challenges table, as far as passkeys' registrations go, and the key that seals their tokens.
#[derive(Clone)]
pub struct PasskeySetUps {
    client: Client,
    table: String,
    vault: Vault,
}

/// A registration that was claimed for its one answer.
#[derive(Debug)]
pub struct PasskeySetUp {
    /// What Cognito is asked with.
    pub tokens: SelfServiceTokens,
    /// The authenticator that was shown for it.
    pub shown_with: Option<AuthenticatorMark>,
}

impl PasskeySetUps {
    /// Registrations in the table that `CHALLENGES_TABLE_NAME` names, sealed by the key that
    /// `KMS_KEY_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: dynamodb(platform)?,
            table: platform
                .environment()
                .text("CHALLENGES_TABLE_NAME")?
                .to_owned(),
            vault: Vault::new(platform)?,
        })
    }

    /// Remembers a registration that has begun.
    pub async fn begin(
        &self,
        id: &SignInId,
        sub: &UserSub,
        tokens: &SelfServiceTokens,
        shown_with: Option<&AuthenticatorMark>,
        expires_at: Timestamp,
    ) -> Result<(), Problem> {
        let (access_token, refresh_token) = try_join!(
            self.seal(tokens.access_token.as_str(), sub),
            self.seal(tokens.refresh_token.as_str(), sub)
        )?;
        let mut put = self
            .client
            .put_item()
            .table_name(&self.table)
            .item("pk", key(id))
            .item("sub", text(sub.as_str()))
            .item("accessToken", sealed(&access_token))
            .item("refreshToken", sealed(&refresh_token))
            .item("expiresAt", millis(expires_at))
            .item("ttl", number(expires_at.after(KEPT).as_seconds()));
        if let Some(mark) = shown_with {
            put = put.item("shownWith", text(mark.as_str()));
        }
        put.send()
            .await
            .map(drop)
            .map_err(failure("remember the passkey's registration"))
            .map_err(Problem::from)
    }

    /// Claims a registration for its one answer: one conditional write checks whose it is, its
    /// time, and that it was not answered.
    pub async fn claim(
        &self,
        id: &SignInId,
        sub: &UserSub,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<PasskeySetUp, Problem> {
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", key(id))
            .update_expression("SET answeredBy = :attempt")
            .condition_expression(
                "#sub = :sub AND expiresAt > :now \
                 AND (attribute_not_exists(answeredBy) OR answeredBy = :attempt)",
            )
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":now", millis(now));
        let item = match conditional_update(write, "claim the passkey's registration").await? {
            Written::Made(item) => item,
            Written::Refused(item) => return Err(refusal(item.as_ref(), sub, now)),
        };
        self.open(&item, sub).await
    }

    async fn open(&self, item: &Item, sub: &UserSub) -> Result<PasskeySetUp, Problem> {
        let (access_token, refresh_token) = try_join!(
            self.opened(item, "accessToken", sub),
            self.opened(item, "refreshToken", sub)
        )?;
        Ok(PasskeySetUp {
            tokens: SelfServiceTokens {
                access_token: AccessToken::issued(access_token),
                refresh_token: RefreshToken::issued(refresh_token),
            },
            shown_with: get_text(item, "shownWith").map(AuthenticatorMark::stored),
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

fn key(id: &SignInId) -> aws_sdk_dynamodb::types::AttributeValue {
    text(format!("passkey-set-up#{id}"))
}

/// Why a registration takes no answer. One that was answered is not told from an unknown one.
fn refusal(item: Option<&Item>, sub: &UserSub, now: Timestamp) -> Problem {
    let Some(item) = item else {
        return Problem::InvalidSession;
    };
    let is_callers = get_text(item, "sub") == Some(sub.as_str());
    let is_over = get_millis(item, "expiresAt").is_some_and(|end| now >= end);
    if is_callers && is_over {
        Problem::SessionExpired
    } else {
        Problem::InvalidSession
    }
}
