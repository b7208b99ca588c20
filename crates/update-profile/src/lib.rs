//! `updateProfile`, PATCH /me: changes the signed-in guest's name. Null removes it, and a patch
//! without it changes nothing.
//!
//! One conditional write, which also refuses tokens that are no longer accepted. If it fails,
//! nothing has changed; if its answer is lost, a repeated patch has the same result.

use auth_aws::{Callers, ConfigurationError, Guests, Platform};
use auth_domain::{Clock, GuestName, Problem, Profile};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, Patch};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = UpdateProfile {
        callers: Callers::new(platform)?,
        guests: Guests::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(
        operation,
        platform.deployment_with_callers()?,
    ))
}

/// The operation's dependencies.
struct UpdateProfile {
    callers: Callers,
    guests: Guests,
    clock: Clock,
}

/// The changes.
struct Input {
    name: Patch<GuestName>,
}

impl Operation for UpdateProfile {
    const NAME: &'static str = "update-profile";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = Profile;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let name = fields.patch("name");
        fields.finish()?;
        Ok(Input { name })
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Profile, Problem> {
        let caller = exchange.caller()?;
        let guest = self.callers.find(caller).await?;
        let name = match &input.name {
            Patch::Keep => return Ok(guest.into()),
            Patch::Clear => None,
            Patch::Set(name) => Some(name),
        };
        let now = self.clock.now();
        let renamed = self.guests.rename(caller, &guest, name, now).await?;
        Ok(renamed.into())
    }
}
