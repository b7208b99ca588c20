//! Proof of work (ALTCHA, version 2): it pays for a request after strangers have spent an address's
//! budget.
//!
//! A challenge is signed and contains its purpose, so nothing is stored before it is solved.

use std::{collections::BTreeMap, str::FromStr, time::Duration};

use altcha::{
    Challenge, ChallengeParameters, HmacAlgorithm, Payload, VerifySolutionOptions, sign_challenge,
    verify_solution,
};
use data_encoding::{BASE64, HEXLOWER};
use serde::{Serialize, Serializer};
use serde_json::Value;
use subtle::ConstantTimeEq;

use crate::{
    Email, KeyRing, Limit, Purpose, Randomness, Report, Timestamp, redacted::redacted_debug,
};

/// The time for solving a challenge. A slow phone takes seconds.
const LIFETIME: Duration = Duration::from_mins(5);

/// `WebCrypto` derives it natively. A phone therefore falls less far behind an attacker's hardware
/// than with a hash in JavaScript.
const ALGORITHM: &str = "PBKDF2/SHA-256";

/// Bytes of the derived key. One block of SHA-256: more would cost without adding work.
const KEY_LENGTH: usize = 32;

/// The required beginning of a derived key, in hexadecimal. One in 4,096 has it.
const PREFIX: &str = "000";

/// Iterations of one try for the first challenge: 0.3 million in all, half a second of a mid-range
/// phone with the overhead of 4,096 calls. They double with each solved one. Checking a solution
/// takes one try.
const CHEAPEST: u32 = 75;

/// Iterations of one try at most: 2.5 million in all. A mid-range phone derives about a million a
/// second, and three tries for a challenge in four end within five seconds. So strangers cannot
/// price the owner out.
const DEAREST: u32 = 600;

/// The longest text that is parsed as a solved challenge. Latchkey's have 700 characters.
const LONGEST: usize = 4096;

/// A challenge, as the answer to a refused request carries it.
#[derive(Clone)]
pub struct WorkChallenge(Challenge);

redacted_debug!(WorkChallenge);

/// A challenge and its solution from a request, not verified yet.
#[derive(Clone)]
pub struct ProofOfWork(String);

redacted_debug!(ProofOfWork);

/// A solved challenge: its name, which the table marks as used, and its price.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SolvedWork {
    name: String,
    cost: u32,
}

/// The text cannot be a solved challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be base64 of at most {LONGEST} characters: a challenge with its solution")]
pub struct InvalidProofOfWork;

impl WorkChallenge {
    /// A challenge for `operation` on `email`. The more were solved for it lately, the more work it
    /// is.
    pub fn issue(
        operation: &str,
        email: &Email,
        solved_lately: u32,
        now: Timestamp,
        keys: &KeyRing,
        randomness: &Randomness,
    ) -> Result<Self, Report> {
        let mut parameters = ChallengeParameters {
            algorithm: ALGORITHM.to_owned(),
            cost: cost(solved_lately),
            data: Some(binding(operation, email, keys)),
            expires_at: Some(now.after(LIFETIME).as_seconds()),
            key_length: KEY_LENGTH,
            key_prefix: PREFIX.to_owned(),
            key_signature: None,
            memory_cost: None,
            nonce: HEXLOWER.encode(&randomness.bytes::<16>()),
            parallelism: None,
            salt: HEXLOWER.encode(&randomness.bytes::<16>()),
        };
        let secret = secrets(keys).next().unwrap_or_default();
        sign(&mut parameters, &secret).map(Self)
    }
}

impl Serialize for WorkChallenge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl FromStr for ProofOfWork {
    type Err = InvalidProofOfWork;

    /// Takes ALTCHA's payload, the base64 of a JSON object with `challenge` and `solution`. Its
    /// content is checked later.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
        if text.is_empty() || text.len() > LONGEST || !text.bytes().all(is_base64) {
            return Err(InvalidProofOfWork);
        }
        Ok(Self(text.to_owned()))
    }
}

