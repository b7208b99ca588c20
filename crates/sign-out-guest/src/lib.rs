//! `signOutGuest`, POST /admin/guests/{guestId}/sign-out: ends every session of a guest.
//!
//! The effect is that of the guest's own sign-out everywhere. The guest may sign in again at once.
//!
//! If a call fails: nothing has changed, or refresh tokens are revoked and access tokens work until
//! they expire. The same request completes it, and the audit table has each try.

mod sign_out_guest;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{ActOnGuest, Problem};
use auth_flows::{OperatorActs, Sessions};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = SignOutGuest {
        acts: OperatorActs::new(platform)?,
        sessions: Sessions::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct SignOutGuest {
    acts: OperatorActs,
    sessions: Sessions,
}

impl Operation for SignOutGuest {
    const NAME: &'static str = "sign-out-guest";
    const ACCESS: Access = Access::Operator;
    const STATUS: u16 = 204;

    type Input = ActOnGuest;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<ActOnGuest, Problem> {
        let act = fields.act_on_guest();
        fields.finish_with(act)
    }

    async fn run(&self, act: ActOnGuest, exchange: &Exchange) -> Result<(), Problem> {
        self.sign_out(act, exchange).await
    }
}
