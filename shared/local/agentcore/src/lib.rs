//! AgentCore Identity over the AWS wire protocol, in one process.
//!
//! [`AgentCore::open`] opens the state, [`AgentCore::ensure_workload_identity`] and [`AgentCore::ensure_credential_provider`] see
//! to it that they are there, and [`AgentCore::router`] is the HTTP face that AWS's SDKs and browsers talk to. It really sends a
//! browser to the credential provider and back. Time, randomness and what AWS leaves open are passed in.

mod authorization;
mod behaviour;
mod completion;
mod credential_provider;
mod model;
mod oauth2;
mod operations;
mod random;
mod refusal;
mod resource_token;
mod secret;
mod service;
mod session;
mod store;
mod user_token;
mod vault;
mod wire;
mod workload_identity;
mod workload_token;

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use crate::refusal::Refusal;
use crate::service::Service;

pub use crate::behaviour::{
    Behaviour, CodeExchange, Denial, DeniedSession, ErrorClass, Permission, ReturnUrls,
};
pub use crate::credential_provider::{
    AuthorizationServer, ClientAuthentication, CredentialProvider, CredentialProviderSpec,
    Discovery,
};
pub use crate::random::{Random, system_random};
pub use crate::secret::Secret;
pub use crate::store::State;
pub use crate::workload_identity::WorkloadIdentitySpec;

/// What the stand-in is opened with.
#[derive(Clone)]
pub struct Options {
    /// The Region that signatures must be scoped to, and that ARNs name.
    pub region: String,
    /// The account in ARNs.
    pub account_id: String,
    /// Where the router will be reachable, without a slash at the end. Authorization URLs and callback URLs begin with it.
    pub public_url: String,
    /// Where the state is kept.
    pub state: State,
    /// What time it is. Everything that expires goes by this clock.
    pub clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Where tokens, states and ids come from.
    pub random: Random,
    /// Whose tokens `GetWorkloadAccessTokenForJWT` takes.
    pub issuers: Issuers,
    /// What AWS does not document.
    pub behaviour: Behaviour,
}

impl Options {
    /// A stand-in in memory, in `eu-west-1`, by the system's clock and randomness, for tokens of any issuer.
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

/// The system's clock.
#[must_use]
pub fn system_clock() -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time that is passed on comes from"
    )]
    Arc::new(SystemTime::now)
}

/// Whose tokens are taken for a user's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issuers {
    /// Anyone's who publishes keys, as in AWS, where the workload's own inbound check comes first.
    Any,
    /// Those of these issuers, as their `iss` spells them.
    Only(Vec<String>),
}

/// Why the state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be opened or is not one of this crate's.
    #[error("the state cannot be opened")]
    State(#[from] rusqlite::Error),
    /// The HTTP client for providers and issuers could not be made.
    #[error("the HTTP client cannot be made")]
    Http(#[from] reqwest::Error),
}

/// Why an embedding program does not get what it asked for: the service's own words.
#[derive(Debug, thiserror::Error)]
#[error("{exception}: {message}")]
pub struct SpecError {
    exception: &'static str,
    message: String,
}

impl From<Refusal> for SpecError {
    fn from(refusal: Refusal) -> Self {
        Self {
            exception: refusal.exception.name(),
            message: refusal.message.into_owned(),
        }
    }
}

/// AgentCore Identity. Clones share everything.
#[derive(Clone)]
pub struct AgentCore {
    service: Arc<Service>,
}

impl fmt::Debug for AgentCore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AgentCore")
    }
}

impl AgentCore {
    /// Opens the state.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self {
            service: Arc::new(Service::open(options)?),
        })
    }

    /// The HTTP face: operations of both services as POST, and `GET /identities/oauth2/…` for browsers.
    pub fn router(&self) -> axum::Router {
        wire::router(Arc::clone(&self.service))
    }

    /// Makes the workload identity, or gives the one that is there these return URLs.
    pub fn ensure_workload_identity(&self, spec: WorkloadIdentitySpec) -> Result<(), SpecError> {
        workload_identity::ensure(&self.service, spec)
    }

    /// Makes the credential provider, or brings the one that is there to these settings; its callback URL stays.
    pub fn ensure_credential_provider(
        &self,
        spec: CredentialProviderSpec,
    ) -> Result<CredentialProvider, SpecError> {
        credential_provider::ensure(&self.service, spec)
    }

    /// How the stand-in answers where AWS is not documented.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        (*self.service.behaviour()).clone()
    }

    /// Changes that from the next request on.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.service.set_behaviour(behaviour);
    }

    /// Changes whose tokens are taken, from the next request on.
    pub fn set_issuers(&self, issuers: Issuers) {
        self.service.set_issuers(issuers);
    }

    /// Forgets sessions and the vault; keeps workload identities, their tokens, and credential providers.
    pub fn reset(&self) -> Result<(), SpecError> {
        self.service
            .store
            .change(self.service.now(), |transaction| {
                store::forget_people(transaction)
            })
            .map_err(SpecError::from)
    }
}
