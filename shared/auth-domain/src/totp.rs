//! Time-based one-time codes (RFC 6238): HMAC-SHA-1, six digits, steps of 30 seconds. Authenticator
//! apps replace other parameters with these, or ignore them.

use std::str::FromStr;

use data_encoding::BASE32_NOPAD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use totp_rs::{Builder, Totp};

use crate::{
    Email, OtpCode, Randomness, Timestamp,
    characters::{breaks_a_line, is_visible},
    redacted::redacted_debug,
};

/// 160 bits, as RFC 4226 §4 R6 recommends.
pub(crate) const SECRET_LENGTH: usize = 20;

/// RFC 6238 §5.2: one step, for clocks that differ and people who type slowly.
const STEPS_EITHER_WAY: u16 = 1;

/// Everything but the characters that RFC 3986 §2.3 calls unreserved.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A step of 30 seconds since the epoch (RFC 6238 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TotpStep(i64);

impl TotpStep {
    /// A step by its stored number.
    #[must_use]
    pub const fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> i64 {
        self.0
    }
}

/// The longest issuer. Apps show it in a list, above the account.
const LONGEST_ISSUER: usize = 60;

/// The issuer that authenticator apps show above the account. Google's Key URI Format separates
/// issuer and account by a colon, encoded or not, so neither may contain one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpIssuer(String);

/// The text cannot be an issuer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "must have 1 to {LONGEST_ISSUER} characters on one line, one of them visible and none a colon"
)]
pub struct InvalidTotpIssuer;

impl TotpIssuer {
    /// The issuer as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TotpIssuer {
    type Err = InvalidTotpIssuer;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let issuer = text.trim();
        let is_plain = !issuer.chars().any(|one| one == ':' || breaks_a_line(one));
        let is_shown = issuer.chars().any(is_visible);
        if is_plain && is_shown && issuer.chars().count() <= LONGEST_ISSUER {
            Ok(Self(issuer.to_owned()))
        } else {
            Err(InvalidTotpIssuer)
        }
    }
}

/// The secret that an authenticator app and Latchkey share.
#[derive(Clone, PartialEq, Eq)]
pub struct TotpSecret([u8; SECRET_LENGTH]);

redacted_debug!(TotpSecret);

impl TotpSecret {
    /// A fresh secret.
    #[must_use]
    pub fn generate(randomness: &Randomness) -> Self {
        Self(randomness.bytes())
    }

    pub(crate) const fn from_bytes(bytes: [u8; SECRET_LENGTH]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; SECRET_LENGTH] {
        &self.0
    }

    /// The secret as people type it into an app that cannot scan: base32 without padding.
    #[must_use]
    pub fn to_base32(&self) -> String {
        BASE32_NOPAD.encode(&self.0)
    }

    /// The text of the QR code: Google Authenticator's Key URI Format, with the issuer before the
    /// account and as a parameter, and every parameter spelt out although these are the defaults.
    #[must_use]
    pub fn otpauth_uri(&self, issuer: &TotpIssuer, account: &Email) -> String {
        let encoded = |text| utf8_percent_encode(text, RESERVED);
        format!(
            "otpauth://totp/{issuer}:{}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
            encoded(account.as_str()),
            self.to_base32(),
            issuer = encoded(issuer.as_str()),
        )
    }

    /// The step of this code, if it is the present step or one of the two beside it. Compares in
    /// constant time. The table ensures that each step is accepted only once.
    #[must_use]
    pub fn step_of(&self, code: &OtpCode, now: Timestamp) -> Option<TotpStep> {
        let seconds = u64::try_from(now.as_seconds()).ok()?;
        let step = self.totp()?.check(code.as_str(), seconds)?;
        i64::try_from(step).ok().map(TotpStep)
    }

    fn totp(&self) -> Option<Totp> {
        // It refuses only a missing or a short secret.
        Builder::new()
            .with_skew(STEPS_EITHER_WAY)
            .with_secret(self.0)
            .build()
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B: the SHA-1 rows. The last six of their eight digits are the six-digit
    /// code.
    const VECTORS: [(i64, &str); 6] = [
        (59, "287082"),
        (1_111_111_109, "081804"),
        (1_111_111_111, "050471"),
        (1_234_567_890, "005924"),
        (2_000_000_000, "279037"),
        (20_000_000_000, "353130"),
    ];

    fn secret() -> TotpSecret {
        TotpSecret(*b"12345678901234567890")
    }

    fn step(code: &str, seconds: i64) -> Option<i64> {
        let code = OtpCode::parse(code).unwrap();
        secret()
            .step_of(&code, Timestamp::from_seconds(seconds))
            .map(TotpStep::number)
    }

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        for (seconds, code) in VECTORS {
            assert_eq!(step(code, seconds), Some(seconds / 30), "{seconds}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_either_way_and_no_further() {
        // Step 1, from the 30th second to the 59th.
        for (seconds, taken) in [(0, true), (29, true), (89, true), (90, false), (120, false)] {
            assert_eq!(step("287082", seconds), taken.then_some(1), "{seconds}");
        }
        assert_eq!(step("94287082", 59), None, "eight digits are not ours");
    }

    #[test]
    fn the_uri_names_issuer_and_account_and_encodes_both() {
        let account = Email::parse("ada+test@example.com").unwrap();
        assert_eq!(
            secret().otpauth_uri(&"Länd & Co".parse().unwrap(), &account),
            "otpauth://totp/L%C3%A4nd%20%26%20Co:ada%2Btest%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
             &issuer=L%C3%A4nd%20%26%20Co&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn an_issuer_is_a_short_line_without_a_colon() {
        for text in ["Latchkey", "  Länd & Co  ", &"a".repeat(60)] {
            assert!(text.parse::<TotpIssuer>().is_ok(), "{text:?}");
        }
        for text in [
            "",
            "  ",
            "\u{3164}",
            "a:b",
            "a\nb",
            "a\u{202e}b",
            &"a".repeat(61),
        ] {
            assert_eq!(
                text.parse::<TotpIssuer>(),
                Err(InvalidTotpIssuer),
                "{text:?}"
            );
        }
    }
}
