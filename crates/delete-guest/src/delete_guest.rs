//! The decision: the claim, unless it was made before; then everything goes.

use auth_domain::{ActOnGuest, ActivityKind, Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::DeleteGuest;

impl DeleteGuest {
    /// Claims the guest for deletion, and deletes everything.
    pub(crate) async fn delete(&self, act: ActOnGuest, exchange: &Exchange) -> Result<(), Problem> {
        let deleting = |guest: Guest| async move {
            if guest.is_leaving {
                return self.deletions.resume((&guest).into(), exchange).await;
            }
            let (sub, kind) = (&guest.cognito_sub, ActivityKind::AccountDeleted);
            let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
            let entry = self.activities.write_of(&activity)?;
            if self.deletions.begin(&guest, entry, exchange).await? {
                Ok(())
            } else {
                Err(Problem::NotFound)
            }
        };
        self.acts
            .on_guest_or_leaving(OperatorAct::Delete, act, exchange, deleting)
            .await
    }
}
