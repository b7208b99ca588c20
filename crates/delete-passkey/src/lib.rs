//! `deletePasskey`, DELETE /me/passkeys/{passkeyId}: removes a passkey, at Cognito and from the
//! guest's list.
//!
//! It takes the proofs of `setupPasskey`: a stolen session must not remove the owner's means of
//! sign-in. Every other session ends too, since the passkey's holder may have one. A passkey that
//! is not on the list counts as removed and needs no proof, so the request can be repeated after a
//! lost answer.
//!
//! If a call fails: until the last write the passkey is on the list. It may already be removed at
//! Cognito and unable to sign in, and other sessions may be signed out. The next try needs a fresh
//! proof and finishes. A failed notice is logged and counted, and does not fail the request.

mod delete_passkey;

use auth_aws::{Callers, ConfigurationError, PasskeyList, Passkeys, Platform, Users};
use auth_domain::{Clock, PasskeyId, Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, FreshProofs, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
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

/// The operation's dependencies.
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

/// The passkey, and the proofs.
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
