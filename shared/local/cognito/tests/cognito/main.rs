//! A user pool, seen by its callers: AWS's own SDK over HTTP, raw requests, boto3, and a clock that
//! the tests move.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a helper of a test that cannot go on has found the failure"
)]

mod authenticator;
mod botocore;
mod device;
mod email_codes;
mod hosted;
mod import_jobs;
mod limits;
mod own_account;
mod passkeys;
mod passwords;
mod persistence;
mod pools;
mod programs;
mod sign_up;
mod srp;
mod tokens;
mod triggers;
mod unknown_users;
mod users;
mod wire;
mod world;
