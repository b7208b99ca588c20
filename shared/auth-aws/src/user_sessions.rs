//! The table of sessions: one item for each sign-in on a browser or app, under the user's sub.
//!
//! An item outlives every token of its session, so an ended session stays ended.

use std::{collections::HashMap, time::Duration};

use auth_domain::{
    AccessToken, Caller, ClientName, Country, Generation, Problem, RefreshFamily, Report,
    SessionEnd, SessionId, SessionKey, SessionOrigin, SignInMethod, Timestamp, UserSession,
    UserSub,
};
use aws_sdk_dynamodb::{
    Client,
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{AttributeValue, TransactWriteItem, Update, builders::UpdateBuilder},
};

use crate::{
    ActivityEntry, ConfigurationError, Platform,
    access_tokens::issued,
    clients::dynamodb,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_number, get_text, millis, number, text,
        unreadable,
    },
    transactions::{Transacted, Write, transact, transact_or_look},
};

/// How much longer an item is kept than its refresh tokens live: an access token of the last
/// refresh lives for a day at most (Cognito's bound).
const KEPT: Duration = Duration::from_hours(24);

/// The table of sessions.
#[derive(Clone)]
pub struct UserSessions {
    client: Client,
    table: String,
    lifetime: Duration,
}

/// A session whose tokens Cognito has just issued.
#[derive(Clone, Debug)]
pub struct IssuedSession {
    /// Its user and id.
    pub key: SessionKey,
    /// When it began, as [`Caller`] has it.
    pub signed_in_at: Timestamp,
}

impl IssuedSession {
    /// The session of an access token from Cognito itself. Its claims need no check.
    pub fn of(access_token: &AccessToken) -> Result<Self, Problem> {
        let unnamed = || Problem::Internal(Report::of("Cognito's tokens name no session"));
        let caller = issued(access_token);
        caller
            .as_ref()
            .and_then(Self::of_caller)
            .ok_or_else(unnamed)
    }

    /// The session of a caller; `None` if the token names none.
    #[must_use]
    pub fn of_caller(caller: &Caller) -> Option<Self> {
        let (sub, id) = (caller.sub.clone(), caller.session.clone()?);
        Some(Self {
            key: SessionKey { sub, id },
            signed_in_at: caller.signed_in_at,
        })
    }
}

/// A refresh that Cognito has granted.
#[derive(Clone, Copy, Debug)]
pub struct Refresh {
    /// The generation of the token that came. An unmarked token has the generation of unmarked
    /// ones.
    pub presented: Generation,
    /// When it arrived, before Cognito was asked.
    pub asked_at: Timestamp,
    /// After Cognito's answer.
    pub now: Timestamp,
    /// How long Cognito accepts an exchanged token.
    pub grace: Duration,
}

/// The effect of a refresh on the session's record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// The session continues.
    GoesOn {
        /// The new token's generation.
        generation: Generation,
        /// When the session began. It is exact if the sign-in made its record.
        signed_in_at: Timestamp,
    },
    /// It has ended.
    HasEnded,
    /// It was ended because one of its tokens was repeated.
    EndedForReuse,
    /// The token was exchanged before, longer ago than the grace.
    CameAgain,
}

