//! The service behind the operations: options, state, switches, and what several operations need of them.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use crate::behaviour::Behaviour;
use crate::random::{self, Random};
use crate::store::{Fingerprint, Millis, Store};
use crate::{Issuers, OpenError, Options, oauth2};

/// A token of the vault is renewed once, however many ask for it at the same moment: a provider that rotates refresh tokens would
/// take the second use of one for theft. Entries share this many gates.
const GATES: usize = 64;

pub(crate) struct Service {
    pub(crate) store: Store,
    pub(crate) http: reqwest::Client,
    region: String,
    account_id: String,
    public_url: String,
    clock: Arc<dyn Fn() -> std::time::SystemTime + Send + Sync>,
    random: Random,
    switches: Mutex<Switches>,
    gates: Vec<tokio::sync::Mutex<()>>,
}

struct Switches {
    behaviour: Arc<Behaviour>,
    issuers: Arc<Issuers>,
}

impl Service {
    pub(crate) fn open(options: Options) -> Result<Self, OpenError> {
        Ok(Self {
            store: Store::open(&options.state)?,
            http: oauth2::client()?,
            region: options.region,
            account_id: options.account_id,
            public_url: options.public_url.trim_end_matches('/').to_owned(),
            clock: options.clock,
            random: options.random,
            switches: Mutex::new(Switches {
                behaviour: Arc::new(options.behaviour),
                issuers: Arc::new(options.issuers),
            }),
            gates: (0..GATES).map(|_| tokio::sync::Mutex::default()).collect(),
        })
    }

    pub(crate) fn now(&self) -> Millis {
        let since = (self.clock)()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
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
        random::uuid(&self.random)
    }

    pub(crate) fn region(&self) -> &str {
        &self.region
    }

    /// An address of this stand-in that a browser is sent to.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }

    /// `resource` is what follows the account.
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

    /// Waits for the turn of this entry of the vault.
    pub(crate) async fn vault_turn(&self, key: &Fingerprint) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let gate = usize::try_from(hasher.finish() % GATES as u64).unwrap_or(0);
        self.gates[gate].lock().await
    }
}

/// Times in answers of the control plane: seconds with a fraction.
#[expect(
    clippy::cast_precision_loss,
    reason = "milliseconds fit into 52 bits for as long as anybody will run this"
)]
pub(crate) fn seconds(millis: Millis) -> f64 {
    millis as f64 / 1_000.0
}
