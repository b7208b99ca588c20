//! The mails that a pool sends, and the masked destinations that callers see instead of addresses.

use std::fmt;

use serde_json::{Value, json};

use crate::pool::EmailMfaConfiguration;

/// The placeholder for the code in a template.
pub(crate) const PLACEHOLDER: &str = "{####}";

/// A mail that a real pool would have sent.
///
/// Its `Debug` shows nothing: the address belongs to a person and the code opens an account.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address.
    pub to: String,
    /// The subject line.
    pub subject: String,
    /// The body as plain text.
    pub text: String,
    /// The body as HTML.
    pub html: String,
    /// The content of the mail: a code of 8 digits (sign-in) or 6 (all other codes), or a temporary
    /// password.
    pub code: String,
}

impl fmt::Debug for Mail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Mail")
    }
}

impl Mail {
    /// In the words of the pool's template, if it has one.
    pub(crate) fn sign_in_code(
        to: &str,
        code: &str,
        template: Option<&EmailMfaConfiguration>,
    ) -> Self {
        let mut mail = Self::with(to, "Your sign-in code", "Your sign-in code is", code);
        let Some(template) = template else {
            return mail;
        };
        if let Some(subject) = &template.subject {
            mail.subject = subject.replace(PLACEHOLDER, code);
        }
        if let Some(message) = &template.message {
            mail.take_html(message);
        }
        mail
    }

    /// Replaces the words, with the code in place of the placeholder. Cognito's mails have no text
    /// part: the text here is a mail program's view of the HTML.
    pub(crate) fn take_html(&mut self, template: &str) {
        self.html = template.replace(PLACEHOLDER, &self.code);
        self.text = plain(&self.html);
    }

    pub(crate) fn verification_code(to: &str, code: &str) -> Self {
        Self::with(
            to,
            "Your verification code",
            "Your confirmation code is",
            code,
        )
    }

    pub(crate) fn reset_code(to: &str, code: &str) -> Self {
        Self::with(
            to,
            "Your password reset code",
            "Your password reset code is",
            code,
        )
    }

    pub(crate) fn temporary_password(to: &str, username: &str, password: &str) -> Self {
        Self::with(
            to,
            "Your temporary password",
            &format!("Your username is {username} and your temporary password is"),
            password,
        )
    }

    fn with(to: &str, subject: &str, sentence: &str, code: &str) -> Self {
        Self {
            to: to.to_owned(),
            subject: subject.to_owned(),
            text: format!("{sentence} {code}"),
            html: format!(
                "<p>{} <strong>{}</strong></p>",
                escaped(sentence),
                escaped(code)
            ),
            code: code.to_owned(),
        }
    }
}

/// The text of a body: without tags, with the commonest characters written out.
fn plain(html: &str) -> String {
    let body = html.split_once("<body").map_or(html, |(_, body)| {
        body.split_once('>').map_or(body, |(_, inside)| inside)
    });
    let mut text = String::new();
    for (place, part) in body.split('<').enumerate() {
        let shown = match part.split_once('>') {
            Some((_, shown)) if place > 0 => shown,
            Some(_) | None => part,
        };
        text.push_str(shown);
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#34;", "\"")
        .replace("&#38;", "&")
        .replace("&#39;", "'")
        .replace("&#60;", "<")
        .replace("&#62;", ">")
        .replace("&amp;", "&");
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    lines.join("\n\n")
}

pub(crate) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// `nina@example.com` is `n***@e***`, as captured from the real service.
///
/// A name without `@` gets the same shape, because only a simulated delivery can have one.
pub(crate) fn masked(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').unwrap_or((address, address));
    let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
    format!("{}***@{}***", first(local), first(domain))
}

/// The delivery details of a code, for the caller.
pub(crate) fn delivery_details(destination: &str) -> Value {
    json!({
        "AttributeName": "email",
        "DeliveryMedium": "EMAIL",
        "Destination": destination,
    })
}
