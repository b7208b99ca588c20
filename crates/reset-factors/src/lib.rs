//! `resetFactors`, POST /admin/guests/{guestId}/reset-factors: takes lost second factors away after
//! a delay.
//!
//! The guest is told at once by mail, and by `factorResetAt` in every live session. A live session
//! stops it, and so does a sign-in with a second factor. One with a first factor does not: a thief
//! of the mailbox has that, and asks support in the guest's name. When the time has come, the second
//! factors count for nothing, and the guest's next sign-in carries it out.
//!
//! If a call fails: nothing has changed, or the reset waits and the same request says until when. A
//! notice that cannot be mailed is logged and counted, and fails nothing: the sessions show it.

mod reset_factors;

use std::time::Duration;

use auth_aws::{ConfigurationError, FactorResets, Platform};
use auth_domain::{ActOnGuest, Clock, Problem, Timestamp};
use auth_flows::{Activities, Notices, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function, wired to what it uses.
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

/// What the operation works with.
struct ResetFactors {
    acts: OperatorActs,
    resets: FactorResets,
    activities: Activities,
    notices: Notices,
    clock: Clock,
    delay: Duration,
}

/// From when on the second factors count for nothing.
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