impl ProofOfWork {
    /// Checks that this is a solved challenge of Latchkey's for `operation` on `email`. `None` if
    /// it is not, or if it has expired.
    ///
    /// Signature, time, binding and the claimed prefix are checked first. Only then one key is
    /// derived.
    #[must_use]
    pub fn check(
        &self,
        operation: &str,
        email: &Email,
        now: Timestamp,
        keys: &KeyRing,
    ) -> Option<SolvedWork> {
        let json = BASE64.decode(self.0.as_bytes()).ok()?;
        let Payload {
            challenge,
            solution,
        } = &serde_json::from_slice(&json).ok()?;
        let signature = challenge.signature.as_deref()?;
        let secret = secrets(keys).find(|secret| {
            sign(&mut challenge.parameters.clone(), secret).is_ok_and(|signed| {
                let expected = signed.signature.unwrap_or_default();
                expected.as_bytes().ct_eq(signature.as_bytes()).into()
            })
        })?;
        let parameters = &challenge.parameters;
        let is_in_time = now < Timestamp::from_seconds(parameters.expires_at?);
        let is_for_this = parameters
            .data
            .as_ref()
            .is_some_and(|data| is_binding(data, operation, email, keys));
        if !is_in_time || !is_for_this || !solution.derived_key.starts_with(&parameters.key_prefix)
        {
            return None;
        }
        // The crate checks the system's clock too, which is never ahead of `now`.
        verify_solution(VerifySolutionOptions::new(challenge, solution, secret))
            .is_ok_and(|result| result.verified)
            .then(|| SolvedWork {
                name: parameters.nonce.clone(),
                cost: parameters.cost,
            })
    }
}

impl SolvedWork {
    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.name
    }

    /// A limit on solved challenges, as far as this one's price reaches. Others may have been
    /// solved since it was issued, and each makes the next one dearer.
    #[must_use]
    pub fn affords(&self, limit: Limit) -> Limit {
        let earlier = (0..limit.quota).take_while(|solved| cost(*solved) <= self.cost);
        Limit {
            quota: earlier.map(|solved| solved + 1).last().unwrap_or_default(),
            ..limit
        }
    }
}

/// Iterations of one try, after so many solved challenges.
fn cost(solved_lately: u32) -> u32 {
    let doubled = 1_u32.checked_shl(solved_lately).unwrap_or(u32::MAX);
    CHEAPEST.saturating_mul(doubled).min(DEAREST)
}

fn sign(parameters: &mut ChallengeParameters, secret: &str) -> Result<Challenge, Report> {
    sign_challenge(&HmacAlgorithm::Sha256, parameters, None, secret, None)
        .map_err(|error| Report::new("sign a proof-of-work challenge", error))
}

/// The signing secrets, the one in use first.
fn secrets(keys: &KeyRing) -> impl Iterator<Item = String> + '_ {
    keys.tags(Purpose::ProofOfWork, &[]).map(crate::Tag::to_hex)
}

/// The purpose of a challenge. The address is hashed under a key: other parties may log the
/// challenge.
fn binding(operation: &str, email: &Email, keys: &KeyRing) -> BTreeMap<String, Value> {
    let address = keys.tag(Purpose::ProofOfWorkAddress, &[email.as_str()]);
    BTreeMap::from([
        ("address".to_owned(), address.to_hex().into()),
        ("operation".to_owned(), operation.into()),
    ])
}

fn is_binding(
    data: &BTreeMap<String, Value>,
    operation: &str,
    email: &Email,
    keys: &KeyRing,
) -> bool {
    let text = |name: &str| data.get(name).and_then(Value::as_str).unwrap_or_default();
    text("operation") == operation
        && keys.verifies(
            Purpose::ProofOfWorkAddress,
            &[email.as_str()],
            text("address"),
        )
}

#[cfg(test)]
mod tests {
    use altcha::{Solution, SolveChallengeOptions, solve_challenge};

    use super::*;
    use crate::Key;

    const OPERATION: &str = "initiate-otp";

    fn ring(byte: u8) -> KeyRing {
        KeyRing::new(Key::from_bytes([byte; 32]), None)
    }

    fn ada() -> Email {
        Email::parse("ada@example.com").unwrap()
    }

