//! The decision: count, and have a code mailed.

use auth_domain::{AttemptId, Problem, Purpose};
use auth_flows::Requester;
use auth_lambda::{Exchange, Operation};

use crate::{Input, RequestPasswordReset};

impl RequestPasswordReset {
    pub(crate) async fn request(&self, input: &Input, exchange: &Exchange) -> Result<(), Problem> {
        let email = &input.email;
        let now = self.clock.now();
        let attempt = AttemptId::generate(&self.randomness);
        let secrets = self.secrets.get().await?;
        let keys = secrets.keys();
        if let Some(network) = exchange.network() {
            let subject = keys.tag(Purpose::IpAddress, &[&network]).to_hex();
            self.limits
                .admit(&self.settings.per_ip, &subject, &attempt, now, |state| {
                    exchange.rate_limit(state);
                })
                .await?;
        }
        let requester = Requester::of(
            exchange,
            Self::NAME,
            email,
            input.proof_of_work.as_ref(),
            self.settings.device_lifetime,
            keys,
            &attempt,
            now,
        );
        self.mails.admit(&requester, false).await?;
        self.passwords.request_recovery(email).await
    }
}
