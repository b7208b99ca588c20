//! `disableGuest`, POST /admin/guests/{guestId}/disable: stops a guest from signing in.
//!
//! Cognito first disables the user's sign-ins and revokes the refresh tokens. Then every session
//! ends, so no earlier one continues. The guest's sign-ins get the answers of an unknown address.
//!
//! If a call fails: nothing has changed, or the user is disabled and access tokens work until they
//! expire. The same request completes it, and the audit table has each try.

mod disable_guest;

use auth_aws::{ConfigurationError, Guests, Platform, Users};
use auth_domain::{ActOnGuest, Clock, Problem};
use auth_flows::{Activities, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DisableGuest {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        users: Users::new(platform)?,
        guests: Guests::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct DisableGuest {
    acts: OperatorActs,
    activities: Activities,
    users: Users,
    guests: Guests,
    clock: Clock,
}

impl Operation for DisableGuest {
    const NAME: &'static str = "disable-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = ActOnGuest;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<ActOnGuest, Problem> {
        let act = fields.act_on_guest();
        fields.finish_with(act)
    }

    async fn run(&self, act: ActOnGuest, exchange: &Exchange) -> Result<(), Problem> {
        self.disable(act, exchange).await
    }
}