impl UserSessions {
    /// Sessions in the table that `USER_SESSIONS_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            table: environment.text("USER_SESSIONS_TABLE_NAME")?.to_owned(),
            lifetime: environment.refresh_token_lifetime()?,
        })
    }

    fn update(&self, key: &SessionKey) -> UpdateItemFluentBuilder {
        self.client
            .update_item()
            .table_name(&self.table)
            .key("sub", text(key.sub.as_str()))
            .key("sessionId", text(key.id.as_str()))
    }

    fn update_in(&self, key: &SessionKey) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.table)
            .key("sub", text(key.sub.as_str()))
            .key("sessionId", text(key.id.as_str()))
    }

    fn expiry(&self, begun: Timestamp) -> (AttributeValue, AttributeValue) {
        let expires_at = begun.after(self.lifetime);
        let ttl = expires_at.after(KEPT).as_seconds();
        (millis(expires_at), number(ttl))
    }

    /// Records the session of a sign-in, and returns the family of its refresh token. The same
    /// session may be recorded again until it has ended. `entry` is its event in the guest's
    /// activity.
    pub async fn begin(
        &self,
        session: &IssuedSession,
        origin: &SessionOrigin,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<RefreshFamily, Problem> {
        let record = self
            .update_in(&session.key)
            .update_expression(format!(
                "SET generation = :next, rotatedAt = :lastUsedAt, {}",
                set(DESCRIBED, false)
            ))
            .condition_expression("attribute_not_exists(endedAt)")
            .set_expression_attribute_names(Some(described_names()))
            .set_expression_attribute_values(Some(self.described(session, origin, now)))
            .expression_attribute_values(":next", number(Generation::FIRST.number()))
            .write()?;
        let writes = vec![record, entry.into_write()];
        if transact(&self.client, writes, "record the session").await? {
            Ok(RefreshFamily {
                session: session.key.clone(),
                generation: Generation::FIRST,
            })
        } else {
            Err(Problem::InvalidSession)
        }
    }

    /// The part of a transaction that records a session of the public client. An existing record
    /// refuses it, so a session that has ended stays ended. Its refresh tokens are not Latchkey's,
    /// so they have no generation.
    pub(crate) fn public_record(
        &self,
        session: &IssuedSession,
        origin: &SessionOrigin,
        now: Timestamp,
    ) -> Result<TransactWriteItem, Problem> {
        self.update_in(&session.key)
            .update_expression(format!(
                "SET {PUBLIC_CLIENT} = :true, {}",
                set(DESCRIBED, false)
            ))
            .condition_expression("attribute_not_exists(sessionId)")
            .set_expression_attribute_names(Some(described_names()))
            .set_expression_attribute_values(Some(self.described(session, origin, now)))
            .expression_attribute_values(":true", AttributeValue::Bool(true))
            .write()
    }

    /// The values of [`DESCRIBED`].
    fn described(&self, session: &IssuedSession, origin: &SessionOrigin, now: Timestamp) -> Item {
        let (expires_at, ttl) = self.expiry(session.signed_in_at);
        let country = origin.country.as_ref().map_or("", Country::as_str);
        let values = [
            (":lastUsedAt", millis(now)),
            (":signedInAt", millis(session.signed_in_at)),
            (":method", text(origin.method.as_str())),
            (":device", text(origin.device.as_str())),
            (":country", text(country)),
            (":expiresAt", expires_at),
            (":ttl", ttl),
        ];
        values
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }

    /// Counts a refresh: one conditional write decides between any number of tokens of a session.
    /// The first refresh of a session without a record makes the record.
    ///
    /// A token repeated within the grace gets another of the same generation. The token's arrival
    /// time decides, so a token that Cognito accepted in time is never late here.
    pub async fn renew(
        &self,
        session: &IssuedSession,
        refresh: Refresh,
        device: ClientName,
        country: Option<Country>,
    ) -> Result<Renewal, Problem> {
        let Refresh {
            presented,
            asked_at,
            now,
            grace,
        } = refresh;
        let next = presented.next();
        let update = self.update(&session.key);
        let update = if presented == Generation::UNMARKED {
            let origin = SessionOrigin {
                method: SignInMethod::Unknown,
                device,
                country,
            };
            update
                .set_expression_attribute_names(Some(described_names()))
                .set_expression_attribute_values(Some(self.described(session, &origin, now)))
                .update_expression(format!(
                    "SET generation = :next, rotatedAt = :lastUsedAt, {}",
                    set(DESCRIBED, true)
                ))
                .condition_expression(
                    "attribute_not_exists(endedAt) AND attribute_not_exists(generation)",
                )
        } else {
            update
                .update_expression("SET generation = :next, rotatedAt = :now, lastUsedAt = :now")
                .condition_expression("generation = :presented AND attribute_not_exists(endedAt)")
                .expression_attribute_values(":presented", number(presented.number()))
                .expression_attribute_values(":now", millis(now))
        };
        let update = update.expression_attribute_values(":next", number(next.number()));
        let item = match conditional_update(update, "count the refresh").await? {
            Written::Made(item) => return Ok(goes_on(&item, next, session)),
            Written::Refused(item) => item,
        };
        let Some(item) = item else {
            return Ok(Renewal::HasEnded);
        };
        if has_ended(&item) {
            return Ok(if is_ended_for_reuse(&item) {
                Renewal::EndedForReuse
            } else {
                Renewal::HasEnded
            });
        }
        let is_in_grace = generation(&item) == Some(next)
            && get_millis(&item, "rotatedAt")
                // The write that this very request has made may come back as refused.
                .is_some_and(|at| asked_at < at.after(grace) || at == now);
        Ok(if is_in_grace {
            goes_on(&item, next, session)
        } else {
            Renewal::CameAgain
        })
    }

    /// Ends a session, with or without a record, and writes `entry` to the guest's activity if the
    /// guest is known. A repeated call changes nothing.
    pub async fn end(
        &self,
        key: &SessionKey,
        by: SessionEnd,
        entry: Option<ActivityEntry>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let (_, ttl) = self.expiry(now);
        let record = self
            .update_in(key)
            .update_expression(
                "SET endedAt = :now, endedBy = :by, #ttl = if_not_exists(#ttl, :ttl)",
            )
            .condition_expression("attribute_not_exists(endedAt)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":by", text(by.as_str()))
            .expression_attribute_values(":ttl", ttl)
            .write()?;
        let entry = entry.map(ActivityEntry::into_write);
        let writes = [record].into_iter().chain(entry).collect();
        transact(&self.client, writes, "end the session")
            .await
            .map(drop)
    }

    /// Ends a session on the guest's list, with `entry` in the guest's activity; `false` if the
    /// list has no such session.
    pub async fn end_listed(
        &self,
        key: &SessionKey,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .update_in(key)
            .update_expression("SET endedAt = :now, endedBy = :by")
            .condition_expression("attribute_exists(sessionId) AND attribute_not_exists(endedAt)")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":by", text(SessionEnd::Guest.as_str()))
            .write()?;
        let writes = vec![record, entry.into_write()];
        Ok(
            match transact_or_look(&self.client, writes, "end the session").await? {
                Transacted::Made => true,
                // It has ended already, or does not exist.
                Transacted::Refused(item) => item.is_some(),
            },
        )
    }

    /// Ends a session that Cognito has ended, with `entry` in the guest's activity. `false` if it
    /// has ended here already: by itself, or with all others at `signed_out_at`.
    pub async fn end_revoked(
        &self,
        key: &SessionKey,
        signed_out_at: Option<Timestamp>,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        const GOES_ON: &str = "attribute_exists(sessionId) AND attribute_not_exists(endedAt)";
        let record = self
            .update_in(key)
            .update_expression("SET endedAt = :now, endedBy = :by")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":by", text(SessionEnd::Cognito.as_str()));
        let record = match signed_out_at {
            Some(signed_out_at) => record
                .condition_expression(format!("{GOES_ON} AND signedInAt > :signedOutAt"))
                .expression_attribute_values(":signedOutAt", millis(signed_out_at)),
            None => record.condition_expression(GOES_ON),
        };
        let writes = vec![record.write()?, entry.into_write()];
        transact(&self.client, writes, "end the session").await
    }

    /// Ends a session because one of its refresh tokens came again after its grace, with `ended` in
    /// the guest's activity. If a later token has been used too, that shows a theft: the first
    /// time, it also writes `stolen` and returns `true`.
    ///
    /// A client that lost an answer and retries too late looks the same until then, so its session
    /// just ends.
    pub async fn end_for_reuse(
        &self,
        key: &SessionKey,
        presented: Generation,
        ended: ActivityEntry,
        stolen: ActivityEntry,
        now: Timestamp,
    ) -> Result<bool, Problem> {
        let record = self
            .update_in(key)
            .update_expression("SET endedAt = :now, endedBy = :by, reusedGeneration = :presented")
            .condition_expression("attribute_exists(sessionId) AND attribute_not_exists(endedAt)")
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":by", text(SessionEnd::Reuse.as_str()))
            .expression_attribute_values(":presented", number(presented.number()))
            .write()?;
        let writes = vec![record, ended.into_write()];
        let reused = match transact_or_look(&self.client, writes, "end the session").await? {
            Transacted::Made => presented,
            Transacted::Refused(Some(item)) if is_ended_for_reuse(&item) => {
                reused_generation(&item).unwrap_or(presented)
            }
            Transacted::Refused(_) => return Ok(false),
        };
        // The record counts the generation that the last used token was exchanged for.
        let exchanged_later = reused.next();
        self.tell(key, presented, Some(exchanged_later), stolen)
            .await
    }

    /// Records that a token of this generation was used. If its session was ended because an
    /// earlier token came again, that shows a theft: the first time, it writes `stolen` and returns
    /// `true`.
    pub async fn note_later_use(
        &self,
        key: &SessionKey,
        used: Generation,
        stolen: ActivityEntry,
    ) -> Result<bool, Problem> {
        self.tell(key, used, None, stolen).await
    }

    /// Records a theft once: a later token than the repeated one was `used`, or the record has
    /// counted more than `exchanged`.
    async fn tell(
        &self,
        key: &SessionKey,
        used: Generation,
        exchanged: Option<Generation>,
        stolen: ActivityEntry,
    ) -> Result<bool, Problem> {
        let is_later = match exchanged {
            Some(_) => "(reusedGeneration < :used OR generation > :exchanged)",
            None => "reusedGeneration < :used",
        };
        let mut record = self
            .update_in(key)
            .update_expression("SET isTold = :true")
            .condition_expression(format!(
                "endedBy = :reuse AND {is_later} AND attribute_not_exists(isTold)"
            ))
            .expression_attribute_values(":reuse", text(SessionEnd::Reuse.as_str()))
            .expression_attribute_values(":used", number(used.number()))
            .expression_attribute_values(":true", AttributeValue::Bool(true));
        if let Some(exchanged) = exchanged {
            record = record.expression_attribute_values(":exchanged", number(exchanged.number()));
        }
        let writes = vec![record.write()?, stolen.into_write()];
        transact(&self.client, writes, "note the theft").await
    }

    /// The sessions of a user that have neither ended nor outlived their tokens. A sign-out
    /// everywhere is in the guest's record instead.
    pub async fn list(&self, sub: &UserSub, now: Timestamp) -> Result<Vec<UserSession>, Problem> {
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .key_condition_expression("#sub = :sub")
            .filter_expression("attribute_not_exists(endedAt) AND expiresAt > :now")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":now", millis(now))
            .into_paginator()
            .items()
            .send();
        let mut sessions = Vec::new();
        while let Some(item) = pages.next().await {
            let item = item.map_err(failure("list the sessions"))?;
            sessions.push(read_session(&item)?);
        }
        Ok(sessions)
    }
}

