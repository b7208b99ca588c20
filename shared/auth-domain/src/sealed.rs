//! Secrets that only the key service can open.

use crate::redacted::redacted_debug;

/// A secret as the key service sealed it. Opening it takes its owner's sub and its use.
#[derive(Clone, PartialEq, Eq)]
pub struct Sealed(Vec<u8>);

redacted_debug!(Sealed);

impl Sealed {
    /// Takes a ciphertext from the key service or from the table.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// The ciphertext, for the table and the key service.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
