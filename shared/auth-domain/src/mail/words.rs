//! Combines words and layout into a mail.

use askama::Template;

use super::{Brand, Language, Mail, Notice};
use crate::{Report, Timestamp};

/// A mail that carries a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeMail {
    /// To sign in, and to finish a registration: Cognito mails one code for both.
    SignIn,
    /// Confirms an account that Cognito's own `SignUp` made.
    Registration,
    /// To set a new password.
    Recovery,
    /// To prove an address.
    Address,
}

/// The subject matter of a mail. It names the files in `templates/<language>`.
#[derive(Clone, Copy)]
enum About<'a> {
    Code(CodeMail, &'a str),
    /// With the time of the event.
    Notice(Notice, &'a str),
}

#[derive(Template)]
#[template(path = "en/mail.txt", escape = "none")]
struct English<'a> {
    about: About<'a>,
    product: &'a str,
    support: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "de/mail.txt", escape = "none")]
struct German<'a> {
    about: About<'a>,
    product: &'a str,
    support: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "layout.txt", escape = "none")]
struct Text<'a> {
    paragraphs: &'a [&'a str],
    foot: &'a str,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Html<'a> {
    language: Language,
    brand: &'a Brand,
    subject: &'a str,
    paragraphs: &'a [&'a str],
    foot: &'a str,
    code: Option<&'a str>,
}

impl CodeMail {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SignIn,
        Self::Registration,
        Self::Recovery,
        Self::Address,
    ];

    /// The mail with this code, or with the placeholder for it.
    pub fn mail(self, code: &str, language: Language, brand: &Brand) -> Result<Mail, Report> {
        About::Code(self, code).mail(language, brand)
    }
}

impl Notice {
    /// The mail about something that happened at `at`.
    pub fn mail(self, at: Timestamp, language: Language, brand: &Brand) -> Result<Mail, Report> {
        About::Notice(self, &minute(at)).mail(language, brand)
    }
}

impl About<'_> {
    fn mail(self, language: Language, brand: &Brand) -> Result<Mail, Report> {
        self.render(language, brand)
            .map_err(|error| Report::new("word a mail", error))
    }

    fn render(self, language: Language, brand: &Brand) -> askama::Result<Mail> {
        let (about, product) = (self, brand.product.as_str());
        let support = brand.support.as_ref().map(crate::Email::as_str);
        let words = match language {
            Language::English => English {
                about,
                product,
                support,
            }
            .render()?,
            Language::German => German {
                about,
                product,
                support,
            }
            .render()?,
        };
        let mut blocks: Vec<&str> = words
            .split("\n\n")
            .map(str::trim)
            .filter(|block| !block.is_empty())
            .collect();
        let foot = blocks.pop().unwrap_or_default();
        let (subject, paragraphs) = blocks.split_first().unwrap_or((&"", &[]));
        let code = match about {
            About::Code(_, code) => Some(code),
            About::Notice(..) => None,
        };
        Ok(Mail {
            subject: (*subject).to_owned(),
            text: Text { paragraphs, foot }.render()?,
            html: Html {
                language,
                brand,
                subject,
                paragraphs,
                foot,
                code,
            }
            .render()?,
        })
    }
}

