//! `enableGuest`, POST /admin/guests/{guestId}/enable: lets a disabled guest sign in again.
//!
//! Ended sessions stay ended.
//!
//! If a call fails: nothing has changed, or the guest is enabled and a repeated request succeeds.
//! The audit table has each try.

mod enable_guest;

use auth_aws::{ConfigurationError, Platform, Users};
use auth_domain::{ActOnGuest, Problem};
use auth_flows::{Activities, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = EnableGuest {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        users: Users::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct EnableGuest {
    acts: OperatorActs,
    activities: Activities,
    users: Users,
}

impl Operation for EnableGuest {
    const NAME: &'static str = "enable-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = ActOnGuest;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<ActOnGuest, Problem> {
        let act = fields.act_on_guest();
        fields.finish_with(act)
    }

    async fn run(&self, act: ActOnGuest, exchange: &Exchange) -> Result<(), Problem> {
        self.enable(act, exchange).await
    }
}
