//! The decision: disable the user at Cognito, and end every session.

use auth_domain::{ActOnGuest, ActivityKind, Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::DisableGuest;

impl DisableGuest {
    /// Disables the guest's user, then ends every session.
    pub(crate) async fn disable(
        &self,
        act: ActOnGuest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let disabling = |guest: Guest| async move {
            let (sub, kind) = (&guest.cognito_sub, ActivityKind::AccountDisabled);
            self.users.disable(sub).await?;
            let activity = self.activities.by_operator(sub, &guest.guest_id, kind);
            let (entry, now) = (self.activities.write_of(&activity)?, self.clock.now());
            self.guests.sign_out_everywhere(sub, entry, now).await
        };
        self.acts
            .on_guest(OperatorAct::Disable, act, exchange, disabling)
            .await
    }
}
