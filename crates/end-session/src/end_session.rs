//! The decision: end the session, at Cognito too if it is the public client's, and clear the
//! browser's cookie if it is the caller's own.

use auth_aws::RecordedSession;
use auth_domain::{Activity, ActivityKind, Guest, Problem, SessionId, SessionKey};
use auth_lambda::{Exchange, SetCookie};

use crate::EndSession;

impl EndSession {
    /// Ends a session of the caller's guest. Another guest's session gets the answer of an unknown
    /// one.
    pub(crate) async fn end(&self, id: SessionId, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let (guest, session) = self.callers.find_with(caller, &id).await?;
        let session = session.ok_or(Problem::NotFound)?;
        if caller.session.as_ref() == Some(&id) {
            self.end_at_cognito(session, &guest).await?;
            self.end_here(id, &guest, exchange).await?;
            exchange.set_cookie(SetCookie::no_refresh_token());
        } else {
            self.end_here(id, &guest, exchange).await?;
            self.end_at_cognito(session, &guest).await?;
        }
        Ok(())
    }

    async fn end_here(
        &self,
        id: SessionId,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let sub = guest.cognito_sub.clone();
        let key = SessionKey { sub, id };
        let entry = self.activities.write_of(&Activity {
            session: Some(key.id.clone()),
            ..self
                .activities
                .event(guest, ActivityKind::SessionEnded, exchange)
        })?;
        let now = self.clock.now();
        if self.sessions.end_listed(&key, entry, now).await? {
            Ok(())
        } else {
            Err(Problem::NotFound)
        }
    }

    async fn end_at_cognito(&self, session: RecordedSession, guest: &Guest) -> Result<(), Problem> {
        if session.is_public_clients {
            self.users.sign_out(&guest.cognito_sub).await?;
        }
        Ok(())
    }
}
