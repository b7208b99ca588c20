//! The decision: count the network, read whether the guest's list has a passkey, begin.

use auth_domain::{Email, Problem};
use auth_lambda::Exchange;
use tokio::join;

use crate::{InitiatePasskey, Options, Started};

impl InitiatePasskey {
    pub(crate) async fn initiate(
        &self,
        email: &Email,
        exchange: &Exchange,
    ) -> Result<Started, Problem> {
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
        Ok(Started {
            session_token: started.session_token,
            expires_in,
            options: Options {
                challenge: started.challenge,
                rp_id: self.relying_party.as_str().to_owned(),
                timeout: expires_in.saturating_mul(1_000),
                user_verification: self.user_verification.as_str(),
            },
        })
    }
}
