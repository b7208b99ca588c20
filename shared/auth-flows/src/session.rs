//! Sessions: what a sign-in has begun, ended at Cognito and here.

use auth_aws::{ConfigurationError, Guests, Platform, Users};
use auth_domain::{Clock, Problem, UserSub};

/// Ends sessions.
#[derive(Clone)]
pub struct Sessions {
    guests: Guests,
    users: Users,
    clock: Clock,
}

impl Sessions {
    /// Sessions of the pool and the guests that the environment names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            guests: Guests::new(platform)?,
            users: Users::new(platform)?,
            clock: platform.clock(),
        })
    }

    /// Ends every session of a guest: refresh tokens at Cognito first, then access tokens, which
    /// live on by their signature. The instant is noted last, so the caller's own token works for
    /// another try until all is done.
    pub async fn end_all(&self, sub: &UserSub) -> Result<(), Problem> {
        self.users.sign_out(sub).await?;
        self.guests.sign_out_everywhere(sub, self.clock.now()).await
    }
}
