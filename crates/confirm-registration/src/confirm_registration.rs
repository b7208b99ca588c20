//! The decision: count the attempt, ask Cognito, make the guest, set the password, sign in by it;
//! only then do tokens leave.

use auth_aws::{Address, PasswordProof, ProvedRegistration};
use auth_domain::{Email, PendingRegistration, Problem, Report, SignInId, SignInMethod};
use auth_flows::{Arrived, BroughtCode, FirstFactor, PasswordAttempts, ProvedCode};
use auth_lambda::{Exchange, Metric, SignInAnswer};
use tokio::join;

use crate::{ConfirmRegistration, Confirmation};

impl ConfirmRegistration {
    pub(crate) async fn confirm(
        &self,
        input: &Confirmation,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let id = input.session_token.registration_id();
        let brought = BroughtCode {
            sign_in: id.clone(),
            // The token alone says whose registration it is.
            email: None,
            code: &input.code,
            proof_of_work: input.proof_of_work.as_ref(),
        };
        let mut claimed = self.code_attempts.claim(brought, exchange).await?;
        let registration = claimed.sign_in.registration.take();
        let (counted, address) = join!(
            self.code_attempts.count(&claimed),
            self.pending(&claimed.sign_in.email, &id)
        );
        let attempt = counted?;
        let known = address.and_then(|address| Ok((address, registration.ok_or_else(unreadable)?)));
        let (address, registration) = match known {
            Ok(known) => known,
            Err(problem) => {
                attempt.give_back().await;
                return Err(problem);
            }
        };
        let evaluating = self.code_attempts.evaluate(claimed, attempt, &input.code);
        let proved = evaluating.await?;
        // The new password may end the session that the code began: its tokens are not the ones
        // that leave.
        let tokens_of_code = proved.tokens.clone();
        let (settled, ()) = join!(
            self.settle(input, &id, proved, &registration, address),
            self.token_service.discard(&tokens_of_code)
        );
        settled
    }

    /// The address's item, if the address is still unproved, or if this registration proved it and
    /// then failed half-way.
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

    /// Makes the guest, by the one write that decides between this and every other proof of the
    /// address. Only then the password is set, so of two registrations that are confirmed at once,
    /// one sets its own; and then it signs in.
    async fn settle(
        &self,
        input: &Confirmation,
        id: &SignInId,
        proved: ProvedCode<'_>,
        registration: &PendingRegistration,
        address: Option<Address>,
    ) -> Result<SignInAnswer, Problem> {
        let password = self
            .pending_passwords
            .open(&registration.password, &input.session_token)
            .await?;
        let (email, delivery) = (&proved.sign_in.email, input.token_delivery);
        let registering = ProvedRegistration {
            sub: &proved.sub,
            email,
            id,
            registration,
        };
        let registered = self
            .guests
            .register(
                &registering,
                address,
                &self.unproved,
                proved.requester.now(),
            )
            .await?;
        let (guest, created) = registered.ok_or(Problem::InvalidSession)?;
        if created {
            proved.requester.exchange().count(Metric::GuestsCreated);
        }
        self.passwords.set(proved.sub.as_str(), &password).await?;
        let context = proved.requester.exchange().context();
        let passwords = self.passwords.for_request(context);
        let signed_in = passwords.sign_in(email, password.spelling()).await;
        match signed_in.map_err(|undecided| undecided.problem)? {
            PasswordProof::Right(signed_in) => {
                let first_factor = FirstFactor {
                    attempt: proved.attempt,
                    requester: proved.requester,
                    tokens: signed_in.tokens,
                    sub: signed_in.sub,
                    token_delivery: delivery,
                    method: SignInMethod::Code,
                };
                // The guest is new to the one who registered: no device is there to compare with.
                let arriving = async {
                    Ok(Arrived {
                        guest,
                        returns: false,
                        has_both_factors: false,
                    })
                };
                self.signing_in.end(&first_factor, arriving).await
            }
            PasswordProof::Challenged(follow_up) => {
                self.signing_in
                    .hold_follow_up(&proved.attempt, &follow_up, email, delivery)
                    .await
            }
            PasswordProof::Locked => Err(PasswordAttempts::locked()),
            PasswordProof::Wrong => Err(Problem::Internal(Report::of(
                "Cognito refuses the password that was just set",
            ))),
        }
    }
}

fn unreadable() -> Problem {
    Problem::Internal(Report::of("a registration's record does not read back"))
}
