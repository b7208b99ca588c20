//! Notices: mails that tell a guest of a change that another person may have made.

use auth_aws::{ConfigurationError, Mailer, Platform};
use auth_domain::{Clock, Email, Guest, Locale, Notice};
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

    /// Prepares for a notice that this invocation may send.
    pub(crate) fn expect_mail(&self) {
        self.mailer.expect_mail();
    }

    /// Mails a notice to a guest. A failure is logged and counted, and does not fail the request.
    pub async fn tell(&self, guest: &Guest, notice: Notice, exchange: &Exchange) {
        let locale = guest.locale.as_ref();
        self.tell_at(&guest.email, locale, notice, exchange).await;
    }

    /// The same to an address, whose guest reads `locale`.
    pub async fn tell_at(
        &self,
        email: &Email,
        locale: Option<&Locale>,
        notice: Notice,
        exchange: &Exchange,
    ) {
        let language = locale.and_then(Locale::language);
        let now = self.clock.now();
        let sent = self.mailer.notify(email, notice, now, language).await;
        exchange.note_notice(sent);
    }
}
