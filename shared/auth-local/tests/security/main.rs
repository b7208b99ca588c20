//! Sessions, walking round, bad input and secrecy, as whoever attacks or mistreats the API sees them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

mod bad_input;
mod bad_invocations;
mod bad_requests;
mod bearer_tokens;
mod cookies;
#[path = "../local/harness.rs"]
mod harness;
mod profile;
mod requests;
mod secrecy;
mod sessions;
mod walking_round;
