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
    /// `None` in a deployment without a verified sender, and in a function that sends no notices.
    sender: Option<Sender>,
}

#[derive(Clone)]
struct Sender {
    from: String,
    words: MailWords,
}

impl Mailer {
    /// Mails from the address that `MAIL_SENDER` names. A deployment without one sends no notices,
    /// and logs each omission.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let from = environment.optional("MAIL_SENDER")?;
        let sender = from.filter(|from| *from != NO_SENDER).map(|from| {
            Ok(Sender {
                from: from.to_owned(),
                words: MailWords::new(environment)?,
            })
        });
        Ok(Self {
            client: ses(platform)?,
            sender: sender.transpose()?,
        })
    }

    /// Tells a guest what happened at `at`. A failed notice never fails the operation: the caller
    /// logs the report and continues.
    pub async fn notify(&self, to: &Email, notice: Notice, at: Timestamp) -> Result<(), Report> {
        let Some(Sender { from, words }) = &self.sender else {
            tracing::info!(?notice, "no notice is sent: no sender is configured");
            return Ok(());
        };
        let Mail {
            subject,
            text,
            html,
        } = words.notice(notice, at, None)?;
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
