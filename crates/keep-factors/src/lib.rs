//! `keepFactors`, DELETE /me/factor-reset: stops an operator's reset of the second factors.
//!
//! A live session is enough: it began with a second factor, or before there was one. The guest gets
//! a mail.
//!
//! If a call fails: nothing has changed, or the reset is stopped and the same request confirms it.
//! A failed notice is logged and counted, and does not fail the request.

mod keep_factors;

use auth_aws::{Callers, ConfigurationError, FactorResets, Platform};
use auth_domain::{Clock, Problem};
use auth_flows::{Activities, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = KeepFactors {
        callers: Callers::new(platform)?,
        resets: FactorResets::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct KeepFactors {
    callers: Callers,
    resets: FactorResets,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

impl Operation for KeepFactors {
    const NAME: &'static str = "keep-factors";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = ();
    type Output = ();

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<(), Problem> {
        self.keep(exchange).await
    }
}
