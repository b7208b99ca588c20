//! An answer that sends a browser elsewhere.

use serde::Serialize;

use crate::Exchange;

/// A browser's next address. Over HTTP a 302, or a 303 after a form; at the other doors an object
/// with the address.
#[derive(Serialize)]
pub struct Redirect {
    location: String,
}

impl Redirect {
    /// Sends the browser to an address of our own making or configuration.
    #[must_use]
    pub fn to(location: impl Into<String>, exchange: &Exchange) -> Self {
        let location = location.into();
        exchange.set_header("location", location.as_str());
        Self { location }
    }
}
