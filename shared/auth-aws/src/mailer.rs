//! Latchkey's own mails, through SES: notices, and codes for another address.

use auth_domain::{CodeMail, Email, Language, Mail, Notice, OtpCode, Report, Timestamp};
use aws_sdk_sesv2::{
    Client,
    types::{Body, Content, Destination, EmailContent, Message},
};

use crate::{
    ConfigurationError, MailWords, Platform,
    boxed::Boxed as _,
    clients::{Deferred, ses},
    failure::failure,
};

/// `MAIL_SENDER` in a deployment that has no verified sender.
const NO_SENDER: &str = "none";

/// Sends mails from the deployment's address.
#[derive(Clone)]
pub struct Mailer {
    platform: Platform,
    client: Deferred<Client>,
    /// `None` in a deployment without a verified sender, and in a function that sends no notices.
    sender: Option<Sender>,
}

#[derive(Clone)]
struct Sender {
    from: String,
    reply_to: Option<String>,
    /// The set that Cognito's mails name too: it says what becomes of bounces and complaints.
    configuration_set: Option<String>,
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
                reply_to: environment.unless_none("MAIL_REPLY_TO")?,
                configuration_set: environment.unless_none("MAIL_CONFIGURATION_SET")?,
                words: MailWords::new(environment)?,
            })
        });
        Ok(Self {
            platform: platform.clone(),
            client: ses(platform)?,
            sender: sender.transpose()?,
        })
    }

    /// Opens a connection in the background: a mail may follow within this invocation.
    pub fn expect_mail(&self) {
        if self.sender.is_some() {
            self.platform.expect_mail();
        }
    }

    /// Tells a guest what happened at `at`, in the language that the guest is known to read. A
    /// failed notice never fails the operation: the caller logs the report and continues.
    pub async fn notify(
        &self,
        to: &Email,
        notice: Notice,
        at: Timestamp,
        language: Option<Language>,
    ) -> Result<(), Report> {
        let Some(sender) = &self.sender else {
            tracing::info!(?notice, "no notice is sent: no sender is configured");
            return Ok(());
        };
        let mail = sender.words.notice(notice, at, language)?;
        self.send(sender, to, mail, "mail a notice").await
    }

    /// Whether mails can be sent at all. A code that cannot be mailed fails what it is for.
    pub fn check(&self) -> Result<(), Report> {
        self.configured().map(drop)
    }

    fn configured(&self) -> Result<&Sender, Report> {
        let sender = self.sender.as_ref();
        sender.ok_or_else(|| Report::of("no sender of mails is configured"))
    }

    /// Mails a code of Latchkey's own, in the language that its reader is known to read.
    pub async fn mail_code(
        &self,
        to: &Email,
        kind: CodeMail,
        code: &OtpCode,
        language: Option<Language>,
    ) -> Result<(), Report> {
        let sender = self.configured()?;
        let mail = sender.words.code(kind, code.as_str(), language)?;
        self.send(sender, to, mail, "mail a code").await
    }

    async fn send(
        &self,
        sender: &Sender,
        to: &Email,
        mail: Mail,
        attempted: &'static str,
    ) -> Result<(), Report> {
        let content = |text: &str| {
            Content::builder()
                .data(text)
                .charset("UTF-8")
                .build()
                .map_err(|error| Report::new("describe the mail", error))
        };
        let body = Body::builder()
            .text(content(&mail.text)?)
            .html(content(&mail.html)?)
            .build();
        let message = Message::builder()
            .subject(content(&mail.subject)?)
            .body(body)
            .build();
        self.client
            .send_email()
            .from_email_address(&sender.from)
            .set_reply_to_addresses(sender.reply_to.clone().map(|address| vec![address]))
            .set_configuration_set_name(sender.configuration_set.clone())
            .destination(Destination::builder().to_addresses(to.as_str()).build())
            .content(EmailContent::builder().simple(message).build())
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure(attempted))
            .map_err(crate::failure::Failure::into_report)
    }
}
