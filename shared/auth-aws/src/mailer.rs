//! Notices by mail, through SES.

use auth_domain::{Email, Mail, Notice, Report, Timestamp};
use aws_sdk_sesv2::{
    Client,
    types::{Body, Content, Destination, EmailContent, Message},
};

use crate::{
    ConfigurationError, MailWords, Platform,
    clients::{Deferred, ses},
    failure::failure,
};

/// `MAIL_SENDER` in a deployment that has no verified sender.
const NO_SENDER: &str = "none";

/// Sends notices from the deployment's address.
#[derive(Clone)]
pub struct Mailer {
    client: Deferred<Client>,
    /// `None` in a deployment that has no verified sender: it sends no notices.
    from: Option<String>,
    words: MailWords,
}

impl Mailer {
    /// Mails from the address that `MAIL_SENDER` names. A deployment without one sends no notices,
    /// and says so once for each.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: ses(platform)?,
            from: platform
                .environment()
                .optional("MAIL_SENDER")?
                .filter(|sender| *sender != NO_SENDER)
                .map(str::to_owned),
            words: MailWords::new(platform.environment())?,
        })
    }

    /// Tells a guest what happened at `at`. A notice that cannot be sent never fails what it is
    /// about: the caller notes the report, and goes on.
    pub async fn notify(&self, to: &Email, notice: Notice, at: Timestamp) -> Result<(), Report> {
        let Some(from) = &self.from else {
            tracing::info!(?notice, "no notice is sent: no sender is configured");
            return Ok(());
        };
        let Mail {
            subject,
            text,
            html,
        } = self.words.notice(notice, at, None)?;
        let content = |text: &str| {
            Content::builder()
                .data(text)
                .charset("UTF-8")
                .build()
                .map_err(|error| Report::new("describe the notice", error))
        };
        let body = Body::builder()
            .text(content(&text)?)
            .html(content(&html)?)
            .build();
        let message = Message::builder()
            .subject(content(&subject)?)
            .body(body)
            .build();
        self.client
            .send_email()
            .from_email_address(from)
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .await
            .map(drop)
            .map_err(failure("mail a notice"))
            .map_err(crate::failure::Failure::into_report)
    }
}
