//! Passwords: their spellings, and the rules for a new one.

mod commonest;

use std::{fmt, str::FromStr};

use unicode_normalization::UnicodeNormalization;

use crate::{Email, redacted::redacted_debug};

/// The longest password in characters, as typed and in NFC. Cognito takes as many (API reference,
/// `PasswordType`).
const LONGEST: usize = 256;

/// A person's current password, not verified yet: in NFC (NIST SP 800-63B-4 §3.1.1.2) and as it was
/// typed. The rules for new passwords do not apply: it may be older than they are. Only Cognito
/// knows whether it is right.
#[derive(Clone, PartialEq, Eq)]
pub struct Password {
    normalized: String,
    /// The typed text, if it was not in NFC.
    typed: Option<String>,
}

/// A password in the exact bytes for Cognito.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Spelling<'a>(&'a str);

redacted_debug!(Password, NewPassword);

/// No password can have this text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 1 to {LONGEST} characters, none of them a control character")]
pub struct InvalidPassword;

impl Password {
    /// Parses typed text.
    pub fn parse(text: &str) -> Result<Self, InvalidPassword> {
        let normalized: String = text.nfc().collect();
        let fits = !normalized.is_empty() && !is_too_long(text, &normalized);
        if fits && !normalized.chars().any(char::is_control) {
            let typed = (text != normalized).then(|| text.to_owned());
            Ok(Self { normalized, typed })
        } else {
            Err(InvalidPassword)
        }
    }

    /// The password in NFC, as Latchkey sets it.
    #[must_use]
    pub fn normalized(&self) -> Spelling<'_> {
        Spelling(&self.normalized)
    }

    /// The password as it was typed, if that differs from NFC. A pool older than Latchkey holds the
    /// spelling that its clients sent.
    #[must_use]
    pub fn as_typed(&self) -> Option<Spelling<'_>> {
        self.typed.as_deref().map(Spelling)
    }
}

impl fmt::Debug for Spelling<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Spelling(…)")
    }
}

impl<'a> Spelling<'a> {
    /// The text itself, for Cognito.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }
}

impl FromStr for Password {
    type Err = InvalidPassword;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// A new password that keeps every rule. No rule asks for kinds of characters (ASVS 5.0 6.2.5).
#[derive(Clone, PartialEq, Eq)]
pub struct NewPassword(String);

/// A rule for new passwords. A refusal names those that are broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordRule {
    /// Fewer than [`NewPassword::SHORTEST`] characters.
    TooShort,
    /// More than 256 characters.
    TooLong,
    /// White space at an end. Cognito refuses it, and copying a password often drops it.
    SpaceAtAnEnd,
    /// A character that no key types.
    ControlCharacter,
    /// The address, or the part before its "@".
    TheEmail,
    /// One of the commonest, or made of them.
    Common,
}

impl PasswordRule {
    /// The code for programs.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::TooShort => "too_short",
            Self::TooLong => "too_long",
            Self::SpaceAtAnEnd => "space_at_an_end",
            Self::ControlCharacter => "control_character",
            Self::TheEmail => "the_email",
            Self::Common => "common",
        }
    }
}

impl fmt::Display for PasswordRule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort => write!(
                formatter,
                "must have at least {} characters",
                NewPassword::SHORTEST
            ),
            Self::TooLong => write!(formatter, "must have at most {LONGEST} characters"),
            Self::SpaceAtAnEnd => formatter.write_str("must not begin or end with a space"),
            Self::ControlCharacter => formatter.write_str("must not contain control characters"),
            Self::TheEmail => formatter.write_str("must not be the email address"),
            Self::Common => {
                formatter.write_str("must not be one of the commonest passwords, or made of them")
            }
        }
    }
}

impl NewPassword {
    /// The fewest characters. The user pool's policy has the same number, and a test compares the
    /// two.
    pub const SHORTEST: usize = 12;

