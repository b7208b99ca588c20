//! Three-legged authorizations, in the sessions table under their session URI, and the current one
//! of each conversation.

use std::time::Duration;

use auth_domain::{
    AgentUserId, AttemptId, Authorization, AuthorizationFailure, AuthorizationId, AuthorizationUrl,
    Binding, ConversationId, Email, KeyedHash, Problem, Scope, Standing, Subject, Timestamp,
    UserSub,
};
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, Update},
};

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_number, get_text, millis, number, text,
        unreadable,
    },
    transactions::{Write, transact},
};

/// How long an authorization is kept after its end. A late request then gets "expired", not
/// "unknown".
const KEPT: Duration = Duration::from_hours(24);

/// The age at which an unfinished claim to an authorization is abandoned. No function runs as long.
const CLAIM_HOLDS: Duration = Duration::from_secs(30);

const PENDING: &str = "PENDING";
const CLAIMED: &str = "CLAIMED";
const COMPLETED: &str = "COMPLETED";
const FAILED: &str = "FAILED";

/// The sessions table.
#[derive(Clone)]
pub struct Authorizations {
    client: Client,
    table: String,
}

/// The outcome of a claim to end an authorization.
#[derive(Debug)]
pub enum Claim {
    /// This attempt may end it.
    Taken,
    /// Another attempt is ending it at this moment.
    Held,
    /// It has ended, or can no longer end.
    Over(Box<Authorization>),
}

/// The proof of a browser that follows a start link.
pub struct BrowserProof {
    /// The hash of the secret that it gets now.
    pub new: KeyedHash,
    /// The hash of the secret that it claims to have.
    pub known: Option<KeyedHash>,
}

/// The outcome of a button on a start link's page.
pub enum FromLink {
    /// The button's effect is done. The authorization in its new state.
    Done(Box<Authorization>),
    /// The button has no effect: the authorization has ended, or belongs to another browser.
    Refused(Box<Authorization>),
}

