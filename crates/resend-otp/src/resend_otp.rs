//! The decision: admit the re-send, mail a code, and return the rest of the sign-in's time.

use std::future::ready;

use auth_domain::Problem;
use auth_lambda::{CodeSent, Exchange};

use crate::{Input, ResendOtp};

/// The answer for every address, known or not.
const MESSAGE: &str = "If this address can sign in by code, a fresh one is on its way. The codes sent before work too.";

impl ResendOtp {
    pub(crate) async fn resend(
        &self,
        input: Input,
        exchange: &Exchange,
    ) -> Result<CodeSent, Problem> {
        let (id, proof) = (
            input.session_token.sign_in_id(),
            input.proof_of_work.as_ref(),
        );
        let claimed = self.resends.claim(id, proof, exchange).await?;
        self.resends.mail(&claimed, ready(Ok(()))).await?;
        let sign_in = &claimed.sign_in;
        Ok(CodeSent::new(
            input.session_token,
            &sign_in.email,
            sign_in.expires_at.seconds_from(claimed.now()),
            self.resends.rules().resend_after.as_secs(),
            MESSAGE,
        ))
    }
}
