//! The decision: take the token from where it is, exchange it, count it for its session, and give
//! the new one back the same way.

use auth_aws::{IssuedSession, Refresh as Counted, Renewal};
use auth_domain::{
    AttemptId, Generation, Guest, KeyRing, Notice, PresentedToken, Problem, RefreshFamily,
    RefreshRefusal, RefreshToken, SessionKey, Timestamp, TokenDelivery, Tokens,
};
use auth_lambda::{Exchange, IssuedTokens, Metric, SetCookie};
use tokio::join;

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

    /// The token that came, renewed. Where none came there is no session, which a browser without
    /// its cookie learns so.
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
        let secrets = self.secrets.get().await?;
        let presented = PresentedToken::read(&presented, secrets.keys())
            .map_err(|_| Problem::InvalidRefreshToken(RefreshRefusal::Invalid))?;
        let (tokens, user) = self.renew(presented, secrets.keys(), exchange).await?;
        let tokens = exchange.deliver(tokens, delivery, self.cookie_lifetime);
        Ok(Refreshed {
            tokens: IssuedTokens::new(tokens),
            user,
        })
    }

    /// Has Cognito exchange the token, and the session count it. What Cognito gives is revoked
    /// unless it leaves; where a call fails it is not, so that the next try still works.
    async fn renew(
        &self,
        presented: PresentedToken,
        keys: &KeyRing,
        exchange: &Exchange,
    ) -> Result<(Tokens, Guest), Problem> {
        let PresentedToken { token, family } = presented;
        let asked_at = self.clock.now();
        let tokens = match self.token_service.refresh(&token).await {
            Ok(tokens) => tokens,
            Err(problem @ Problem::InvalidRefreshToken(RefreshRefusal::Reused)) => {
                if let Some(RefreshFamily {
                    session,
                    generation,
                }) = &family
                {
                    self.came_again(session, *generation, exchange).await?;
                }
                return Err(problem);
            }
            Err(problem @ Problem::InvalidRefreshToken(RefreshRefusal::Revoked)) => {
                if let Some(RefreshFamily {
                    session,
                    generation,
                }) = &family
                {
                    self.is_used_later(session, *generation, exchange).await?;
                }
                return Err(problem);
            }
            Err(problem) => return Err(problem),
        };
        match self.count(&tokens, family, asked_at, exchange).await? {
            Ok((family, guest)) => {
                // Where the client does not rotate, the token that came goes on.
                let refresh_token = tokens.refresh_token.as_ref().unwrap_or(&token);
                let refresh_token = Some(family.mark(refresh_token, keys));
                let tokens = Tokens {
                    refresh_token,
                    ..tokens
                };
                Ok((tokens, guest))
            }
            Err(refusal) => {
                self.token_service.discard(&tokens).await;
                Err(Problem::InvalidRefreshToken(refusal))
            }
        }
    }

    /// The session's word on tokens that Cognito has given: the family that they are of now, and
    /// the guest; or why they do not leave.
    async fn count(
        &self,
        tokens: &Tokens,
        family: Option<RefreshFamily>,
        asked_at: Timestamp,
        exchange: &Exchange,
    ) -> Result<Result<(RefreshFamily, Guest), RefreshRefusal>, Problem> {
        let session = IssuedSession::of(&tokens.access_token)?;
        let is_of_another = family
            .as_ref()
            .is_some_and(|family| family.session != session.key);
        if is_of_another {
            return Ok(Err(RefreshRefusal::Invalid));
        }
        let presented = family.map_or(Generation::UNMARKED, |family| family.generation);
        let counted = Counted {
            presented,
            asked_at,
            now: self.clock.now(),
            grace: self.grace,
        };
        let (device, country) = (exchange.client_name(), exchange.country());
        let (renewal, guest) = join!(
            self.sessions.renew(&session, counted, device, country),
            self.guests.find(&session.key.sub)
        );
        let (generation, signed_in_by) = match renewal? {
            Renewal::GoesOn {
                generation,
                signed_in_by,
            } => (generation, signed_in_by),
            Renewal::HasEnded => return Ok(Err(RefreshRefusal::Revoked)),
            Renewal::EndedForReuse => {
                self.is_used_later(&session.key, presented, exchange)
                    .await?;
                return Ok(Err(RefreshRefusal::Revoked));
            }
            Renewal::CameAgain => {
                self.came_again(&session.key, presented, exchange).await?;
                return Ok(Err(RefreshRefusal::Reused));
            }
        };
        let key = session.key;
        let guest = guest?.filter(|guest| !guest.has_signed_out_since(signed_in_by, Some(&key.id)));
        Ok(guest
            .map(|guest| {
                let family = RefreshFamily {
                    session: key,
                    generation,
                };
                (family, guest)
            })
            .ok_or(RefreshRefusal::Revoked))
    }

    /// Ends a session of which a token came again after its grace, and tells the guest where that
    /// tells of a theft.
    async fn came_again(
        &self,
        session: &SessionKey,
        presented: Generation,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        tracing::warn!("a refresh token came back after its grace period: its session has ended");
        let teller = AttemptId::generate(&self.randomness);
        let now = self.clock.now();
        let is_theft = self
            .sessions
            .end_for_reuse(session, presented, &teller, now)
            .await?;
        if is_theft {
            self.tell_of_theft(session, exchange).await;
        }
        Ok(())
    }

    /// Tells the guest where the token's session was ended because an earlier one had come again.
    async fn is_used_later(
        &self,
        session: &SessionKey,
        used: Generation,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let teller = AttemptId::generate(&self.randomness);
        if self.sessions.note_later_use(session, used, &teller).await? {
            self.tell_of_theft(session, exchange).await;
        }
        Ok(())
    }

    async fn tell_of_theft(&self, session: &SessionKey, exchange: &Exchange) {
        tracing::warn!("a later refresh token was used: somebody holds a copy");
        exchange.count(Metric::RefreshTokenReuse);
        match self.guests.find(&session.sub).await {
            Ok(Some(guest)) => {
                let notice = Notice::RefreshTokenStolen;
                self.notices.tell(&guest.email, notice, exchange).await;
            }
            Ok(None) => {}
            Err(_) => tracing::error!("a guest could not be told of a theft"),
        }
    }
}

/// Whether the cookie can go. A browser may have a newer one by now, of a faster tab or of a new
/// sign-in: an answer about an old one must not delete that.
fn is_of_no_newer_session(refusal: RefreshRefusal) -> bool {
    match refusal {
        RefreshRefusal::Reused | RefreshRefusal::Revoked => false,
        RefreshRefusal::Expired | RefreshRefusal::Invalid => true,
    }
}
