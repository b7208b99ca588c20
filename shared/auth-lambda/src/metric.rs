//! Metrics beside every invocation's latency.

/// A counter that an alarm or a dashboard looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// A mailed code was wrong.
    CodeFailures,
    /// Address and password did not match.
    PasswordFailures,
    /// Half a registration stayed behind, because its roll-back failed too.
    RollbackFailures,
    /// A limit refused a request.
    LimitRefusals,
    /// A refresh token came back after its grace period.
    RefreshTokenReuse,
    /// Something that we depend on refused for load, or was away.
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
    /// One has succeeded.
    AuthorizationsCompleted,
    /// One has failed; the log says why.
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
