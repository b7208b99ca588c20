//! The table of activity: the events of each guest's account, under the user's sub.
//!
//! If a write causes an event, one transaction writes both: [`ActivityLog::entry`] makes the
//! event's part. Items never change, so the table's stream has each event once.

use std::time::Duration;

use auth_domain::{
    Activity, ActivityId, ActivityKind, ActivityWish, Actor, ClientName, Country, GuestId, Problem,
    Report, SessionId, SignInMethod, Timestamp, UserSub,
};
use aws_sdk_dynamodb::{
    Client,
    types::{Put, TransactWriteItem},
};
use serde::Serialize;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    clients::dynamodb,
    failure::failure,
    items::{Item, get_millis, get_text, millis, number, text, unreadable},
};

/// The table of activity.
#[derive(Clone)]
pub struct ActivityLog {
    client: Client,
    table: String,
    kept: Duration,
}

/// An event as a part of the transaction that it reports.
#[derive(Clone, Debug)]
pub struct ActivityEntry(TransactWriteItem);

impl ActivityEntry {
    pub(crate) fn into_write(self) -> TransactWriteItem {
        self.0
    }
}

/// A part of a guest's activity.
#[derive(Clone, Debug, Serialize)]
pub struct ActivityPage {
    /// The events, the newest first.
    pub events: Vec<Activity>,
    /// The start of the next page, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<ActivityId>,
}

impl ActivityLog {
    /// Events in the table that `ACTIVITY_TABLE_NAME` names, each kept for `ACTIVITY_DAYS`.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            table: environment.text("ACTIVITY_TABLE_NAME")?.to_owned(),
            kept: environment.activity_kept()?,
        })
    }

    /// An event, to be written in one transaction with the write that it reports.
    pub fn entry(&self, activity: &Activity) -> Result<ActivityEntry, Problem> {
        let put = Put::builder()
            .table_name(&self.table)
            .set_item(Some(self.item(activity)))
            .build()
            .map_err(|error| Problem::Internal(Report::new("describe the event", error)))?;
        Ok(ActivityEntry(TransactWriteItem::builder().put(put).build()))
    }

    /// Writes an event on its own, without another write.
    pub async fn write(&self, activity: &Activity) -> Result<(), Problem> {
        self.client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(self.item(activity)))
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("note the event"))
            .map_err(Problem::from)
    }

    /// The events of a user before `before`, the newest first, at most `limit`.
    pub async fn page(
        &self,
        sub: &UserSub,
        wish: &ActivityWish,
        now: Timestamp,
    ) -> Result<ActivityPage, Problem> {
        let newest = ActivityId::first_of(now.after(Duration::from_millis(1)));
        let oldest = ActivityId::first_of(now.before(self.kept));
        let most = usize::try_from(wish.limit).unwrap_or(usize::MAX);
        let before = wish.before.as_ref().unwrap_or(&newest);
        if *before <= oldest {
            return Ok(ActivityPage {
                events: Vec::new(),
                before: None,
            });
        }
        // One more item shows whether another page exists. The query also returns `before`, which
        // is dropped.
        let asked = i32::try_from(wish.limit)
            .unwrap_or(i32::MAX)
            .saturating_add(2);
        let answer = self
            .client
            .query()
            .table_name(&self.table)
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(asked)
            .key_condition_expression("#sub = :sub AND eventId BETWEEN :oldest AND :before")
            .expression_attribute_names("#sub", "sub")
            .expression_attribute_values(":sub", text(sub.as_str()))
            .expression_attribute_values(":oldest", text(oldest.as_str()))
            .expression_attribute_values(":before", text(before.as_str()))
            .send()
            .boxed()
            .await
            .map_err(failure("list the activity"))?;
        let events = answer
            .items()
            .iter()
            .filter(|item| get_text(item, "eventId") != Some(before.as_str()))
            .map(|item| {
                read(item)
                    .ok_or_else(|| Problem::Internal(unreadable("an event does not read back")))
            })
            .collect::<Result<Vec<Activity>, Problem>>()?;
        let has_more = events.len() > most;
        let events: Vec<Activity> = events.into_iter().take(most).collect();
        let last = events.last().map(|event| event.id.clone());
        Ok(ActivityPage {
            before: last.filter(|_| has_more),
            events,
        })
    }

    fn item(&self, activity: &Activity) -> Item {
        let Activity {
            id,
            at,
            sub,
            guest_id,
            kind,
            by,
            method,
            device,
            country,
            session,
        } = activity;
        let mut item = Item::from([
            ("sub".to_owned(), text(sub.as_str())),
            ("eventId".to_owned(), text(id.as_str())),
            ("at".to_owned(), millis(*at)),
            ("guestId".to_owned(), text(guest_id.as_str())),
            ("type".to_owned(), text(kind.as_str())),
            ("by".to_owned(), text(by.as_str())),
            (
                "ttl".to_owned(),
                number(activity.until(self.kept).as_seconds()),
            ),
        ]);
        let optional = [
            ("method", method.map(SignInMethod::as_str)),
            ("device", device.as_ref().map(ClientName::as_str)),
            ("country", country.as_ref().map(Country::as_str)),
            ("sessionId", session.as_ref().map(SessionId::as_str)),
        ];
        if let Some(event) = kind.event() {
            item.insert("event".to_owned(), text(event));
            item.insert("happenedAt".to_owned(), text(at.to_string()));
        }
        for (name, value) in optional {
            if let Some(value) = value {
                item.insert(name.to_owned(), text(value));
            }
        }
        item
    }
}

fn read(item: &Item) -> Option<Activity> {
    let method = get_text(item, "method").map(|name| SignInMethod::named(name).ok_or(()));
    let session = get_text(item, "sessionId").map(SessionId::parse);
    Some(Activity {
        id: ActivityId::parse(get_text(item, "eventId")?).ok()?,
        at: get_millis(item, "at")?,
        sub: UserSub::parse(get_text(item, "sub")?).ok()?,
        guest_id: GuestId::parse(get_text(item, "guestId")?).ok()?,
        kind: ActivityKind::named(get_text(item, "type")?)?,
        by: Actor::named(get_text(item, "by")?)?,
        method: method.transpose().ok()?,
        device: get_text(item, "device").map(ClientName::stored),
        country: get_text(item, "country").and_then(Country::parse),
        session: session.transpose().ok()?,
    })
}
