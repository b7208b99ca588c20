//! The local run, and through it all of Latchkey: worlds are started, and talked to as browsers,
//! agents and operators do.
//!
//! | a test of | stands in |
//! | --- | --- |
//! | one operation or trigger: its behaviour, its races, its cases | `operations/<operation>.rs` |
//! | the outcomes of harmed calls, as the sweep of `rules/failing_calls.rs` saw them | `outcomes/` |
//! | a rule that several operations keep: limits, secrecy, walking round, cookies, bad input | `rules/` |
//! | the local run itself: gateway, Invoke API, MCP, control interface, command line | `world/` |
//! | steps that several files take: a browser, a sign-in, an authenticator, a consent | `harness/` |
//! | the repository's own rules | `house/`, a binary of its own that starts almost no world |
//! | the page in a browser | `page/` |

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test says that something went wrong by panicking"
)]

/// As in the run.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

mod harness;
mod operations;
mod rules;
mod world;
