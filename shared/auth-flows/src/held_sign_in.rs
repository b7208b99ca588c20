//! Sign-ins between their factors: an attempt is claimed, the factor is checked, and the refresh
//! token of the first factor is exchanged or revoked.

use auth_aws::{
    Authenticators, ConfigurationError, FactorProof, Guests, HeldSignIns, IssuedSession,
    PasskeyList, Platform, TokenService, UsedBy,
};
use auth_domain::{
    ActivityKind, Attempts, AuthenticatorMark, AwaitedFactor, Guest, HeldSignIn, HeldSignInId,
    HeldToken, LimitSubject, Locale, Problem, RefreshToken, SecondFactor, SecondFactorRules,
    SignInMethod, Timestamp, Tokens,
};
use auth_lambda::Exchange;
use tokio::join;

use crate::{
    Activities, Attempt, NetworkAttempts, Requester, Requesters, SecondFactorAttempts,
    SessionRecords,
    attempt::{Budget, Claim, others_end},
    counted::note_kept,
};

/// Attempts at the next factor of held sign-ins.
#[derive(Clone)]
pub struct HeldSignInAttempts {
    held: HeldSignIns,
    factors: SecondFactorAttempts,
    authenticators: Authenticators,
    guests: Guests,
    passkeys: PasskeyList,
    token_service: TokenService,
    sessions: SessionRecords,
    activities: Activities,
    requesters: Requesters,
    network: NetworkAttempts,
    rules: SecondFactorRules,
}

/// A sign-in with a claimed attempt, before any evaluation.
pub struct Resumed<'a> {
    /// The requester with the next factor.
    pub requester: Requester<'a>,
    /// The sign-in.
    pub held: HeldSignIn,
    id: HeldSignInId,
}

/// A right second factor, now used up. The sign-in is open until it is traded.
pub struct ProvedFactor<'a> {
    /// The attempt.
    pub attempt: Attempt<'a>,
    /// The guest whose factor it was.
    pub guest: Guest,
    /// The number of backup codes left, if the factor was one.
    pub backup_codes_left: Option<usize>,
}

impl HeldSignInAttempts {
    /// Attempts by way of `operation`, with the limit `network` for each network.
    pub fn new(
        platform: &Platform,
        operation: &'static str,
        network: &'static str,
    ) -> Result<Self, ConfigurationError> {
        Ok(Self {
            held: HeldSignIns::new(platform)?,
            factors: SecondFactorAttempts::new(platform)?,
            authenticators: Authenticators::new(platform)?,
            guests: Guests::new(platform)?,
            passkeys: PasskeyList::new(platform)?,
            token_service: TokenService::new(platform)?,
            sessions: SessionRecords::new(platform)?,
            activities: Activities::new(platform)?,
            requesters: Requesters::new(platform, operation)?,
            network: NetworkAttempts::new(platform, network)?,
            rules: platform.environment().second_factor_rules()?,
        })
    }

