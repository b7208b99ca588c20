//! Email addresses: one spelling for each, and no spelling that two systems could read differently.

use std::{fmt, str::FromStr};

use email_address::{EmailAddress, Options};
use serde::{Serialize, Serializer};

use crate::redacted::redacted_debug;

/// The longest address that can be a Cognito user's name (API reference, `UsernameType`). SMTP
/// allows 254 octets, but Cognito can hold no user for a longer address.
const LONGEST: usize = 128;

/// An address in its only spelling: ASCII, lower case, `local@domain.tld` with an unquoted local
/// part.
///
/// Cognito treats user names without regard to case, so the lower-case form is the identity.
/// Ambiguous addresses are refused, not repaired: look-alike letters, a full-width "@", quoted
/// local parts, comments, address literals.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Email(String);

redacted_debug!(Email);

/// The reason why a text is not a valid address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEmail {
    /// Over 128 characters.
    #[error("must have at most {LONGEST} characters")]
    TooLong,
    /// A character outside ASCII, in the local part or the domain.
    #[error("must consist of ASCII characters")]
    NotAscii,
    /// The text is not of the form `local@domain.tld`.
    #[error("must be an email address such as name@example.com")]
    Malformed,
}

impl Email {
    /// Parses typed text. Leading and trailing spaces are ignored.
    pub fn parse(text: &str) -> Result<Self, InvalidEmail> {
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(InvalidEmail::TooLong);
        }
        if !text.is_ascii() {
            return Err(InvalidEmail::NotAscii);
        }
        let options = Options::default()
            .with_required_tld()
            .without_domain_literal()
            .without_display_text();
        let address =
            EmailAddress::parse_with_options(text, options).map_err(|_| InvalidEmail::Malformed)?;
        let plain = |character: char| {
            character.is_ascii_graphic()
                && !matches!(
                    character,
                    '"' | '\\' | '(' | ')' | ',' | ';' | ':' | '<' | '>' | '[' | ']'
                )
        };
        if !address.local_part().chars().all(plain) {
            return Err(InvalidEmail::Malformed);
        }
        let label = |label: &str| {
            !label.starts_with('-')
                && !label.ends_with('-')
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let numeric_tld = address
            .domain()
            .rsplit('.')
            .next()
            .is_some_and(|tld| tld.chars().all(|c| c.is_ascii_digit()));
        if numeric_tld || !address.domain().split('.').all(label) {
            return Err(InvalidEmail::Malformed);
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    /// The address itself, for Cognito, the tables and the mail.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The masked address, for the person who typed it: `t***@e***`, Cognito's own mask.
    #[must_use]
    pub fn masked(&self) -> MaskedEmail {
        let (local, domain) = self.0.split_once('@').unwrap_or((&self.0, ""));
        let first = |text: &str| text.chars().next().map(String::from).unwrap_or_default();
        MaskedEmail(format!("{}***@{}***", first(local), first(domain)))
    }
}

impl FromStr for Email {
    type Err = InvalidEmail;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// An address reduced to two letters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MaskedEmail(String);

impl Serialize for MaskedEmail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl fmt::Display for MaskedEmail {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        let email = Email::parse(" Ada.Lovelace+sign-in@Example.COM ").unwrap();
        assert_eq!(email.as_str(), "ada.lovelace+sign-in@example.com");
        assert_eq!(email.masked().to_string(), "a***@e***");
    }

    #[test]
    fn what_two_systems_could_read_differently_is_refused() {
        for text in [
            "",
            "ada",
            "ada@",
            "@example.com",
            "ada@example",
            "ada@@example.com",
            "ada@example..com",
            ".ada@example.com",
            "ada.@example.com",
            "a..da@example.com",
            "ada@-example.com",
            "ada@example-.com",
            "ada@[127.0.0.1]",
            "ada@127.0.0.1",
            "\"ada\"@example.com",
            "\"a b\"@example.com",
            "ada(comment)@example.com",
            "Ada <ada@example.com>",
            "ada@example.com\r\nBcc: eve@example.com",
            "ada\0@example.com",
            "ada@exam_ple.com",
            "ada@example.com.",
            "a,b@example.com",
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail::Malformed), "{text:?}");
        }
        for text in [
            "ada\u{ff20}example.com",
            "\u{430}da@example.com",
            "ada@ex\u{e4}mple.com",
        ] {
            assert_eq!(Email::parse(text), Err(InvalidEmail::NotAscii), "{text:?}");
        }
    }

    #[test]
    fn the_longest_address_has_128_characters() {
        let domain = format!("{0}.{0}.example", "d".repeat(50));
        let fill = 128 - domain.len() - 1;
        assert!(Email::parse(&format!("{}@{domain}", "a".repeat(fill))).is_ok());
        assert_eq!(
            Email::parse(&format!("{}@{domain}", "a".repeat(fill + 1))),
            Err(InvalidEmail::TooLong)
        );
    }

    #[test]
    fn an_address_cannot_be_printed() {
        assert_eq!(
            format!("{:?}", Email::parse("ada@example.com").unwrap()),
            "Email(…)"
        );
    }
}
