//! `deleteAccount`, POST /me/delete: the account's end.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one. One transaction then
//! claims the guest and the address. From there on no token of the guest counts, and no sign-in
//! finds them. Cognito's user goes next, with password and passkeys, then sessions and activity,
//! and the guest's own items last. The address is free then, and hears of it.
//!
//! If a call fails after the claim, what is left waits. The same session may ask again, without a
//! proof, and a sign-in that begins at the address finishes the deletion too. Every step may be
//! repeated. If a call fails before the claim, nothing has changed, but that the proof is used up
//! where it was a mailed code. A mail that cannot be sent is logged and counted, and fails nothing.

mod delete_account;

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Problem, ProofPurpose, Proofs};
use auth_flows::{Deletions, FreshProofs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DeleteAccount {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, DeleteAccount::NAME, ProofPurpose::Delete)?,
        deletions: Deletions::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// What the operation works with.
struct DeleteAccount {
    callers: Callers,
    proofs: FreshProofs,
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
