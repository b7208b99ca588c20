//! Notices: mails that tell a guest of a change that another person may have made.

use auth_aws::{ConfigurationError, Mailer, Platform};
use auth_domain::{Clock, Email, Notice};
use auth_lambda::Exchange;

/// Mails notices.
#[derive(Clone)]
pub struct Notices {
    mailer: Mailer,
    clock: Clock,
}

impl Notices {
    /// Notices from the address that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            mailer: Mailer::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Mails a notice to an address. A failure is logged and counted, and does not fail the
    /// request.
    pub async fn tell(&self, email: &Email, notice: Notice, exchange: &Exchange) {
        let sent = self.mailer.notify(email, notice, self.clock.now()).await;
        exchange.note_notice(sent);
    }
}
