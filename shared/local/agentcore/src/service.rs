//! The service behind the operations: options, state, switches, and helpers for several operations.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use local_kit::{Clock, Gates, Millis, Random};

use crate::behaviour::Behaviour;
use crate::options::{Issuers, OpenError, Options};
use crate::store::{LAYOUT, Store};

/// Concurrent requests renew a token of the vault once: a provider that rotates refresh tokens
/// would take the second use of one for theft. All entries share this many gates.
const GATES: usize = 64;

/// How long one answer of a provider may take. A person waits for it, in front of a blank page.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) http: reqwest::Client,
    region: String,
    account_id: String,
    public_url: String,
    clock: Clock,
    random: Random,
    switches: Mutex<Switches>,
    /// A turn for each entry of the vault.
    pub(crate) vault_turns: Gates,
}

struct Switches {
    behaviour: Arc<Behaviour>,
    issuers: Arc<Issuers>,
}

impl Service {
    pub(crate) fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self {
            store: Store::open(&options.state, LAYOUT)?,
            http: http_client()?,
            region: options.region,
            account_id: options.account_id,
            public_url: options.public_url.trim_end_matches('/').to_owned(),
            clock: options.clock,
            random: options.random,
            switches: Mutex::new(Switches {
                behaviour: Arc::new(options.behaviour),
                issuers: Arc::new(options.issuers),
            }),
            vault_turns: Gates::new(GATES),
        })
    }

    pub(crate) fn now(&self) -> Millis {
        local_kit::millis(&self.clock)
    }

    /// The instant that lies `ahead` of now.
    pub(crate) fn later(&self, ahead: Duration) -> Millis {
        let ahead = Millis::try_from(ahead.as_millis()).unwrap_or(Millis::MAX);
        self.now().saturating_add(ahead)
    }

    pub(crate) fn random(&self) -> &Random {
        &self.random
    }

    pub(crate) fn uuid(&self) -> String {
        local_kit::uuid(&self.random)
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// An address of this stand-in for browsers.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// `resource` is the part after the account.
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!(
            "arn:aws:{service}:{}:{}:{resource}",
            self.region, self.account_id
        )
    }

    pub(crate) fn behaviour(&self) -> Arc<Behaviour> {
        self.with_switches(|switches| Arc::clone(&switches.behaviour))
    }

    pub(crate) fn set_behaviour(&self, behaviour: Behaviour) {
        self.with_switches(|switches| switches.behaviour = Arc::new(behaviour));
    }

    pub(crate) fn issuers(&self) -> Arc<Issuers> {
        self.with_switches(|switches| Arc::clone(&switches.issuers))
    }

    pub(crate) fn set_issuers(&self, issuers: Issuers) {
        self.with_switches(|switches| switches.issuers = Arc::new(issuers));
    }

    fn with_switches<T>(&self, act: impl FnOnce(&mut Switches) -> T) -> T {
        act(&mut self.switches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// No redirects: an endpoint that forwards a secret elsewhere is no token endpoint.
fn http_client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .timeout(PATIENCE)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
}
