//! `endOtherSessions`, DELETE /me/sessions: ends every session of the guest except the caller's.
//!
//! One instant in the guest's record ends them all at once, also sessions without a record.
//!
//! If a call fails: nothing has changed, or the others have ended and a repeated request succeeds.

mod end_other_sessions;

use auth_aws::{Callers, ConfigurationError, Guests, Platform};
use auth_domain::{Clock, Problem};
use auth_flows::Activities;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = EndOtherSessions {
        callers: Callers::new(platform)?,
        guests: Guests::new(platform)?,
        activities: Activities::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct EndOtherSessions {
    callers: Callers,
    guests: Guests,
    activities: Activities,
    clock: Clock,
}

impl Operation for EndOtherSessions {
    const NAME: &'static str = "end-other-sessions";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = ();
    type Output = ();

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<(), Problem> {
        self.end_others(exchange).await
    }
}
