//! `disableMfa`, POST /auth/mfa/disable: removes the guest's authenticator and backup codes.
//!
//! It takes both proofs of a sign-in again: the password or a code by mail, and then a code of the
//! authenticator or a backup code. So neither a stolen session nor access to the mailbox suffices.
//! Every other session ends too. This session's access token works until it expires; its refresh
//! token does not. A guest without an authenticator needs no proof and stays unchanged, so the
//! request can be repeated after a lost answer.
//!
//! If a call fails: until the last write the authenticator stays in force. By then a mailed code
//! and the second factor are used up, and other sessions may be signed out; the next try needs
//! fresh ones. A failed notice is logged and counted, and does not fail the request.

mod disable_mfa;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform, Users};
use auth_domain::{Clock, Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, FreshProofs, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DisableMfa {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, DisableMfa::NAME, ProofPurpose::Authenticator)?,
        authenticators: Authenticators::new(platform)?,
        users: Users::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct DisableMfa {
    callers: Callers,
    proofs: FreshProofs,
    authenticators: Authenticators,
    users: Users,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

impl Operation for DisableMfa {
    const NAME: &'static str = "disable-mfa";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = Proofs;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Proofs, Problem> {
        let proofs = fields.proofs_with_code();
        fields.one_of(&["code", "backupCode"]);
        fields.finish_with(proofs)
    }

    async fn run(&self, proofs: Proofs, exchange: &Exchange) -> Result<(), Problem> {
        self.disable(&proofs, exchange).await
    }
}
