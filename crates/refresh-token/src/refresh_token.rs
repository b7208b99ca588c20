//! The decision: take the token from where it is, exchange it, and give the new one back the same
//! way.

use auth_domain::{Problem, RefreshRefusal, RefreshToken, TokenDelivery, Tokens};
use auth_lambda::{Exchange, IssuedTokens, Metric, SetCookie};

use crate::Refresh;

impl Refresh {
    pub(crate) async fn refresh(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<IssuedTokens, Problem> {
        let delivery = match in_body {
            Some(_) => TokenDelivery::Body,
            None => TokenDelivery::Cookie,
        };
        let exchanged = self.exchanged(in_body, exchange).await;
        if let Err(problem) = &exchanged {
            note(problem, delivery, exchange);
        }
        let (given, mut tokens) = exchanged?;
        match delivery {
            TokenDelivery::Body => tokens.refresh_token = tokens.refresh_token.or(Some(given)),
            TokenDelivery::Cookie => {
                if let Some(rotated) = tokens.refresh_token.take() {
                    exchange.set_cookie(SetCookie::refresh_token(&rotated, self.cookie_lifetime));
                }
            }
        }
        Ok(IssuedTokens::new(tokens))
    }

    /// The token that came, and what it buys. Where none came there is no session, which a browser
    /// without its cookie learns so.
    async fn exchanged(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<(RefreshToken, Tokens), Problem> {
        let given = match in_body {
            Some(token) => token,
            None => exchange
                .refresh_token_cookie(&self.front_end)?
                .ok_or(Problem::AuthRequired)?,
        };
        let tokens = self.token_service.refresh(&given).await?;
        Ok((given, tokens))
    }
}

/// A token that came back after its grace period is somebody's alarm. A cookie that no newer one
/// can have replaced is cleared.
fn note(problem: &Problem, delivery: TokenDelivery, exchange: &Exchange) {
    let Problem::InvalidRefreshToken(refusal) = problem else {
        return;
    };
    if *refusal == RefreshRefusal::Reused {
        tracing::warn!(
            "a refresh token came back after its grace period: somebody may hold a copy"
        );
        exchange.count(Metric::RefreshTokenReuse);
    }
    let clears = match refusal {
        // The browser may have a newer cookie by now, of a faster tab or of a new sign-in. This
        // answer must not delete it.
        RefreshRefusal::Reused | RefreshRefusal::Revoked => false,
        RefreshRefusal::Expired | RefreshRefusal::Invalid => true,
    };
    if clears && delivery == TokenDelivery::Cookie {
        exchange.set_cookie(SetCookie::no_refresh_token());
    }
}
