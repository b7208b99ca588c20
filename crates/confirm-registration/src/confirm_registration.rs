//! The decision: count the attempt, ask Cognito, make the guest, set the password, sign in by it;
//! only then do tokens leave.

use auth_aws::{Address, PasswordProof, PasswordSignIn, Proof, ProvedRegistration, Undecided};
use auth_domain::{
    AttemptId, CognitoChallenge, Email, FollowUp, Guest, OtpCode, Password, PendingRegistration,
    Problem, Purpose, Report, SessionToken, SignIn, SignInId, Tokens, UserSub,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Metric, Operation, SignInAnswer};
use tokio::join;

use crate::{ConfirmRegistration, Confirmation};

/// After so long Cognito's lock is over, whatever came before (developer guide, "Authentication":
/// lockout). How much of it is left, Cognito does not say.
const LONGEST_LOCK_SECONDS: u64 = 900;

/// An attempt that was admitted, and what it was counted against.
struct Attempt<'a> {
    id: &'a AttemptId,
    sign_in_id: &'a SignInId,
    requester: &'a Requester<'a>,
}

/// What a right code has come to.
enum Settled {
    /// This guest is signed in, and may have been made for it.
    Guest {
        guest: Box<Guest>,
        tokens: Box<Tokens>,
        created: bool,
    },
    /// The sign-in waits for another factor.
    Held(SessionToken, CognitoChallenge),
}

impl ConfirmRegistration {
    pub(crate) async fn confirm(
        &self,
        input: &Confirmation,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let now = self.clock.now();
        let (id, sign_in_id) = (
            AttemptId::generate(&self.randomness),
            input.session_token.registration_id(),
        );
        let (secrets, claimed) = join!(
            self.secrets.get(),
            self.sign_ins
                .claim_registration(&sign_in_id, &id, now, &self.settings.rules)
        );
        let (secrets, (sign_in, registration)) = match (secrets, claimed) {
            (Ok(secrets), Ok(claimed)) => (secrets, claimed),
            (Err(problem), Ok(_))
            | (_, Err(problem @ (Problem::ServiceUnavailable { .. } | Problem::Internal(_)))) => {
                note_stuck(&self.sign_ins.give_back(&sign_in_id, &id).await);
                return Err(problem);
            }
            (_, Err(refusal)) => return Err(refusal),
        };
        let (email, keys) = (&sign_in.email, secrets.keys());
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            input.proof_of_work.as_ref(),
            self.settings.device_lifetime,
            keys,
            &id,
            now,
        );
        let attempt = Attempt {
            id: &id,
            sign_in_id: &sign_in_id,
            requester: &requester,
        };
        let (counted, address) = join!(
            self.tries.admit(&requester),
            self.pending(email, &sign_in_id)
        );
        let address = match (counted, address) {
            (Ok(_), Ok(address)) => address,
            // What is refused was no attempt of the registration.
            (Err(problem), _) => {
                note_stuck(&self.sign_ins.give_back(&sign_in_id, &id).await);
                return Err(problem);
            }
            (Ok(_), Err(problem)) => {
                self.give_back(&attempt).await;
                return Err(problem);
            }
        };