    /// The crate compares with the system's clock, so that tests begin long after it.
    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2100-01-01T00:00:00Z").unwrap()
    }

    fn challenge(solved_lately: u32) -> Challenge {
        let randomness = Randomness::new(|bytes| bytes.fill(5));
        WorkChallenge::issue(
            OPERATION,
            &ada(),
            solved_lately,
            now(),
            &ring(1),
            &randomness,
        )
        .unwrap()
        .0
    }

    fn payload(challenge: &Challenge, solution: &Solution) -> ProofOfWork {
        let payload = Payload {
            challenge: challenge.clone(),
            solution: solution.clone(),
        };
        let json = serde_json::to_vec(&payload).unwrap();
        BASE64.encode(&json).parse().unwrap()
    }

    fn solve(challenge: &Challenge) -> Solution {
        solve_challenge(SolveChallengeOptions::new(challenge))
            .unwrap()
            .unwrap()
    }

    #[test]
    fn a_solved_challenge_counts_for_its_operation_and_address_and_five_minutes() {
        let challenge = challenge(0);
        let proof = payload(&challenge, &solve(&challenge));
        let at = |seconds: i64| now().after(Duration::from_secs(seconds.unsigned_abs()));
        let check = |operation: &str, email: &Email, seconds| {
            proof.check(operation, email, at(seconds), &ring(1))
        };
        assert!(check(OPERATION, &ada(), 0).is_some());
        assert!(check(OPERATION, &ada(), 299).is_some());
        assert!(check(OPERATION, &ada(), 300).is_none());
        assert!(check("verify-otp", &ada(), 0).is_none());
        assert!(check(OPERATION, &Email::parse("eve@example.com").unwrap(), 0).is_none());
        assert!(proof.check(OPERATION, &ada(), now(), &ring(2)).is_none());
        let rotated = KeyRing::new(Key::from_bytes([2; 32]), Some(Key::from_bytes([1; 32])));
        assert!(proof.check(OPERATION, &ada(), now(), &rotated).is_some());
    }

    #[test]
    fn a_changed_challenge_or_a_wrong_solution_counts_for_nothing() {
        let challenge = challenge(0);
        let solution = solve(&challenge);
        let refused = |challenge: &Challenge, solution: &Solution| {
            payload(challenge, solution)
                .check(OPERATION, &ada(), now(), &ring(1))
                .is_none()
        };
        let mut cheaper = challenge.clone();
        cheaper.parameters.cost = 1;
        let mut longer = challenge.clone();
        longer.parameters.expires_at = longer.parameters.expires_at.map(|at| at + 60);
        let mut unsigned = challenge.clone();
        unsigned.signature = None;
        for changed in [&cheaper, &longer, &unsigned] {
            assert!(refused(changed, &solution));
        }
        let another = Solution {
            counter: solution.counter.wrapping_add(1),
            ..solution.clone()
        };
        let claimed = Solution {
            derived_key: format!("{PREFIX}{}", "f".repeat(61)),
            ..solution.clone()
        };
        assert!(refused(&challenge, &another));
        assert!(refused(&challenge, &claimed));
        assert!(!refused(&challenge, &solution));
    }

    #[test]
    fn work_doubles_with_use_up_to_the_dearest() {
        let costs: Vec<_> = [0, 1, 2, 3, 4, 99].map(cost).to_vec();
        assert_eq!(costs, [75, 150, 300, 600, 600, 600]);
        assert_eq!(challenge(1).parameters.cost, 150);
    }

    #[test]
    fn a_price_counts_up_to_the_turn_that_is_dearer() {
        let limit = |quota| Limit {
            name: "code-mail-solved",
            quota,
            window: Duration::from_hours(1),
            ageing: crate::Ageing::OneByOne,
        };
        let affords = |cost, quota| {
            let name = "a-nonce".to_owned();
            SolvedWork { name, cost }.affords(limit(quota)).quota
        };
        let five: Vec<_> = [74, 75, 149, 150, 300, 600]
            .map(|cost| affords(cost, 5))
            .to_vec();
        assert_eq!(five, [0, 1, 1, 2, 3, 5]);
        assert_eq!(
            [affords(75, 0), affords(600, 2), affords(600, 15)],
            [0, 2, 15]
        );
    }

    #[test]
    fn text_that_cannot_be_a_payload_is_refused_and_one_that_is_none_counts_for_nothing() {
        for text in ["", "not base64", &"A".repeat(LONGEST + 4)] {
            assert!(text.parse::<ProofOfWork>().is_err(), "{}", text.len());
        }
        for text in ["e30=", "nonsense", "=", "bnVsbA=="] {
            let proof: ProofOfWork = text.parse().unwrap();
            assert!(proof.check(OPERATION, &ada(), now(), &ring(1)).is_none());
        }
    }
}
