//! The codes that Cognito mails.

use std::str::FromStr;

use crate::redacted::redacted_debug;

/// A mailed code: 6 to 8 digits. Cognito sends 8 for a sign-in today, 6 for everything else, and promises neither.
#[derive(Clone, PartialEq, Eq)]
pub struct OtpCode(String);

redacted_debug!(OtpCode);

/// The text is not a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must have 6 to 8 digits")]
pub struct InvalidOtpCode;

impl OtpCode {
    /// Parses what a person typed or pasted. Spaces around it are forgiven.
    pub fn parse(text: &str) -> Result<Self, InvalidOtpCode> {
        let text = text.trim();
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        if digits && (6..=8).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidOtpCode)
        }
    }

    /// The digits, for Cognito, which alone knows the right ones.
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
    fn six_to_eight_ascii_digits_are_a_code() {
        for text in ["123456", "1234567", "12345678", " 12345678\n", "00000000"] {
            assert!(OtpCode::parse(text).is_ok(), "{text:?}");
        }
        for text in [
            "",
            "12345",
            "123456789",
            "12 345 678",
            "1234567a",
            "\u{661}\u{662}\u{663}\u{664}\u{665}\u{666}",
            "-1234567",
        ] {
            assert_eq!(OtpCode::parse(text), Err(InvalidOtpCode), "{text:?}");
        }
    }
}
