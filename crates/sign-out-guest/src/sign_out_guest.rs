//! The decision: which sessions end.

use auth_domain::{Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{Input, SignOutGuest};

impl SignOutGuest {
    /// Ends every session of the guest.
    pub(crate) async fn sign_out(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let Input { guest_id, reason } = input;
        let act = OperatorAct::SignOut;
        let ending = |guest: Guest| async move { self.sessions.end_all_by_operator(&guest).await };
        self.acts
            .on_guest(act, &guest_id, reason, exchange, ending)
            .await
    }
}
