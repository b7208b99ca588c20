//! The contract, seen by its readers: the document itself, its routes and its calls.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests may fail the test, as the tests themselves may"
)]

mod calls;
mod document;
mod routes;

use serde_json::Value;

/// A copy of the embedded contract's document after `change`, for cases that the embedded one
/// lacks.
fn changed(change: impl FnOnce(&mut Value)) -> String {
    let mut document = auth_api::Contract::embedded().as_json().clone();
    change(&mut document);
    document.to_string()
}
