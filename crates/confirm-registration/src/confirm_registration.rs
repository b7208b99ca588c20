//! The decision: count the attempt, ask Cognito, make the guest, set the password, sign in by it;
//! only then return tokens.

use auth_aws::{Address, PasswordProof, Whose};
use auth_domain::{PendingRegistration, Problem, Report, SignInMethod};
use auth_flows::{Arrived, BroughtCode, FirstFactor, PasswordAttempts, ProvedCode};
use auth_lambda::{Exchange, SignInAnswer};
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
            whose: Whose::Holder,
            code: &input.code,
            proof_of_work: input.proof_of_work.as_ref(),
        };
        let claimed = self.code_attempts.claim(brought, exchange).await?;
        let registration = claimed.sign_in.registration.clone();
        let (counted, address) = join!(
            self.code_attempts.count(&claimed),
            self.registrations.open_at(&claimed.sign_in.email, &id)
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
        // The new password may end the session of the code, so that session's tokens are not
        // returned.
        let tokens_of_code = proved.tokens.clone();
        let (settled, ()) = join!(
            self.settle(input, proved, &registration, address),
            self.token_service.discard(&tokens_of_code)
        );
        settled
    }

    /// Settles the registration, and ends the sign-in by its password.
    async fn settle(
        &self,
        input: &Confirmation,
        proved: ProvedCode<'_>,
        registration: &PendingRegistration,
        address: Option<Address>,
    ) -> Result<SignInAnswer, Problem> {
        let (token, delivery) = (&input.session_token, input.token_delivery);
        let (guest, proof) = self
            .registrations
            .settle(token, &proved, registration, address)
            .await?;
        match proof {
            PasswordProof::Right(signed_in) => {
                let first_factor = FirstFactor {
                    attempt: proved.attempt,
                    requester: proved.requester,
                    tokens: signed_in.tokens,
                    sub: signed_in.sub,
                    token_delivery: delivery,
                    method: SignInMethod::Code,
                };
                // The guest has just registered, so there is no known device to compare with.
                let arriving = async { Ok(Arrived::with_one_factor(guest, false)) };
                self.signing_in.end(&first_factor, arriving).await
            }
            PasswordProof::Challenged(follow_up) => {
                let email = &proved.sign_in.email;
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
