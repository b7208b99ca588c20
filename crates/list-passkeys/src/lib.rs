//! `listPasskeys`, GET /me/passkeys: the guest's passkeys for signing in, from Latchkey's own list.
//! Cognito's list requires a token that no client has.
//!
//! One read. If it fails, nothing has changed.

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Passkey, Problem};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ListPasskeys {
        callers: Callers::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct ListPasskeys {
    callers: Callers,
}

/// The list.
#[derive(Serialize)]
struct Listed {
    passkeys: Vec<Passkey>,
}

impl Operation for ListPasskeys {
    const NAME: &'static str = "list-passkeys";
    const ACCESS: Access = Access::Caller;

    type Input = ();
    type Output = Listed;

    fn parse(&self, _fields: &mut Fields) -> Result<(), Problem> {
        Ok(())
    }

    async fn run(&self, (): (), exchange: &Exchange) -> Result<Listed, Problem> {
        let guest = self.callers.find(exchange.caller()?).await?;
        Ok(Listed {
            passkeys: guest.passkeys,
        })
    }
}
