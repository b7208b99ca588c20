//! What an operation costs, what it survives, and that it runs as a Lambda.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

#[path = "../local/harness.rs"]
mod harness;

mod backstage;
mod cases;
mod costs;
mod lambdas;
mod operations_under_faults;
