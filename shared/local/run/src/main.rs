//! `cargo run`: all of Latchkey in one process.

use std::process::ExitCode;

fn main() -> ExitCode {
    auth_local::cli::run()
}
