//! Any bytes at any door. With cargo-fuzz and a nightly compiler, in `shared/auth-lambda`:
//!
//! ```sh
//! mkdir -p fuzz/corpus/http_event
//! cargo +nightly fuzz run http_event fuzz/corpus/http_event fuzz/seeds/http_event
//! ```

#![no_main]

#[expect(dead_code, reason = "the tests use all of it")]
#[path = "../../tests/doors/harness.rs"]
mod harness;

use libfuzzer_sys::fuzz_target;
use tokio::runtime::Builder;

fuzz_target!(|bytes: &[u8]| {
    let runtime = Builder::new_current_thread().enable_time().build();
    runtime
        .expect("a runtime of one thread")
        .block_on(harness::hold_against_everything(bytes));
});
