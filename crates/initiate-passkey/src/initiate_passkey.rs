//! The decision: count the network, read whether the guest's list has a passkey, begin.

use auth_domain::{Email, Problem};
use auth_lambda::{Exchange, PasskeyAsked};
use tokio::join;

use crate::InitiatePasskey;

impl InitiatePasskey {
    pub(crate) async fn initiate(
        &self,
        email: &Email,
        exchange: &Exchange,
    ) -> Result<PasskeyAsked, Problem> {
        let counting = async {
            let requester = self.requesters.meet(exchange, email, None).await?;
            let (turn, keys) = (requester.turn(), requester.keys());
            self.network.admit(&turn, keys).await
        };
        let (counted, address) = join!(counting, self.guests.at(email));
        counted?;
        let address = address?;
        let started = self.starts.begin(email, address, exchange).await?;
        let expires_in = started.rules.lifetime.as_secs();
        Ok(PasskeyAsked::new(
            started.session_token,
            expires_in,
            started.challenge,
            &self.relying_party,
            self.user_verification,
        ))
    }
}
