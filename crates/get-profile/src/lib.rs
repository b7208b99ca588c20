//! `getProfile`, GET /me: the signed-in guest's own record. One read, which also checks that the
//! caller's tokens are still accepted.
//!
//! The first call of a session of the public app client records it, so that the guest can see and
//! end it.
//!
//! If the read fails, nothing has changed. If the record cannot be made, the answer is the same,
//! and the next call makes it.

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Problem, Profile};
use auth_flows::RecordedCallers;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        GetProfile {
            callers: RecordedCallers::new(platform)?,
        },
        platform.deployment_with_callers()?,
    ))
}

/// The operation's dependencies.
struct GetProfile {
    callers: RecordedCallers,
}

impl Operation for GetProfile {
    const NAME: &'static str = "get-profile";
    const ACCESS: Access = Access::Caller;

    type Input = ();
    type Output = Profile;

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<Profile, Problem> {
        let (guest, _) = self.callers.find(exchange).await?;
        Ok(guest.into())
    }
}
