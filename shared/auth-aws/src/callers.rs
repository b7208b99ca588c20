//! Callers whose tokens are still accepted. Guest and session are read together.

use auth_domain::{Caller, Guest, Problem};
use aws_sdk_dynamodb::Client;

use crate::{
    ConfigurationError, Platform,
    batches::read_batch,
    clients::dynamodb,
    guest_items::{KEY, guest_key, read_guest},
    items::{Item, get_millis, text},
};

/// The tables of guests and of sessions, for callers.
#[derive(Clone)]
pub struct Callers {
    client: Client,
    guests: String,
    sessions: String,
}

impl Callers {
    /// Callers by the tables that `GUESTS_TABLE_NAME` and `USER_SESSIONS_TABLE_NAME` name.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            client: dynamodb(platform)?,
            guests: environment.text("GUESTS_TABLE_NAME")?.to_owned(),
            sessions: environment.text("USER_SESSIONS_TABLE_NAME")?.to_owned(),
        })
    }

    /// The guest of a caller whose session has not ended, and who has not signed out everywhere
    /// since. One consistent read of both items. A session without a record is older than session
    /// records, or belongs to the public client.
    pub async fn find(&self, caller: &Caller) -> Result<Guest, Problem> {
        let guest = self.find_or_leaving(caller).await?;
        if guest.is_leaving {
            return Err(Problem::AuthRequired);
        }
        Ok(guest)
    }

    /// The same, but the guest may be under deletion.
    pub async fn find_or_leaving(&self, caller: &Caller) -> Result<Guest, Problem> {
        let (guest, session) = self.read(caller).await?;
        // A refreshed token knows its session's beginning only to the second, and the record may
        // come from one. The later instant is the exact one.
        let begun = session
            .as_ref()
            .and_then(|session| get_millis(session, "signedInAt"))
            .map_or(caller.signed_in_at, |kept| kept.max(caller.signed_in_at));
        let has_ended = session.is_some_and(|session| session.contains_key("endedAt"));
        let guest = guest.as_ref().map(read_guest).transpose()?;
        guest
            .filter(|guest| {
                !has_ended && !guest.has_signed_out_since(begun, caller.session.as_ref())
            })
            .ok_or(Problem::AuthRequired)
    }

    async fn read(&self, caller: &Caller) -> Result<(Option<Item>, Option<Item>), Problem> {
        let guest = Item::from([(KEY.to_owned(), guest_key(&caller.sub))]);
        let session = caller.session.as_ref().map(|session| {
            Item::from([
                ("sub".to_owned(), text(caller.sub.as_str())),
                ("sessionId".to_owned(), text(session.as_str())),
            ])
        });
        let session = session.map(|key| (self.sessions.as_str(), vec![key]));
        let keys = [(self.guests.as_str(), vec![guest])]
            .into_iter()
            .chain(session);
        let mut found = read_batch(&self.client, keys, "read guest and session").await?;
        let mut one = |table: &str| found.remove(table).and_then(|mut items| items.pop());
        Ok((one(&self.guests), one(&self.sessions)))
    }
}
