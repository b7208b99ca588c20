//! Passwords: the pool's policy, their storage, and the lock after wrong ones.

use std::sync::{Arc, Mutex, PoisonError};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use local_kit::{Millis, Random};
use subtle::ConstantTimeEq as _;
use tokio::sync::Semaphore;

use crate::pool::PasswordPolicy;
use crate::refusal::{Exception, Refusal};
use crate::srp::{Identity, Verifier};
use crate::user::{Failures, User};

/// Argon2id with 4 MiB and three passes. OWASP asks for 12 MiB with three. A stand-in on two cores,
/// beside everything else, must still sustain a hundred password sign-ins a second.
const MEMORY_KIB: u32 = 4_096;
const PASSES: u32 = 3;

/// The number of passwords hashed at once: further ones wait, so that a flood does not take
/// gigabytes.
static PLACES: Semaphore = Semaphore::const_new(4);

/// Failures that have no consequence (Cognito developer guide, "Authentication": lockout).
const FREE_FAILURES: u32 = 5;

/// The longest lock, and the quiet time after which failures are forgotten: about 15 minutes.
const LONGEST_LOCK: Millis = 900_000;

/// `[\S]` of ASCII that Cognito counts as symbols, the space inside a password aside.
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";

/// Bytes of a salt (RFC 9106 section 3.1) and of a password's stored hash.
const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// The memory of finished work, at most one piece a place. Returned to the allocator, 4 MiB at a
/// time from many threads would grow into hundreds.
static MEMORY: Mutex<Vec<Vec<Block>>> = Mutex::new(Vec::new());

/// Argon2id of a password. Takes milliseconds of CPU.
fn derive(password: &str, salt: &[u8]) -> Result<[u8; HASH_BYTES], Refusal> {
    let params = Params::new(MEMORY_KIB, PASSES, 1, Some(HASH_BYTES))
        .map_err(|cause| Refusal::internal(&cause))?;
    let blocks = params.block_count();
    let left_behind = || MEMORY.lock().unwrap_or_else(PoisonError::into_inner);
    let mut memory = left_behind().pop().unwrap_or_default();
    memory.resize(blocks, Block::new());
    let mut hash = [0; HASH_BYTES];
    let outcome = Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(password.as_bytes(), salt, &mut hash, &mut memory);
    left_behind().push(memory);
    outcome.map_err(|cause| Refusal::internal(&cause))?;
    Ok(hash)
}

/// The stored form of a user's new password.
pub(crate) struct NewPassword {
    /// A PHC string.
    pub(crate) hash: String,
    pub(crate) srp: Verifier,
}

impl NewPassword {
    pub(crate) async fn of(
        password: &str,
        identity: Identity,
        random: &Random,
    ) -> Result<Self, Refusal> {
        let password = password.to_owned();
        let salt: [u8; SALT_BYTES] = local_kit::bytes(random);
        let random = Arc::clone(random);
        blocking(move || {
            let hash = derive(&password, &salt)?;
            Ok(Self {
                srp: Verifier::fresh(&identity, &password, &random),
                hash: format!(
                    "$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1${}${}",
                    STANDARD_NO_PAD.encode(salt),
                    STANDARD_NO_PAD.encode(hash)
                ),
            })
        })
        .await?
    }
}

/// Whether `password` matches `kept`. Without `kept`, the same work is done without effect.
pub(crate) async fn matches(password: &str, kept: Option<&str>) -> Result<bool, Refusal> {
    let password = password.to_owned();
    let kept = kept.and_then(salt_and_hash);
    blocking(move || {
        let Some((salt, hash)) = kept else {
            derive(&password, &[0; SALT_BYTES])?;
            return Ok(false);
        };
        Ok(derive(&password, &salt)?.ct_eq(&hash).into())
    })
    .await?
}

fn salt_and_hash(kept: &str) -> Option<(Vec<u8>, Vec<u8>)> {
    let (rest, hash) = kept.rsplit_once('$')?;
    let (_, salt) = rest.rsplit_once('$')?;
    Some((
        STANDARD_NO_PAD.decode(salt).ok()?,
        STANDARD_NO_PAD.decode(hash).ok()?,
    ))
}

/// Runs work that takes milliseconds of CPU, a few at a time.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    // The semaphore is never closed, so every request is granted.
    let _place = PLACES.acquire().await;
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|cause| Refusal::internal(&cause))
}

impl PasswordPolicy {
    /// The first rule that a password breaks, in the service's words.
    pub(crate) fn check(&self, password: &str) -> Result<(), Refusal> {
        let breach = if password.chars().count() < self.minimum_length {
            "Password not long enough"
        } else if self.require_lowercase && !password.chars().any(char::is_lowercase) {
            "Password must have lowercase characters"
        } else if self.require_uppercase && !password.chars().any(char::is_uppercase) {
            "Password must have uppercase characters"
        } else if self.require_numbers && !password.chars().any(|letter| letter.is_ascii_digit()) {
            "Password must have numeric characters"
        } else if self.require_symbols && !password.chars().any(|letter| SYMBOLS.contains(letter)) {
            "Password must have symbol characters"
        } else {
            return Ok(());
        };
        Err(Refusal::new(
            Exception::InvalidPassword,
            format!("Password did not conform with policy: {breach}"),
        ))
    }

    /// Refuses a password that the user has, or had before, as far back as the policy remembers.
    pub(crate) async fn check_history(&self, user: &User, password: &str) -> Result<(), Refusal> {
        let kept = user.password.iter().chain(&user.earlier_passwords);
        for kept in kept.take(self.password_history_size) {
            if matches(password, Some(kept)).await? {
                return Err(Refusal::new(
                    Exception::PasswordHistoryPolicyViolation,
                    "Password has previously been used.",
                ));
            }
        }
        Ok(())
    }

    /// A temporary password that satisfies the policy.
    pub(crate) fn temporary(&self, random: &Random) -> String {
        let most = self.minimum_length.max(12);
        let mut password = String::new();
        for alphabet in [
            "abcdefghijkmnpqrstuvwxyz",
            "ABCDEFGHJKLMNPQRSTUVWXYZ",
            "23456789",
            "!@#%&*",
        ] {
            password += &local_kit::letters(random, alphabet.as_bytes(), 2);
        }
        password += &local_kit::letters(random, b"abcdefghijkmnpqrstuvwxyz23456789", most - 8);
        password
    }
}

impl Failures {
    pub(crate) fn locked(&self, now: Millis) -> bool {
        now < self.locked_until
    }

    /// Counts a wrong password: from the fifth on, each locks for twice as long as the one before.
    pub(crate) fn count(&mut self, now: Millis) {
        if now - self.last > LONGEST_LOCK {
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.last = now;
        if self.count >= FREE_FAILURES {
            let doublings = (self.count - FREE_FAILURES).min(10);
            self.locked_until = now + (1_000 << doublings).min(LONGEST_LOCK);
        }
    }
}
