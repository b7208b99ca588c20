//! Refresh tokens: exchanged at Cognito, and counted for their session.
//!
//! Cognito is asked first. One conditional write then decides between any number of a session's
//! tokens. It accepts the current one, and the previous one within the grace. Any other token ends
//! the session with all its branches.

use std::time::Duration;

use auth_aws::{
    ActivityEntry, ConfigurationError, Guests, IssuedSession, Platform, Refresh, Renewal, Secrets,
    TokenService, UserSessions,
};
use auth_domain::{
    Activity, ActivityKind, Actor, Clock, Generation, Guest, Notice, PresentedToken, Problem,
    RefreshFamily, RefreshRefusal, RefreshToken, SessionKey, Timestamp, Tokens,
};
use auth_lambda::{Exchange, Metric};
use tokio::join;

use crate::{Activities, Notices};

/// Renews sessions by their refresh tokens.
#[derive(Clone)]
pub struct Refreshes {
    token_service: TokenService,
    sessions: UserSessions,
    guests: Guests,
    secrets: Secrets,
    activities: Activities,
    notices: Notices,
    clock: Clock,
    grace: Duration,
}

impl Refreshes {
    /// Refreshes with the pool, the tables and the grace that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            token_service: TokenService::new(platform)?,
            sessions: UserSessions::new(platform)?,
            guests: Guests::new(platform)?,
            secrets: Secrets::new(platform)?,
            activities: Activities::new(platform)?,
            notices: Notices::new(platform)?,
            clock: platform.clock(),
            grace: platform.environment().seconds("REFRESH_GRACE_SECONDS")?,
        })
    }

    /// Exchanges the token at Cognito and counts the exchange for the session. If Cognito's tokens
    /// do not leave, they are revoked. If a call fails they are not, so the next try still works.
    pub async fn renew(
        &self,
        presented: &RefreshToken,
        exchange: &Exchange,
    ) -> Result<(Tokens, Guest), Problem> {
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let PresentedToken { token, family } = PresentedToken::read(presented, keys)
            .map_err(|_| Problem::InvalidRefreshToken(RefreshRefusal::Invalid))?;
        let asked_at = self.clock.now();
        let tokens = match self.token_service.refresh(&token).await {
            Ok(tokens) => tokens,
            Err(Problem::InvalidRefreshToken(refusal)) => {
                self.note_refused(refusal, family.as_ref(), exchange)
                    .await?;
                return Err(Problem::InvalidRefreshToken(refusal));
            }
            Err(problem) => return Err(problem),
        };
        match self.count(&tokens, family, asked_at, exchange).await? {
            Ok((family, guest)) => {
                // If the client does not rotate tokens, the sent one continues.
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

    /// Records Cognito's refusal of a marked token for its session.
    async fn note_refused(
        &self,
        refusal: RefreshRefusal,
        family: Option<&RefreshFamily>,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let Some(RefreshFamily {
            session,
            generation,
        }) = family
        else {
            return Ok(());
        };
        match refusal {
            RefreshRefusal::Reused => {
                let guest = self.guests.find(&session.sub).await?;
                self.came_again(session, *generation, guest.as_ref(), exchange)
                    .await
            }
            RefreshRefusal::Revoked => {
                let Some(guest) = self.guests.find(&session.sub).await? else {
                    return Ok(());
                };
                self.is_revoked(session, *generation, &guest, exchange)
                    .await
            }
            RefreshRefusal::Expired | RefreshRefusal::Invalid => Ok(()),
        }
    }

    /// Counts the tokens that Cognito has issued. Returns their family and the guest, or the reason
    /// why they must not leave.
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
        let counted = Refresh {
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
        let (renewal, guest) = (renewal?, guest?);
        let (generation, signed_in_at) = match renewal {
            Renewal::GoesOn {
                generation,
                signed_in_at,
            } => (generation, signed_in_at),
            Renewal::HasEnded => return Ok(Err(RefreshRefusal::Revoked)),
            Renewal::EndedForReuse => {
                if let Some(guest) = &guest {
                    self.is_used_later(&session.key, presented, guest, exchange)
                        .await?;
                }
                return Ok(Err(RefreshRefusal::Revoked));
            }
            Renewal::CameAgain => {
                self.came_again(&session.key, presented, guest.as_ref(), exchange)
                    .await?;
                return Ok(Err(RefreshRefusal::Reused));
            }
        };
        let key = session.key;
        let guest = guest.filter(|guest| !guest.has_signed_out_since(signed_in_at, Some(&key.id)));
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

    /// Ends a session after a repeated use of a token past its grace, and tells the guest if that
    /// shows a theft. A session without a guest always ends.
    async fn came_again(
        &self,
        session: &SessionKey,
        presented: Generation,
        guest: Option<&Guest>,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        tracing::warn!("a refresh token came back after its grace period: its session has ended");
        let Some(guest) = guest else {
            return Ok(());
        };
        let ended = self.entry(session, guest, ActivityKind::SessionEnded, exchange)?;
        let stolen = self.entry(session, guest, ActivityKind::RefreshTokenStolen, exchange)?;
        let now = self.clock.now();
        let is_theft = self
            .sessions
            .end_for_reuse(session, presented, ended, stolen, now)
            .await?;
        if is_theft {
            self.tell_of_theft(guest, exchange).await;
        }
        Ok(())
    }

    /// Ends the session of a token that Cognito has revoked. If it has ended here before, the use
    /// of the token may show a theft.
    async fn is_revoked(
        &self,
        session: &SessionKey,
        used: Generation,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let is_kept = guest.kept_session.as_ref() == Some(&session.id);
        let signed_out_at = guest.signed_out_at.filter(|_| !is_kept);
        let ended = self.entry(session, guest, ActivityKind::SessionEnded, exchange)?;
        let now = self.clock.now();
        let has_ended_it = self
            .sessions
            .end_revoked(session, signed_out_at, ended, now)
            .await?;
        if has_ended_it {
            return Ok(());
        }
        self.is_used_later(session, used, guest, exchange).await
    }

    /// Tells the guest if the token's session was ended because of the repeated use of an earlier
    /// token.
    async fn is_used_later(
        &self,
        session: &SessionKey,
        used: Generation,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let stolen = self.entry(session, guest, ActivityKind::RefreshTokenStolen, exchange)?;
        if self.sessions.note_later_use(session, used, stolen).await? {
            self.tell_of_theft(guest, exchange).await;
        }
        Ok(())
    }

    /// The entry in the guest's activity for a session that Latchkey ends. Device and country are
    /// those of the request that brought the token, which may be the thief's or the guest's.
    fn entry(
        &self,
        session: &SessionKey,
        guest: &Guest,
        kind: ActivityKind,
        exchange: &Exchange,
    ) -> Result<ActivityEntry, Problem> {
        self.activities.write_of(&Activity {
            by: Actor::Latchkey,
            session: Some(session.id.clone()),
            ..self.activities.event(guest, kind, exchange)
        })
    }

    async fn tell_of_theft(&self, guest: &Guest, exchange: &Exchange) {
        tracing::warn!("a later refresh token was used: somebody holds a copy");
        exchange.count(Metric::RefreshTokenReuse);
        let notice = Notice::RefreshTokenStolen;
        self.notices.tell(guest, notice, exchange).await;
    }
}
