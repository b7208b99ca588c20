//! Passwords: the pool's policy, how they are kept, and what wrong ones lead to.

use argon2::password_hash::PasswordHasher as _;
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordVerifier as _, Version};
use tokio::sync::Semaphore;

use crate::pool::PasswordPolicy;
use crate::random::{self, Random};
use crate::refusal::{Exception, Refusal};
use crate::store::Millis;
use crate::user::Failures;

/// Argon2id with 4 MiB and three passes. OWASP asks for 12 MiB with three; a stand-in that two cores run beside
/// everything else shall still sustain a hundred password sign-ins a second.
const MEMORY_KIB: u32 = 4_096;
const PASSES: u32 = 3;

/// How many passwords are worked on at once: a flood of them waits instead of taking gigabytes.
static PLACES: Semaphore = Semaphore::const_new(8);

/// Failures that have no consequence (Cognito developer guide, "Authentication": lockout).
const FREE_FAILURES: u32 = 5;

/// The longest lock, and the quiet time after which failures are forgotten: about 15 minutes.
const LONGEST_LOCK: Millis = 900_000;

/// `[\S]` of ASCII that Cognito counts as symbols, the space inside a password aside.
const SYMBOLS: &str = "^$*.[]{}()?\"!@#%&/\\,><':;|_~`=+-";

fn hasher() -> Argon2<'static> {
    #[expect(clippy::expect_used, reason = "the parameters are constants in range")]
    let params = Params::new(MEMORY_KIB, PASSES, 1, None).expect("argon2 takes these parameters");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// A password as it is kept: a PHC string. Takes milliseconds of CPU, so it runs where blocking is allowed.
pub(crate) async fn hash(password: &str, random: &Random) -> Result<String, Refusal> {
    let (password, random) = (password.to_owned(), random.clone());
    blocking(move || {
        let salt: [u8; 16] = random::bytes(&random);
        hasher()
            .hash_password_with_salt(password.as_bytes(), &salt)
            .map(|hash| hash.to_string())
            .map_err(|cause| Refusal::internal(&cause))
    })
    .await?
}

/// Whether `password` is the one behind `kept`. With nothing kept the same work is done in vain.
pub(crate) async fn matches(password: &str, kept: Option<&str>) -> Result<bool, Refusal> {
    let (password, kept) = (password.to_owned(), kept.map(str::to_owned));
    blocking(move || {
        let Some(kept) = kept else {
            let mut ignored = [0; 32];
            let _ = hasher().hash_password_into(password.as_bytes(), &[0; 16], &mut ignored);
            return false;
        };
        PasswordHash::new(&kept)
            .is_ok_and(|kept| hasher().verify_password(password.as_bytes(), &kept).is_ok())
    })
    .await
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Refusal> {
    // Never closed, so always granted.
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
            password += &random::letters(random, alphabet.as_bytes(), 2);
        }
        password += &random::letters(random, b"abcdefghijkmnpqrstuvwxyz23456789", most - 8);
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
