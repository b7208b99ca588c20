//! `enableGuest`, POST /admin/guests/{guestId}/enable: a disabled guest may sign in again.
//!
//! Sessions that ended stay ended.
//!
//! If a call fails: nothing has changed, or the guest is enabled and the same request says so. The
//! audit table has each try.

mod enable_guest;

use auth_aws::{ConfigurationError, Platform, Users};
use auth_domain::{ActReason, GuestId, Problem};
use auth_flows::{Activities, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = EnableGuest {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        users: Users::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// What the operation works with.
struct EnableGuest {
    acts: OperatorActs,
    activities: Activities,
    users: Users,
}

/// Whom, and why.
struct Input {
    guest_id: GuestId,
    reason: Option<ActReason>,
}

impl Operation for EnableGuest {
    const NAME: &'static str = "enable-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let guest_id = fields.required("guestId");
        let reason = fields.optional("reason");
        let input = || {
            Some(Input {
                guest_id: guest_id?,
                reason,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.enable(input, exchange).await
    }
}
