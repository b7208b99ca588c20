//! Options of the stand-in.

use std::fmt;

use local_kit::{Clock, Random, State, system_clock, system_random};

use crate::behaviour::Behaviour;

/// Options of the stand-in.
#[derive(Clone)]
pub struct Options {
    /// The Region that signatures must be scoped to, and that ARNs name.
    pub region: String,
    /// The account in ARNs.
    pub account_id: String,
    /// The router's address, without a slash at the end. Authorization URLs and callback URLs begin
    /// with it.
    pub public_url: String,
    /// The place of the state.
    pub state: State,
    /// The current time. Everything that expires uses this clock.
    pub clock: Clock,
    /// The source of tokens, states and ids.
    pub random: Random,
    /// The issuers whose tokens `GetWorkloadAccessTokenForJWT` accepts.
    pub issuers: Issuers,
    /// Behaviour that AWS does not document.
    pub behaviour: Behaviour,
}

impl Options {
    /// A stand-in in memory, in `eu-west-1`, with the system's clock and randomness, for tokens of
    /// any issuer.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account_id: "000000000000".to_owned(),
            public_url: public_url.into(),
            state: State::Memory,
            clock: system_clock(),
            random: system_random(),
            issuers: Issuers::Any,
            behaviour: Behaviour::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("region", &self.region)
            .field("public_url", &self.public_url)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The issuers of accepted user tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuers {
    /// Any issuer that publishes keys, as in AWS, where the workload's own inbound check comes
    /// first.
    Any,
    /// Those of these issuers, as their `iss` spells them.
    Only(Vec<String>),
}

/// The reason why the state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be opened or has another program's tables.
    #[error("the state cannot be opened")]
    State(#[from] rusqlite::Error),
    /// The HTTP client for providers and issuers could not be made.
    #[error("the HTTP client cannot be made")]
    Http(#[from] reqwest::Error),
}
