//! The decision: count the attempt and ask Cognito, then read the guest's list; only then return
//! tokens.

use auth_domain::Problem;
use auth_lambda::{Exchange, SignInAnswer};

use crate::{Input, VerifyPasskey};

impl VerifyPasskey {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        let assertion = &input.assertion;
        if !self.user_verification.accepts(assertion.user_verified()) {
            return Err(Problem::InvalidCredentials);
        }
        let proved = self
            .attempts
            .prove(&input.session_token, assertion, exchange)
            .await?;
        self.signing_in
            .by_passkey(proved, assertion, input.token_delivery)
            .await
    }
}
