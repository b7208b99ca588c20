//! A request's context: the pool, the app client, and the form of the API.

use serde::Deserialize;

use crate::app_client::AppClient;
use crate::limits::Counted;
use crate::options::EarlierCodes;
use crate::pool::Pool;
use crate::refusal::Refusal;
use crate::service::Service;
use crate::session::{self, Door, Session, Step};
use crate::user::User;

/// `ContextData` of the Admin form, or `UserContextData` of the public one: the person's address.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Context {
    ip_address: Option<String>,
}

/// The address of a request of the Admin form that names none: the calling server's own.
const SERVER: &str = "server";

/// The address of every caller of the public form: callers reach a stand-in on loopback.
const LOOPBACK: &str = "127.0.0.1";

/// A sign-in's context: the pool, the app client, and the form of the API.
pub(crate) struct Place {
    pub(crate) pool: Pool,
    pub(crate) client: AppClient,
    pub(crate) door: Door,
}

impl Place {
    /// The app client, and its pool; the Admin form names the pool too, and the two must belong
    /// together.
    pub(crate) fn find(
        service: &Service,
        door: Door,
        pool_id: Option<&str>,
        client_id: &str,
    ) -> Result<Self, Refusal> {
        service.store.read(|connection| {
            let (pool, client) = if let Some(pool_id) = pool_id {
                let pool = Pool::find(connection, pool_id)?;
                let client = AppClient::of_pool(connection, pool_id, client_id)?;
                (pool, client)
            } else {
                let client = AppClient::find(connection, client_id)?;
                (Pool::find(connection, &client.pool)?, client)
            };
            Ok(Self { pool, client, door })
        })
    }

    /// Counts a mail with a sign-in code against the hourly limit of its address and requester. A
    /// request of the Admin form names the requester. A request of the public form does too, if the
    /// client has a secret and the permission (`EnablePropagateAdditionalUserContextData`).
    pub(crate) fn count_code(
        &self,
        service: &Service,
        user: Option<&User>,
        typed: &str,
        context: Option<&Context>,
    ) -> Result<(), Refusal> {
        let named = context.and_then(|context| context.ip_address.as_deref());
        let requester = match self.door {
            Door::Admin => named.unwrap_or(SERVER),
            Door::Public => named
                .filter(|_| self.client.takes_context())
                .unwrap_or(LOOPBACK),
        };
        let folded = self.pool.settings.folded(typed);
        let name = user.map_or(folded.as_str(), |user| &user.username);
        Counted::SignInCode.count(service, &self.pool, &format!("{name} {requester}"))
    }

    /// Counts a call against the user's hourly limit, or against the typed name's if no user has
    /// it.
    pub(crate) fn count(
        &self,
        service: &Service,
        what: Counted,
        user: Option<&User>,
        typed: &str,
    ) -> Result<(), Refusal> {
        let folded = self.pool.settings.folded(typed);
        let name = user.map_or(folded.as_str(), |user| &user.username);
        what.count(service, &self.pool, name)
    }

    /// Keeps a session for the next step and returns its text.
    pub(crate) fn open_session(
        &self,
        service: &Service,
        typed: &str,
        username: Option<&str>,
        step: Step,
    ) -> Result<String, Refusal> {
        let now = service.now();
        let session = Session {
            pool: self.pool.id.clone(),
            client: self.client.id.clone(),
            door: self.door,
            typed: typed.to_owned(),
            username: username.map(str::to_owned),
            step,
            expires: now + self.client.settings.auth_session_validity * 60_000,
        };
        service.store.change(now, |transaction| {
            if let (Step::EmailOtp { .. }, Some(username), EarlierCodes::Superseded) =
                (&session.step, username, service.earlier_codes())
            {
                session::supersede_codes(transaction, &self.pool.id, username)?;
            }
            session.save(transaction, &service.session_key, service.random())
        })
    }
}
