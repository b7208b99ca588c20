//! Metrics beside every invocation's latency.

use auth_domain::Clock;

use crate::logging;

/// Counts events for the operators: an [`Exchange`](crate::Exchange), whose line has them, or a
/// [`MetricLog`].
pub trait Counter: Send + Sync {
    /// Counts one event.
    fn count(&self, metric: Metric);
}

/// Metrics of a function that is no operation. Each event is a line of its own.
pub struct MetricLog {
    function: &'static str,
    environment: String,
    clock: Clock,
}

impl MetricLog {
    /// Metrics of `function` in the deployment that `environment` names.
    #[must_use]
    pub fn new(function: &'static str, environment: &str, clock: Clock) -> Self {
        Self {
            function,
            environment: environment.to_owned(),
            clock,
        }
    }
}

impl Counter for MetricLog {
    fn count(&self, metric: Metric) {
        logging::counted(metric, self.function, &self.environment, self.clock.now());
    }
}

/// A counter for an alarm or a dashboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A mailed code was wrong.
    CodeFailures,
    /// Address and password did not match.
    PasswordFailures,
    /// An incomplete registration remained, because its roll-back failed too.
    RollbackFailures,
    /// A limit refused a request.
    LimitRefusals,
    /// A refresh token came back after its grace period.
    RefreshTokenReuse,
    /// A dependency refused for load, or was unavailable.
    DependencyUnavailable,
    /// A mail could not be sent.
    EmailDeliveryFailures,
    /// An address that may have no user yet was mailed a code.
    NewUsers,
    /// A stranger's start was refused until work pays for it, because the pool makes too many new
    /// users.
    NewUserFloods,
    /// A guest signed in.
    SignIns,
    /// A guest was made.
    GuestsCreated,
    /// A three-legged authorization has begun.
    AuthorizationsStarted,
    /// An authorization has succeeded.
    AuthorizationsCompleted,
    /// An authorization has failed; the log has the reason.
    AuthorizationsFailed,
    /// A person pressed *Cancel* on our own page; it counts among the failed too.
    AuthorizationsCancelled,
    /// An authorization was not finished in time.
    AuthorizationsAbandoned,
    /// A browser tried to end an authorization that it had not begun.
    CallbackRefusals,
    /// A form allowed an authorization that our own page had not shown to this browser, or the
    /// browser was not the bound one.
    ConsentRefusals,
}

impl Metric {
    /// The metric's name in CloudWatch.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::CodeFailures => "CodeFailures",
            Self::PasswordFailures => "PasswordFailures",
            Self::RollbackFailures => "RollbackFailures",
            Self::LimitRefusals => "LimitRefusals",
            Self::RefreshTokenReuse => "RefreshTokenReuse",
            Self::DependencyUnavailable => "DependencyUnavailable",
            Self::EmailDeliveryFailures => "EmailDeliveryFailures",
            Self::NewUsers => "NewUsers",
            Self::NewUserFloods => "NewUserFloods",
            Self::SignIns => "SignIns",
            Self::GuestsCreated => "GuestsCreated",
            Self::AuthorizationsStarted => "AuthorizationsStarted",
            Self::AuthorizationsCompleted => "AuthorizationsCompleted",
            Self::AuthorizationsFailed => "AuthorizationsFailed",
            Self::AuthorizationsAbandoned => "AuthorizationsAbandoned",
            Self::AuthorizationsCancelled => "AuthorizationsCancelled",
            Self::CallbackRefusals => "CallbackRefusals",
            Self::ConsentRefusals => "ConsentRefusals",
        }
    }
}
