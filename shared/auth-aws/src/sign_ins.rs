//! Sign-ins in progress, in the challenges table under the hash of their session token.

use std::time::Duration;

use auth_domain::{
    AttemptId, CognitoSession, Email, GuestId, GuestName, OfferedPassword, PendingRegistration,
    Problem, ProofBinding, SignIn, SignInId, SignInRules, Timestamp,
};
use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder, types::AttributeValue,
};

use crate::{
    ConfigurationError, Platform,
    attempts::{self, SOME_LEFT, counted, counting},
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_sealed, get_text, millis, number,
        sealed, text, unreadable,
    },
};

/// How long a sign-in is kept after its end. A late code then gets "expired", not "unknown".
const KEPT: Duration = Duration::from_hours(24);

/// The challenges table, for sign-ins.
#[derive(Clone)]
pub struct SignIns {
    challenges: Challenges,
}

/// The required owner of a sign-in.
#[derive(Clone, Copy, Debug)]
pub enum Whose<'a> {
    /// The holder of its token.
    Holder,
    /// A holder of the token, who must name the sign-in's address.
    Address(&'a Email),
    /// A proof of this address, in this session and for this change.
    Proof(&'a Email, &'a ProofBinding),
}

impl<'a> Whose<'a> {
    /// The address that the request has named.
    #[must_use]
    pub fn email(self) -> Option<&'a Email> {
        match self {
            Self::Holder => None,
            Self::Address(email) | Self::Proof(email, _) => Some(email),
        }
    }
}

impl SignIns {
    /// Sign-ins in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
        })
    }

    /// Stores a new sign-in.
    pub async fn begin(&self, id: &SignInId, sign_in: &SignIn) -> Result<(), Problem> {
        self.put(id, sign_in, None).await
    }

    /// Stores a mailed proof, which counts only for its binding.
    pub async fn begin_proof(
        &self,
        id: &SignInId,
        sign_in: &SignIn,
        binding: &ProofBinding,
    ) -> Result<(), Problem> {
        self.put(id, sign_in, Some(binding)).await
    }

    async fn put(
        &self,
        id: &SignInId,
        sign_in: &SignIn,
        binding: Option<&ProofBinding>,
    ) -> Result<(), Problem> {
        let sessions = sign_in
            .cognito_sessions
            .iter()
            .map(|session| text(session.as_str()))
            .collect();
        let mut put = self
            .challenges
            .put(key(id))
            .item("email", text(sign_in.email.as_str()))
            .item("cognitoSessions", AttributeValue::L(sessions))
            .item("sentAt", millis(sign_in.sent_at))
            .item("expiresAt", millis(sign_in.expires_at))
            .item("password", text(sign_in.password.name()))
            .item("ttl", number(sign_in.expires_at.after(KEPT).as_seconds()));
        if let Some(binding) = binding {
            put = put.item("boundTo", text(binding.as_str()));
        }
        if let Some(registration) = &sign_in.registration {
            put = put
                .item("guestId", text(registration.guest_id.as_str()))
                .item("pendingPassword", sealed(&registration.password));
            if let Some(name) = &registration.name {
                put = put.item("name", text(name.as_str()));
            }
        }
        put.send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("remember the sign-in"))
            .map_err(Problem::from)
    }

    /// Counts an attempt and checks the sign-in's owner, time and budget, in one conditional write.
    pub async fn claim(
        &self,
        id: &SignInId,
        whose: Whose<'_>,
        attempt: &AttemptId,
        now: Timestamp,
        rules: &SignInRules,
    ) -> Result<SignIn, Problem> {
        let is_theirs = match whose {
            Whose::Holder => "attribute_exists(email)",
            Whose::Address(_) => "email = :email",
            Whose::Proof(..) => "email = :email AND boundTo = :boundTo",
        };
        let is_open =
            format!("{is_theirs} AND expiresAt > :now AND attribute_not_exists(finishedBy)");
        let mut write = counting(self.update(id), &is_open, attempt, rules.attempts)
            .expression_attribute_values(":now", millis(now));
        if let Some(email) = whose.email() {
            write = write.expression_attribute_values(":email", text(email.as_str()));
        }
        if let Whose::Proof(_, binding) = whose {
            write = write.expression_attribute_values(":boundTo", text(binding.as_str()));
        }
        match conditional_update(write, "count the attempt").await? {
            Written::Made(item) => read(&item),
            Written::Refused(item) => Err(refusal(item.as_ref(), whose, now, rules)),
        }
    }

    /// Restores an attempt that did not reach Cognito.
    pub async fn give_back(&self, id: &SignInId, attempt: &AttemptId) -> Result<(), Problem> {
        attempts::give_back(self.update(id), attempt).await
    }

    /// Ends a sign-in. `true` for the one attempt that finishes it, also on a retry, `false` for
    /// any other.
    pub async fn finish(&self, id: &SignInId, attempt: &AttemptId) -> Result<bool, Problem> {
        let forgotten = "cognitoSessions, pendingPassword";
        attempts::finish(self.update(id), forgotten, attempt).await
    }

    /// Takes an attempt's end of a sign-in back, and restores what it took away.
    pub async fn reopen(
        &self,
        id: &SignInId,
        attempt: &AttemptId,
        before: &SignIn,
    ) -> Result<(), Problem> {
        let sessions = before.cognito_sessions.iter();
        let sessions = sessions.map(|session| text(session.as_str())).collect();
        let mut restored = String::from("cognitoSessions = :sessions");
        let mut write = self
            .update(id)
            .expression_attribute_values(":sessions", AttributeValue::L(sessions));
        if let Some(registration) = &before.registration {
            restored.push_str(", pendingPassword = :password");
            write = write.expression_attribute_values(":password", sealed(&registration.password));
        }
        attempts::reopen(write, &restored, attempt).await
    }

    /// Admits a re-send, in one conditional write: the sign-in is in progress, has attempts left
    /// and time for the code, and its last mail is old enough.
    pub async fn claim_resend(
        &self,
        id: &SignInId,
        attempt: &AttemptId,
        now: Timestamp,
        rules: &SignInRules,
    ) -> Result<SignIn, Problem> {
        let write = self.update(id)
            .update_expression("SET sentBefore = sentAt, sentAt = :now, resend = :attempt")
            .condition_expression(format!(
                "attribute_exists(pk) AND expiresAt > :usable AND sentAt <= :sentBefore AND attribute_not_exists(finishedBy) \
                 AND {SOME_LEFT}",
            ))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":usable", millis(now.after(SignInRules::LEAST_USE)))
            .expression_attribute_values(":sentBefore", millis(now.before(rules.resend_after)))
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":most", number(rules.attempts));
        let item = match conditional_update(write, "admit the re-send").await? {
            Written::Made(item) => item,
            Written::Refused(Some(item)) if get_text(&item, "resend") == Some(attempt.as_str()) => {
                item
            }
            Written::Refused(item) => return Err(resend_refusal(item.as_ref(), now, rules)),
        };
        read(&item)
    }

    /// Adds Cognito's session of a re-sent mail. The codes mailed before still work.
    pub async fn add_session(
        &self,
        id: &SignInId,
        session: &CognitoSession,
    ) -> Result<(), Problem> {
        let write = self.update(id)
            .update_expression("SET cognitoSessions = list_append(:sessions, if_not_exists(cognitoSessions, :none))")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(finishedBy) AND NOT contains(cognitoSessions, :session)")
            .expression_attribute_values(":sessions", AttributeValue::L(vec![text(session.as_str())]))
            .expression_attribute_values(":session", text(session.as_str()))
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()));
        match conditional_update(write, "remember the re-send").await? {
            // Refused: the write was retried, or the sign-in was finished with an earlier code
            // while this mail was being sent.
            Written::Made(_) | Written::Refused(Some(_)) => Ok(()),
            Written::Refused(None) => Err(Problem::InvalidSession),
        }
    }

    /// Restores the previous mail's instant, if this attempt was admitted: it sent no mail, and the
    /// person should not wait for it.
    pub async fn withdraw_resend(&self, id: &SignInId, attempt: &AttemptId) -> Result<(), Problem> {
        let write = self
            .update(id)
            .update_expression("SET sentAt = sentBefore REMOVE resend")
            .condition_expression("resend = :attempt")
            .expression_attribute_values(":attempt", text(attempt.as_str()));
        match conditional_update(write, "withdraw the re-send").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    fn update(&self, id: &SignInId) -> UpdateItemFluentBuilder {
        self.challenges.update(key(id))
    }
}

