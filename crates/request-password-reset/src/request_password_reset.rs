//! The decision: count the mail, and mail a code.

use auth_aws::Address;
use auth_domain::Problem;
use auth_lambda::Exchange;
use tokio::try_join;

use crate::{Input, RequestPasswordReset};

impl RequestPasswordReset {
    pub(crate) async fn request(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let (email, proof) = (&input.email, input.proof_of_work.as_ref());
        let (requester, address) = try_join!(
            self.requesters.meet(exchange, email, proof),
            self.guests.at(email)
        )?;
        self.starts
            .admit(&requester.turn(), requester.keys())
            .await?;
        self.mails.admit(&requester, false).await?;
        let passwords = self.passwords.for_request(exchange.context());
        let is_mailed = passwords.request_recovery(email).await?;
        let now = requester.now();
        match address {
            Some(Address::Claimed(claim)) if is_mailed && claim.is_new_here(now) => {
                self.guests.note_recovery(email, now).await
            }
            Some(Address::Claimed(_) | Address::Waiting(_)) | None => Ok(()),
        }
    }
}
