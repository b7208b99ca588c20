//! The decision: which tokens stop working.

use auth_domain::{Caller, PresentedToken, Problem, RefreshToken, SessionEnd, SessionKey};
use auth_lambda::{Exchange, SetCookie};
use tokio::{join, try_join};

use crate::LogoutUser;

impl LogoutUser {
    /// Ends the caller's session, and the one that a refresh token belongs to. Its holder
    /// may end it, so it is not compared with the caller.
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
                // What cannot be a refresh token is as good as revoked: only the cookie is left to
                // clear.
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
            self.revoke(refresh_token.as_ref(), own.as_ref())
        );
        found?;
        revoked?;
        self.end_at_cognito(caller).await?;
        if let Some(own) = &own {
            let now = self.clock.now();
            self.user_sessions.end(own, SessionEnd::Guest, now).await?;
        }
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }

    /// Revokes a refresh token, and ends the session that its mark names, unless it is the caller's
    /// `own`. One whose mark does not hold is as good as revoked.
    async fn revoke(
        &self,
        refresh_token: Option<&RefreshToken>,
        own: Option<&SessionKey>,
    ) -> Result<(), Problem> {
        let Some(refresh_token) = refresh_token else {
            return Ok(());
        };
        let secrets = self.secrets.get().await?;
        let Ok(PresentedToken { token, family }) =
            PresentedToken::read(refresh_token, secrets.keys())
        else {
            return Ok(());
        };
        let another = family
            .map(|family| family.session)
            .filter(|session| Some(session) != own);
        let ending = async {
            match &another {
                Some(session) => {
                    let now = self.clock.now();
                    self.user_sessions
                        .end(session, SessionEnd::Guest, now)
                        .await
                }
                None => Ok(()),
            }
        };
        try_join!(self.token_service.revoke(&token), ending)?;
        Ok(())
    }

    /// Signs the user of another app client out at Cognito, which refreshes that client's tokens
    /// past us, and knows no way to end one session of them.
    async fn end_at_cognito(&self, caller: &Caller) -> Result<(), Problem> {
        match &caller.client_id {
            Some(client_id) if *client_id != self.client_id => {
                self.users.sign_out(&caller.sub).await
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Ends every session of the guest.
    pub(crate) async fn end_all(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        self.callers.find(caller).await?;
        self.sessions.end_all(&caller.sub).await?;
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }
}
