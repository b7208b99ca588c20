//! `cargo run`: all of Latchkey in one process.

use std::process::ExitCode;

/// Every AWS call is written, read, answered and recorded in this process. The system's allocator
/// took a seventh of a sign-in (decision 126).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    auth_local::cli::run()
}
