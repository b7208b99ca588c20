//! `deletePasskey`, DELETE /me/passkeys/{passkeyId}: removes a passkey, at Cognito and from the
//! guest's list.
//!
//! It takes the proofs of `setupPasskey`: a stolen session must not take the owner's way in. Every
//! other session ends with it, since the passkey's holder may have one. A passkey that is not on
//! the list is as good as removed, and nothing is asked for it: so the request may be sent again
//! when its answer was lost.
//!
//! If a call fails: until the last write the passkey is on the list. It may have gone from Cognito
//! by then and cannot sign in, and other sessions may be signed out already. The next try needs a
//! fresh proof and finishes. A notice that cannot be mailed is logged and counted, and fails
//! nothing.

mod delete_passkey;

use auth_aws::{Callers, ConfigurationError, PasskeyList, Passkeys, Platform, Users};
use auth_domain::{Clock, PasskeyId, Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, FreshProofs, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DeletePasskey {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, DeletePasskey::NAME, ProofPurpose::Passkey)?,
        passkeys: Passkeys::new(platform)?,
        list: PasskeyList::new(platform)?,
        users: Users::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// What the operation works with.
struct DeletePasskey {
    callers: Callers,
    proofs: FreshProofs,
    passkeys: Passkeys,
    list: PasskeyList,
    users: Users,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

/// Which passkey, and the proofs.
struct Input {
    passkey_id: PasskeyId,
    proofs: Proofs,
}

impl Operation for DeletePasskey {
    const NAME: &'static str = "delete-passkey";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;
    const DELETES_BY_BODY: bool = true;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let passkey_id = fields.required("passkeyId");
        let proofs = fields.proofs();
        let input = || {
            Some(Input {
                passkey_id: passkey_id?,
                proofs: proofs?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.delete(&input, exchange).await
    }
}
