//! A code that proves another address, as the server remembers it until the guest brings it.

use std::time::Duration;

use crate::{
    AddressCodeId, Ageing, Attempts, Email, KeyRing, Limit, OtpCode, Problem, Purpose, Timestamp,
    redacted::redacted_debug,
};

/// The rules of a code for another address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressCodeRules {
    /// How long it is accepted.
    pub lifetime: Duration,
    /// Codes that may be tried.
    pub attempts: u32,
}

impl AddressCodeRules {
    /// The attempts, as a limit that the `RateLimit` fields can name.
    #[must_use]
    pub const fn attempt_limit(&self) -> Limit {
        Limit {
            name: "address-code-attempt",
            quota: self.attempts,
            window: self.lifetime,
            ageing: Ageing::OneByOne,
        }
    }
}

/// The keyed hash of a code, under the name of what it is for.
#[derive(Clone, PartialEq, Eq)]
pub struct AddressCodeHash(String);

redacted_debug!(AddressCodeHash);

impl AddressCodeHash {
    /// The hash of a code that is mailed.
    #[must_use]
    pub fn of(code: &OtpCode, id: &AddressCodeId, keys: &KeyRing) -> Self {
        let parts = [id.as_str(), code.as_str()];
        Self(keys.tag(Purpose::AddressCode, &parts).to_hex())
    }

    /// Takes a hash as the table has it.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The hash as it is stored.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is the hash of `code`, in constant time.
    #[must_use]
    pub fn is_of(&self, code: &OtpCode, id: &AddressCodeId, keys: &KeyRing) -> bool {
        let parts = [id.as_str(), code.as_str()];
        keys.verifies(Purpose::AddressCode, &parts, &self.0)
    }
}

/// An address that waits for the code that was mailed to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressCode {
    /// The address that is to be the guest's.
    pub to: Email,
    /// When the guest's address had last changed when the code was asked for. A code from before
    /// another change is worth nothing.
    pub since: Option<Timestamp>,
    /// The code's hash. None where the address is another guest's: every code is wrong then.
    pub code: Option<AddressCodeHash>,
    /// Codes tried so far.
    pub attempts: u32,
    /// When no code is taken any more.
    pub expires_at: Timestamp,
}

impl AddressCode {
    /// The attempts made and left.
    #[must_use]
    pub fn attempts(&self, rules: &AddressCodeRules) -> Attempts {
        Attempts {
            made: self.attempts,
            remaining: rules.attempts.saturating_sub(self.attempts),
        }
    }

    /// Why no code is taken at `now`; `None` where one is.
    #[must_use]
    pub fn refusal(&self, now: Timestamp, rules: &AddressCodeRules) -> Option<Problem> {
        if now >= self.expires_at {
            return Some(Problem::OtpExpired);
        }
        (self.attempts >= rules.attempts).then(|| {
            let spent = rules.attempt_limit().spent_until(self.expires_at, now);
            Problem::MaxAttemptsExceeded(spent)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Key, Randomness, SessionToken};

    #[test]
    fn a_code_is_its_own_under_its_own_name_alone() {
        let randomness = |byte: u8| Randomness::new(move |bytes| bytes.fill(byte));
        let keys = KeyRing::new(Key::from_bytes([1; 32]), None);
        let id = |byte| SessionToken::generate(&randomness(byte)).address_code_id();
        let code = |byte| OtpCode::generate(&randomness(byte));
        let hash = AddressCodeHash::of(&code(7), &id(1), &keys);
        assert!(hash.is_of(&code(7), &id(1), &keys));
        assert!(!hash.is_of(&code(8), &id(1), &keys));
        assert!(!hash.is_of(&code(7), &id(2), &keys));
        assert_eq!(OtpCode::parse(code(7).as_str()), Ok(code(7)));
        assert_eq!(code(0).as_str(), "00000000");
    }
}
