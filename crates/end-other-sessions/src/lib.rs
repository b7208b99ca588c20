//! `endOtherSessions`, DELETE /me/sessions: every session of the guest ends but the one that asks.
//!
//! One instant on the guest ends them, so there is no moment at which some have ended and others go
//! on, and sessions without a record end too.
//!
//! If a call fails: nothing has changed, or the others have ended and the same request says so.

mod end_other_sessions;

use auth_aws::{Callers, ConfigurationError, Guests, Platform};
use auth_domain::{Clock, Problem};
use auth_flows::Activities;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
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

/// What the operation works with.
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
