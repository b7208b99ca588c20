//! `resetFactors`, POST /admin/guests/{guestId}/reset-factors: removes lost second factors after a
//! delay.
//!
//! The guest gets a mail at once, and every live session shows `factorResetAt`. A live session can
//! stop the reset, and a sign-in with a second factor stops it. A first factor does not: a thief of
//! the mailbox has that one, and asks support in the guest's name. After the delay the second
//! factors do not count, and the guest's next sign-in removes them.
//!
//! If a call fails: nothing has changed, or the reset waits and the same request says until when. A
//! failed notice is logged and counted, and does not fail the request: the sessions show the reset.

mod reset_factors;

use std::time::Duration;

use auth_aws::{ConfigurationError, FactorResets, Platform};
use auth_domain::{ActOnGuest, Clock, Problem, Timestamp};
use auth_flows::{Activities, Notices, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ResetFactors {
        acts: OperatorActs::new(platform)?,
        resets: FactorResets::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
        delay: platform.environment().factor_reset_delay()?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ResetFactors {
    acts: OperatorActs,
    resets: FactorResets,
    activities: Activities,
    notices: Notices,
    clock: Clock,
    delay: Duration,
}

/// When the second factors end.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Waits {
    effective_at: Timestamp,
}

impl Operation for ResetFactors {
    const NAME: &'static str = "reset-factors";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 202;

    type Input = ActOnGuest;
    type Output = Waits;

    fn parse(&self, fields: &mut Fields) -> Result<ActOnGuest, Problem> {
        let act = fields.act_on_guest();
        fields.finish_with(act)
    }

    async fn run(&self, act: ActOnGuest, exchange: &Exchange) -> Result<Waits, Problem> {
        self.reset(act, exchange).await
    }
}
