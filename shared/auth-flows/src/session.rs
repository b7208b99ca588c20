//! Sessions: what a sign-in has begun, ended at Cognito and here.

use auth_aws::{ConfigurationError, Guests, Platform, Users};
use auth_domain::{ActivityKind, Clock, Guest, Problem};
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

    /// Ends every session of a guest: refresh tokens at Cognito first, then access tokens, which
    /// live on by their signature. The instant is noted last, so the caller's own token works for
    /// another try until all is done.
    pub async fn end_all(&self, guest: &Guest, exchange: &Exchange) -> Result<(), Problem> {
        let sub = &guest.cognito_sub;
        self.users.sign_out(sub).await?;
        let kind = ActivityKind::AllSessionsEnded;
        let entry = self.activities.entry(guest, kind, exchange)?;
        let now = self.clock.now();
        self.guests.sign_out_everywhere(sub, entry, now).await
    }
}
