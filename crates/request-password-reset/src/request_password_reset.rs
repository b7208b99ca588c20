//! The decision: count the mail, and mail a code.

use auth_aws::Address;
use auth_domain::{NewUser, Problem};
use auth_lambda::Exchange;
use tokio::join;

use crate::{Input, RequestPasswordReset};

impl RequestPasswordReset {
    pub(crate) async fn request(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let (email, proof) = (&input.email, input.proof_of_work.as_ref());
        let counting = async {
            let requester = self.requesters.meet(exchange, email, proof).await?;
            let counted = self.mails.count(&requester, Some(&self.starts)).await;
            counted.map(|()| requester)
        };
        let (counted, address) = join!(counting, self.guests.at(email));
        let requester = counted?;
        let address = match address {
            Ok(address) => address,
            Err(problem) => {
                self.mails.withdraw(&requester).await;
                return Err(problem);
            }
        };
        self.mails.admit_to_pool(&requester, NewUser::Never).await?;
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
