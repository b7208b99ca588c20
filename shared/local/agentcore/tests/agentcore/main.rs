//! AgentCore Identity, seen by its callers: AWS's own SDK over HTTP, raw requests, boto3, browsers
//! that are really redirected, and a clock that the tests move.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test that cannot go on has found the failure"
)]

mod binding;
mod botocore;
mod consent;
mod persistence;
mod provider;
mod unknowns;
mod vault;
mod wire;
mod workload_tokens;
mod world;