/// An instant as people write it: date and minutes, in UTC.
fn minute(at: Timestamp) -> String {
    let at = at.to_string();
    let (date, time) = at.split_once('T').unwrap_or((&at, ""));
    format!("{date} {}", time.get(..5).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Cognito accepts a subject of 1 to 140 characters and a message of at most 20,000, with its
    /// placeholder in it.
    const PLACEHOLDER: &str = "{####}";

    fn brand() -> Brand {
        Brand {
            product: "Müller & Söhne".parse().unwrap(),
            support: Some(crate::Email::parse("help@example.com").unwrap()),
            accent: "#1d4ed8".parse().unwrap(),
            logo: None,
        }
    }

    fn longest_brand() -> Brand {
        Brand {
            product: "M".repeat(60).parse().unwrap(),
            logo: Some(format!("https://{}", "x".repeat(492)).parse().unwrap()),
            ..brand()
        }
    }

    fn mails(brand: &Brand) -> Vec<(String, Mail)> {
        let at = Timestamp::from_seconds(1_795_239_650);
        let mut mails = Vec::new();
        for language in Language::ALL {
            for kind in CodeMail::ALL {
                let mail = kind.mail(PLACEHOLDER, language, brand).unwrap();
                mails.push((format!("{language:?} {kind:?}"), mail));
            }
            for notice in Notice::ALL {
                let mail = notice.mail(at, language, brand).unwrap();
                mails.push((format!("{language:?} {notice:?}"), mail));
            }
        }
        mails
    }

    #[test]
    fn every_mail_fits_cognito_and_holds_no_link_and_no_placeholder_of_ours() {
        for brand in [brand(), longest_brand()] {
            for (
                name,
                Mail {
                    subject,
                    text,
                    html,
                },
            ) in mails(&brand)
            {
                assert!(
                    (1..=140).contains(&subject.chars().count()),
                    "{name}: {subject}"
                );
                assert!(!subject.contains('\n'), "{name}");
                assert!(html.chars().count() <= 20_000, "{name}");
                for part in [&subject, &text] {
                    for sign in ["http", "<", "{{", "{%", "&amp;"] {
                        assert!(!part.contains(sign), "{name}: {part}");
                    }
                }
                for sign in ["href", "<a", "<script", "{{", "{%", "M\u{fc}ller & "] {
                    assert!(!html.contains(sign), "{name}: {html}");
                }
                assert!(html.contains("help@example.com") && text.contains("help@example.com"));
            }
        }
    }

    #[test]
    fn a_code_stands_once_in_each_part_alone_on_its_line_and_unbroken() {
        for language in Language::ALL {
            for kind in CodeMail::ALL {
                let mail = kind.mail(PLACEHOLDER, language, &brand()).unwrap();
                assert!(!mail.subject.contains(PLACEHOLDER));
                assert_eq!(mail.text.matches(PLACEHOLDER).count(), 1, "{}", mail.text);
                assert_eq!(mail.html.matches(PLACEHOLDER).count(), 1, "{}", mail.html);
                let lines: Vec<&str> = mail.text.lines().collect();
                let place = lines.iter().position(|line| *line == PLACEHOLDER).unwrap();
                // Phones look for the word beside the digits.
                let before = lines[..place]
                    .iter()
                    .rfind(|line| !line.is_empty())
                    .unwrap();
                assert!(
                    before.contains("code") || before.contains("Code"),
                    "{before}"
                );
                assert!(mail.html.contains(&format!(">{PLACEHOLDER}</p>")));
            }
        }
    }

    #[test]
    fn every_notice_says_what_happened_when_and_what_to_do_in_both_parts() {
        let at = Timestamp::from_seconds(1_795_239_650);
        for notice in Notice::ALL {
            let Mail {
                subject,
                text,
                html,
            } = notice.mail(at, Language::English, &brand()).unwrap();
            for part in [&text, &html] {
                assert!(part.contains("2026-11-21 05:40"), "{part}");
                assert!(part.contains("If this was not you"), "{part}");
            }
            assert!(html.contains(&subject));
        }
    }

    #[test]
    fn a_language_has_the_same_files_as_every_other() {
        let mails = mails(&brand());
        let subjects: std::collections::BTreeSet<&str> = mails
            .iter()
            .map(|(_, mail)| mail.subject.as_str())
            .collect();
        assert_eq!(subjects.len(), mails.len(), "no two mails have one subject");
    }

    #[test]
    fn the_layout_takes_its_sides_from_the_direction_of_the_language() {
        for (name, mail) in mails(&brand()) {
            for side in ["left", "right"] {
                assert!(!mail.html.contains(side), "{name}: {side}");
            }
            assert!(mail.html.contains("dir=\"ltr\""), "{name}");
        }
    }
}