impl Authorizations {
    /// Authorizations in the table that `DYNAMODB_OAUTH2_SESSIONS_TABLE` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let table = platform
            .environment()
            .text("DYNAMODB_OAUTH2_SESSIONS_TABLE")?;
        Ok(Self {
            client: dynamodb(platform)?,
            table: table.to_owned(),
        })
    }

    /// Stores a new authorization. AgentCore gives each its own URI, so none exists under this one.
    pub async fn begin(&self, authorization: &Authorization) -> Result<(), Problem> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(authorization)))
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("remember the authorization"))
            .map_err(Problem::from)
    }

    /// An authorization by its session URI. `None` after its retention, even if DynamoDB has not
    /// removed it yet.
    pub async fn find(
        &self,
        id: &AuthorizationId,
        now: Timestamp,
    ) -> Result<Option<Authorization>, Problem> {
        let item = self.get(text(id.as_str())).await?;
        let is_kept =
            |item: &Item| get_number(item, "ttl").is_some_and(|ttl| now.as_seconds() < ttl);
        item.filter(is_kept).as_ref().map(read).transpose()
    }

    /// Binds an authorization to the browser whose person allows it, in one conditional write: the
    /// first browser wins, and all others are refused. A browser that proves an earlier binding
    /// keeps it.
    pub async fn bind(
        &self,
        id: &AuthorizationId,
        browser: &BrowserProof,
        now: Timestamp,
    ) -> Result<FromLink, Problem> {
        let write = self
            .of_browser(id, browser, now)
            .update_expression(
                "SET binding = if_not_exists(binding, :binding), boundAt = if_not_exists(boundAt, :now)",
            );
        from_link(conditional_update(write, "bind the authorization").await?)
    }

    /// Ends an authorization whose person presses *Cancel*. It must be unbound, or bound to this
    /// browser.
    pub async fn cancel(
        &self,
        id: &AuthorizationId,
        browser: &BrowserProof,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<FromLink, Problem> {
        let write = self
            .of_browser(id, browser, now)
            .update_expression("SET #status = :failed, reason = :reason, endedBy = :attempt")
            .expression_attribute_values(":failed", text(FAILED))
            .expression_attribute_values(":reason", text(AuthorizationFailure::Cancelled.name()))
            .expression_attribute_values(":attempt", text(attempt.as_str()));
        let written = conditional_update(write, "cancel the authorization").await?;
        Ok(match written {
            Written::Refused(Some(item))
                if get_text(&item, "endedBy") == Some(attempt.as_str()) =>
            {
                FromLink::Done(Box::new(read(&item)?))
            }
            written @ (Written::Made(_) | Written::Refused(_)) => from_link(written)?,
        })
    }

    /// Records that a browser other than the bound one tried to use an authorization. The agent's
    /// next request then gets another link.
    pub async fn note_refused_elsewhere(&self, id: &AuthorizationId) -> Result<(), Problem> {
        let write = self
            .update(text(id.as_str()))
            .update_expression("SET refusedElsewhere = :true")
            .condition_expression("attribute_exists(binding)")
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        match conditional_update(write, "note the other browser").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// A write on the condition that the authorization is pending and that no other browser is
    /// bound.
    fn of_browser(
        &self,
        id: &AuthorizationId,
        browser: &BrowserProof,
        now: Timestamp,
    ) -> UpdateItemFluentBuilder {
        let known = browser.known.as_ref().unwrap_or(&browser.new);
        self.update(text(id.as_str()))
            .condition_expression(
                "#status = :pending AND expiresAt > :now \
                 AND (attribute_not_exists(binding) OR binding = :binding OR binding = :known)",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(PENDING))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":binding", text(browser.new.as_str()))
            .expression_attribute_values(":known", text(known.as_str()))
    }

    /// Claims an authorization for the one attempt that ends it, in one conditional write. A retry
    /// is the same claim, and an abandoned claim is taken over.
    pub async fn claim(
        &self,
        id: &AuthorizationId,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Claim, Problem> {
        let write = self
            .update(text(id.as_str()))
            .update_expression("SET #status = :claimed, claimedBy = :attempt, claimedAt = :now")
            .condition_expression(
                "(#status = :pending AND expiresAt > :now) \
                 OR (#status = :claimed AND (claimedBy = :attempt OR claimedAt < :given_up))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(PENDING))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":given_up", millis(now.before(CLAIM_HOLDS)));
        match conditional_update(write, "claim the authorization").await? {
            Written::Made(_) => Ok(Claim::Taken),
            Written::Refused(Some(item)) if get_text(&item, "status") == Some(CLAIMED) => {
                Ok(Claim::Held)
            }
            Written::Refused(Some(item)) => read(&item).map(Box::new).map(Claim::Over),
            Written::Refused(None) => Err(Problem::InvalidSession),
        }
    }

    /// Releases a failed claim, so that the next attempt finds the same state.
    pub async fn release(&self, id: &AuthorizationId, attempt: &AttemptId) -> Result<(), Problem> {
        let write = self
            .update(text(id.as_str()))
            .update_expression("SET #status = :pending REMOVE claimedBy, claimedAt")
            .condition_expression("#status = :claimed AND claimedBy = :attempt")
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":pending", text(PENDING))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":attempt", text(attempt.as_str()));
        match conditional_update(write, "release the authorization").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// Marks a claimed authorization as completed, for agents to ask about until `until`, with
    /// `entry` in the guest's activity.
    pub async fn complete(
        &self,
        id: &AuthorizationId,
        attempt: &AttemptId,
        until: Timestamp,
        entry: Option<ActivityEntry>,
    ) -> Result<(), Problem> {
        let record = Update::builder()
            .table_name(&self.table)
            .key("sessionId", text(id.as_str()))
            .update_expression("SET #status = :completed, #ttl = :ttl")
            .condition_expression("#status = :claimed AND claimedBy = :attempt")
            .expression_attribute_names("#status", "status")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":completed", text(COMPLETED))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":ttl", number(until.as_seconds()))
            .write()?;
        let entry = entry.map(ActivityEntry::into_write);
        let writes = [record].into_iter().chain(entry).collect();
        // A refusal means that another request found the claim abandoned, and is ending the
        // authorization.
        transact(&self.client, writes, "complete the authorization")
            .await
            .map(drop)
    }

    /// Ends an authorization without success. It must be pending, claimed by this attempt, or its
    /// claim abandoned. `true` for the one write that ends it.
    pub async fn fail(
        &self,
        id: &AuthorizationId,
        attempt: &AttemptId,
        reason: AuthorizationFailure,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let write = self
            .update(text(id.as_str()))
            .update_expression("SET #status = :failed, reason = :reason, endedBy = :attempt")
            .condition_expression(
                "#status = :pending \
                 OR (#status = :claimed AND (claimedBy = :attempt OR claimedAt < :given_up))",
            )
            .expression_attribute_names("#status", "status")
            .expression_attribute_values(":failed", text(FAILED))
            .expression_attribute_values(":pending", text(PENDING))
            .expression_attribute_values(":claimed", text(CLAIMED))
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":given_up", millis(now.before(CLAIM_HOLDS)))
            .expression_attribute_values(":reason", text(reason.name()));
        Ok(
            match conditional_update(write, "fail the authorization").await? {
                Written::Made(_) => true,
                Written::Refused(Some(item)) => {
                    get_text(&item, "endedBy") == Some(attempt.as_str())
                }
                Written::Refused(None) => false,
            },
        )
    }

    /// The current authorization of a conversation.
    pub async fn of_conversation(
        &self,
        conversation: &ConversationId,
    ) -> Result<Option<AuthorizationId>, Problem> {
        let item = self.get(conversation_key(conversation)).await?;
        let id = item.as_ref().map(|item| {
            get_text(item, "authorizationId")
                .and_then(|id| AuthorizationId::parse(id).ok())
                .ok_or_else(|| {
                    Problem::Internal(unreadable("a conversation's record does not read back"))
                })
        });
        id.transpose()
    }

    /// Makes a new authorization the conversation's current one. It replaces an uncompleted one,
    /// and a completed one that is no longer valid.
    pub async fn begin_in_conversation(
        &self,
        authorization: &Authorization,
        instead_of: Option<&AuthorizationId>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let until = authorization.expires_at;
        let replaced = instead_of.unwrap_or(&authorization.id);
        self.count_in_conversation(authorization, false, until, replaced, now)
            .await
    }

    /// The same for a completed authorization. No other replaces it before `until`.
    pub async fn complete_in_conversation(
        &self,
        authorization: &Authorization,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), Problem> {
        self.count_in_conversation(authorization, true, until, &authorization.id, now)
            .await
    }

    async fn count_in_conversation(
        &self,
        authorization: &Authorization,
        completed: bool,
        until: Timestamp,
        replaced: &AuthorizationId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let write = self
            .update(conversation_key(&authorization.conversation_id))
            .update_expression(
                "SET authorizationId = :id, completed = :completed, countsUntil = :until, #ttl = :ttl",
            )
            .condition_expression(
                "attribute_not_exists(authorizationId) OR completed = :false OR countsUntil <= :now \
                 OR authorizationId = :replaced",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":id", text(authorization.id.as_str()))
            .expression_attribute_values(":completed", AttributeValue::Bool(completed))
            .expression_attribute_values(":false", AttributeValue::Bool(false))
            .expression_attribute_values(":until", millis(until))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":replaced", text(replaced.as_str()))
            .expression_attribute_values(":ttl", number(until.after(KEPT).as_seconds()));
        match conditional_update(write, "note the conversation's authorization").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    async fn get(&self, key: AttributeValue) -> Result<Option<Item>, Problem> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("sessionId", key)
            .consistent_read(true)
            .send()
            .boxed()
            .await
            .map_err(failure("read the authorization"))?;
        Ok(answer.item)
    }

    fn update(&self, key: AttributeValue) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("sessionId", key)
    }
}

