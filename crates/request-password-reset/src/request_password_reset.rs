//! The decision: count the mail, and mail a code.

use auth_domain::Problem;
use auth_lambda::Exchange;

use crate::{Input, RequestPasswordReset};

impl RequestPasswordReset {
    pub(crate) async fn request(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let (email, proof) = (&input.email, input.proof_of_work.as_ref());
        let requester = self.requesters.meet(exchange, email, proof).await?;
        self.starts
            .admit(&requester.turn(), requester.keys())
            .await?;
        self.mails.admit(&requester, false).await?;
        let passwords = self.passwords.for_request(exchange.context());
        passwords.request_recovery(email).await
    }
}