/// The mark of a session of the public client.
const PUBLIC_CLIENT: &str = "publicClient";

/// Whether a record is of a session of the public client.
pub(crate) fn is_public_clients(item: &Item) -> bool {
    item.contains_key(PUBLIC_CLIENT)
}

/// Whether a record is of a session that has ended.
pub(crate) fn has_ended(item: &Item) -> bool {
    item.contains_key("endedAt")
}

/// The attributes of a new record.
const DESCRIBED: &[&str] = &[
    "lastUsedAt",
    "signedInAt",
    "#method",
    "device",
    "country",
    "expiresAt",
    "#ttl",
];

/// The names of [`DESCRIBED`] that DynamoDB reserves.
fn described_names() -> HashMap<String, String> {
    ["method", "ttl"]
        .map(|name| (format!("#{name}"), name.to_owned()))
        .into()
}

/// Sets the attributes, each to the value of its name. `kept` leaves existing ones unchanged.
fn set(attributes: &[&str], kept: bool) -> String {
    let assign = |attribute: &&str| {
        let value = attribute.trim_start_matches('#');
        if kept {
            format!("{attribute} = if_not_exists({attribute}, :{value})")
        } else {
            format!("{attribute} = :{value}")
        }
    };
    attributes.iter().map(assign).collect::<Vec<_>>().join(", ")
}