/// A conversation's key is never a session URI: those begin with `urn:`.
fn conversation_key(conversation: &ConversationId) -> AttributeValue {
    text(format!("conversation#{}", conversation.as_str()))
}

fn item(authorization: &Authorization) -> Item {
    let scopes = authorization.scopes.iter();
    let scopes = scopes.map(|scope| text(scope.as_str())).collect();
    let ttl = authorization.expires_at.after(KEPT).as_seconds();
    let mut item = Item::from([
        ("sessionId".to_owned(), text(authorization.id.as_str())),
        (
            "conversationId".to_owned(),
            text(authorization.conversation_id.as_str()),
        ),
        ("userId".to_owned(), text(authorization.user_id.as_str())),
        ("scopes".to_owned(), AttributeValue::L(scopes)),
        ("url".to_owned(), text(authorization.url.as_str())),
        ("state".to_owned(), text(authorization.state.as_str())),
        ("status".to_owned(), text(PENDING)),
        ("expiresAt".to_owned(), millis(authorization.expires_at)),
        ("ttl".to_owned(), number(ttl)),
    ]);
    if let Some(email) = authorization.subject.email() {
        item.insert("email".to_owned(), text(email.as_str()));
    }
    if let Subject::Guest { sub, .. } = &authorization.subject {
        item.insert("cognitoSub".to_owned(), text(sub.as_str()));
    }
    if let Some(Binding { secret, since }) = &authorization.binding {
        item.insert("binding".to_owned(), text(secret.as_str()));
        item.insert("boundAt".to_owned(), millis(*since));
    }
    item
}

