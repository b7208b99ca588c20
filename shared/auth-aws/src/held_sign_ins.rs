//! Sign-ins between their factors, in the challenges table under the hash of their session token.
//!
//! The refresh token from the first factor is sealed in the sign-in's item. Access and ID token are
//! dropped. The second factor causes the token to be opened and exchanged. Without a second factor,
//! the ciphertext expires with its item, and the token never leaves the server.

use std::time::Duration;

use auth_domain::{
    AttemptId, AwaitedFactor, CognitoChallenge, CognitoSession, CognitoUsername, Email, FollowUp,
    HeldSetUp, HeldSignIn, HeldSignInId, HeldToken, PasskeyId, Problem, Randomness, RefreshToken,
    Report, Sealed, SecondFactorRules, SessionId, SessionKey, SessionToken, Timestamp,
    TokenDelivery, Tokens, UserSub,
};
use aws_sdk_dynamodb::{
    operation::put_item::builders::PutItemFluentBuilder, types::AttributeValue,
};

use crate::{
    ConfigurationError, IssuedSession, Platform,
    attempts::{self, counted, counting},
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_sealed, get_text, millis, number,
        sealed, text, unreadable,
    },
    vault::{Owner, Use, Vault},
};

/// How long a held sign-in is kept after its end. A late code then gets "expired", not "unknown".
const KEPT: Duration = Duration::from_hours(1);

/// The challenges table, for held sign-ins, and the key that seals their tokens.
#[derive(Clone)]
pub struct HeldSignIns {
    challenges: Challenges,
    vault: Vault,
    randomness: Randomness,
}

