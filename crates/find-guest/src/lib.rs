//! `findGuest`, POST /admin/guests/find: shows a guest to an operator.
//!
//! The guest's record gives the subject of the recorded act. Everything else is read after the act
//! is recorded, and the answer leaves after its outcome is.
//!
//! If a call fails: nothing has changed except the audit table, which has each try.

mod find_guest;
mod found;

use auth_aws::{AddressLimits, ConfigurationError, Guests, Platform, Secrets, UserSessions, Users};
use auth_domain::{Clock, Email, GuestId, Problem, UserSub};
use auth_flows::OperatorActs;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

use crate::found::Found;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = FindGuest {
        acts: OperatorActs::new(platform)?,
        guests: Guests::new(platform)?,
        users: Users::new(platform)?,
        sessions: UserSessions::new(platform)?,
        limits: AddressLimits::new(platform)?,
        secrets: Secrets::new(platform)?,
        clock: platform.clock(),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct FindGuest {
    acts: OperatorActs,
    guests: Guests,
    users: Users,
    sessions: UserSessions,
    limits: AddressLimits,
    secrets: Secrets,
    clock: Clock,
}

/// The guest to find.
enum Input {
    Email(Email),
    GuestId(GuestId),
    Sub(UserSub),
}

impl Operation for FindGuest {
    const NAME: &'static str = "find-guest";
    const ACCESS: Access = Access::Operator;

    type Input = Input;
    type Output = Found;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.optional("email").map(Input::Email);
        let guest_id = fields.optional("guestId").map(Input::GuestId);
        let sub = fields.optional("sub").map(Input::Sub);
        fields.one_of(&["email", "guestId", "sub"]);
        fields.finish_with(email.or(guest_id).or(sub))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Found, Problem> {
        self.find(input, exchange).await
    }
}