    /// Claims an attempt. If the sign-in has expired, its token is revoked.
    pub async fn resume<'a>(
        &self,
        id: HeldSignInId,
        exchange: &'a Exchange,
    ) -> Result<Resumed<'a>, Problem> {
        let turn = self.requesters.turn(exchange);
        let mut abandoned = None;
        let claiming = async {
            let claimed = self
                .held
                .claim(&id, &turn.attempt, turn.now, &self.rules)
                .await;
            claimed.map_err(|unclaimed| {
                abandoned = unclaimed.abandoned;
                unclaimed.problem
            })
        };
        let give_back = self.held.give_back(&id, &turn.attempt);
        let email = |held: &HeldSignIn| held.email.clone();
        let claimed = self
            .requesters
            .claim(&turn, claiming, give_back, email, None)
            .await;
        if let Some(token) = &abandoned {
            self.abandon(&id, token).await;
        }
        let (held, requester) = claimed?;
        Ok(Resumed {
            requester,
            held,
            id,
        })
    }

    /// Checks the second factor of a sign-in that awaits the guest's authenticator. It is counted
    /// against network and guest first.
    pub async fn prove<'a>(
        &'a self,
        resumed: &Resumed<'_>,
        token: &HeldToken,
        factor: &SecondFactor,
    ) -> Result<ProvedFactor<'a>, Problem> {
        let sub = &token.sub;
        let counting = self.count(resumed, Some(self.factors.budget(sub)));
        let (counted, found) = join!(counting, self.guests.find(sub));
        let attempt = counted?;
        let found = match found {
            Ok(found) => found,
            Err(problem) => {
                attempt.give_back().await;
                return Err(problem);
            }
        };
        // The guest or the authenticator was deleted since the first factor, a reset is due, or the
        // address is the guest's no more: the person signs in again.
        let (held, now) = (&resumed.held, resumed.requester.now());
        let begun = held.expires_at.before(self.rules.lifetime);
        let may_go_on = |guest: &Guest| {
            !guest.has_lost_factors(now) && !guest.has_moved_from(&held.email, begun)
        };
        let Some((guest, authenticator)) = found.filter(may_go_on).and_then(|guest| {
            let authenticator = guest.authenticator.clone()?;
            Some((guest, authenticator))
        }) else {
            self.abandon(&resumed.id, token).await;
            return Err(Problem::InvalidSession);
        };
        let (by, now) = (UsedBy::SignIn(&resumed.id), resumed.requester.now());
        let proving = self
            .authenticators
            .prove(sub, &authenticator, factor, by, now);
        match attempt.evaluate(proving).await? {
            FactorProof::Right { backup_codes_left } => Ok(ProvedFactor {
                attempt,
                guest,
                backup_codes_left,
            }),
            FactorProof::Wrong => {
                let kind = ActivityKind::SignInRefused;
                let exchange = resumed.requester.exchange();
                let refused = self.activities.event(&guest, kind, exchange);
                let (problem, ()) = join!(
                    self.refuse(resumed, &attempt, guest.locale.as_ref()),
                    self.activities.note(&refused)
                );
                Err(problem)
            }
        }
    }

    /// Counts an answer to a challenge of Cognito's own against the network.
    pub async fn count_answer<'a>(&'a self, resumed: &Resumed<'_>) -> Result<Attempt<'a>, Problem> {
        self.count(resumed, None).await
    }

    /// The budget for wrong codes of a guest.
    pub(crate) fn failures(&self, token: &HeldToken) -> Budget<'_> {
        self.factors.budget(&token.sub)
    }

    pub(crate) async fn count<'a>(
        &'a self,
        resumed: &Resumed<'_>,
        guest: Option<Budget<'a>>,
    ) -> Result<Attempt<'a>, Problem> {
        let requester = &resumed.requester;
        let claim = Claim::Held(&self.held, resumed.id.clone());
        let network = Some((&self.network, requester));
        Attempt::count(&requester.turn(), Some(claim), guest, network).await
    }

    /// The answer to a wrong factor of a guest who reads `locale`. With the sign-in's last attempt
    /// its refresh token is revoked.
    pub async fn refuse(
        &self,
        resumed: &Resumed<'_>,
        attempt: &Attempt<'_>,
        locale: Option<&Locale>,
    ) -> Problem {
        let Resumed {
            requester,
            held,
            id,
        } = resumed;
        let of_sign_in = held.attempts(&self.rules);
        let left = Attempts {
            remaining: of_sign_in.remaining.min(attempt.left().remaining),
            ..of_sign_in
        };
        let subject = match &held.awaits {
            AwaitedFactor::Authenticator(token) => {
                if of_sign_in.remaining == 0 {
                    self.abandon(id, token).await;
                }
                LimitSubject::user(&token.sub)
            }
            // The guest gets no notice: there is no second factor to guess yet.
            AwaitedFactor::SetUp(set_up) => {
                if of_sign_in.remaining == 0 {
                    self.abandon(id, &set_up.token).await;
                }
                return Problem::InvalidOtp(left);
            }
            AwaitedFactor::Cognito(_) => LimitSubject::address(requester.email(), requester.keys()),
        };
        self.factors
            .refuse(&requester.turn(), (&held.email, locale), &subject, left)
            .await
    }

    /// Releases a claim of which nothing was counted.
    pub async fn give_back(&self, resumed: &Resumed<'_>) {
        let attempt = resumed.requester.attempt();
        note_kept(&self.held.give_back(&resumed.id, attempt).await);
    }

    /// The reason why Cognito accepts no answer to this sign-in's challenge any more: another
    /// attempt has ended the sign-in, or its time at Cognito has passed.
    pub async fn why_over(&self, resumed: &Resumed<'_>) -> Problem {
        let (id, attempt) = (&resumed.id, resumed.requester.attempt());
        let looking = || async {
            let now = self.requesters.now();
            // The same name counts once, so this call only reads.
            let looked = self.held.claim(id, attempt, now, &self.rules);
            match looked.await {
                Ok(held) => Ok(held.attempts),
                Err(unclaimed) => Err(unclaimed.problem),
            }
        };
        others_end(looking).await.unwrap_or(Problem::SessionExpired)
    }

    /// Records that the passkey of the first factor and the authenticator were shown together: from
    /// then on a verified use of the passkey is both factors. If the write fails, the next sign-in
    /// asks for the authenticator again.
    pub async fn confirm_passkey(&self, resumed: &Resumed<'_>, proved: &ProvedFactor<'_>) {
        let guest = &proved.guest;
        if let (Some(passkey), Some(authenticator)) = (&resumed.held.passkey, &guest.authenticator)
        {
            let mark = AuthenticatorMark::of(authenticator);
            let noting = self.passkeys.shown_with(&guest.cognito_sub, passkey, &mark);
            if noting.await.is_err() {
                tracing::warn!("a passkey could not be confirmed");
            }
        }
    }

    /// Ends a sign-in and exchanges its refresh token. One conditional write decides between two
    /// right factors. If the exchange or the session's record fails, the sign-in is opened again.
    pub async fn trade(
        &self,
        resumed: &Resumed<'_>,
        proved: &ProvedFactor<'_>,
        token: &HeldToken,
    ) -> Result<Tokens, Problem> {
        let ProvedFactor { attempt, guest, .. } = proved;
        let (finished, opened) = join!(attempt.finish(), self.held.open(token));
        finished?;
        let traded = match opened {
            Ok(refresh_token) => {
                let exchange = resumed.requester.exchange();
                self.exchange(refresh_token, token.begun, guest, exchange)
                    .await
            }
            Err(problem) => Err(problem),
        };
        match traded {
            // All sessions have ended since the first factor, this one too.
            Err(Problem::InvalidRefreshToken(_)) => Err(Problem::InvalidSession),
            Err(problem) => {
                let name = resumed.requester.attempt();
                let reopening = self.held.reopen(&resumed.id, name, &token.sealed);
                if reopening.await.is_err() {
                    tracing::warn!("a held sign-in could not be opened again");
                }
                Err(problem)
            }
            Ok(tokens) => Ok(tokens),
        }
    }

    async fn exchange(
        &self,
        refresh_token: RefreshToken,
        begun: Timestamp,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<Tokens, Problem> {
        let mut tokens = self.token_service.refresh(&refresh_token).await?;
        // If the client does not rotate tokens, the held one continues.
        tokens.refresh_token.get_or_insert(refresh_token);
        let session = IssuedSession {
            signed_in_at: begun,
            ..IssuedSession::of(&tokens.access_token)?
        };
        let method = SignInMethod::SecondFactor;
        self.sessions
            .begin(&session, tokens, guest, method, exchange)
            .await
    }

    /// Revokes the refresh token of a sign-in that must not continue.
    pub(crate) async fn give_up(&self, resumed: &Resumed<'_>, token: &HeldToken) {
        self.abandon(&resumed.id, token).await;
    }

    /// Revokes the refresh token of a sign-in that cannot be finished, and forgets it. If that
    /// fails, the token is deleted with the record, and expires unused.
    async fn abandon(&self, id: &HeldSignInId, token: &HeldToken) {
        let abandoning = async {
            let refresh_token = self.held.open(token).await?;
            self.token_service.revoke(&refresh_token).await?;
            self.held.forget(id).await
        };
        if abandoning.await.is_err() {
            tracing::warn!("the token of a held sign-in could not be revoked");
        }
    }
}
