//! The decision: find the caller, then mail a code to the guest's own address.

use auth_domain::{Problem, ProofPurpose};
use auth_lambda::{CodeSent, Exchange};

use crate::RequestProof;

impl RequestProof {
    pub(crate) async fn request(
        &self,
        purpose: ProofPurpose,
        exchange: &Exchange,
    ) -> Result<CodeSent, Problem> {
        let guest = self.callers.find(exchange.caller()?).await?;
        self.mails.send(&guest, purpose, exchange).await
    }
}
