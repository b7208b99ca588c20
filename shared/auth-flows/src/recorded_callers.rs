//! Callers whose sessions are on the guest's list: a session of the public app client is recorded
//! by the first request that asks for the guest or the list.
//!
//! If that write fails, the request goes on. The session works without a record, and the next
//! request makes it. Until then it is not listed, and ends with all others.

use auth_aws::{
    Callers, ConfigurationError, IssuedSession, Platform, PublicSessions, SessionRecord,
};
use auth_domain::{
    Activity, ActivityKind, Clock, Guest, Problem, Report, SessionOrigin, SignInMethod, UserSession,
};
use auth_lambda::Exchange;

use crate::Activities;

/// Finds callers, and records their sessions.
#[derive(Clone)]
pub struct RecordedCallers {
    callers: Callers,
    public: PublicSessions,
    activities: Activities,
    clock: Clock,
}

impl RecordedCallers {
    /// Callers and sessions in the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            callers: Callers::new(platform)?,
            public: PublicSessions::new(platform)?,
            activities: Activities::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// The caller's guest, as [`Callers::find`] has it, and the session if it is the public
    /// client's and has a record now. A list that is read beside may lack it.
    pub async fn find(&self, exchange: &Exchange) -> Result<(Guest, Option<UserSession>), Problem> {
        let caller = exchange.caller()?;
        let (guest, record) = self.callers.find_recorded(caller).await?;
        match record {
            SessionRecord::Missing => {}
            SessionRecord::Operations => return Ok((guest, None)),
            SessionRecord::Public(session) => return Ok((guest, Some(session))),
        }
        let Some(session) = self.public.of(caller) else {
            return Ok((guest, None));
        };
        match self.record(&session, &guest, exchange).await {
            Ok(Some(recorded)) => Ok((guest, Some(recorded))),
            Ok(None) => Err(Problem::AuthRequired),
            Err(problem) => {
                let error = problem.report().map(Report::chain);
                tracing::warn!(error, "a session of the public client has no record yet");
                Ok((guest, None))
            }
        }
    }

    /// Cognito's tokens do not tell how the guest signed in.
    async fn record(
        &self,
        session: &IssuedSession,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<Option<UserSession>, Problem> {
        let origin = SessionOrigin {
            method: SignInMethod::Unknown,
            device: exchange.client_name(),
            country: exchange.country(),
        };
        let (sub, guest_id) = (&guest.cognito_sub, &guest.guest_id);
        let (kind, begun) = (ActivityKind::SignedIn, session.signed_in_at);
        let entry = self.activities.write_of(&Activity {
            method: Some(origin.method),
            ..self
                .activities
                .event_at(sub, guest_id, kind, begun, exchange)
        })?;
        let now = self.clock.now();
        self.public.record(session, &origin, entry, now).await
    }
}
