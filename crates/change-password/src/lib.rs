//! `changePassword`, POST /me/password: sets another password, or a first one.
//!
//! It takes a fresh proof, the present password or a code by mail, and the authenticator of a guest
//! who has one. Every other session ends. This session's access token works until it expires; its
//! refresh token does not.
//!
//! If a call fails: until Cognito has set the new password, the old one counts. From then on the
//! new one counts, but other sessions continue here until the last write. The next try, proved by
//! the new password or another code, ends them. A failed notice is logged and counted, and does not
//! fail the request.

mod change_password;

use auth_aws::{Callers, ConfigurationError, Guests, Passwords, Platform, Users};
use auth_domain::{Clock, NewPassword, Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, FreshProofs, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = ChangePassword {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, ChangePassword::NAME, ProofPurpose::Password)?,
        passwords: Passwords::new(platform)?,
        users: Users::new(platform)?,
        guests: Guests::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct ChangePassword {
    callers: Callers,
    proofs: FreshProofs,
    passwords: Passwords,
    users: Users,
    guests: Guests,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

/// The proofs and the new password.
struct Input {
    proofs: Proofs,
    new_password: NewPassword,
}

impl Operation for ChangePassword {
    const NAME: &'static str = "change-password";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let proofs = fields.proofs();
        let new_password = fields.new_password("newPassword", None);
        let input = || {
            Some(Input {
                proofs: proofs?,
                new_password: new_password?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.change(&input, exchange).await
    }
}