impl HeldSignIns {
    /// Held sign-ins in the table that `CHALLENGES_TABLE_NAME` names, sealed by the key that
    /// `KMS_KEY_ID` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
            vault: Vault::new(platform)?,
            randomness: platform.randomness(),
        })
    }

    /// Holds a sign-in of a guest who has an authenticator. It seals the refresh token, drops the
    /// other tokens, and returns the handle for the second factor. If it fails, the caller still
    /// has to revoke the tokens. `passkey` is the first factor, if that was one whose device has
    /// verified its user.
    pub async fn hold(
        &self,
        tokens: &Tokens,
        email: &Email,
        passkey: Option<&PasskeyId>,
        token_delivery: TokenDelivery,
        expires_at: Timestamp,
    ) -> Result<SessionToken, Problem> {
        let session = IssuedSession::of(&tokens.access_token)?;
        let (sub, begun) = (&session.key.sub, session.signed_in_at);
        let refresh_token = self.seal(tokens, sub).await?;
        self.put(email, token_delivery, expires_at, |put| {
            let put = put
                .item("sub", text(sub.as_str()))
                .item("begun", millis(begun))
                .item("refreshToken", sealed(&refresh_token));
            match passkey {
                Some(id) => put.item("passkey", text(id.as_str())),
                None => put,
            }
        })
        .await
    }

    /// Holds a sign-in of a guest who must set up a second factor first, as [`HeldSignIns::hold`]
    /// does.
    pub async fn hold_for_set_up(
        &self,
        tokens: &Tokens,
        email: &Email,
        token_delivery: TokenDelivery,
        expires_at: Timestamp,
    ) -> Result<SessionToken, Problem> {
        let session = IssuedSession::of(&tokens.access_token)?;
        let (SessionKey { sub, id }, begun) = (session.key, session.signed_in_at);
        let refresh_token = self.seal(tokens, &sub).await?;
        self.put(email, token_delivery, expires_at, |put| {
            put.item("sub", text(sub.as_str()))
                .item("begun", millis(begun))
                .item("refreshToken", sealed(&refresh_token))
                .item("sessionId", text(id.as_str()))
        })
        .await
    }

    async fn seal(&self, tokens: &Tokens, sub: &UserSub) -> Result<Sealed, Problem> {
        let refresh_token = tokens.refresh_token.as_ref().ok_or_else(|| {
            Problem::Internal(Report::of(
                "a sign-in without a refresh token cannot be held",
            ))
        })?;
        self.vault
            .seal(
                refresh_token.as_str().as_bytes(),
                Owner::User(sub),
                Use::HeldSignIn,
            )
            .await
    }

    /// Reads a held sign-in without claiming an attempt.
    pub async fn find(
        &self,
        id: &HeldSignInId,
        now: Timestamp,
        rules: &SecondFactorRules,
    ) -> Result<HeldSignIn, Problem> {
        let answer = self
            .challenges
            .get(key(id))
            .send()
            .boxed()
            .await
            .map_err(failure("read the held sign-in"))?;
        match answer.item {
            Some(item) if is_open(&item, now) => read(&item),
            item => Err(refusal(item.as_ref(), now, rules).problem),
        }
    }

    /// Holds a sign-in that Cognito continues with its own challenge. Its session is useless
    /// without the client's secret, and is stored like the sessions of mailed codes.
    pub async fn hold_follow_up(
        &self,
        follow_up: &FollowUp,
        email: &Email,
        token_delivery: TokenDelivery,
        expires_at: Timestamp,
    ) -> Result<SessionToken, Problem> {
        self.put(email, token_delivery, expires_at, |put| {
            put.item("challenge", text(follow_up.challenge.as_str()))
                .item("cognitoSession", text(follow_up.session.as_str()))
                .item("username", text(follow_up.username.as_str()))
        })
        .await
    }

    async fn put(
        &self,
        email: &Email,
        token_delivery: TokenDelivery,
        expires_at: Timestamp,
        fill: impl FnOnce(PutItemFluentBuilder) -> PutItemFluentBuilder,
    ) -> Result<SessionToken, Problem> {
        let session_token = SessionToken::generate(&self.randomness);
        let put = self
            .challenges
            .put(key(&session_token.held_sign_in_id()))
            .item("email", text(email.as_str()))
            .item("tokenDelivery", text(token_delivery.as_str()))
            .item("expiresAt", millis(expires_at))
            .item("ttl", number(expires_at.after(KEPT).as_seconds()));
        fill(put)
            .send()
            .boxed()
            .await
            .map_err(failure("hold the sign-in"))?;
        Ok(session_token)
    }

    /// Counts an attempt and checks time and budget, in one conditional write.
    pub async fn claim(
        &self,
        id: &HeldSignInId,
        attempt: &AttemptId,
        now: Timestamp,
        rules: &SecondFactorRules,
    ) -> Result<HeldSignIn, Unclaimed> {
        let is_open = "expiresAt > :now AND attribute_not_exists(finishedBy) \
             AND (attribute_exists(refreshToken) OR attribute_exists(cognitoSession))";
        let write = self.challenges.update(key(id));
        let write = counting(write, is_open, attempt, rules.attempts)
            .expression_attribute_values(":now", millis(now));
        match conditional_update(write, "count the attempt")
            .await
            .map_err(Problem::from)?
        {
            Written::Made(item) => Ok(read(&item)?),
            Written::Refused(item) => Err(refusal(item.as_ref(), now, rules)),
        }
    }

    /// Restores the count of an attempt without evaluation.
    pub async fn give_back(&self, id: &HeldSignInId, attempt: &AttemptId) -> Result<(), Problem> {
        attempts::give_back(self.challenges.update(key(id)), attempt).await
    }

    /// Ends a held sign-in and forgets its token. `true` for the one attempt that finishes it, also
    /// on a retry, `false` for any other.
    pub async fn finish(&self, id: &HeldSignInId, attempt: &AttemptId) -> Result<bool, Problem> {
        let (write, forgotten) = (
            self.challenges.update(key(id)),
            "refreshToken, cognitoSession",
        );
        attempts::finish(write, forgotten, attempt).await
    }

    /// Undoes [`HeldSignIns::finish`] for this attempt: the next step failed, and the next factor
    /// must find the sign-in again.
    pub async fn reopen(
        &self,
        id: &HeldSignInId,
        attempt: &AttemptId,
        refresh_token: &Sealed,
    ) -> Result<(), Problem> {
        let write = self
            .challenges
            .update(key(id))
            .expression_attribute_values(":refreshToken", sealed(refresh_token));
        attempts::reopen(write, "refreshToken = :refreshToken", attempt).await
    }

    /// Deletes the record of a sign-in that can no longer finish.
    pub async fn forget(&self, id: &HeldSignInId) -> Result<(), Problem> {
        let write = self
            .challenges
            .update(key(id))
            .update_expression("REMOVE refreshToken, cognitoSession")
            .condition_expression("attribute_exists(pk)");
        match conditional_update(write, "forget the sign-in").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// The refresh token of a held sign-in, opened.
    pub async fn open(&self, token: &HeldToken) -> Result<RefreshToken, Problem> {
        let opened = self
            .vault
            .open(&token.sealed, Owner::User(&token.sub), Use::HeldSignIn)
            .await?;
        String::from_utf8(opened)
            .map(RefreshToken::issued)
            .map_err(|_| Problem::Internal(unreadable("a held token does not read back")))
    }
}

