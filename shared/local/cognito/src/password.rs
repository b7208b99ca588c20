//! Passwords: the pool's policy, their storage, and the lock after wrong ones.

use std::sync::Arc;

use local_kit::{Millis, Random};
use tokio::sync::Semaphore;

use crate::password_hash::{PasswordHash, SALT_BYTES};
use crate::pool::PasswordPolicy;
use crate::refusal::{Exception, Refusal};
use crate::srp::{Identity, Verifier};
use crate::user::{Failures, User};

/// The number of passwords hashed at once: further ones wait, so that a flood does not take
/// gigabytes.
static PLACES: Semaphore = Semaphore::const_new(4);

/// Failures that have no consequence (Cognito developer guide, "Authentication": lockout).
const FREE_FAILURES: u32 = 5;

/// The longest lock, and the quiet time after which failures are forgotten: about 15 minutes.
const LONGEST_LOCK: Millis = 900_000;

/// `[\S]` of ASCII that Cognito counts as symbols, the space inside a password aside.
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";

/// The stored form of a user's new password.
pub(crate) struct NewPassword {
    /// The text of a [`PasswordHash`].
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
            Ok(Self {
                srp: Verifier::fresh(&identity, &password, &random),
                hash: PasswordHash::text_of(&password, salt)?,
            })
        })
        .await?
    }
}

/// Whether `password` matches `kept`. Without `kept`, the same work is done without effect.
pub(crate) async fn matches(password: &str, kept: Option<&str>) -> Result<bool, Refusal> {
    let password = password.to_owned();
    let kept = kept.and_then(PasswordHash::read);
    blocking(move || match kept {
        Some(kept) => kept.is_of(&password),
        None => PasswordHash::work_without_effect(&password).map(|()| false),
    })
    .await?
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
