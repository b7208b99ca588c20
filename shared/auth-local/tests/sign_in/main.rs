//! Sign-in by emailed code and its limits, seen from outside.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

#[path = "../local/harness.rs"]
mod harness;

mod limits;
mod sign_in;
mod steps;
