//! The decision: count the attempt, look at the code and use it up, end the held sign-in; only then do tokens leave.

use auth_aws::{FactorProof, Undecided};
use auth_domain::{
    AttemptId, Attempts, AwaitedFactor, Email, Guest, HeldSignIn, HeldToken, KeyRing, Notice,
    Problem, RefreshToken, SecondFactor, SignInId, Timestamp, TokenDelivery, Tokens,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Fields, Metric, Operation, SignInAnswer};
use tokio::join;

use crate::{Answer, Input, VerifyMfa};

/// A request at its moment, and the attempt that it is.
pub(crate) struct Turn<'a> {
    pub(crate) input: &'a Input,
    pub(crate) exchange: &'a Exchange,
    pub(crate) attempt: AttemptId,
    pub(crate) sign_in_id: SignInId,
    pub(crate) now: Timestamp,
}

impl Turn<'_> {
    /// How the refresh token is to travel: as the second factor says, or else as the first did.
    pub(crate) fn delivery(&self, held: &HeldSignIn) -> TokenDelivery {
        self.input.token_delivery.unwrap_or(held.token_delivery)
    }
}

/// A second factor that was right, and is used up.
struct Proved {
    guest: Guest,
    backup_codes_left: Option<usize>,
}

impl VerifyMfa {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let turn = Turn {
            input,
            exchange,
            attempt: AttemptId::generate(&self.randomness),
            sign_in_id: input.session_token.sign_in_id(),
            now: self.clock.now(),
        };
        let (secrets, claimed) = join!(
            self.secrets.get(),
            self.second_factors
                .claim(&turn.sign_in_id, &turn.attempt, turn.now)
        );
        let held = match claimed {
            Ok(held) => held,
            Err(unclaimed) => {
                if unclaimed.problem.report().is_some() {
                    self.give_back(&turn).await;
                }
                if let Some(abandoned) = &unclaimed.abandoned {
                    self.abandon(abandoned, &turn).await;
                }
                return Err(unclaimed.problem);
            }
        };
        let secrets = match secrets {
            Ok(secrets) => secrets,
            Err(problem) => {
                self.give_back(&turn).await;
                return Err(problem);
            }
        };
        let requester = Requester::of(
            exchange,
            Self::NAME,
            &held.email,
            None,
            self.settings.device_lifetime,
            secrets.keys(),
            &turn.attempt,
            turn.now,
        );
        match (&held.awaits, &input.answer) {
            (AwaitedFactor::Authenticator(token), Answer::SecondFactor(factor)) => {
                let proved = self.prove(&held, token, factor, &requester, &turn).await?;
                self.finish(&held, token, proved, secrets.keys(), &turn)
                    .await
            }
            (AwaitedFactor::Authenticator(_), Answer::NewPassword(_)) => {
                self.give_back(&turn).await;
                Err(Fields::needed("code"))
            }
            (AwaitedFactor::Cognito(follow_up), answer) => {
                if let Err(problem) = self.network.admit(&requester).await {
                    self.give_back(&turn).await;
                    return Err(problem);
                }
                self.answer(&held, follow_up, answer, secrets.keys(), &turn)
                    .await
            }
        }
    }

    /// Looks at the second factor, counted against network and guest first.
    async fn prove(
        &self,
        held: &HeldSignIn,
        token: &HeldToken,
        factor: &SecondFactor,
        requester: &Requester<'_>,
        turn: &Turn<'_>,
    ) -> Result<Proved, Problem> {
        let sub = &token.sub;
        if let Err(problem) = self.network.admit(requester).await {
            self.give_back(turn).await;
            return Err(problem);
        }
        let (counted, found) = join!(
            self.authenticators
                .count(sub, &turn.attempt, turn.now, |state| {
                    turn.exchange.rate_limit(state);
                }),
            self.guests.find(sub)
        );
        let (counted, found) = match (counted, found) {
            (Ok(counted), Ok(found)) => (counted, found),
            (Err(problem), _) | (Ok(_), Err(problem)) => {
                self.take_back(token, turn).await;
                return Err(problem);
            }
        };
        // The guest or the authenticator has gone since the first factor: the sign-in has to begin anew.
        let Some((guest, authenticator)) = found.and_then(|guest| {
            let authenticator = guest.authenticator.clone()?;
            Some((guest, authenticator))
        }) else {
            self.abandon(token, turn).await;
            return Err(Problem::InvalidSession);
        };
        let proof = self
            .authenticators
            .prove(&guest, &authenticator, sub, factor, &turn.attempt, turn.now)
            .await;
        match proof {
            Ok(FactorProof::Right { backup_codes_left }) => Ok(Proved {
                guest,
                backup_codes_left,
            }),
            Ok(FactorProof::Wrong) => {
                tracing::warn!(sub = sub.as_str(), "wrong second factor");
                let attempts = held.attempts(&self.settings.rules);
                if attempts.remaining == 0 {
                    self.abandon(token, turn).await;
                }
                if attempts.remaining == 0 || counted.remaining == 0 {
                    // Whoever got here has the first factor.
                    self.tell(&held.email, Notice::SecondFactorFailed, turn)
                        .await;
                }
                Err(Problem::InvalidOtp(Attempts {
                    remaining: attempts.remaining.min(counted.remaining),
                    ..attempts
                }))
            }
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    self.take_back(token, turn).await;
                }
                Err(problem)
            }
        }
    }

    /// Ends the held sign-in, and turns its refresh token into tokens: one conditional write decides between two right codes.
    async fn finish(
        &self,
        held: &HeldSignIn,
        token: &HeldToken,
        proved: Proved,
        keys: &KeyRing,
        turn: &Turn<'_>,
    ) -> Result<SignInAnswer, Problem> {
        let (finished, opened, ()) = join!(
            self.second_factors.finish(&turn.sign_in_id, &turn.attempt),
            self.second_factors.open(token),
            self.authenticators.clear(&token.sub)
        );
        if !finished? {
            return Err(Problem::InvalidSession);
        }
        let tokens = match opened {
            Ok(refresh_token) => self.exchange(refresh_token).await,
            Err(problem) => Err(problem),
        };
        match tokens {
            Ok(tokens) => {
                let tokens = self.welcome(held, tokens, keys, turn).await;
                Ok(SignInAnswer::after_backup_code(
                    tokens,
                    proved.guest,
                    proved.backup_codes_left,
                ))
            }
            // All sessions were ended since the first factor, this one among them.
            Err(Problem::InvalidRefreshToken(_)) => Err(Problem::InvalidSession),
            Err(problem) => {
                let reopened = self
                    .second_factors
                    .reopen(&turn.sign_in_id, &turn.attempt, &token.sealed)
                    .await;
                if reopened.is_err() {
                    tracing::warn!("a sign-in that nobody finished stays ended");
                }
                Err(problem)
            }
        }
    }

    async fn exchange(&self, refresh_token: RefreshToken) -> Result<Tokens, Problem> {
        let mut tokens = self.token_service.refresh(&refresh_token).await?;
        // Where the client does not rotate, the one that was held goes on.
        tokens.refresh_token.get_or_insert(refresh_token);
        Ok(tokens)
    }

    /// What goes with every finished sign-in: it is counted, the device is remembered, a new one is told of, and the tokens travel as
    /// the client asked.
    pub(crate) async fn welcome(
        &self,
        held: &HeldSignIn,
        tokens: Tokens,
        keys: &KeyRing,
        turn: &Turn<'_>,
    ) -> Tokens {
        let Turn { exchange, now, .. } = turn;
        let lifetime = self.settings.device_lifetime;
        exchange.count(Metric::SignIns);
        let device = exchange.known_device(&held.email, *now, lifetime, keys);
        if device.is_none() && exchange.is_http() {
            self.tell(&held.email, Notice::NewDeviceSignedIn, turn)
                .await;
        }
        exchange.remember_device(
            &held.email,
            device.as_ref(),
            *now,
            lifetime,
            keys,
            &self.randomness,
        );
        exchange.deliver(
            tokens,
            turn.delivery(held),
            self.settings.refresh_token_lifetime,
        )
    }

    pub(crate) async fn tell(&self, email: &Email, notice: Notice, turn: &Turn<'_>) {
        let told = self.mailer.notify(email, notice, turn.now).await;
        turn.exchange.note_notice(told);
    }

    /// Revokes the refresh token of a sign-in that nobody can finish any more, and forgets it. Where that fails, it is deleted with the
    /// record, and ends unused by its own time.
    async fn abandon(&self, token: &HeldToken, turn: &Turn<'_>) {
        let abandoned = async {
            let refresh_token = self.second_factors.open(token).await?;
            self.token_service.revoke(&refresh_token).await?;
            self.second_factors.forget(&turn.sign_in_id).await
        };
        if abandoned.await.is_err() {
            tracing::warn!("a held token that nobody has could not be revoked");
        }
    }

    /// Undoes the counting of an attempt that nobody looked at.
    pub(crate) async fn give_back(&self, turn: &Turn<'_>) {
        note_stuck(
            &self
                .second_factors
                .give_back(&turn.sign_in_id, &turn.attempt)
                .await,
        );
    }

    /// The same where it was counted against the guest, too.
    async fn take_back(&self, token: &HeldToken, turn: &Turn<'_>) {
        let (sign_in, failures) = join!(
            self.second_factors
                .give_back(&turn.sign_in_id, &turn.attempt),
            self.authenticators.take_back(&token.sub, &turn.attempt)
        );
        note_stuck(&sign_in.and(failures));
    }
}

fn note_stuck(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that nobody looked at stays counted");
    }
}
