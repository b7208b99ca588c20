//! The decision: count, and have a code mailed unless the address has had enough of them.

use auth_domain::{AttemptId, Email, KnownDevice, Problem, Purpose};
use auth_lambda::Exchange;

use crate::RequestPasswordReset;

impl RequestPasswordReset {
    pub(crate) async fn request(&self, email: &Email, exchange: &Exchange) -> Result<(), Problem> {
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
        let device = exchange.known_device(email, now, self.settings.device_lifetime, keys);
        let budget = KnownDevice::budget(device.as_ref(), email, keys);
        let admitted = self
            .limits
            .admit(&self.settings.per_email, &budget, &attempt, now, |_| {})
            .await;
        match admitted {
            Ok(()) => {}
            Err(Problem::RateLimited { .. }) => {
                tracing::info!("this address has had its mails; the last one's code still works");
                return Ok(());
            }
            Err(problem) => return Err(problem),
        }
        self.limits
            .admit_to_total(&self.settings.in_total, &attempt, now)
            .await?;
        self.passwords.request_recovery(email).await
    }
}
