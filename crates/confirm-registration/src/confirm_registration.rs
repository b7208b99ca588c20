//! The decision: count the attempt, ask Cognito, confirm the guest; or count, and have another code mailed.

use auth_aws::{Address, Proof, ProvedBy, Undecided, Waiting};
use auth_domain::{
    AttemptId, Email, KeyRing, OfferedPassword, OtpCode, Problem, Purpose, SignIn, SignInId,
    Timestamp, UserSub,
};
use auth_flows::Requester;
use auth_lambda::{Exchange, Operation};
use tokio::join;

use crate::{ConfirmRegistration, Input};

/// An attempt that was admitted, and what it was counted against.
struct Attempt<'a> {
    id: &'a AttemptId,
    sign_in_id: &'a SignInId,
    requester: &'a Requester<'a>,
}

impl ConfirmRegistration {
    pub(crate) async fn confirm(
        &self,
        input: &Input,
        code: &OtpCode,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let email = &input.email;
        let now = self.clock.now();
        let (id, sign_in_id) = (
            AttemptId::generate(&self.randomness),
            SignInId::of_registration(email),
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
        let keys = secrets.keys();
        let requester = self.requester(input, exchange, keys, &id, now);
        let attempt = Attempt {
            id: &id,
            sign_in_id: &sign_in_id,
            requester: &requester,
        };
        self.admit(&attempt).await?;
        let (proof, known) = join!(self.prove(&sign_in, code, &attempt), self.guests.at(email));
        match proof? {
            Proof::Right { tokens, sub } => {
                let settling = self.settle(&sign_in, known, &sub, &attempt, now);
                let (settled, ()) = join!(settling, self.token_service.discard(&tokens));
                settled?;
                exchange.remember_device(
                    email,
                    requester.device(),
                    self.clock.now(),
                    self.settings.device_lifetime,
                    keys,
                    &self.randomness,
                );
                Ok(())
            }
            Proof::Wrong => {
                tracing::warn!(
                    address = keys.tag(Purpose::Address, &[email.as_str()]).to_hex(),
                    "wrong code"
                );
                Err(Problem::InvalidOtp(sign_in.attempts(&self.settings.rules)))
            }
            Proof::Over => Err(Problem::OtpExpired),
        }
    }

    /// Asks Cognito about the code in the mail's session.
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

    /// Confirms the guest, then ends the registration's sign-in. A guest who has proved the address in another way meanwhile has
    /// nothing left to confirm, and one whose user was made anew is bound to that one.
    async fn settle(
        &self,
        sign_in: &SignIn,
        known: Result<Option<Address>, Problem>,
        sub: &UserSub,
        attempt: &Attempt<'_>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let known = known?.ok_or(Problem::InvalidSession)?;
        let confirmed = match &known {
            Address::Waiting(waiting) => {
                self.guests.confirm_registration(waiting, sub, now).await?
            }
            Address::Claimed(_) => None,
        };
        if confirmed.is_none() {
            let arrival = self.guests.arrival(sub, &sign_in.email).await?;
            self.guests
                .get_or_create(sub, &sign_in.email, arrival, ProvedBy::Code, true, now)
                .await?;
        }
        let (finished, cleared) = join!(
            self.sign_ins.finish(attempt.sign_in_id, attempt.id),
            self.tries.clear(attempt.requester)
        );
        if finished.is_err() || cleared.is_err() {
            tracing::warn!("a registration is confirmed, and its counts will age out");
        }
        Ok(())
    }

    fn requester<'a>(
        &self,
        input: &'a Input,
        exchange: &'a Exchange,
        keys: &'a KeyRing,
        attempt: &'a AttemptId,
        now: Timestamp,
    ) -> Requester<'a> {
        Requester::of(
            exchange,
            Self::NAME,
            &input.email,
            input.proof_of_work.as_ref(),
            self.settings.device_lifetime,
            keys,
            attempt,
            now,
        )
    }

    /// Counts the attempt for network and address. What is refused was no attempt of the registration.
    async fn admit(&self, attempt: &Attempt<'_>) -> Result<(), Problem> {
        let counted = self.tries.admit(attempt.requester).await;
        if counted.is_err() {
            let given_back = self.sign_ins.give_back(attempt.sign_in_id, attempt.id);
            note_stuck(&given_back.await);
        }
        counted.map(drop)
    }

    /// Has another code mailed, where an address waits to be confirmed. The mail is counted for every address, and before it is known
    /// whether this one waits.
    pub(crate) async fn resend(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let email = &input.email;
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        let subject = keys.tag(Purpose::Address, &[email.as_str()]).to_hex();
        let gap = &self.settings.resend_gap;
        self.limits
            .admit(gap, &subject, &attempt, now, |state| {
                exchange.rate_limit(state);
            })
            .await?;
        let requester = self.requester(input, exchange, keys, &attempt, now);
        let sent = self.send(email, &requester, now).await;
        if sent.is_err() {
            // The person should not wait for a mail that was not sent.
            note_stuck(&self.limits.take_back(gap, &subject, &attempt).await);
        }
        sent
    }

    async fn send(
        &self,
        email: &Email,
        requester: &Requester<'_>,
        now: Timestamp,
    ) -> Result<(), Problem> {
        self.mails.admit(requester, false).await?;
        let is_registered = match self.guests.at(email).await? {
            Some(Address::Waiting(Waiting { guest, .. })) => {
                guest.registered_sub.is_some() && !guest.email_verified
            }
            Some(Address::Claimed(_)) | None => false,
        };
        if !is_registered {
            return Ok(());
        }
        // Where half a registration has left a guest without a user, that user is made here.
        self.codes.create_user(email).await?;
        let sending = self.codes.send(email).await?;
        let sign_in = SignIn {
            email: email.clone(),
            cognito_sessions: sending.session.into_iter().collect(),
            attempts: 0,
            sent_at: now,
            expires_at: now.after(self.settings.rules.lifetime),
            password: OfferedPassword::Unproven,
        };
        self.sign_ins
            .begin(&SignInId::of_registration(email), &sign_in)
            .await
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
