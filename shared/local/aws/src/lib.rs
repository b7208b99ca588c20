//! The small rest of AWS on a laptop: what an application uses of Secrets Manager, KMS and SES v2, over their
//! own wire protocols on one port, so that unchanged SDK clients talk to them.
//!
//! Strict on purpose: unsigned requests, credentials scoped to another Region or service, unknown operations, members
//! that AWS has but this crate does not honour, and values outside AWS's bounds are all refused. Signatures themselves
//! are not verified: any access key will do.
//!
//! Own code rather than the `winterbaume-*` crates, which were read: those three are 35,000 lines with a second clock
//! (chrono's, which cannot be moved), a second generation of the crypto crates and no state on disk; the seven
//! operations needed here fit into a few hundred lines on libraries that the workspace has anyway.

mod kms;
mod secrets_manager;
mod ses;
mod state;
mod wire;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State as Shared};
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

pub use ses::Mail;
pub use state::StateError;

use state::Store;
use wire::{Refusal, Service};

/// Where time comes from.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;
/// Where randomness comes from: fills the buffer.
pub type Randomness = Arc<dyn Fn(&mut [u8]) + Send + Sync>;
/// What happens to a mail that SES accepted.
pub type MailSink = Arc<dyn Fn(Mail) + Send + Sync>;

/// Where secrets and keys are kept.
#[derive(Clone, Debug)]
pub enum State {
    /// Gone when the value is dropped.
    Memory,
    /// One JSON file, replaced as a whole at every change and readable by its owner only.
    File(PathBuf),
}

/// Everything the stand-ins need from outside.
pub struct Options {
    /// The Region that credentials must be scoped to, and that ARNs name.
    pub region: String,
    /// The twelve digits in ARNs.
    pub account_id: String,
    /// Where secrets and keys are kept.
    pub state: State,
    /// The clock behind every timestamp.
    pub clock: Clock,
    /// Keys, nonces and identifiers come from here: it must be a cryptographic source.
    pub randomness: Randomness,
    /// Receives the mails that SES accepts.
    pub mail: MailSink,
}

impl fmt::Debug for Options {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Options")
            .field("region", &self.region)
            .field("account_id", &self.account_id)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

/// The three services with their state. Clones share it.
#[derive(Clone)]
pub struct AwsLocal {
    account: Arc<Account>,
}

/// What every operation works on.
struct Account {
    region: String,
    id: String,
    clock: Clock,
    randomness: Randomness,
    mail: MailSink,
    store: Store,
}

impl fmt::Debug for AwsLocal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AwsLocal")
    }
}

impl AwsLocal {
    /// Opens the kept state, or begins an empty one.
    pub fn open(options: Options) -> Result<Self, StateError> {
        Ok(Self {
            account: Arc::new(Account {
                store: Store::open(options.state)?,
                region: options.region,
                id: options.account_id,
                clock: options.clock,
                randomness: options.randomness,
                mail: options.mail,
            }),
        })
    }

    /// The three services on one router: JSON protocols by `X-Amz-Target`, SES by its path.
    pub fn router(&self) -> Router {
        Router::new()
            .fallback(serve)
            .layer(DefaultBodyLimit::max(wire::LARGEST_REQUEST))
            .with_state(self.account.clone())
    }

    /// Makes sure that a secret of this name has a current value, made by `first_value` where it has none, and
    /// returns its ARN.
    pub fn ensure_secret(
        &self,
        name: &str,
        first_value: impl FnOnce() -> String,
    ) -> Result<String, StateError> {
        secrets_manager::ensure(&self.account, name, first_value)
    }

    /// Gives a secret a new current value, as `PutSecretValue` does; makes it where it is missing.
    pub fn set_secret(&self, name: &str, value: String) -> Result<(), StateError> {
        secrets_manager::set(&self.account, name, value)
    }

    /// The current value of a secret, if there is such a secret.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<String> {
        secrets_manager::current_value(&self.account, name)
    }

    /// Makes sure that there is a key under this alias (`alias/…`), and returns its ARN.
    pub fn ensure_key(&self, alias: &str) -> Result<String, StateError> {
        kms::ensure(&self.account, alias)
    }

    /// Forgets every secret and key.
    pub fn reset(&self) -> Result<(), StateError> {
        self.account.store.reset()
    }
}

impl Account {
    fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        (self.randomness)(&mut bytes);
        bytes
    }

    fn new_uuid(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.random()).into_uuid()
    }

    /// Now, as the JSON protocols write times: seconds with a fraction.
    fn now_seconds(&self) -> f64 {
        (self.clock)()
            .duration_since(SystemTime::UNIX_EPOCH)
            .map_or(0.0, |since| since.as_secs_f64())
    }
}

async fn serve(
    Shared(account): Shared<Arc<Account>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let request_id = account.new_uuid().to_string();
    let Some((service, operation)) = wire::addressed_operation(&method, &uri, &headers) else {
        return wire::refused(Service::Unknown, &request_id, &Refusal::unknown_operation());
    };
    let answer =
        wire::check_credential_scope(&headers, service, &account.region).and_then(
            |()| match service {
                Service::SecretsManager => secrets_manager::serve(&account, operation, &body),
                Service::Kms => kms::serve(&account, operation, &body),
                Service::Ses => ses::serve(&account, &body),
                Service::Unknown => Err(Refusal::unknown_operation()),
            },
        );
    match answer {
        Ok(answer) => wire::answered(service, &request_id, &answer),
        Err(refusal) => wire::refused(service, &request_id, &refusal),
    }
}
