//! `disableMfa`, POST /auth/mfa/disable: removes the guest's authenticator and backup codes.
//!
//! It takes both proofs of a sign-in anew: the password or a code by mail, and then a code of the
//! authenticator or a backup code. Neither a stolen session nor a mailbox that somebody else reads
//! is enough. Every other session ends with it; this session's access token goes on until it ends
//! by itself, its refresh token does not. A guest who has no authenticator is left as they are, and
//! nothing is asked of them: so the request may be sent again when its answer was lost.
//!
//! If a call fails: until the last write the authenticator stays in force. A mailed code and the
//! second factor are used up by then, and other sessions may be signed out already; the next try
//! needs fresh ones. A notice that cannot be mailed is logged and counted, and fails nothing.

mod disable_mfa;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform, Users};
use auth_domain::{Clock, Problem, ProofPurpose, Proofs};
use auth_flows::{Activities, FreshProofs, Notices};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
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

/// The operation with its capabilities.
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
