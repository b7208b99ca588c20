//! The decision: count the attempt, ask Cognito, check that the address is proved; only then return
//! tokens.

use auth_aws::PasswordProof;
use auth_domain::Problem;
use auth_flows::PasswordAttempts;
use auth_lambda::{Exchange, SignInAnswer};

use crate::{Input, LoginUser};

impl LoginUser {
    pub(crate) async fn login(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        self.signing_in.expect_mail(exchange);
        let (email, delivery) = (&input.email, input.token_delivery);
        let signing_in = self.attempts.sign_in(email, &input.password, exchange);
        let (attempt, requester, proof) = signing_in.await?;
        match proof {
            PasswordProof::Right(signed_in) => {
                self.signing_in
                    .by_password(attempt, requester, signed_in, delivery)
                    .await
            }
            PasswordProof::Challenged(follow_up) => {
                self.signing_in
                    .hold_follow_up(&attempt, &follow_up, email, delivery)
                    .await
            }
            // Cognito did not evaluate the password, so a known device's attempt is restored. A
            // stranger's stays counted: an address without a user is never locked.
            PasswordProof::Locked if requester.device().is_some() => {
                attempt.give_back().await;
                Err(PasswordAttempts::locked())
            }
            PasswordProof::Wrong | PasswordProof::Locked => Err(requester.wrong_password()),
        }
    }
}
