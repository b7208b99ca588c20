//! Faults that a test or a person arms against the AWS calls of the functions.

use std::ops::Not;
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
    /// Whether it strikes the later tries of a call that it has struck too. Otherwise each try
    /// counts as a call.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub every_try: bool,
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
            every_try: false,
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

    /// The same for every try of each call that it strikes.
    #[must_use]
    pub fn every_try(mut self) -> Self {
        self.every_try = true;
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

    fn means(&self, attempt: &Try<'_>) -> bool {
        let is = |wanted: &Option<String>, made| wanted.as_deref().is_none_or(|one| one == made);
        self.service == attempt.service
            && is(&self.action, attempt.action)
            && is(&self.function, attempt.function)
    }
}

/// The armed faults of a world.
#[derive(Default)]
pub(crate) struct Faults {
    armed: Mutex<Vec<Armed>>,
}

#[derive(Clone)]
pub(crate) struct Armed {
    fault: Fault,
    seen: u32,
    /// The calls whose later tries it strikes.
    struck: Vec<String>,
}

/// One try of a call.
pub(crate) struct Try<'a> {
    pub(crate) function: &'a str,
    pub(crate) service: &'a str,
    pub(crate) action: &'a str,
    /// The SDK's name for the call, which all its tries carry. Requests without an SDK client have
    /// none, and count as tries of one call.
    pub(crate) call: &'a str,
}

impl Faults {
    pub(crate) fn arm(&self, fault: Fault) {
        self.locked().push(Armed {
            fault,
            seen: 0,
            struck: Vec::new(),
        });
    }

    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    /// The armed faults, and what each has struck.
    pub(crate) fn snapshot(&self) -> Vec<Armed> {
        self.locked().clone()
    }

    /// Returns to earlier faults.
    pub(crate) fn restore(&self, armed: &[Armed]) {
        *self.locked() = armed.to_vec();
    }

    /// The faults that still have calls to strike.
    pub(crate) fn armed(&self) -> Vec<Fault> {
        self.locked()
            .iter()
            .map(|armed| armed.fault.clone())
            .collect()
    }

    /// Counts a try against every fault that means it, and returns the first one that strikes it.
    pub(crate) fn strike(&self, attempt: &Try<'_>) -> Option<Fault> {
        let mut armed = self.locked();
        let mut striking = None;
        armed.retain_mut(|armed| {
            if armed.fault.means(attempt) && armed.strikes(attempt) && striking.is_none() {
                striking = Some(armed.fault.clone());
            }
            !armed.is_over()
        });
        striking
    }

    fn locked(&self) -> MutexGuard<'_, Vec<Armed>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Armed {
    fn strikes(&mut self, attempt: &Try<'_>) -> bool {
        if self.struck.iter().any(|struck| struck == attempt.call) {
            return true;
        }
        self.seen = self.seen.saturating_add(1);
        let strikes = self.seen >= self.fault.nth && self.seen <= self.last();
        if strikes && self.fault.every_try {
            self.struck.push(attempt.call.to_owned());
        }
        strikes
    }

    /// The last call that it strikes.
    fn last(&self) -> u32 {
        (self.fault.nth - 1).saturating_add(self.fault.times)
    }

    fn is_over(&self) -> bool {
        self.seen >= self.last() && self.fault.times != u32::MAX && !self.fault.every_try
    }
}
