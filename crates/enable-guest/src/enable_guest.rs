//! The decision: find the guest, and enable the user at Cognito.

use auth_domain::{ActOnGuest, ActivityKind, Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::EnableGuest;

impl EnableGuest {
    /// Enables the guest's user.
    pub(crate) async fn enable(&self, act: ActOnGuest, exchange: &Exchange) -> Result<(), Problem> {
        let enabling = |guest: Guest| async move {
            let (sub, kind) = (&guest.cognito_sub, ActivityKind::AccountEnabled);
            self.users.enable(sub).await?;
            let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
            self.activities.note(&activity).await;
            Ok(())
        };
        self.acts
            .on_guest(OperatorAct::Enable, act, exchange, enabling)
            .await
    }
}