fn key(id: &SignInId) -> AttributeValue {
    text(format!("sign-in#{id}"))
}

fn read(item: &Item) -> Result<SignIn, Problem> {
    sign_in(item)
        .ok_or_else(|| Problem::Internal(unreadable("a sign-in's record does not read back")))
}

fn sign_in(item: &Item) -> Option<SignIn> {
    let sessions = item
        .get("cognitoSessions")
        .and_then(|list| list.as_l().ok());
    Some(SignIn {
        email: Email::parse(get_text(item, "email")?).ok()?,
        cognito_sessions: sessions
            .into_iter()
            .flatten()
            .filter_map(|session| session.as_s().ok())
            .map(CognitoSession::issued)
            .collect(),
        attempts: counted(item),
        sent_at: get_millis(item, "sentAt")?,
        expires_at: get_millis(item, "expiresAt")?,
        password: OfferedPassword::stored(get_text(item, "password")?)?,
        registration: match get_sealed(item, "pendingPassword") {
            Some(password) => Some(PendingRegistration {
                guest_id: GuestId::parse(get_text(item, "guestId")?).ok()?,
                name: get_text(item, "name")
                    .map(GuestName::parse)
                    .transpose()
                    .ok()?,
                password,
            }),
            None => None,
        },
    })
}

/// The reason why a write's condition did not hold.
fn refusal(item: Option<&Item>, whose: Whose<'_>, now: Timestamp, rules: &SignInRules) -> Problem {
    let Some(item) = item else {
        return Problem::InvalidSession;
    };
    let email = whose.email();
    match read(item) {
        // Of another session, or for another change.
        Ok(_) if matches!(whose, Whose::Proof(_, binding) if get_text(item, "boundTo") != Some(binding.as_str())) => {
            Problem::InvalidSession
        }
        // The address is compared first: a stranger who holds a token does not learn how the
        // sign-in ended.
        Ok(sign_in) if email.is_some_and(|email| *email != sign_in.email) => {
            Problem::InvalidSession
        }
        Ok(_) if item.contains_key("finishedBy") => Problem::SignInCompleted,
        // The condition holds now: another request's write came in between.
        Ok(sign_in) => sign_in
            .refusal(email, now, rules)
            .unwrap_or(Problem::InvalidSession),
        Err(problem) => problem,
    }
}

fn resend_refusal(item: Option<&Item>, now: Timestamp, rules: &SignInRules) -> Problem {
    match (refusal(item, Whose::Holder, now, rules), item.map(read)) {
        (Problem::InvalidSession, Some(Ok(sign_in))) => {
            if sign_in.expires_at <= now.after(SignInRules::LEAST_USE) {
                return Problem::OtpExpired;
            }
            let next = sign_in.sent_at.after(rules.resend_after);
            Problem::RateLimited {
                retry_after_seconds: next.seconds_from(now).max(1),
                challenge: None,
            }
        }
        (problem, _) => problem,
    }
}
