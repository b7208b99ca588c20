//! The decision: prove the code, find the guest, end the sign-in; only then return tokens.

use auth_aws::Whose;
use auth_domain::Problem;
use auth_flows::BroughtCode;
use auth_lambda::{Exchange, SignInAnswer};

use crate::{Input, VerifyOtp};

impl VerifyOtp {
    pub(crate) async fn verify(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<SignInAnswer, Problem> {
        self.signing_in.expect_mail(exchange);
        let brought = BroughtCode {
            sign_in: input.session_token.sign_in_id(),
            whose: Whose::Address(&input.email),
            code: &input.code,
            proof_of_work: input.proof_of_work.as_ref(),
        };
        let proved = self.codes.prove(brought, exchange).await?;
        self.signing_in.by_code(proved, input.token_delivery).await
    }
}
