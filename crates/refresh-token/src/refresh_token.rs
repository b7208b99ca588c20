//! The decision: take the token from where it is, exchange it, and give the new one back the same way.

use auth_domain::{Problem, RefreshRefusal, RefreshToken, TokenDelivery};
use auth_lambda::{Exchange, Fields, IssuedTokens, Metric, SetCookie};

use crate::Refresh;

impl Refresh {
    pub(crate) async fn refresh(
        &self,
        in_body: Option<RefreshToken>,
        exchange: &Exchange,
    ) -> Result<IssuedTokens, Problem> {
        let (given, delivery) = match in_body {
            Some(token) => (token, TokenDelivery::Body),
            None => (
                exchange
                    .refresh_token_cookie(&self.front_end)?
                    .ok_or_else(|| Fields::missing("refreshToken"))?,
                TokenDelivery::Cookie,
            ),
        };
        let mut tokens = match self.token_service.refresh(&given).await {
            Ok(tokens) => tokens,
            Err(problem) => {
                note(&problem, delivery, exchange);
                return Err(problem);
            }
        };
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
}

/// A token that is refused for good leaves the browser too, and one that came back after its grace period is somebody's alarm.
fn note(problem: &Problem, delivery: TokenDelivery, exchange: &Exchange) {
    if let Problem::InvalidRefreshToken(refusal) = problem {
        if *refusal == RefreshRefusal::Reused {
            tracing::warn!(
                "a refresh token came back after its grace period: somebody may hold a copy"
            );
            exchange.count(Metric::RefreshTokenReuse);
        }
        if delivery == TokenDelivery::Cookie {
            exchange.set_cookie(SetCookie::no_refresh_token());
        }
    }
}
