//! The decision: count the attempt, ask Cognito, find the guest, end the sign-in; only then do tokens leave.

use std::time::Duration;

use auth_aws::{Arrival, Proof, Undecided};
use auth_domain::{
    AttemptId, CognitoChallenge, Email, Guest, KeyRing, Notice, OfferedPassword, OtpCode, Problem,
    Purpose, SessionToken, SignIn, SignInId, Tokens, UserSub,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Metric, Operation, SignInAnswer};
use tokio::join;

use crate::{Input, VerifyOtp};

/// Pauses before each look whether another attempt has ended the sign-in: together longer than the
/// calls that lie between Cognito's answer and that end.
const OTHERS_END: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(200),
];

/// An attempt that was admitted, and what it was counted against.
struct Attempt<'a> {
    id: &'a AttemptId,
    sign_in_id: &'a SignInId,
    requester: &'a Requester<'a>,
}

/// What Cognito gave for a right code, and to whom.
struct Proved {
    tokens: Tokens,
    sub: UserSub,
}

/// What a right code has come to.
enum Settled {
    /// This guest is signed in, who may have been here before.
    Guest { guest: Box<Guest>, returns: bool },
    /// The sign-in waits for the guest's authenticator.
    Held(SessionToken),
}

impl VerifyOtp {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let Input {
            email,
            code,
            session_token,
            token_delivery,
            proof_of_work,
        } = input;
        let now = self.clock.now();
        let (id, sign_in_id) = (
            AttemptId::generate(&self.randomness),
            session_token.sign_in_id(),
        );
        let (secrets, claimed) = join!(
            self.secrets.get(),
            self.sign_ins
                .claim(&sign_in_id, email, &id, now, &self.settings.rules)
        );
        let (secrets, sign_in) = match (secrets, claimed) {
            (Ok(secrets), Ok(sign_in)) => (secrets, sign_in),
            (Err(problem), Ok(_))
            | (_, Err(problem @ (Problem::ServiceUnavailable { .. } | Problem::Internal(_)))) => {
                note_stuck(&self.sign_ins.give_back(&sign_in_id, &id).await);
                return Err(problem);
            }
            (_, Err(refusal)) => return Err(refusal),
        };
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            proof_of_work.as_ref(),
            self.settings.device_lifetime,
            secrets.keys(),
            &id,
            now,
        );
        let device = requester.device();
        let attempt = Attempt {
            id: &id,
            sign_in_id: &sign_in_id,
            requester: &requester,
        };
        self.admit(&attempt).await?;

        let proved = match self.prove(&sign_in, code, &attempt).await? {
            Proof::Right { tokens, sub } => Proved { tokens, sub },
            Proof::Wrong => {
                note_wrong_code(email, secrets.keys());
                return Err(Problem::InvalidOtp(sign_in.attempts(&self.settings.rules)));
            }
            Proof::Over => return Err(self.why_over(&sign_in, &attempt).await),
        };
        let settled = self
            .settle(&sign_in, &proved, input, &attempt, exchange)
            .await;
        match settled {
            Ok(Settled::Guest { guest, returns }) => {
                exchange.count(Metric::SignIns);
                if returns && device.is_none() && exchange.is_http() {
                    let told = self.mailer.notify(email, Notice::NewDeviceSignedIn, now);
                    exchange.note_notice(told.await);
                }
                exchange.remember_device(
                    email,
                    device,
                    now,
                    self.settings.device_lifetime,
                    secrets.keys(),
                    &self.randomness,
                );
                Ok(SignInAnswer::signed_in(
                    exchange.deliver(
                        proved.tokens,
                        *token_delivery,
                        self.settings.refresh_token_lifetime,
                    ),
                    *guest,
                ))
            }
            Ok(Settled::Held(session_token)) => Ok(SignInAnswer::held(
                session_token,
                CognitoChallenge::SoftwareTokenMfa,
            )),
            Err(problem) => {
                self.token_service.discard(&proved.tokens).await;
                Err(problem)
            }
        }
    }

    /// Counts the attempt for network and address. What is refused was no attempt of the sign-in.
    async fn admit(&self, attempt: &Attempt<'_>) -> Result<(), Problem> {
        let counted = self.tries.admit(attempt.requester).await;
        if counted.is_err() {
            let given_back = self.sign_ins.give_back(attempt.sign_in_id, attempt.id);
            note_stuck(&given_back.await);
        }
        counted.map(drop)
    }

    /// Asks Cognito about the code, and gives the attempt back if it did not look.
    async fn prove(
        &self,
        sign_in: &SignIn,
        code: &OtpCode,
        attempt: &Attempt<'_>,
    ) -> Result<Proof, Problem> {
        match self.codes.prove_any(sign_in, code).await {
            Ok(proof) => Ok(proof),
            Err(Undecided {
                problem,
                may_be_evaluated,
            }) => {
                if !may_be_evaluated {
                    self.give_back(attempt).await;
                }
                Err(problem)
            }
        }
    }

    /// Why Cognito takes no code of this sign-in any more. A button pressed twice sends a right
    /// code twice, and the other request may be between Cognito's answer and the end of the
    /// sign-in: so where another attempt was counted, its end is waited for.
    async fn why_over(&self, sign_in: &SignIn, attempt: &Attempt<'_>) -> Problem {
        for pause in OTHERS_END {
            tokio::time::sleep(pause).await;
            // The same name counts once: this only looks.
            let (id, now) = (&attempt.sign_in_id, self.clock.now());
            let looked =
                self.sign_ins
                    .claim(id, &sign_in.email, attempt.id, now, &self.settings.rules);
            match looked.await {
                Ok(sign_in) if sign_in.attempts > 1 => {}
                Ok(_) => break,
                Err(problem) => return problem,
            }
        }
        Problem::OtpExpired
    }

    /// Finds or makes the guest, holds what an authenticator guards, then ends the sign-in: one conditional write decides
    /// between two right codes.
    ///
    /// The guest is looked for when the tokens are there, not beside that: an authenticator that was confirmed meanwhile is seen,
    /// and one that is confirmed later ends the session.
    async fn settle(
        &self,
        sign_in: &SignIn,
        proved: &Proved,
        input: &Input,
        attempt: &Attempt<'_>,
        exchange: &Exchange,
    ) -> Result<Settled, Problem> {
        let arrival = self.guests.arrival(&proved.sub, &sign_in.email).await?;
        let is_unproven = match &arrival {
            // The sign-in that made the guest has dealt with it.
            Arrival::Known(_) => false,
            Arrival::First(_) => sign_in.password == OfferedPassword::Unproven,
        };
        if is_unproven {
            // The password was chosen before the address was proved, perhaps by a stranger.
            self.passwords.take_away(proved.sub.as_str()).await?;
        }
        let before = arrival.proved_before();
        let (guest, created) = self
            .guests
            .get_or_create(
                &proved.sub,
                &sign_in.email,
                arrival,
                sign_in.password == OfferedPassword::Proven,
                &self.unproved,
                self.clock.now(),
            )
            .await?;
        let returns = before.unwrap_or(!created);
        let settled = if guest.authenticator.is_some() {
            let held = self
                .second_factors
                .hold(
                    &proved.tokens,
                    &proved.sub,
                    &input.email,
                    input.token_delivery,
                )
                .await;
            Settled::Held(held?)
        } else {
            Settled::Guest {
                guest: Box::new(guest),
                returns,
            }
        };
        let (finished, cleared) = join!(
            self.sign_ins.finish(attempt.sign_in_id, attempt.id),
            self.tries.clear(attempt.requester)
        );
        if !finished? {
            return Err(Problem::SignInCompleted);
        }
        if cleared.is_err() {
            tracing::warn!("the count of wrong codes could not be cleared, and will age out");
        }
        if created {
            exchange.count(Metric::GuestsCreated);
        }
        Ok(settled)
    }

    /// Undoes the counting of an attempt that nobody looked at.
    async fn give_back(&self, attempt: &Attempt<'_>) {
        let (sign_in, failures) = join!(
            self.sign_ins.give_back(attempt.sign_in_id, attempt.id),
            self.tries.give_back(attempt.requester)
        );
        note_stuck(&sign_in.and(failures));
    }
}

fn note_wrong_code(email: &Email, keys: &KeyRing) {
    let address = keys.tag(Purpose::Address, &[email.as_str()]);
    tracing::warn!(address = address.to_hex(), "wrong code");
}

fn note_stuck(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that nobody looked at stays counted");
    }
}
