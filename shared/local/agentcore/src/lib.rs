//! AgentCore Identity over the AWS wire protocol, in one process.
//!
//! [`AgentCore::open`] opens the state. [`AgentCore::ensure_workload_identity`] and
//! [`AgentCore::ensure_credential_provider`] make the resources. [`AgentCore::router`] is the HTTP
//! interface for AWS's SDKs and browsers. It really sends a browser to the credential provider and
//! back. Time, randomness and AWS's undocumented behaviour are passed in.

mod authorization;
mod behaviour;
mod completion;
mod credential_provider;
mod model;
mod oauth2;
mod operations;
mod options;
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

use crate::service::Service;

pub use crate::behaviour::{
    Behaviour, CodeExchange, Denial, DeniedSession, ErrorClass, Permission, ReturnUrls,
};
pub use crate::credential_provider::{
    AuthorizationServer, ClientAuthentication, CredentialProvider, CredentialProviderSpec,
    Discovery,
};
pub use crate::options::{Issuers, OpenError, Options};
pub use crate::secret::Secret;
pub use crate::workload_identity::WorkloadIdentitySpec;
pub use local_kit::{Clock, Random, Snapshot, SpecError, State, system_clock, system_random};

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

    /// The HTTP face: operations of both services as POST, and `GET /identities/oauth2/…` for
    /// browsers.
    pub fn router(&self) -> axum::Router {
        wire::router(Arc::clone(&self.service))
    }

    /// Makes the workload identity, or gives an existing one these return URLs.
    pub fn ensure_workload_identity(&self, spec: WorkloadIdentitySpec) -> Result<(), SpecError> {
        workload_identity::ensure(&self.service, spec)
    }

    /// Makes the credential provider, or changes an existing one to these settings. Its callback
    /// URL stays.
    pub fn ensure_credential_provider(
        &self,
        spec: CredentialProviderSpec,
    ) -> Result<CredentialProvider, SpecError> {
        credential_provider::ensure(&self.service, spec)
    }

    /// The stand-in's answers at AWS's undocumented points.
    #[must_use]
    pub fn behaviour(&self) -> Behaviour {
        (*self.service.behaviour()).clone()
    }

    /// Changes that from the next request on.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.service.set_behaviour(behaviour);
    }

    /// Changes the accepted issuers, from the next request on.
    pub fn set_issuers(&self, issuers: Issuers) {
        self.service.set_issuers(issuers);
    }

    /// Copies the state. The behaviour is no part of it.
    pub fn snapshot(&self) -> Result<Snapshot, SpecError> {
        self.service.store.snapshot().map_err(SpecError::from)
    }

    /// Returns to a copy of the state.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), SpecError> {
        let restored = self.service.store.restore(snapshot);
        restored.map_err(SpecError::from)
    }

    /// Forgets sessions and the vault; keeps workload identities, their tokens, and credential
    /// providers.
    pub fn reset(&self) -> Result<(), SpecError> {
        self.service
            .store
            .change(self.service.now(), |transaction| {
                store::forget_people(transaction)
            })
            .map_err(SpecError::from)
    }
}
