//! The mails of a deployment: codes and notices, in the languages and the brand of its team.
//!
//! The words of a mail are in `templates/<language>/<kind>.txt`: the subject, a blank line, and
//! paragraphs separated by blank lines. `templates/layout.txt` and `templates/layout.html` turn
//! them into the two parts of a mail. All templates are compiled: an unknown placeholder stops the
//! build, and so does a mail without words in a language.

mod brand;
mod feedback;
mod language;
mod notice;
mod words;

pub use brand::{AccentColour, Brand, InvalidBrand, LogoUrl, ProductName};
pub use feedback::{MailFeedback, MailRefusal, Undeliverable};
pub use language::{Language, Locale, UnknownLanguage};
pub use notice::Notice;
pub use words::CodeMail;

/// A mail, ready to be sent. It has no names and no links: a link in a mail trains people to follow
/// links in other mails.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The subject.
    pub subject: String,
    /// The plain text.
    pub text: String,
    /// The same as HTML.
    pub html: String,
}

/// The contents may hold a code.
impl std::fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Mail")
    }
}
