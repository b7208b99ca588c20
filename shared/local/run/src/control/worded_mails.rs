//! Every mail that Latchkey writes, in every language. A team reviews them after a change of words,
//! brand or layout.

use auth_aws::MailWords;
use auth_domain::{CodeMail, Language, Notice, Report, Timestamp};
use serde::Serialize;

/// The sample code in the mails.
const CODE: &str = "48151623";

/// A mail in its final form.
#[derive(Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WordedMail {
    /// Its place in the list.
    pub(crate) id: usize,
    /// The language's tag.
    pub(crate) language: &'static str,
    /// The subject matter of the mail.
    pub(crate) about: String,
    pub(crate) subject: String,
    pub(crate) text: String,
    pub(crate) html: String,
}

/// All mails, by language.
pub(crate) fn all(words: &MailWords, now: Timestamp) -> Result<Vec<WordedMail>, Report> {
    let mut all = Vec::new();
    for language in Language::ALL {
        let codes =
            CodeMail::ALL.map(|kind| (format!("{kind:?}"), words.code(kind, CODE, Some(language))));
        let notices = Notice::ALL.map(|notice| {
            let mail = words.notice(notice, now, Some(language));
            (format!("{notice:?}"), mail)
        });
        for (about, mail) in codes.into_iter().chain(notices) {
            let mail = mail?;
            all.push(WordedMail {
                id: all.len(),
                language: language.tag(),
                about,
                subject: mail.subject,
                text: mail.text,
                html: mail.html,
            });
        }
    }
    Ok(all)
}
