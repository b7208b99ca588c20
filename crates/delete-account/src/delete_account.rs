//! The decision: the proofs, unless a deletion has begun; then everything goes.

use auth_domain::{Problem, Proofs};
use auth_lambda::{Exchange, SetCookie};

use crate::DeleteAccount;

impl DeleteAccount {
    pub(crate) async fn delete(&self, proofs: &Proofs, exchange: &Exchange) -> Result<(), Problem> {
        let guest = self.callers.find_or_leaving(exchange.caller()?).await?;
        if guest.is_leaving {
            // The claim was made by a proof, and the user who could bring another may have gone.
            self.deletions.resume((&guest).into(), exchange).await?;
        } else {
            self.proofs.require(&guest, proofs, exchange).await?;
            self.deletions.begin(&guest, exchange).await?;
        }
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }
}
