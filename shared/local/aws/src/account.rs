//! The account of the stand-ins, with its state. Every operation works on it.

use std::sync::Arc;

use local_kit::{Clock, Random};

use crate::ses::Mail;
use crate::state::Store;

/// Receives each mail that SES accepted.
pub type MailSink = Arc<dyn Fn(Mail) + Send + Sync>;

pub(crate) struct Account {
    pub(crate) region: String,
    pub(crate) id: String,
    pub(crate) clock: Clock,
    pub(crate) randomness: Random,
    pub(crate) mail: MailSink,
    pub(crate) store: Store,
}

impl Account {
    pub(crate) fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{resource}", self.region, self.id)
    }

    pub(crate) fn random<const N: usize>(&self) -> [u8; N] {
        local_kit::bytes(&self.randomness)
    }

    pub(crate) fn new_uuid(&self) -> String {
        local_kit::uuid(&self.randomness)
    }

    /// Now, as the JSON protocols write times: seconds with a fraction.
    pub(crate) fn now_seconds(&self) -> f64 {
        local_kit::seconds(local_kit::millis(&self.clock))
    }
}
