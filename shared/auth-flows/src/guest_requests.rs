//! Admission of a signed-in guest's own requests, which no other can spend.

use auth_aws::{ConfigurationError, Limits, Platform};
use auth_domain::{Limit, LimitSubject, Problem, UserSub};

use crate::{Turn, counted::Counted};

/// Admission of a guest's requests of one kind.
#[derive(Clone)]
pub struct GuestRequests {
    limits: Limits,
    limit: Limit,
}

impl GuestRequests {
    /// Requests within `limit`.
    pub fn new(platform: &Platform, limit: Limit) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            limit,
        })
    }

    /// Counts a request of the guest whose user has this sub.
    pub async fn admit(&self, sub: &UserSub, turn: &Turn<'_>) -> Result<(), Problem> {
        let guest = LimitSubject::guest(sub);
        let count = self.limits.admit(&self.limit, turn.event(&guest)).await;
        Counted::new(count).tell(turn.exchange)
    }
}