fn from_link(written: Written) -> Result<FromLink, Problem> {
    match written {
        Written::Made(item) => Ok(FromLink::Done(Box::new(read(&item)?))),
        Written::Refused(Some(item)) => Ok(FromLink::Refused(Box::new(read(&item)?))),
        Written::Refused(None) => Err(Problem::InvalidSession),
    }
}

fn read(item: &Item) -> Result<Authorization, Problem> {
    parse(item).ok_or_else(|| {
        Problem::Internal(unreadable("an authorization's record does not read back"))
    })
}

fn parse(item: &Item) -> Option<Authorization> {
    let email = get_text(item, "email").map(Email::parse).transpose().ok()?;
    let sub = get_text(item, "cognitoSub")
        .map(UserSub::parse)
        .transpose()
        .ok()?;
    let scopes = item.get("scopes")?.as_l().ok()?.iter();
    let scopes = scopes.map(|scope| scope.as_s().ok()?.parse::<Scope>().ok());
    Some(Authorization {
        id: AuthorizationId::parse(get_text(item, "sessionId")?).ok()?,
        conversation_id: get_text(item, "conversationId")?.parse().ok()?,
        subject: match (sub, email) {
            (Some(sub), Some(email)) => Subject::Guest { sub, email },
            (None, Some(email)) => Subject::Claimed(email),
            (None, None) => Subject::Anybody,
            (Some(_), None) => return None,
        },
        user_id: get_text(item, "userId")?.parse::<AgentUserId>().ok()?,
        scopes: scopes.collect::<Option<_>>()?,
        url: AuthorizationUrl::issued(get_text(item, "url")?),
        state: KeyedHash::stored(get_text(item, "state")?),
        binding: get_text(item, "binding")
            .map(KeyedHash::stored)
            .zip(get_millis(item, "boundAt"))
            .map(|(secret, since)| Binding { secret, since }),
        refused_elsewhere: item.contains_key("refusedElsewhere"),
        standing: match get_text(item, "status")? {
            PENDING | CLAIMED => Standing::Pending,
            COMPLETED => Standing::Completed,
            FAILED => Standing::Failed(AuthorizationFailure::stored(get_text(item, "reason")?)?),
            _ => return None,
        },
        expires_at: get_millis(item, "expiresAt")?,
    })
}
