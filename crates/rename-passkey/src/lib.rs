//! `renamePasskey`, PATCH /me/passkeys/{passkeyId}: renames a passkey. The name is Latchkey's:
//! Cognito's cannot be set.
//!
//! One read, which refuses tokens that are no longer accepted, and one conditional write. If the
//! write fails, nothing has changed; a repeated request has the same result.

use auth_aws::{Callers, ConfigurationError, PasskeyList, Platform};
use auth_domain::{Passkey, PasskeyId, PasskeyName, Problem};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = RenamePasskey {
        callers: Callers::new(platform)?,
        list: PasskeyList::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct RenamePasskey {
    callers: Callers,
    list: PasskeyList,
}

/// The passkey, and its new name.
struct Input {
    passkey_id: PasskeyId,
    name: PasskeyName,
}

impl Operation for RenamePasskey {
    const NAME: &'static str = "rename-passkey";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = Passkey;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (passkey_id, name) = (fields.required("passkeyId"), fields.required("name"));
        let input = || {
            Some(Input {
                passkey_id: passkey_id?,
                name: name?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Passkey, Problem> {
        let guest = self.callers.find(exchange.caller()?).await?;
        self.list
            .rename(&guest.cognito_sub, &input.passkey_id, &input.name)
            .await
    }
}
