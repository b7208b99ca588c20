//! The decision: end the session, and clear the browser's cookie if it is the caller's own.

use auth_domain::{Activity, ActivityKind, Guest, Problem, SessionId, SessionKey, UserSub};
use auth_lambda::{Exchange, SetCookie};

use crate::EndSession;

impl EndSession {
    /// Ends a session of the caller's guest. Another guest's session gets the answer of an unknown
    /// one.
    pub(crate) async fn end(&self, id: SessionId, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let (guest, is_public_clients) = self.callers.find_with(caller, &id).await?;
        let is_current = caller.session.as_ref() == Some(&id);
        let sub = &caller.sub;
        if is_current {
            self.end_at_cognito(sub, is_public_clients).await?;
            self.end_here(sub, id, &guest, exchange).await?;
            exchange.set_cookie(SetCookie::no_refresh_token());
        } else {
            self.end_here(sub, id, &guest, exchange).await?;
            self.end_at_cognito(sub, is_public_clients).await?;
        }
        Ok(())
    }

    async fn end_here(
        &self,
        sub: &UserSub,
        id: SessionId,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let sub = sub.clone();
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

    async fn end_at_cognito(&self, sub: &UserSub, is_public_clients: bool) -> Result<(), Problem> {
        if is_public_clients {
            self.users.sign_out(sub).await?;
        }
        Ok(())
    }
}
