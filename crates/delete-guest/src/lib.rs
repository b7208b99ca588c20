//! `deleteGuest`, DELETE /admin/guests/{guestId}: an operator ends an account.
//!
//! It deletes what `deleteAccount` deletes, in the same steps, without a proof. One transaction
//! claims the guest and the address. From there on no token of the guest counts, and no sign-in
//! finds them. Cognito's user goes next, then sessions and activity. The guest's own items go last.
//! The address is free then, and gets one mail. The audit table keeps the act and the guest's id.
//!
//! If a call fails before the claim, nothing has changed. If one fails after it, the rest waits. It
//! continues with the same request, or when a sign-in begins at the address. The audit table has
//! each try. A failed mail is logged and counted, and fails nothing.

mod delete_guest;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{ActOnGuest, Problem};
use auth_flows::{Activities, Deletions, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DeleteGuest {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        deletions: Deletions::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct DeleteGuest {
    acts: OperatorActs,
    activities: Activities,
    deletions: Deletions,
}

/// The message to the operator.
#[derive(Serialize)]
struct Deleted {
    message: &'static str,
}

impl Operation for DeleteGuest {
    const NAME: &'static str = "delete-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 202;
    const DELETES_BY_BODY: bool = true;

    type Input = ActOnGuest;
    type Output = Deleted;

    fn parse(&self, fields: &mut Fields) -> Result<ActOnGuest, Problem> {
        let act = fields.act_on_guest();
        fields.finish_with(act)
    }

    async fn run(&self, act: ActOnGuest, exchange: &Exchange) -> Result<Deleted, Problem> {
        self.delete(act, exchange).await?;
        Ok(Deleted {
            message: "The account is deleted.",
        })
    }
}
