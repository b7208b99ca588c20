//! The codes that are mailed: Cognito's, and Latchkey's own for another address.

use std::str::FromStr;

use crate::{
    Randomness,
    characters::{digit, separates_digits},
    redacted::redacted_debug,
};

/// A mailed code: 6 to 8 digits. Cognito currently sends 8 for a sign-in and 6 for all other
/// purposes, and promises neither.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpCode(String);

redacted_debug!(OtpCode);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 6 to 8 digits")]
pub struct InvalidOtpCode;

/// The longest text that is searched for digits: eight digits, with more separators than mails and
/// keyboards add.
const LONGEST: usize = 64;

/// Codes of eight digits: as many as Cognito's of a sign-in have.
const CODES: u64 = 100_000_000;

impl OtpCode {
    /// A fresh code of eight digits. Of 2^64 numbers no code is drawn noticeably more often.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        let drawn = u64::from_be_bytes(randomness.bytes()) % CODES;
        Self(format!("{drawn:08}"))
    }

    /// Parses typed or pasted text: 6 to 8 decimal digits of any script. White space, dashes and
    /// zero-width characters are ignored everywhere.
    pub fn parse(text: &str) -> Result<Self, InvalidOtpCode> {
        if text.chars().count() > LONGEST {
            return Err(InvalidOtpCode);
        }
        let digits: Option<Vec<u8>> = text
            .chars()
            .filter(|character| !separates_digits(*character))
            .map(digit)
            .collect();
        let digits = digits.ok_or(InvalidOtpCode)?;
        if (6..=8).contains(&digits.len()) {
            let ascii = digits.iter().map(|value| char::from(b'0' + value));
            Ok(Self(ascii.collect()))
        } else {
            Err(InvalidOtpCode)
        }
    }

    /// The digits in ASCII, for Cognito or the mail.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OtpCode {
    type Err = InvalidOtpCode;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_to_eight_digits_are_a_code_whatever_stands_between_them() {
        for text in [
            "12345678",
            " 12345678\n",
            "1234 5678",
            "12-34-56-78",
            "1234\u{2013}5678",
            "1234\u{2212}5678",
            "1234\u{a0}5678",
            "1234\u{202f}5678",
            "1234\u{3000}5678",
            "\u{feff}12345678",
            "1\u{200b}2\u{200b}3\u{200b}4\u{200b}5\u{200b}6\u{200b}7\u{200b}8",
            "\u{202a}1234\u{2060}\u{ad}5678\u{202c}",
            "\u{ff11}\u{ff12}\u{ff13}\u{ff14}\u{ff0d}\u{ff15}\u{ff16}\u{ff17}\u{ff18}",
            "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}\u{667}\u{668}",
            "\u{967}\u{968}\u{969}\u{96a}\u{96b}\u{96c}\u{96d}\u{96e}",
        ] {
            assert_eq!(
                OtpCode::parse(text).unwrap().as_str(),
                "12345678",
                "{text:?}"
            );
        }
        for text in ["123456", "1234567", "00000000"] {
            assert_eq!(OtpCode::parse(text).unwrap().as_str(), text);
        }
    }

    #[test]
    fn nothing_else_is_a_code() {
        for text in [
            "",
            "- -",
            "12345",
            "12 34 5",
            "123456789",
            "1234 5678 9",
            "1234567a",
            "1234.5678",
            "1234\u{b2}678",
            "\u{2460}23456",
            &format!("123456{}", " ".repeat(64)),
        ] {
            assert_eq!(OtpCode::parse(text), Err(InvalidOtpCode), "{text:?}");
        }
    }
}
