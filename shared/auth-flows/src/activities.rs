//! The events that operations record for guests.

use auth_aws::{ActivityEntry, ActivityLog, ConfigurationError, Platform};
use auth_domain::{
    Activity, ActivityKind, Actor, Clock, Guest, GuestId, Problem, Randomness, Timestamp, UserSub,
};
use auth_lambda::Exchange;

/// Records the events of accounts.
#[derive(Clone)]
pub struct Activities {
    log: ActivityLog,
    clock: Clock,
    randomness: Randomness,
}

impl Activities {
    /// Events in the table that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            log: ActivityLog::new(platform)?,
            clock: platform.clock(),
            randomness: platform.randomness(),
        })
    }

    /// An event that a guest causes by this request, in the caller's session if there is one.
    #[must_use]
    pub fn event(&self, guest: &Guest, kind: ActivityKind, exchange: &Exchange) -> Activity {
        self.event_of(&guest.cognito_sub, &guest.guest_id, kind, exchange)
    }

    /// The same for a guest whose record was not read.
    #[must_use]
    pub fn event_of(
        &self,
        sub: &UserSub,
        guest_id: &GuestId,
        kind: ActivityKind,
        exchange: &Exchange,
    ) -> Activity {
        self.event_at(sub, guest_id, kind, self.clock.now(), exchange)
    }

    /// The same for an event that this request shows, and that happened at `at`.
    #[must_use]
    pub fn event_at(
        &self,
        sub: &UserSub,
        guest_id: &GuestId,
        kind: ActivityKind,
        at: Timestamp,
        exchange: &Exchange,
    ) -> Activity {
        let session = exchange.caller().ok();
        Activity {
            device: Some(exchange.client_name()),
            country: exchange.country(),
            session: session.and_then(|caller| caller.session.clone()),
            ..Activity::of(sub, guest_id, kind, at, &self.randomness)
        }
    }

    /// An event that a guest has caused by an earlier request. Of this request's browser it says
    /// nothing.
    #[must_use]
    pub fn event_before(&self, guest: &Guest, kind: ActivityKind) -> Activity {
        let (sub, now) = (&guest.cognito_sub, self.clock.now());
        Activity::of(sub, &guest.guest_id, kind, now, &self.randomness)
    }

    /// An event that an operator causes. It omits the operator's browser.
    #[must_use]
    pub fn by_operator(&self, sub: &UserSub, guest_id: &GuestId, kind: ActivityKind) -> Activity {
        Activity {
            by: Actor::Operator,
            ..Activity::of(sub, guest_id, kind, self.clock.now(), &self.randomness)
        }
    }

    /// The part of a transaction that writes [`Activities::event`].
    pub fn entry(
        &self,
        guest: &Guest,
        kind: ActivityKind,
        exchange: &Exchange,
    ) -> Result<ActivityEntry, Problem> {
        self.write_of(&self.event(guest, kind, exchange))
    }

    /// The part of a transaction that records that a live session of `guest` stops an operator's
    /// reset of the second factors; `None` if no reset waits.
    pub fn stopped_reset(
        &self,
        guest: &Guest,
        exchange: &Exchange,
    ) -> Result<Option<ActivityEntry>, Problem> {
        let entry = |_| self.entry(guest, ActivityKind::FactorResetStopped, exchange);
        guest.factor_reset_at.map(entry).transpose()
    }

    /// The part of a transaction that writes an event.
    pub fn write_of(&self, activity: &Activity) -> Result<ActivityEntry, Problem> {
        self.log.entry(activity)
    }

    /// Writes an event on its own, without another write. A failure is logged, and does not fail
    /// the request.
    pub async fn note(&self, activity: &Activity) {
        if self.log.write(activity).await.is_err() {
            let kind = activity.kind.as_str();
            tracing::warn!(kind, "an event is missing in a guest's activity");
        }
    }
}
