//! The decision: end every session of the guest.

use auth_domain::{ActOnGuest, Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::SignOutGuest;

impl SignOutGuest {
    /// Ends every session of the guest.
    pub(crate) async fn sign_out(
        &self,
        act: ActOnGuest,
        exchange: &Exchange,
    ) -> Result<(), Problem> {
        let ending = |guest: Guest| async move { self.sessions.end_all_by_operator(&guest).await };
        self.acts
            .on_guest(OperatorAct::SignOut, act, exchange, ending)
            .await
    }
}
