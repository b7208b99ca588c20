//! Notices: what a guest hears by mail of a change that may not be theirs.

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

    /// Tells an address what has just happened. A notice that cannot be mailed is logged and
    /// counted, and fails nothing.
    pub async fn tell(&self, email: &Email, notice: Notice, exchange: &Exchange) {
        let sent = self.mailer.notify(email, notice, self.clock.now()).await;
        exchange.note_notice(sent);
    }
}
