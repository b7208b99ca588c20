//! The records of new sessions.

use auth_aws::{ConfigurationError, IssuedSession, Platform, Secrets, UserSessions};
use auth_domain::{
    Activity, ActivityKind, Clock, Guest, Problem, SessionEnd, SessionOrigin, SignInMethod, Tokens,
};
use auth_lambda::Exchange;
use tokio::try_join;

use crate::Activities;

/// Records sessions.
#[derive(Clone)]
pub struct SessionRecords {
    sessions: UserSessions,
    secrets: Secrets,
    activities: Activities,
    clock: Clock,
}

impl SessionRecords {
    /// Records in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            sessions: UserSessions::new(platform)?,
            secrets: Secrets::new(platform)?,
            activities: Activities::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Records the session of a guest's sign-in, and marks its refresh token as the session's
    /// first. Tokens leave only if their session has a record.
    pub async fn begin(
        &self,
        session: &IssuedSession,
        tokens: Tokens,
        guest: &Guest,
        method: SignInMethod,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let method = if exchange.is_from_agent() {
            SignInMethod::Agent
        } else {
            method
        };
        let origin = SessionOrigin {
            method,
            device: exchange.client_name(),
            country: exchange.country(),
        };
        let entry = self.activities.write_of(&Activity {
            method: Some(method),
            session: Some(session.key.id.clone()),
            ..self
                .activities
                .event(guest, ActivityKind::SignedIn, exchange)
        })?;
        let now = self.clock.now();
        let (family, secrets) = try_join!(
            self.sessions.begin(session, &origin, entry, now),
            self.secrets.get()
        )?;
        let refresh_token = tokens.refresh_token.as_ref();
        Ok(Tokens {
            refresh_token: refresh_token.map(|token| family.mark(token, secrets.keys())),
            ..tokens
        })
    }

    /// Ends the record of a session whose tokens do not leave. If that fails, the session stays on
    /// the guest's list until it expires, but no client has its tokens.
    pub async fn take_back(
        &self,
        tokens: &Tokens,
        guest: &Guest,
        method: SignInMethod,
        exchange: &Exchange,
    ) {
        let ending = async {
            let session = IssuedSession::of(&tokens.access_token)?;
            let entry = self.activities.write_of(&Activity {
                method: Some(method),
                session: Some(session.key.id.clone()),
                ..self
                    .activities
                    .event(guest, ActivityKind::SignInRefused, exchange)
            })?;
            let (by, now) = (SessionEnd::FailedSignIn, self.clock.now());
            self.sessions.end(&session.key, by, Some(entry), now).await
        };
        if ending.await.is_err() {
            tracing::warn!("the record of a session that failed to begin could not be ended");
        }
    }
}
