//! The decision: an operator sees the guest's own view.

use auth_aws::ActivityPage;
use auth_domain::{Guest, OperatorAct, Problem};
use auth_lambda::Exchange;

use crate::{GuestActivity, Input};

impl GuestActivity {
    /// A page of the guest's events. The look is recorded.
    pub(crate) async fn list(
        &self,
        input: Input,
        exchange: &Exchange,
    ) -> Result<ActivityPage, Problem> {
        let Input { act, wish } = input;
        let reading = |guest: Guest| async move {
            let (sub, now) = (&guest.cognito_sub, self.clock.now());
            self.log.page(sub, &wish, now).await
        };
        self.acts
            .on_guest(OperatorAct::Activity, act, exchange, reading)
            .await
    }
}
