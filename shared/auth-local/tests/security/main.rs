//! Sessions, walking round, bad input and secrecy, as whoever attacks or mistreats the API sees them.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

//BI
#[path = "../local/harness.rs"]
mod harness;
mod requests;
//SE
mod sessions;
//WR
