//! The first proof of an address, beside the guest that it makes: the claim on the user, and the
//! event in the guest's activity.

use auth_domain::{Activity, ActivityKind, Actor, Email, Guest, Problem, Timestamp, UserSub};

use crate::{
    ActivityEntry, ActivityLog, ConfigurationError, Platform, unproved_users::UnprovedUsers,
};

/// What the first proof of an address writes beside the guest.
#[derive(Clone)]
pub struct FirstProofs {
    unproved: UnprovedUsers,
    activity: ActivityLog,
}

impl FirstProofs {
    /// First proofs in the tables that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            unproved: UnprovedUsers::new(platform)?,
            activity: ActivityLog::new(platform)?,
        })
    }

    /// Claims a user whose address was just proved, before a guest is made of it.
    pub(crate) async fn claim(
        &self,
        email: &Email,
        sub: &UserSub,
        now: Timestamp,
    ) -> Result<(), Problem> {
        claim_proved(&self.unproved, email, sub, now).await
    }

    /// The event of a guest who is made or bound at `now`, for the same transaction.
    pub(crate) fn entry(&self, guest: &Guest, now: Timestamp) -> Result<ActivityEntry, Problem> {
        let (sub, kind) = (&guest.cognito_sub, ActivityKind::AccountCreated);
        let made = Activity::once(sub, &guest.guest_id, kind, Actor::Guest, now);
        self.activity.entry(&made)
    }
}

/// Claims a user whose address was just proved, so that no removal takes it.
pub(crate) async fn claim_proved(
    unproved: &UnprovedUsers,
    email: &Email,
    sub: &UserSub,
    now: Timestamp,
) -> Result<(), Problem> {
    if unproved.claim_proved(email, sub, now).await? {
        Ok(())
    } else {
        Err(Problem::contended("the user is being removed"))
    }
}
