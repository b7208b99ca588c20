//! The small rest of AWS on a laptop: an application's calls to Secrets Manager, KMS and SES v2,
//! over their own wire protocols on one port, for unchanged SDK clients.
//!
//! Strict on purpose: unsigned requests, credentials scoped to another Region or service, unknown
//! operations, members that AWS has but this crate does not honour, and values outside AWS's bounds
//! are all refused. Signatures themselves are not verified: any access key works.
//!
//! Own code rather than the `winterbaume-*` crates, which were read: those three are 35,000 lines
//! with a second clock (chrono's, which cannot be moved), a second generation of the crypto crates
//! and no state on disk. The dozen operations needed here fit into a few hundred lines on libraries
//! that the workspace has anyway.

mod account;
mod kms;
mod page;
mod refusal;
mod secrets_manager;
mod ses;
mod state;
mod wire;

use std::fmt;
use std::sync::Arc;

use axum::Router;

pub use account::MailSink;
pub use local_kit::{Clock, Random, State};
pub use ses::Mail;
pub use state::StateError;

use account::Account;
use state::Store;

/// The stand-ins' options.
pub struct Options {
    /// The Region that credentials must be scoped to, and that ARNs name.
    pub region: String,
    /// The twelve digits in ARNs.
    pub account_id: String,
    /// The place of secrets and keys.
    pub state: State,
    /// The clock behind every timestamp.
    pub clock: Clock,
    /// Keys, nonces and identifiers come from here: it must be a cryptographic source.
    pub randomness: Random,
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
            .fallback(local_kit::call::<Account>)
            .with_state(self.account.clone())
    }

    /// Makes sure that a secret of this name has a current value, made by `first_value` if it has
    /// none, and returns its ARN.
    pub fn ensure_secret(
        &self,
        name: &str,
        first_value: impl FnOnce() -> String,
    ) -> Result<String, StateError> {
        secrets_manager::ensure(&self.account, name, first_value)
    }

    /// Gives a secret a new current value, as `PutSecretValue` does. Makes a missing secret.
    pub fn set_secret(&self, name: &str, value: String) -> Result<(), StateError> {
        secrets_manager::set(&self.account, name, value)
    }

    /// The current value of a secret, if the secret exists.
    #[must_use]
    pub fn secret(&self, name: &str) -> Option<String> {
        secrets_manager::current_value(&self.account, name)
    }

    /// Makes sure that a key with this alias (`alias/…`) exists, and returns its ARN.
    pub fn ensure_key(&self, alias: &str) -> Result<String, StateError> {
        kms::ensure(&self.account, alias)
    }

    /// Forgets every secret and key.
    pub fn reset(&self) -> Result<(), StateError> {
        self.account.store.reset()
    }
}