fn generation(item: &Item) -> Option<Generation> {
    let number = get_number(item, "generation")?;
    u32::try_from(number).ok().map(Generation::of_number)
}

/// The generation of the repeated token.
fn reused_generation(item: &Item) -> Option<Generation> {
    let number = get_number(item, "reusedGeneration")?;
    u32::try_from(number).ok().map(Generation::of_number)
}

/// A session that continues by its record.
fn goes_on(item: &Item, generation: Generation, session: &IssuedSession) -> Renewal {
    Renewal::GoesOn {
        generation,
        signed_in_at: get_millis(item, "signedInAt").unwrap_or(session.signed_in_at),
    }
}

fn is_ended_for_reuse(item: &Item) -> bool {
    get_text(item, "endedBy") == Some(SessionEnd::Reuse.as_str())
}

/// Reads the record of a session that goes on.
pub(crate) fn read_session(item: &Item) -> Result<UserSession, Problem> {
    read(item).ok_or_else(|| Problem::Internal(unreadable("a session's record does not read back")))
}

fn read(item: &Item) -> Option<UserSession> {
    Some(UserSession {
        id: SessionId::parse(get_text(item, "sessionId")?).ok()?,
        signed_in_at: get_millis(item, "signedInAt")?,
        last_used_at: get_millis(item, "lastUsedAt")?,
        origin: SessionOrigin {
            method: SignInMethod::named(get_text(item, "method")?)?,
            device: ClientName::stored(get_text(item, "device")?),
            country: get_text(item, "country").and_then(Country::parse),
        },
        is_public_clients: is_public_clients(item),
    })
}