    /// Checks a new password for `email`, and names every broken rule.
    pub fn parse(text: &str, email: Option<&Email>) -> Result<Self, Vec<PasswordRule>> {
        let password: String = text.nfc().collect();
        let folded = password.to_lowercase();
        let is_email = |email: &Email| {
            let (local_part, _) = email.as_str().split_once('@').unwrap_or_default();
            folded == email.as_str() || folded == local_part
        };
        let too_long = is_too_long(text, &password);
        let broken: Vec<PasswordRule> = [
            (
                password.chars().count() < Self::SHORTEST,
                PasswordRule::TooShort,
            ),
            (too_long, PasswordRule::TooLong),
            (
                password.trim().len() < password.len(),
                PasswordRule::SpaceAtAnEnd,
            ),
            (
                password.chars().any(char::is_control),
                PasswordRule::ControlCharacter,
            ),
            (email.is_some_and(is_email), PasswordRule::TheEmail),
            // A password of the wrong length is not searched for common ones.
            (
                !too_long && commonest::is_common(&folded),
                PasswordRule::Common,
            ),
        ]
        .into_iter()
        .filter_map(|(is_broken, rule)| is_broken.then_some(rule))
        .collect();
        if broken.is_empty() {
            Ok(Self(password))
        } else {
            Err(broken)
        }
    }

    /// The password itself, for Cognito.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The only spelling that it has.
    #[must_use]
    pub fn spelling(&self) -> Spelling<'_> {
        Spelling(&self.0)
    }
}

fn is_too_long(typed: &str, password: &str) -> bool {
    typed.chars().count().max(password.chars().count()) > LONGEST
}

#[cfg(test)]
mod tests {
    use super::*;

    fn broken(text: &str) -> Vec<PasswordRule> {
        let email = Email::parse("ada.lovelace@example.com").unwrap();
        NewPassword::parse(text, Some(&email))
            .err()
            .unwrap_or_default()
    }

    #[test]
    fn every_broken_rule_is_named() {
        use PasswordRule::{Common, ControlCharacter, SpaceAtAnEnd, TheEmail, TooLong, TooShort};
        for (text, rules) in [
            ("nine lives of a cat", vec![]),
            ("xk7#Qp2!vm9Z", vec![]),
            ("xk7#Qp2!vm9", vec![TooShort]),
            ("", vec![TooShort]),
            (
                " dragon\t",
                vec![TooShort, SpaceAtAnEnd, ControlCharacter, Common],
            ),
            ("Password1234!", vec![Common]),
            ("Ada.Lovelace@Example.com", vec![TheEmail]),
            ("ada.lovelace", vec![TheEmail]),
            (&"long enough ".repeat(30), vec![TooLong, SpaceAtAnEnd]),
        ] {
            assert_eq!(broken(text), rules, "{text:?}");
        }
    }

    #[test]
    fn a_new_password_has_one_spelling_and_a_brought_one_keeps_its_own_beside() {
        let (composed, decomposed) = ("caf\u{e9} au lait, twice", "cafe\u{301} au lait, twice");
        assert_eq!(
            NewPassword::parse(decomposed, None).unwrap().as_str(),
            composed
        );
        let brought = Password::parse(decomposed).unwrap();
        assert_eq!(brought.normalized().as_str(), composed);
        assert_eq!(brought.as_typed().unwrap().as_str(), decomposed);
        let brought = Password::parse(composed).unwrap();
        assert_eq!(brought.normalized().as_str(), composed);
        assert!(brought.as_typed().is_none());
        let twelve = "e\u{301}".repeat(6) + "xk7#Qp";
        assert!(NewPassword::parse(&twelve, None).is_ok());
        assert!(NewPassword::parse(&twelve[3..], None).is_err());
    }

    #[test]
    fn the_longest_password_has_256_characters() {
        let text: String = "xk7#Qp2!vm9Z".chars().cycle().take(256).collect();
        let text = text.replacen("xk", "yk", 3);
        assert!(NewPassword::parse(&text, None).is_ok());
        assert!(Password::parse(&text).is_ok());
        let three_bytes_each = "\u{5bc6}\u{7801}\u{5f88}\u{957f}".repeat(40) + "\u{732b}";
        assert!(Password::parse(&three_bytes_each).is_ok());
        assert!(
            !NewPassword::parse(&three_bytes_each, None)
                .err()
                .unwrap_or_default()
                .contains(&PasswordRule::TooLong)
        );
        let longer = format!("{text}x");
        assert!(NewPassword::parse(&longer, None).is_err());
        assert!(Password::parse(&longer).is_err());
        assert!(Password::parse("").is_err());
        assert!(Password::parse("line\nbreak").is_err());
    }

    #[test]
    fn a_password_cannot_be_printed() {
        let text = "nine lives of a cat";
        assert_eq!(
            format!("{:?}", Password::parse(text).unwrap()),
            "Password(…)"
        );
        let password = Password::parse(text).unwrap();
        assert_eq!(format!("{:?}", password.normalized()), "Spelling(…)");
        assert_eq!(
            format!("{:?}", NewPassword::parse(text, None).unwrap()),
            "NewPassword(…)"
        );
    }
}
