//! `relinkGuest`, POST /admin/guests/{guestId}/relink: moves a guest to a new user. The old user
//! was deleted, and the person has since proved the address as another user.
//!
//! `verifyOtp` answers such a person `USER_MISMATCH`: a new user at an old address may be a new
//! owner of the address. An operator decides that it is the same person.
//!
//! The authenticator's keys are opened and sealed again, and then one transaction moves the guest.
//!
//! If a call fails: nothing has changed, or the guest has moved and a repeated request succeeds.
//! The audit table has each try.

mod relink_guest;

use auth_aws::{Authenticators, ConfigurationError, Guests, Platform, UnprovedUsers, Users};
use auth_domain::{ActOnGuest, Clock, Problem, UserSub};
use auth_flows::{Activities, OperatorActs};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = RelinkGuest {
        acts: OperatorActs::new(platform)?,
        activities: Activities::new(platform)?,
        authenticators: Authenticators::new(platform)?,
        guests: Guests::new(platform)?,
        unproved: UnprovedUsers::new(platform)?,
        users: Users::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct RelinkGuest {
    acts: OperatorActs,
    activities: Activities,
    authenticators: Authenticators,
    guests: Guests,
    unproved: UnprovedUsers,
    users: Users,
    clock: Clock,
}

/// The guest, the new user, and the reason.
struct Input {
    act: ActOnGuest,
    sub: UserSub,
}

impl Operation for RelinkGuest {
    const NAME: &'static str = "relink-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (act, sub) = (fields.act_on_guest(), fields.required("sub"));
        let input = || {
            Some(Input {
                act: act?,
                sub: sub?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.relink(input, exchange).await
    }
}
