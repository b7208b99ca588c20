//! The world's randomness: the operating system's, passed to its users.

use std::sync::Arc;

use auth_domain::Randomness;

/// As the operations take it.
pub(crate) fn for_operations() -> Randomness {
    Randomness::new(fill)
}

/// The randomness in the stand-ins' type.
pub(crate) fn for_stand_ins() -> aws_local::Random {
    Arc::new(fill)
}

/// A fresh UUID, such as Lambda's request ids.
pub(crate) fn uuid() -> String {
    let mut bytes = [0; 16];
    fill(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// `N` fresh bytes.
pub(crate) fn bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

#[expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "this is where the local run's randomness comes from, and nothing is safe without it"
)]
fn fill(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system gives random bytes");
}
