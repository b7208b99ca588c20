//! A Cognito user pool over the AWS wire protocol, in one process.
//!
//! [`Cognito::open`] opens the state, [`Cognito::ensure_pool`] and [`Cognito::ensure_client`] see
//! to it that a pool and its app clients are there, and [`Cognito::router`] is the HTTP face that
//! AWS's SDKs, its CLI and Amplify talk to. Time, randomness and the mailbox are passed in.

mod app_client;
mod attribute;
mod custom_message;
mod domain;
mod hosted;
mod import_job;
mod import_upload;
mod keys;
mod limits;
mod mail;
mod model;
mod operations;
mod options;
mod passkey;
mod password;
mod password_hash;
mod place;
mod pool;
mod pre_authentication;
mod refusal;
mod relying_party;
mod second_factor;
mod service;
mod session;
mod spec;
mod srp;
mod store;
mod tokens;
mod totp;
mod trigger;
mod user;
mod wire;

use std::fmt;
use std::sync::Arc;

use serde_json::Value;

use crate::service::Service;

pub use crate::mail::Mail;
pub use crate::options::{
    AddressClash, AllowedCredentials, EarlierCodes, EarlyPassword, HourlyLimits, OpenError,
    Options, PromptLogin, SignInMails, UnknownUser,
};
pub use crate::spec::{
    Client, ClientSpec, HostedSignIn, PasskeySpec, PoolSpec, RefreshRotation, Secret,
};
pub use local_kit::{Clock, Random, Snapshot, SpecError, State, system_clock, system_random};

/// A user pool service. Clones share everything.
#[derive(Clone)]
pub struct Cognito {
    service: Arc<Service>,
}

impl fmt::Debug for Cognito {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Cognito")
    }
}

impl Cognito {
    /// Opens the state.
    pub fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self {
            service: Arc::new(Service::open(options)?),
        })
    }

    /// The HTTP face: `POST /` for operations and `GET /{poolId}/.well-known/…` for keys and
    /// discovery, with CORS; below `/{domain}`, the hosted sign-in of pools that have a domain.
    pub fn router(&self) -> axum::Router {
        wire::router(Arc::clone(&self.service))
    }

    /// Makes the pool, or changes an existing one to these settings; returns its id.
    ///
    /// An existing pool is found by the spec's id, or else by its name. A new pool's keys are made
    /// in the background (in memory: once per process). The first use of them, a token or the JWKS,
    /// waits for them.
    pub fn ensure_pool(&self, spec: PoolSpec) -> Result<String, SpecError> {
        spec::ensure_pool(&self.service, spec)
    }

    /// As [`Cognito::ensure_pool`], in the words of `CreateUserPool`. The pool is recognised by its
    /// name. `domain` is the prefix of its hosted sign-in.
    pub fn ensure_described_pool(
        &self,
        request: Value,
        domain: Option<&str>,
    ) -> Result<String, SpecError> {
        spec::ensure_described_pool(&self.service, request, domain)
    }

    /// The address of a pool's hosted sign-in, without a slash at the end, if it has a domain:
    /// `{domain_url}/oauth2/authorize`, `/oauth2/token`, `/oauth2/userInfo`, `/oauth2/revoke`,
    /// `/login`, `/logout`.
    pub fn domain_url(&self, pool_id: &str) -> Result<Option<String>, SpecError> {
        let domain = self
            .service
            .store
            .read(|connection| domain::domain_of(connection, pool_id))?;
        Ok(domain.map(|domain| self.service.domain_url(&domain)))
    }

    /// Makes the app client, or changes an existing one to these settings. Its id and secret stay.
    pub fn ensure_client(&self, pool_id: &str, spec: ClientSpec) -> Result<Client, SpecError> {
        spec::ensure_client(&self.service, pool_id, spec)
    }

    /// As [`Cognito::ensure_client`], in the words of `CreateUserPoolClient`. The client is
    /// recognised by its name.
    pub fn ensure_described_client(
        &self,
        pool_id: &str,
        request: Value,
    ) -> Result<Client, SpecError> {
        spec::ensure_described_client(&self.service, pool_id, request)
    }

    /// Calls triggers through this Lambda Invoke API, without a socket, in place of the one at
    /// [`Options::lambda_url`]. `lambda` returns its router, or `None` once it has ended.
    pub fn call_triggers_through(
        &self,
        lambda: impl Fn() -> Option<axum::Router> + Send + Sync + 'static,
    ) {
        self.service.functions.call_in_process(Box::new(lambda));
    }

    /// Changes how unknown names are answered from the next request on.
    pub fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.service.set_unknown_user(unknown_user);
    }

    /// Changes whether `prompt=login` is obeyed, from the next request on.
    pub fn set_prompt_login(&self, prompt_login: PromptLogin) {
        self.service.set_prompt_login(prompt_login);
    }

    /// Changes how an early password is treated, from the next request on.
    pub fn set_early_password(&self, early_password: EarlyPassword) {
        self.service.set_early_password(early_password);
    }

    /// Changes how many sign-in codes an address and a requester get within an hour, from the next
    /// request on.
    pub fn set_sign_in_codes(&self, an_hour: u32) {
        self.service.set_sign_in_codes(an_hour);
    }

    /// Changes what becomes of an address that another user has, from the next request on.
    pub fn set_address_clash(&self, address_clash: AddressClash) {
        self.service.set_address_clash(address_clash);
    }

    /// Changes the effect of a second code, from the next request on.
    pub fn set_earlier_codes(&self, earlier_codes: EarlierCodes) {
        self.service.set_earlier_codes(earlier_codes);
    }

    /// An access token with these claims, signed by the pool's key. A pool never issues such a
    /// token; it is for tests of token checks.
    pub fn sign_access_token(&self, pool_id: &str, claims: &Value) -> Result<String, SpecError> {
        Ok(self.service.keys(pool_id)?.access.sign(claims))
    }

    /// Copies the state. Switches are no part of it.
    pub fn snapshot(&self) -> Result<Snapshot, SpecError> {
        self.service.store.snapshot().map_err(SpecError::from)
    }

    /// Returns to a copy of the state.
    pub fn restore(&self, snapshot: &Snapshot) -> Result<(), SpecError> {
        let restored = self.service.store.restore(snapshot);
        restored.map_err(SpecError::from)
    }

    /// Forgets users, sessions, codes and tokens; keeps pools, clients and keys.
    pub fn reset(&self) -> Result<(), SpecError> {
        self.service
            .store
            .change(self.service.now(), |transaction| {
                store::forget_people(transaction)
            })
            .map_err(SpecError::from)
    }
}
