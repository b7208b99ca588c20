//! Randomness that is passed in, and what is made of it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Fills a buffer with random bytes.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The operating system's randomness.
///
/// # Panics
///
/// What it returns panics where the operating system has no randomness to give: nothing may go on without it.
#[must_use]
pub fn system_random() -> Random {
    Arc::new(|buffer| {
        #[expect(
            clippy::disallowed_methods,
            clippy::expect_used,
            reason = "the one place where the randomness that is passed on comes from; without it nothing may go on"
        )]
        getrandom::fill(buffer).expect("the operating system gives random bytes");
    })
}

/// A version 4 UUID as text.
pub(crate) fn uuid(random: &Random) -> String {
    let mut bytes = [0; 16];
    random(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// `count` random bytes as base64url without padding.
pub(crate) fn base64url(random: &Random, count: usize) -> String {
    let mut bytes = vec![0; count];
    random(&mut bytes);
    URL_SAFE_NO_PAD.encode(bytes)
}
