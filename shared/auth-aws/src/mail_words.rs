//! The words of a deployment's mails: its brand, and its language for people without another.

use auth_domain::{Brand, CodeMail, Language, Mail, Notice, Report, Timestamp};

use crate::{ConfigurationError, Environment};

/// Words of mails, by the deployment's settings.
#[derive(Clone)]
pub struct MailWords {
    brand: Brand,
    language: Language,
}

impl MailWords {
    /// Words in the brand and language that the environment names.
    pub fn new(environment: &Environment) -> Result<Self, ConfigurationError> {
        Ok(Self {
            brand: Brand {
                product: environment.required("MAIL_PRODUCT")?,
                support: environment.unless_none("MAIL_SUPPORT_ADDRESS")?,
                accent: environment.required("MAIL_COLOUR")?,
                logo: environment.unless_none("MAIL_LOGO_URL")?,
            },
            language: environment.required("MAIL_LANGUAGE")?,
        })
    }

    /// The mail with a code, or with a placeholder for it, in a person's language.
    pub fn code(
        &self,
        mail: CodeMail,
        code: &str,
        language: Option<Language>,
    ) -> Result<Mail, Report> {
        mail.mail(code, language.unwrap_or(self.language), &self.brand)
    }

    /// The mail about something that happened at `at`, in a person's language.
    pub fn notice(
        &self,
        notice: Notice,
        at: Timestamp,
        language: Option<Language>,
    ) -> Result<Mail, Report> {
        notice.mail(at, language.unwrap_or(self.language), &self.brand)
    }
}
