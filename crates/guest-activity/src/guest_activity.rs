//! The decision: an operator sees what the guest sees.

use auth_domain::{Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{GuestActivity, Input, Output};

impl GuestActivity {
    /// A page of the guest's events. The look is recorded.
    pub(crate) async fn list(&self, input: Input, exchange: &Exchange) -> Result<Output, Problem> {
        let Input {
            guest_id,
            before,
            limit,
        } = input;
        let reading = |guest: Guest| async move {
            let (sub, now) = (&guest.cognito_sub, self.clock.now());
            let page = self.log.page(sub, before.as_ref(), limit, now).await?;
            Ok(Output {
                events: page.events,
                before: page.before,
            })
        };
        let act = OperatorAct::Activity;
        self.acts
            .on_guest(act, &guest_id, None, exchange, reading)
            .await
    }
}
