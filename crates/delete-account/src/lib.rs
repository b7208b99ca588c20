//! `deleteAccount`, POST /me/delete: deletes the account.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one. One transaction then
//! claims the guest and the address. From then on none of the guest's tokens counts, and no sign-in
//! finds the guest. Cognito's user is deleted next, with password and passkeys, then sessions and
//! activity, and the guest's own items last. Then the address is free, and gets a notice. Records
//! under hashes of tokens, and limits, cannot be found by guest or must outlive them. They end by
//! themselves; `shared/guides/operators.md` lists them.
//!
//! If a call fails after the claim, the rest waits. The same session can repeat the request without
//! a proof, and a sign-in that begins at the address finishes the deletion too. Every step can be
//! repeated. If a call fails before the claim, nothing has changed, except that a mailed code is
//! used up. A failed mail is logged and counted, and does not fail the request.

mod delete_account;

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, Deletions, FreshProofs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DeleteAccount {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, DeleteAccount::NAME, ProofPurpose::Delete)?,
        activities: Activities::new(platform)?,
        deletions: Deletions::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct DeleteAccount {
    callers: Callers,
    proofs: FreshProofs,
    activities: Activities,
    deletions: Deletions,
}

/// The message to the person.
#[derive(Serialize)]
struct Deleted {
    message: &'static str,
}

impl Operation for DeleteAccount {
    const NAME: &'static str = "delete-account";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 202;

    type Input = Proofs;
    type Output = Deleted;

    fn parse(&self, fields: &mut Fields) -> Result<Proofs, Problem> {
        let proofs = fields.proofs();
        fields.finish_with(proofs)
    }

    async fn run(&self, proofs: Proofs, exchange: &Exchange) -> Result<Deleted, Problem> {
        self.delete(&proofs, exchange).await?;
        Ok(Deleted {
            message: "The account is deleted.",
        })
    }
}
