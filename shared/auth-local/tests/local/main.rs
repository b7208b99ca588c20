//! The local run, and through it all of Latchkey: worlds are started, and talked to as browsers, agents and operators do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

mod command_line;
mod control;
mod faults;
mod gateway;
mod harness;
mod invoke_api;
