//! Sessions of the public app client. Their sign-ins pass no operation, so a record is made when
//! their tokens first come.

use auth_domain::{Caller, Problem, SessionOrigin, Timestamp, UserSession};

use crate::{
    ActivityEntry, ConfigurationError, IssuedSession, Platform, UserSessions,
    guest_items::guest_key,
    guests_table::{EXISTS, GuestsTable},
    transactions::{Transacted, Write},
    user_sessions::{has_ended, read_session},
};

/// Records sessions of the public client.
#[derive(Clone)]
pub struct PublicSessions {
    guests: GuestsTable,
    sessions: UserSessions,
    /// The operations' own app client.
    own_client: String,
}

impl PublicSessions {
    /// Sessions in the table that the environment names, of clients other than `COGNITO_CLIENT_ID`.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        Ok(Self {
            guests: GuestsTable::new(platform)?,
            sessions: UserSessions::new(platform)?,
            own_client: environment.text("COGNITO_CLIENT_ID")?.to_owned(),
        })
    }

    /// The caller's session, if it is the public client's.
    #[must_use]
    pub fn of(&self, caller: &Caller) -> Option<IssuedSession> {
        IssuedSession::of_caller(caller).filter(|_| !caller.is_of_client(&self.own_client))
    }

    /// Records a session, with `entry` in the guest's activity, unless it has a record. One
    /// transaction decides between parallel requests, and the record that won is returned. `None`
    /// if the session has ended, or its guest is being deleted: a deletion leaves no record.
    pub async fn record(
        &self,
        session: &IssuedSession,
        origin: &SessionOrigin,
        entry: ActivityEntry,
        now: Timestamp,
    ) -> Result<Option<UserSession>, Problem> {
        let stays = self
            .guests
            .check_in(guest_key(&session.key.sub))
            .condition_expression(format!("{EXISTS} AND attribute_not_exists(leavingSince)"));
        let writes = vec![
            self.sessions.public_record(session, origin, now)?,
            stays.write()?,
            entry.into_write(),
        ];
        let recorded = self.guests.transact_or_look(writes, "record the session");
        match recorded.await? {
            Transacted::Made => Ok(Some(UserSession {
                id: session.key.id.clone(),
                signed_in_at: session.signed_in_at,
                last_used_at: now,
                origin: origin.clone(),
                is_public_clients: true,
            })),
            Transacted::Refused(Some(record)) if !has_ended(&record) => {
                read_session(&record).map(Some)
            }
            Transacted::Refused(_) => Ok(None),
        }
    }
}
