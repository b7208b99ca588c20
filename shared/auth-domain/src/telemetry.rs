//! What every line about an invocation says beside what happened.

use crate::Clock;

/// When, and in which deployment.
#[derive(Clone, Debug)]
pub struct Telemetry {
    /// The clock of the lines.
    pub clock: Clock,
    /// The deployment's name, `dev` or `prod` as a rule: a dimension of every metric.
    pub environment: String,
}
