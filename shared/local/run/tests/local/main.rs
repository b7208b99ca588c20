//! The local run, and through it all of Latchkey: worlds are started, and talked to as browsers, agents and operators do.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

mod agent_identity;
mod authenticator_app;
mod authenticators;
mod authorization_cases;
mod authorizations;
mod backstage;
mod bad_input;
mod bad_invocations;
mod bad_requests;
mod bearer_tokens;
mod cases;
mod command_line;
mod consent;
mod consent_page;
mod control;
mod cookies;
mod costs;
mod faults;
mod gateway;
mod harness;
mod invoke_api;
mod lambdas;
mod limits;
mod mcp;
mod operations_under_faults;
mod passwords;
mod profile;
mod requests;
mod second_factor_cases;
mod secrecy;
mod sessions;
mod sign_in;
mod signatures;
mod start_links;
mod steps;
mod walking_round;
