//! The decision: who may sign in again.

use auth_domain::{ActivityKind, Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{EnableGuest, Input};

impl EnableGuest {
    /// Enables the guest's user.
    pub(crate) async fn enable(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input { guest_id, reason } = input;
        let act = OperatorAct::Enable;
        let enabling = |guest: Guest| async move {
            let (sub, kind) = (&guest.cognito_sub, ActivityKind::AccountEnabled);
            self.users.enable(sub).await?;
            let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
            self.activities.note(&activity).await;
            Ok(())
        };
        self.acts
            .on_guest(act, &guest_id, reason, exchange, enabling)
            .await
    }
}
