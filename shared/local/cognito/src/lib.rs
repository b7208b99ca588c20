//! A Cognito user pool over the AWS wire protocol, in one process.
//!
//! [`Cognito::open`] opens the state, [`Cognito::ensure_pool`] and [`Cognito::ensure_client`] see to it that a pool and its
//! app clients are there, and [`Cognito::router`] is the HTTP face that AWS's SDKs, its CLI and Amplify talk to. Time,
//! randomness and the mailbox are passed in.

mod app_client;
mod hosted;
mod keys;
mod limits;
mod mail;
mod model;
mod operations;
mod password;
mod pool;
mod random;
mod refusal;
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
use std::time::{Duration, SystemTime};

use crate::service::Service;

pub use crate::limits::HourlyLimits;
pub use crate::mail::Mail;
pub use crate::random::{Random, system_random};
pub use crate::spec::{
    Client, ClientSpec, HostedSignIn, PoolSpec, RefreshRotation, Secret, SpecError,
};
pub use crate::store::State;

/// What a user pool is opened with.
#[derive(Clone)]
pub struct Options {
    /// The Region, which begins every pool's id.
    pub region: String,
    /// The account in ARNs.
    pub account_id: String,
    /// Where the router will be reachable, without a slash at the end. The issuer of a pool's tokens is
    /// `{public_url}/{poolId}`, and its JWKS is served below that.
    pub public_url: String,
    /// Where the state is kept.
    pub state: State,
    /// What time it is. Everything that expires goes by this clock.
    pub clock: Arc<dyn Fn() -> SystemTime + Send + Sync>,
    /// Where codes, keys, tokens and ids come from.
    pub random: Random,
    /// Takes every mail, before the answer of the operation that sent it.
    pub mail: Arc<dyn Fn(Mail) + Send + Sync>,
    /// Base of a Lambda Invoke API, for triggers. Without one, a pool with a trigger lets nobody in.
    pub lambda_url: Option<String>,
    /// How long a trigger may take, in real time.
    pub lambda_limit: Duration,
    /// How choice-based sign-in answers for a name that nobody has, where the app client hides that.
    pub unknown_user: UnknownUser,
    /// Whether the hosted page heeds `prompt=login`.
    pub prompt_login: PromptLogin,
    /// What a second sign-in code does to the ones before.
    pub earlier_codes: EarlierCodes,
    /// How often one user may ask for codes, redeem them and change a password.
    pub hourly_limits: HourlyLimits,
}

impl Options {
    /// A pool service in memory, in `eu-west-1`, by the system's clock and randomness, whose mails nobody reads.
    #[must_use]
    pub fn new(public_url: impl Into<String>) -> Self {
        Self {
            region: "eu-west-1".to_owned(),
            account_id: "000000000000".to_owned(),
            public_url: public_url.into(),
            state: State::Memory,
            clock: system_clock(),
            random: system_random(),
            mail: Arc::new(|_| {}),
            lambda_url: None,
            lambda_limit: LAMBDA_LIMIT,
            unknown_user: UnknownUser::EmailOtp,
            prompt_login: PromptLogin::Heeded,
            earlier_codes: EarlierCodes::StayValid,
            hourly_limits: HourlyLimits::default(),
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

/// Cognito waits five seconds for a trigger (developer guide, "Customizing user pool workflows with Lambda triggers").
const LAMBDA_LIMIT: Duration = Duration::from_secs(5);

/// The system's clock.
#[must_use]
pub fn system_clock() -> Arc<dyn Fn() -> SystemTime + Send + Sync> {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where the time that is passed on comes from"
    )]
    Arc::new(SystemTime::now)
}

/// Whether the hosted page heeds `prompt=login`. Managed login does; the classic hosted page is documented to heed no prompt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PromptLogin {
    /// A browser that is signed in signs in again.
    #[default]
    Heeded,
    /// A browser that is signed in is sent on without a word.
    Ignored,
}

/// How choice-based sign-in answers for a name that nobody has, where `PreventUserExistenceErrors` is `ENABLED`.
///
/// All three were seen on real pools; the documentation promises none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownUser {
    /// The challenge is `EMAIL_OTP`, and the only one available.
    #[default]
    EmailOtp,
    /// The challenge is `EMAIL_OTP`, and the password factors are available too.
    AllFactors,
    /// One of the two above, or `SELECT_CHALLENGE`, drawn anew each time from this seed.
    Varying {
        /// The same seed draws the same sequence.
        seed: u64,
    },
}

/// What a second sign-in code does to the codes that the same user was mailed before. AWS does not document it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EarlierCodes {
    /// Each session keeps its own code until it ends.
    #[default]
    StayValid,
    /// Only the newest code is accepted.
    Superseded,
}

/// Why the state could not be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The database cannot be opened or is not one of this crate's.
    #[error("the state cannot be opened")]
    State(#[from] rusqlite::Error),
    /// A signing key could not be made or read back.
    #[error("a signing key cannot be made or read")]
    Keys,
    /// The HTTP client for triggers could not be made.
    #[error("the HTTP client for triggers cannot be made")]
    Http(#[from] reqwest::Error),
}

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

    /// The HTTP face: `POST /` for operations and `GET /{poolId}/.well-known/…` for keys and discovery, with CORS; below
    /// `/{domain}`, the hosted sign-in of pools that have a domain.
    pub fn router(&self) -> axum::Router {
        wire::router(Arc::clone(&self.service))
    }

    /// Makes the pool, or brings the one that is there to these settings; returns its id.
    ///
    /// A pool is recognised by its id where the spec has one, by its name otherwise. A new one's keys are made meanwhile (in memory:
    /// once per process), and what needs them first waits for them: a token, or the JWKS.
    pub fn ensure_pool(&self, spec: PoolSpec) -> Result<String, SpecError> {
        spec::ensure_pool(&self.service, spec)
    }

    /// Where the hosted sign-in of a pool is, without a slash at the end, if it has a domain:
    /// `{domain_url}/oauth2/authorize`, `/oauth2/token`, `/oauth2/userInfo`, `/oauth2/revoke`, `/login`, `/logout`.
    pub fn domain_url(&self, pool_id: &str) -> Result<Option<String>, SpecError> {
        let domain = self
            .service
            .store
            .read(|connection| hosted::domain_of(connection, pool_id))?;
        Ok(domain.map(|domain| self.service.domain_url(&domain)))
    }

    /// Makes the app client, or brings the one that is there to these settings; its id and secret stay.
    pub fn ensure_client(&self, pool_id: &str, spec: ClientSpec) -> Result<Client, SpecError> {
        spec::ensure_client(&self.service, pool_id, spec)
    }

    /// Changes how unknown names are answered from the next request on.
    pub fn set_unknown_user(&self, unknown_user: UnknownUser) {
        self.service.set_unknown_user(unknown_user);
    }

    /// Changes whether `prompt=login` is heeded, from the next request on.
    pub fn set_prompt_login(&self, prompt_login: PromptLogin) {
        self.service.set_prompt_login(prompt_login);
    }

    /// Changes what a second code does from the next request on.
    pub fn set_earlier_codes(&self, earlier_codes: EarlierCodes) {
        self.service.set_earlier_codes(earlier_codes);
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
