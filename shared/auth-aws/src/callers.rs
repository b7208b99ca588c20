//! Callers whose tokens are still accepted. Guest and session are read together.

use auth_domain::{Caller, Guest, Problem, SessionId, UserSession};
use aws_sdk_dynamodb::Client;

use crate::{
    ConfigurationError, Platform,
    batches::read_batch,
    clients::dynamodb,
    guest_items::{guest_key, read_guest},
    guests_table::GuestsTable,
    items::{Item, get_millis, get_text, text},
    user_sessions::{has_ended, is_public_clients, read_session},
};

/// The tables of guests and of sessions, for callers.
#[derive(Clone)]
pub struct Callers {
    client: Client,
    guests: GuestsTable,
    sessions: String,
}

/// The record of a caller's session.
#[derive(Clone, Debug)]
pub enum SessionRecord {
    /// There is none.
    Missing,
    /// A sign-in by an operation made it.
    Operations,
    /// It is of the public app client.
    Public(UserSession),
}

/// A session of a caller's guest that has a record.
#[derive(Clone, Copy, Debug)]
pub struct RecordedSession {
    /// Whether it is of the public app client, which renews its tokens at Cognito.
    pub is_public_clients: bool,
}

/// A caller whose token is accepted.
struct Accepted {
    guest: Guest,
    /// The records that were read with the guest.
    sessions: Vec<Item>,
}

impl Callers {
    /// Callers by the tables that `GUESTS_TABLE_NAME` and `USER_SESSIONS_TABLE_NAME` name.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            guests: GuestsTable::new(platform)?,
            sessions: environment.text("USER_SESSIONS_TABLE_NAME")?.to_owned(),
        })
    }

    /// The guest of a caller whose session has not ended, and who has not signed out everywhere
    /// since. One consistent read of both items. A session without a record is older than session
    /// records, or is the public client's and not recorded yet.
    pub async fn find(&self, caller: &Caller) -> Result<Guest, Problem> {
        Ok(self.staying(caller, None).await?.guest)
    }

    /// The same, but the guest may be under deletion.
    pub async fn find_or_leaving(&self, caller: &Caller) -> Result<Guest, Problem> {
        Ok(self.accepted(caller, None).await?.guest)
    }

    /// As [`Callers::find`], and the record of the caller's session.
    pub async fn find_recorded(&self, caller: &Caller) -> Result<(Guest, SessionRecord), Problem> {
        let Accepted { guest, sessions } = self.staying(caller, None).await?;
        let record = match sessions.first() {
            None => SessionRecord::Missing,
            Some(record) if is_public_clients(record) => {
                SessionRecord::Public(read_session(record)?)
            }
            Some(_) => SessionRecord::Operations,
        };
        Ok((guest, record))
    }

    /// As [`Callers::find`], and the guest's session `id` if it has a record. The same read has
    /// both.
    pub async fn find_with(
        &self,
        caller: &Caller,
        id: &SessionId,
    ) -> Result<(Guest, Option<RecordedSession>), Problem> {
        let Accepted { guest, sessions } = self.staying(caller, Some(id)).await?;
        let session = record_of(&sessions, id).map(|record| RecordedSession {
            is_public_clients: is_public_clients(record),
        });
        Ok((guest, session))
    }

    async fn staying(
        &self,
        caller: &Caller,
        also: Option<&SessionId>,
    ) -> Result<Accepted, Problem> {
        let accepted = self.accepted(caller, also).await?;
        if accepted.guest.is_leaving {
            return Err(Problem::AuthRequired);
        }
        Ok(accepted)
    }

    async fn accepted(
        &self,
        caller: &Caller,
        also: Option<&SessionId>,
    ) -> Result<Accepted, Problem> {
        let (guest, sessions) = self.read(caller, also).await?;
        let own = caller.session.as_ref();
        let record = own.and_then(|own| record_of(&sessions, own));
        // A refreshed token knows its session's beginning only to the second, and the record may
        // come from one. The later instant is the exact one.
        let begun = record
            .and_then(|record| get_millis(record, "signedInAt"))
            .map_or(caller.signed_in_at, |kept| kept.max(caller.signed_in_at));
        let is_over = record.is_some_and(has_ended);
        let guest = guest.as_ref().map(read_guest).transpose()?;
        let guest = guest.filter(|guest| !is_over && !guest.has_signed_out_since(begun, own));
        Ok(Accepted {
            guest: guest.ok_or(Problem::AuthRequired)?,
            sessions,
        })
    }

    /// The guest, and the records of the caller's session and of another one.
    async fn read(
        &self,
        caller: &Caller,
        also: Option<&SessionId>,
    ) -> Result<(Option<Item>, Vec<Item>), Problem> {
        let guest = GuestsTable::key(guest_key(&caller.sub));
        let own = caller.session.as_ref();
        // A batch must not name an item twice.
        let also = also.filter(|also| own != Some(*also));
        let sessions: Vec<Item> = own
            .into_iter()
            .chain(also)
            .map(|session| {
                Item::from([
                    ("sub".to_owned(), text(caller.sub.as_str())),
                    ("sessionId".to_owned(), text(session.as_str())),
                ])
            })
            .collect();
        let sessions = (!sessions.is_empty()).then_some((self.sessions.as_str(), sessions));
        let keys = [(self.guests.name(), vec![guest])]
            .into_iter()
            .chain(sessions);
        let mut found = read_batch(&self.client, keys, "read guest and session").await?;
        let guest = found
            .remove(self.guests.name())
            .and_then(|mut items| items.pop());
        Ok((guest, found.remove(&self.sessions).unwrap_or_default()))
    }
}

fn record_of<'items>(sessions: &'items [Item], id: &SessionId) -> Option<&'items Item> {
    let mut sessions = sessions.iter();
    sessions.find(|record| get_text(record, "sessionId") == Some(id.as_str()))
}
