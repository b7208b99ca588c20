//! A world's events for its observers: tests that compare exchanges with the contract, and the
//! person at the terminal.

use std::time::Duration;

use axum::http::HeaderMap;

/// One request and its answer, as they passed the gateway.
#[derive(Clone)]
pub struct ObservedExchange {
    /// The operation of the request. `None` without a route, or if none was requested.
    pub operation_id: Option<String>,
    /// The request's method.
    pub method: String,
    /// The raw path.
    pub path: String,
    /// The raw query, without its question mark.
    pub query: String,
    /// The request's headers.
    pub request_headers: HeaderMap,
    /// The request's body; empty if the gateway refused before reading it.
    pub request_body: Vec<u8>,
    /// The status of the answer.
    pub status: u16,
    /// The headers of the answer.
    pub response_headers: HeaderMap,
    /// The body of the answer.
    pub response_body: Vec<u8>,
}

impl std::fmt::Debug for ObservedExchange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ObservedExchange")
            .field("operation_id", &self.operation_id)
            .field("method", &self.method)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// An answered request, for a line on the terminal.
#[derive(Clone, Debug)]
pub struct Served {
    /// The method.
    pub method: String,
    /// The raw path.
    pub path: String,
    /// The status.
    pub status: u16,
    /// A problem's code, if the answer is a problem.
    pub code: Option<String>,
    /// From the head of the request to the answer.
    pub took: Duration,
    /// AWS calls that the function made for it.
    pub aws_calls: u32,
}
