//! Randomness, which callers pass in, and values made of it.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Fills a buffer with random bytes. It must be a cryptographic source.
pub type Random = Arc<dyn Fn(&mut [u8]) + Send + Sync>;

/// The operating system's randomness.
///
/// # Panics
///
/// The returned function panics if the operating system has no randomness: the stand-in must not
/// run without it.
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

/// `N` random bytes.
#[must_use]
pub fn bytes<const N: usize>(random: &Random) -> [u8; N] {
    let mut buffer = [0; N];
    random(&mut buffer);
    buffer
}

/// A version 4 UUID as text.
#[must_use]
pub fn uuid(random: &Random) -> String {
    uuid::Builder::from_random_bytes(bytes(random))
        .into_uuid()
        .to_string()
}

/// `count` bytes as base64url without padding.
#[must_use]
pub fn base64url(random: &Random, count: usize) -> String {
    let mut buffer = vec![0; count];
    random(&mut buffer);
    URL_SAFE_NO_PAD.encode(buffer)
}

/// `length` characters of `alphabet`, each with the same probability.
#[must_use]
pub fn letters(random: &Random, alphabet: &[u8], length: usize) -> String {
    let fair = 256 - 256 % alphabet.len();
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in bytes::<32>(random) {
            let number = usize::from(byte);
            if number < fair && text.len() < length {
                text.push(char::from(alphabet[number % alphabet.len()]));
            }
        }
    }
    text
}

/// A code of `length` decimal digits.
#[must_use]
pub fn digits(random: &Random, length: usize) -> String {
    letters(random, b"0123456789", length)
}
