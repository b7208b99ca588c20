//! The decision: find the caller, then mail a code to the guest's own address, or ask for a
//! passkey.

use auth_domain::{Problem, ProofMethod};
use auth_lambda::Exchange;

use crate::{Asked, Input, RequestProof};

impl RequestProof {
    pub(crate) async fn request(
        &self,
        input: &Input,
        exchange: &Exchange,
    ) -> Result<Asked, Problem> {
        let guest = self.callers.find(exchange.caller()?).await?;
        let purpose = input.purpose;
        match input.method {
            ProofMethod::Code => {
                let sent = self.mails.send(&guest, purpose, exchange).await?;
                Ok(Asked::Mail(sent))
            }
            ProofMethod::Passkey => {
                let asked = self.challenges.ask(&guest, purpose, exchange).await?;
                Ok(Asked::Passkey(asked))
            }
        }
    }
}