        let (tokens, sub) = match self.prove(&sign_in, &input.code, &attempt).await? {
            Proof::Right { tokens, sub } => (tokens, sub),
            Proof::Wrong => {
                let address = keys.tag(Purpose::Address, &[email.as_str()]);
                tracing::warn!(address = address.to_hex(), "wrong code");
                return Err(Problem::InvalidOtp(sign_in.attempts(&self.settings.rules)));
            }
            Proof::Over => return Err(Problem::OtpExpired),
        };
        // The new password may end the session that the code began: its tokens are not the ones
        // that leave.
        let (settled, ()) = join!(
            self.settle(input, &sign_in, &registration, address, &sub, &attempt),
            self.token_service.discard(&tokens)
        );
        match settled? {
            Settled::Held(session_token, challenge) => {
                Ok(SignInAnswer::held(session_token, challenge))
            }
            Settled::Guest {
                guest,
                tokens,
                created,
            } => {
                exchange.count(Metric::SignIns);
                if created {
                    exchange.count(Metric::GuestsCreated);
                }
                exchange.remember_device(
                    email,
                    requester.device(),
                    now,
                    self.settings.device_lifetime,
                    keys,
                    &self.randomness,
                );
                let tokens = exchange.deliver(
                    *tokens,
                    input.token_delivery,
                    self.settings.refresh_token_lifetime,
                );
                Ok(SignInAnswer::signed_in(tokens, *guest))
            }
        }
    }

    /// What the address is, as long as it is still to be proved, or was proved by this very
    /// registration, which then failed half-way.
    pub(crate) async fn pending(
        &self,
        email: &Email,
        id: &SignInId,
    ) -> Result<Option<Address>, Problem> {
        let address = self.guests.at(email).await?;
        if let Some(Address::Claimed(claim)) = &address
            && self.guests.registered_by(id, &claim.sub).await?.is_none()
        {
            return Err(Problem::InvalidSession);
        }
        Ok(address)
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

    /// Makes the guest, by the one write that decides between this and every other proof of the
    /// address. Only then the password is set, so of two registrations that are confirmed at once,
    /// one sets its own; and then it signs in.
    async fn settle(
        &self,
        input: &Confirmation,
        sign_in: &SignIn,
        registration: &PendingRegistration,
        address: Option<Address>,
        sub: &UserSub,
        attempt: &Attempt<'_>,
    ) -> Result<Settled, Problem> {
        let password = self
            .pending_passwords
            .open(&registration.password, &input.session_token)
            .await?;
        let email = &sign_in.email;
        let proved = ProvedRegistration {
            sub,
            email,
            id: attempt.sign_in_id,
            registration,
        };
        let registered = self
            .guests
            .register(&proved, address, &self.unproved, self.clock.now())
            .await?;
        let (guest, created) = registered.ok_or(Problem::InvalidSession)?;
        self.passwords.set(sub.as_str(), &password).await?;
        let password = Password::from(password);
        let signed_in = self.passwords.sign_in(email, &password).await;
        match signed_in.map_err(|undecided| undecided.problem)? {
            PasswordProof::Right(PasswordSignIn { tokens, .. }) => {
                let settled = self.finish(input, guest, &tokens, created, attempt).await;
                if settled.is_err() {
                    self.token_service.discard(&tokens).await;
                }
                settled
            }
            PasswordProof::Challenged(follow_up) => self.follow_up(&follow_up, input, email).await,
            PasswordProof::Locked => Err(Problem::PasswordLocked {
                retry_after_seconds: LONGEST_LOCK_SECONDS,
            }),
            PasswordProof::Wrong => Err(Problem::Internal(Report::of(
                "Cognito refuses the password that was just set",
            ))),
        }
    }

    /// Ends the registration. Its guest has no authenticator, unless it comes again after it has
    /// failed half-way.
    async fn finish(
        &self,
        input: &Confirmation,
        guest: Guest,
        tokens: &Tokens,
        created: bool,
        attempt: &Attempt<'_>,
    ) -> Result<Settled, Problem> {
        let settled = if guest.authenticator.is_some() {
            let (sub, email) = (&guest.cognito_sub, &guest.email);
            let held = self
                .second_factors
                .hold(tokens, sub, email, input.token_delivery)
                .await?;
            Settled::Held(held, CognitoChallenge::SoftwareTokenMfa)
        } else {
            Settled::Guest {
                guest: Box::new(guest),
                tokens: Box::new(tokens.clone()),
                created,
            }
        };
        let (finished, cleared) = join!(
            self.sign_ins.finish(attempt.sign_in_id, attempt.id),
            self.tries.clear(attempt.requester)
        );
        if !finished? {
            return Err(Problem::InvalidSession);
        }
        if cleared.is_err() {
            tracing::warn!("the count of wrong codes could not be cleared, and will age out");
        }
        Ok(settled)
    }

    /// Holds a sign-in with which Cognito itself wants to go on.
    async fn follow_up(
        &self,
        follow_up: &FollowUp,
        input: &Confirmation,
        email: &Email,
    ) -> Result<Settled, Problem> {
        let held = self
            .second_factors
            .hold_follow_up(follow_up, email, input.token_delivery)
            .await?;
        Ok(Settled::Held(held, follow_up.challenge))
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

fn note_stuck(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that nobody looked at stays counted");
    }
}
