//! The decision: count the attempt, ask Cognito, look whether the address is proved; only then do
//! tokens leave.

use auth_aws::{PasswordProof, PasswordSignIn, Undecided};
use auth_domain::{
    AttemptId, CognitoChallenge, FollowUp, Guest, Notice, Problem, Purpose, SessionToken,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Metric, Operation, SignInAnswer};

use crate::{Input, LoginUser};

/// After so long Cognito's lock is over, whatever came before (developer guide, "Authentication": lockout). How much of it is left,
/// Cognito does not say.
const LONGEST_LOCK_SECONDS: u64 = 900;

/// What a right password has come to.
enum Settled {
    /// This guest is signed in, who may have been here before, or may have been made for it.
    Guest {
        guest: Box<Guest>,
        returns: bool,
        created: bool,
    },
    /// The sign-in waits for the guest's authenticator.
    Held(SessionToken),
}

impl LoginUser {
    pub(crate) async fn login(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let email = &input.email;
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        // No challenge buys passwords, so none is asked for: Cognito's lock would be the next
        // limit.
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            None,
            self.settings.device_lifetime,
            keys,
            &attempt,
            now,
        );
        let (device, budget) = (requester.device(), requester.budget());
        self.admit(&requester, &budget, exchange).await?;
        let proof = match self.passwords.sign_in(email, &input.password).await {
            Ok(proof) => proof,
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    self.give_back(&budget, &attempt).await;
                }
                return Err(problem);
            }
        };
        let outcome = match proof {
            PasswordProof::Right(signed_in) => {
                let settled = self.settle(&signed_in, input).await;
                if settled.is_err() {
                    self.token_service.discard(&signed_in.tokens).await;
                }
                settled.map(|settled| (settled, signed_in.tokens))
            }
            PasswordProof::Challenged(follow_up) => {
                return self.follow_up(&follow_up, input, &budget).await;
            }
            // Cognito has not looked, so a known device keeps its try. A stranger's counts: an address that nobody has is never locked.
            PasswordProof::Locked if device.is_some() => {
                self.give_back(&budget, &attempt).await;
                return Err(Problem::PasswordLocked {
                    retry_after_seconds: LONGEST_LOCK_SECONDS,
                });
            }
            PasswordProof::Wrong | PasswordProof::Locked => Err(Problem::InvalidCredentials),
        };
        let (settled, tokens) = match outcome {
            Ok(settled) => settled,
            Err(problem) => {
                if matches!(problem, Problem::InvalidCredentials) {
                    tracing::warn!(
                        address = keys.tag(Purpose::Address, &[email.as_str()]).to_hex(),
                        "wrong password"
                    );
                }
                return Err(problem);
            }
        };
        self.clear(&budget).await;
        match settled {
            Settled::Held(session_token) => Ok(SignInAnswer::held(
                session_token,
                CognitoChallenge::SoftwareTokenMfa,
            )),
            Settled::Guest {
                guest,
                returns,
                created,
            } => {
                exchange.count(Metric::SignIns);
                if created {
                    exchange.count(Metric::GuestsCreated);
                }
                if returns && device.is_none() && exchange.is_http() {
                    let told = self.mailer.notify(email, Notice::NewDeviceSignedIn, now);
                    exchange.note_notice(told.await);
                }
                exchange.remember_device(
                    email,
                    device,
                    now,
                    self.settings.device_lifetime,
                    keys,
                    &self.randomness,
                );
                let tokens = exchange.deliver(
                    tokens,
                    input.token_delivery,
                    self.settings.refresh_token_lifetime,
                );
                Ok(SignInAnswer::signed_in(tokens, *guest))
            }
        }
    }

    /// Counts the attempt for the network, then for the address: a network past its limit spends
    /// nothing of an address.
    async fn admit(
        &self,
        requester: &Requester<'_>,
        budget: &str,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let (attempt, now) = (requester.attempt(), requester.now());
        self.network.admit(requester).await?;
        self.limits
            .admit(&self.settings.failures, budget, attempt, now, |state| {
                exchange.rate_limit(state);
            })
            .await
    }

    /// Finds the guest, and holds what an authenticator guards. Whether the address is proved is for the guest's record to say, and for
    /// Cognito where there is none.
    ///
    /// The record is read when the tokens are there, not beside that: an authenticator that was confirmed meanwhile is seen, and
    /// one that is confirmed later ends the session.
    async fn settle(&self, signed_in: &PasswordSignIn, input: &Input) -> Result<Settled, Problem> {
        let arrival = self.guests.arrival(&signed_in.sub, &input.email).await?;
        let before = arrival.proved_before();
        let is_proved = signed_in.email_verified || before == Some(true);
        if !is_proved {
            return Err(Problem::InvalidCredentials);
        }
        let (guest, created) = self
            .guests
            .get_or_create(
                &signed_in.sub,
                &input.email,
                arrival,
                true,
                &self.unproved,
                self.clock.now(),
            )
            .await?;
        if guest.authenticator.is_none() {
            return Ok(Settled::Guest {
                guest: Box::new(guest),
                returns: before.unwrap_or(!created),
                created,
            });
        }
        self.second_factors
            .hold(
                &signed_in.tokens,
                &signed_in.sub,
                &input.email,
                input.token_delivery,
            )
            .await
            .map(Settled::Held)
    }

    /// Holds a sign-in with which Cognito itself wants to go on.
    async fn follow_up(
        &self,
        follow_up: &FollowUp,
        input: &Input,
        budget: &str,
    ) -> Result<SignInAnswer, Problem> {
        let session_token = self
            .second_factors
            .hold_follow_up(follow_up, &input.email, input.token_delivery)
            .await?;
        self.clear(budget).await;
        Ok(SignInAnswer::held(session_token, follow_up.challenge))
    }

    async fn clear(&self, budget: &str) {
        let cleared = self.limits.clear(&self.settings.failures, budget).await;
        if cleared.is_err() {
            tracing::warn!("the count of wrong passwords could not be cleared, and will age out");
        }
    }

    /// Undoes the counting of an attempt that nobody looked at.
    async fn give_back(&self, budget: &str, attempt: &AttemptId) {
        let taken_back = self
            .limits
            .take_back(&self.settings.failures, budget, attempt)
            .await;
        if taken_back.is_err() {
            tracing::warn!("an attempt that nobody looked at stays counted");
        }
    }
}
