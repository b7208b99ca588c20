//! The end of sessions, at Cognito and here.

use auth_aws::{ConfigurationError, Guests, Platform, Users};
use auth_domain::{Activity, ActivityKind, Clock, Guest, Problem};
use auth_lambda::Exchange;

use crate::Activities;

/// Ends sessions.
#[derive(Clone)]
pub struct Sessions {
    guests: Guests,
    users: Users,
    activities: Activities,
    clock: Clock,
}

impl Sessions {
    /// Sessions of the pool and the guests that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            users: Users::new(platform)?,
            activities: Activities::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Ends every session of a guest: refresh tokens at Cognito first, then access tokens, whose
    /// signatures stay valid. The instant is recorded last, so the caller's own token works for
    /// another try until then.
    pub async fn end_all(&self, guest: &Guest, exchange: &Exchange) -> Result<(), Problem> {
        let kind = ActivityKind::AllSessionsEnded;
        self.end(&self.activities.event(guest, kind, exchange))
            .await
    }

    /// The same for an operator's act.
    pub async fn end_all_by_operator(&self, guest: &Guest) -> Result<(), Problem> {
        let kind = ActivityKind::AllSessionsEnded;
        let (sub, guest_id) = (&guest.cognito_sub, &guest.guest_id);
        self.end(&self.activities.by_operator(sub, guest_id, kind))
            .await
    }

    async fn end(&self, activity: &Activity) -> Result<(), Problem> {
        self.users.sign_out(&activity.sub).await?;
        let entry = self.activities.write_of(activity)?;
        let now = self.clock.now();
        self.guests
            .sign_out_everywhere(&activity.sub, entry, now)
            .await
    }
}
