//! Faults that a test or a person arms against the AWS calls of the functions.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The services that functions call. A fault of another service would never strike.
const SERVICES: [&str; 6] = [
    "cognito-idp",
    "dynamodb",
    "bedrock-agentcore",
    "secretsmanager",
    "kms",
    "ses",
];

/// A fault, and the calls that it strikes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    /// The service as its endpoint is called: `cognito-idp`, `dynamodb`, `bedrock-agentcore`,
    /// `secretsmanager`, `kms`, `ses`.
    pub service: String,
    /// The operation, such as `AdminInitiateAuth`. Without it, any operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    /// The calling function, such as `initiate-otp`. Without it, any function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub function: Option<String>,
    /// The first call that it strikes, counted from 1 since it was armed.
    #[serde(default = "one")]
    pub nth: u32,
    /// How many calls it strikes, from that one on.
    #[serde(default = "one")]
    pub times: u32,
    /// The harm done to them.
    #[serde(rename = "fault")]
    pub kind: FaultKind,
    /// For `delay`: milliseconds of real time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ms: Option<u64>,
}

fn one() -> u32 {
    1
}

/// The effect of a fault on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FaultKind {
    /// Refused for load before it acts.
    Throttle,
    /// The service fails before it acts.
    Internal,
    /// Refused before it acts, for want of a grant.
    Denied,
    /// Acts; then the connection breaks before the answer arrives.
    Lost,
    /// Acts, later.
    Delay,
}

impl Fault {
    /// A fault that strikes the next call of this action, once.
    #[must_use]
    pub fn new(kind: FaultKind, service: &str, action: &str) -> Self {
        Self {
            service: service.to_owned(),
            action: Some(action.to_owned()),
            function: None,
            nth: 1,
            times: 1,
            kind,
            ms: None,
        }
    }

    /// The same for calls of one function only.
    #[must_use]
    pub fn of(mut self, function: &str) -> Self {
        self.function = Some(function.to_owned());
        self
    }

    /// The same from the `nth` call on.
    #[must_use]
    pub fn nth(mut self, nth: u32) -> Self {
        self.nth = nth;
        self
    }

    /// The same for this many calls. `u32::MAX` is for good.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    /// How long a `delay` lasts.
    #[must_use]
    pub fn lasting(mut self, delay: Duration) -> Self {
        self.ms = Some(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX));
        self
    }

    /// The reason why this fault is invalid; `None` if it is valid.
    pub(crate) fn mistake(&self) -> Option<&'static str> {
        if self.nth == 0 || self.times == 0 {
            return Some("nth and times count from 1");
        }
        if !SERVICES.contains(&self.service.as_str()) {
            return Some(
                "service must be cognito-idp, dynamodb, bedrock-agentcore, secretsmanager, kms or ses",
            );
        }
        match (self.kind, self.ms) {
            (FaultKind::Delay, None) => Some("a delay needs ms"),
            (
                FaultKind::Throttle | FaultKind::Internal | FaultKind::Denied | FaultKind::Lost,
                Some(_),
            ) => Some("ms belongs to delay"),
            (FaultKind::Delay, Some(_))
            | (
                FaultKind::Throttle | FaultKind::Internal | FaultKind::Denied | FaultKind::Lost,
                None,
            ) => None,
        }
    }

    fn strikes(&self, function: &str, service: &str, action: &str) -> bool {
        self.service == service
            && self.action.as_deref().is_none_or(|wanted| wanted == action)
            && self
                .function
                .as_deref()
                .is_none_or(|wanted| wanted == function)
    }
}

/// The armed faults of a world.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
}

struct Armed {
    fault: Fault,
    seen: u32,
}

impl Faults {
    pub(crate) fn arm(&self, fault: Fault) {
        self.locked().push(Armed { fault, seen: 0 });
    }

    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    /// The faults that still have calls to strike.
    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.locked()
            .iter()
            .map(|armed| armed.fault.clone())
            .collect()
    }

    /// Counts a call against every fault that means it, and returns the first one that strikes it.
    pub(crate) fn strike(&self, function: &str, service: &str, action: &str) -> Option<Fault> {
        let mut armed = self.locked();
        let mut struck = None;
        armed.retain_mut(|armed| {
            if !armed.fault.strikes(function, service, action) {
                return true;
            }
            armed.seen = armed.seen.saturating_add(1);
            let last = (armed.fault.nth - 1).saturating_add(armed.fault.times);
            if struck.is_none() && armed.seen >= armed.fault.nth && armed.seen <= last {
                struck = Some(armed.fault.clone());
            }
            armed.seen < last || armed.fault.times == u32::MAX
        });
        struck
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
