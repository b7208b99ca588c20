//! The decision: take the token from the body or the cookie, renew it, and return the new one the
//! same way.

use auth_domain::{Problem, RefreshRefusal, RefreshToken, TokenDelivery};
use auth_lambda::{Exchange, IssuedTokens, SetCookie};

use crate::{Refresh, Refreshed};

impl Refresh {
    pub(crate) async fn refresh(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<Refreshed, Problem> {
        let delivery = match in_body {
            Some(_) => TokenDelivery::Body,
            None => TokenDelivery::Cookie,
        };
        let renewed = self.presented(in_body, exchange, delivery).await;
        if let Err(Problem::InvalidRefreshToken(refusal)) = &renewed
            && delivery == TokenDelivery::Cookie
            && is_of_no_newer_session(*refusal)
        {
            exchange.set_cookie(SetCookie::no_refresh_token());
        }
        renewed
    }

    /// The renewed token of the request. Without a token there is no session: this answer tells a
    /// browser without its cookie.
    async fn presented(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
        delivery: TokenDelivery,
    ) -> Result<Refreshed, Problem> {
        let presented = match in_body {
            Some(token) => token,
            None => exchange
                .refresh_token_cookie(&self.front_end)?
                .ok_or(Problem::AuthRequired)?,
        };
        let (tokens, user) = self.refreshes.renew(&presented, exchange).await?;
        let tokens = exchange.deliver(tokens, delivery, self.cookie_lifetime);
        Ok(Refreshed {
            tokens: IssuedTokens::new(tokens),
            user,
        })
    }
}

/// Whether the cookie can be cleared. The browser may already have a newer one, from a faster tab
/// or a new sign-in: the answer to an old one must not clear that.
fn is_of_no_newer_session(refusal: RefreshRefusal) -> bool {
    match refusal {
        RefreshRefusal::Reused | RefreshRefusal::Revoked => false,
        RefreshRefusal::Expired | RefreshRefusal::Invalid => true,
    }
}
