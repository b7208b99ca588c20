//! The decision: check the proofs, unless a deletion has begun; then delete everything.

use auth_domain::{ActivityKind, Problem, Proofs};
use auth_lambda::{Exchange, SetCookie};

use crate::DeleteAccount;

impl DeleteAccount {
    pub(crate) async fn delete(&self, proofs: &Proofs, exchange: &Exchange) -> Result<(), Problem> {
        let guest = self.callers.find_or_leaving(exchange.caller()?).await?;
        if guest.is_leaving {
            // A proof made the claim, and the user for another proof may no longer exist.
            self.deletions.resume((&guest).into(), exchange).await?;
        } else {
            self.proofs.require(&guest, proofs, exchange).await?;
            let kind = ActivityKind::AccountDeleted;
            let entry = self.activities.entry(&guest, kind, exchange)?;
            if !self.deletions.begin(&guest, entry, exchange).await? {
                return Err(Problem::AuthRequired);
            }
        }
        exchange.set_cookie(SetCookie::no_refresh_token());
        Ok(())
    }
}
