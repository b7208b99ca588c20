//! The decision: count the attempt and ask Cognito, then read the guest's list; only then return
//! tokens.

use auth_aws::{TokenPurpose, Whose};
use auth_domain::Problem;
use auth_flows::BroughtAssertion;
use auth_lambda::{Exchange, SignInAnswer};

use crate::{Input, VerifyPasskey};

impl VerifyPasskey {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        self.signing_in.expect_mail(exchange);
        let assertion = &input.assertion;
        let brought = BroughtAssertion {
            sign_in: input.session_token.passkey_sign_in_id(),
            whose: Whose::Holder,
            assertion,
            purpose: TokenPurpose::Session,
        };
        let proved = self.attempts.prove(brought, exchange).await?;
        self.signing_in
            .by_passkey(proved, assertion, input.token_delivery)
            .await
    }
}