/// A refused attempt.
#[derive(Debug)]
pub struct Unclaimed {
    /// The message to the person.
    pub problem: Problem,
    /// The rest of a sign-in that can no longer finish.
    pub abandoned: Option<HeldToken>,
}

impl From<Problem> for Unclaimed {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            abandoned: None,
        }
    }
}

/// The reason why an attempt was refused. It includes the token of an expired sign-in, so that the
/// first request after the expiry can revoke it.
fn refusal(item: Option<&Item>, now: Timestamp, rules: &SecondFactorRules) -> Unclaimed {
    let Some(item) = item else {
        return Problem::InvalidSession.into();
    };
    if item.contains_key("finishedBy") {
        return Problem::SignInCompleted.into();
    }
    match get_millis(item, "expiresAt") {
        None => Problem::Internal(unreadable("a held sign-in does not read back")).into(),
        Some(expires_at) if now >= expires_at => Unclaimed {
            problem: Problem::SessionExpired,
            abandoned: held_token(item),
        },
        // The sign-in's token was dropped: its guest or the authenticator no longer exists.
        Some(_) if counted(item) < rules.attempts => Problem::InvalidSession.into(),
        Some(expires_at) => {
            let spent = rules.attempt_limit().spent_until(expires_at, now);
            Problem::MaxAttemptsExceeded(spent).into()
        }
    }
}

/// Whether a sign-in still waits for its factor.
fn is_open(item: &Item, now: Timestamp) -> bool {
    let holds = item.contains_key("refreshToken") || item.contains_key("cognitoSession");
    let is_in_time = get_millis(item, "expiresAt").is_some_and(|end| now < end);
    holds && is_in_time && !item.contains_key("finishedBy")
}

fn key(id: &HeldSignInId) -> AttributeValue {
    text(format!("held-sign-in#{id}"))
}

fn read(item: &Item) -> Result<HeldSignIn, Problem> {
    held_sign_in(item)
        .ok_or_else(|| Problem::Internal(unreadable("a held sign-in does not read back")))
}

fn held_token(item: &Item) -> Option<HeldToken> {
    Some(HeldToken {
        sub: UserSub::parse(get_text(item, "sub")?).ok()?,
        begun: get_millis(item, "begun")?,
        sealed: get_sealed(item, "refreshToken")?,
    })
}

fn held_sign_in(item: &Item) -> Option<HeldSignIn> {
    let awaits = match get_text(item, "challenge") {
        Some(challenge) => AwaitedFactor::Cognito(FollowUp {
            challenge: CognitoChallenge::named(challenge)?,
            session: CognitoSession::issued(get_text(item, "cognitoSession")?),
            username: CognitoUsername::given(get_text(item, "username")?),
        }),
        None => match get_text(item, "sessionId") {
            Some(session) => AwaitedFactor::SetUp(HeldSetUp {
                token: held_token(item)?,
                session: SessionId::parse(session).ok()?,
            }),
            None => AwaitedFactor::Authenticator(held_token(item)?),
        },
    };
    Some(HeldSignIn {
        email: Email::parse(get_text(item, "email")?).ok()?,
        awaits,
        passkey: get_text(item, "passkey").and_then(|id| id.parse().ok()),
        token_delivery: get_text(item, "tokenDelivery")?.parse().ok()?,
        attempts: counted(item),
        expires_at: get_millis(item, "expiresAt")?,
    })
}
