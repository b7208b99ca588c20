//! The decision: end one session of the guest, or all.

use auth_domain::{
    Activity, ActivityKind, Caller, Guest, PresentedToken, Problem, RefreshToken, SessionEnd,
    SessionKey,
};
use auth_lambda::{Exchange, SetCookie};
use tokio::join;

use crate::LogoutUser;

impl LogoutUser {
    /// Ends the caller's session, and the session of a refresh token. The token's holder may end
    /// it, so its session is not compared with the caller's.
    pub(crate) async fn end_one(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let refresh_token = match in_body {
            Some(refresh_token) => Some(refresh_token),
            None => match exchange.refresh_token_cookie(&self.front_end) {
                Ok(refresh_token) => refresh_token,
                // A text that cannot be a refresh token counts as revoked: only the cookie remains
                // to be cleared.
                Err(Problem::InvalidRefreshToken(_)) => None,
                Err(problem) => return Err(problem),
            },
        };
        let own = caller.session.clone().map(|id| SessionKey {
            sub: caller.sub.clone(),
            id,
        });
        let (found, revoked) = join!(
            self.callers.find(caller),
            self.revoke(refresh_token.as_ref())
        );
        if let Ok(Some(another)) = &revoked
            && Some(another) != own.as_ref()
        {
            self.end(another, found.as_ref().ok(), exchange).await?;
        }
        let guest = found?;
        revoked?;
        self.end_at_cognito(caller).await?;
        if let Some(own) = &own {
            self.end(own, Some(&guest), exchange).await?;
        }
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }

    /// Revokes a refresh token, and returns the session in its mark. A token with an invalid mark
    /// counts as revoked.
    async fn revoke(
        &self,
        refresh_token: Option<&RefreshToken>,
    ) -> Result<Option<SessionKey>, Problem> {
        let Some(refresh_token) = refresh_token else {
            return Ok(None);
        };
        let secrets = self.secrets.get().await?;
        let Ok(PresentedToken { token, family }) =
            PresentedToken::read(refresh_token, secrets.keys())
        else {
            return Ok(None);
        };
        self.token_service.revoke(&token).await?;
        Ok(family.map(|family| family.session))
    }

    /// Ends a session. If it is the caller's, the guest's activity records it.
    async fn end(
        &self,
        session: &SessionKey,
        guest: Option<&Guest>,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let owner = guest.filter(|guest| guest.cognito_sub == session.sub);
        let entry = owner.map(|guest| {
            self.activities.write_of(&Activity {
                session: Some(session.id.clone()),
                ..self
                    .activities
                    .event(guest, ActivityKind::SessionEnded, exchange)
            })
        });
        let (by, now) = (SessionEnd::Guest, self.clock.now());
        self.user_sessions
            .end(session, by, entry.transpose()?, now)
            .await
    }

    /// Signs the user of another app client out at Cognito. That client refreshes its tokens
    /// without Latchkey, and cannot end a single session of them.
    async fn end_at_cognito(&self, caller: &Caller) -> Result<(), Problem> {
        if caller.is_of_client(&self.client_id) {
            Ok(())
        } else {
            self.users.sign_out(&caller.sub).await
        }
    }

    /// Ends every session of the guest.
    pub(crate) async fn end_all(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        self.sessions.end_all(&guest, exchange).await?;
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }
}
