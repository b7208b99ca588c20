//! The origin of a person's request. Cognito receives it for its own limits and risk checks.

use std::net::IpAddr;

use crate::redacted::redacted_debug;

/// The sender's address and the target of a request.
#[derive(Clone, PartialEq, Eq)]
pub struct RequestContext {
    /// The person's own address, which no proxy of ours has replaced.
    pub ip_address: IpAddr,
    /// The host that the request was sent to.
    pub host: String,
    /// The path that it was sent to.
    pub path: String,
}

redacted_debug!(RequestContext);
