//! Time-based one-time passwords (RFC 6238), and the secret of a user's authenticator.

use std::fmt;

use data_encoding::BASE32_NOPAD;
use local_kit::{Millis, Random};
use ring::hmac;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;

/// RFC 6238's default time step, which authenticators assume.
const STEP_SECONDS: i64 = 30;

/// Accepted steps before and after the present one, for clocks that differ (RFC 6238 section 5.2).
const DRIFT_STEPS: i64 = 1;

/// An authenticator of a user.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SoftwareToken {
    secret: Vec<u8>,
    /// The first right code was shown.
    pub(crate) verified: bool,
    /// The user's preference: asked for at sign-in.
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) preferred: bool,
    /// The user's name for the device.
    #[serde(default)]
    pub(crate) name: Option<String>,
    last_step: i64,
}

impl fmt::Debug for SoftwareToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SoftwareToken")
    }
}

/// The result of a code's check.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Right,
    Wrong,
    /// Right, but this step or a later one was accepted before.
    UsedBefore,
}

impl SoftwareToken {
    /// A new secret of 160 bits, the length that RFC 4226 section 4 recommends.
    pub(crate) fn new(random: &Random) -> Self {
        Self {
            secret: local_kit::bytes::<20>(random).to_vec(),
            verified: false,
            enabled: false,
            preferred: false,
            name: None,
            last_step: -1,
        }
    }

    /// The secret as people type it.
    pub(crate) fn secret_code(&self) -> String {
        BASE32_NOPAD.encode(&self.secret)
    }

    /// Checks a code. A right one is never accepted again.
    pub(crate) fn accept(&mut self, code: &str, now: Millis) -> Shown {
        let present = now.div_euclid(1_000).div_euclid(STEP_SECONDS);
        let step = (present - DRIFT_STEPS..=present + DRIFT_STEPS)
            .rev()
            .find(|step| bool::from(self.code(*step).as_bytes().ct_eq(code.as_bytes())));
        match step {
            None => Shown::Wrong,
            Some(step) if step <= self.last_step => Shown::UsedBefore,
            Some(step) => {
                self.last_step = step;
                Shown::Right
            }
        }
    }

    /// RFC 4226 section 5.3 with six digits.
    fn code(&self, step: i64) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &self.secret);
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag[19] & 0x0f);
        let number = u32::from_be_bytes([
            tag[offset] & 0x7f,
            tag[offset + 1],
            tag[offset + 2],
            tag[offset + 3],
        ]);
        format!("{:06}", number % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::{Shown, SoftwareToken};

    /// RFC 6238 appendix B, SHA-1, last six of eight digits.
    #[test]
    fn the_test_vectors_of_rfc_6238_hold() {
        let mut token = SoftwareToken {
            secret: b"12345678901234567890".to_vec(),
            verified: true,
            enabled: true,
            preferred: false,
            name: None,
            last_step: -1,
        };
        for (seconds, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert!(token.accept(code, seconds * 1_000) == Shown::Right);
            assert!(token.accept(code, seconds * 1_000) == Shown::UsedBefore);
        }
    }
}
