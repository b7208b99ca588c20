//! The people of the tests.

/// The guest.
pub(crate) const ADA: &str = "ada@example.com";

/// Another one, who may be an attacker.
pub(crate) const EVE: &str = "eve@example.com";

/// A third one.
pub(crate) const BOB: &str = "bob@example.com";

/// Where ADA moves to.
pub(crate) const ELSEWHERE: &str = "ada@elsewhere.example";
