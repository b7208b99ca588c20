//! `getProfile`, GET /me: the signed-in guest's own record. One read, which also checks that the
//! caller's tokens are still accepted. If it fails, nothing has changed.

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Guest, Problem};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        GetProfile {
            callers: Callers::new(platform)?,
        },
        platform.deployment_with_callers()?,
    ))
}

/// The operation's dependencies.
struct GetProfile {
    callers: Callers,
}

impl Operation for GetProfile {
    const NAME: &'static str = "get-profile";
    const ACCESS: Access = Access::Caller;

    type Input = ();
    type Output = Guest;

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<Guest, Problem> {
        self.callers.find(exchange.caller()?).await
    }
}
