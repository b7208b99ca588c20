//! The decision: which tokens stop working.

use auth_domain::{Problem, RefreshToken};
use auth_lambda::{Exchange, Fields, SetCookie};
use tokio::try_join;

use crate::LogoutUser;

impl LogoutUser {
    /// Ends the session of a refresh token. Its holder may end it, so it is not compared with the
    /// caller.
    pub(crate) async fn end_one(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        let refresh_token = match in_body {
            Some(refresh_token) => Some(refresh_token),
            None => match exchange.refresh_token_cookie(&self.front_end) {
                Ok(Some(refresh_token)) => Some(refresh_token),
                Ok(None) => return Err(Fields::missing("refreshToken")),
                // What cannot be a refresh token is as good as revoked: only the cookie is left to
                // clear.
                Err(Problem::InvalidRefreshToken(_)) => None,
                Err(problem) => return Err(problem),
            },
        };
        let revoke = async {
            match &refresh_token {
                Some(refresh_token) => self.token_service.revoke(refresh_token).await,
                None => Ok(()),
            }
        };
        try_join!(self.guests.find_caller(caller), revoke)?;
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }

    /// Ends every session of the guest.
    pub(crate) async fn end_all(&self, exchange: &Exchange) -> Result<(), Problem> {
        let caller = exchange.caller()?;
        self.guests.find_caller(caller).await?;
        self.sessions.end_all(&caller.sub).await?;
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }
}
