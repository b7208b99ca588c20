//! `signOutGuest`, POST /admin/guests/{guestId}/sign-out: every session of a guest ends.
//!
//! The same as the guest's own sign-out everywhere. The guest may sign in again at once.
//!
//! If a call fails: nothing has changed, or refresh tokens are revoked and access tokens are
//! accepted until they end. The same request makes it whole, and the audit table has each try.

mod sign_out_guest;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{ActOnGuest, Problem};
use auth_flows::{OperatorActs, Sessions};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = SignOutGuest {
        acts: OperatorActs::new(platform)?,
        sessions: Sessions::new(platform)?,
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// What the operation works with.
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
