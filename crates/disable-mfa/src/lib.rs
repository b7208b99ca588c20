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
use auth_domain::{Clock, FreshProof, Problem, SecondFactor};
use auth_flows::{Activities, FreshProofs, Notices, SecondFactorAttempts};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = DisableMfa {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, DisableMfa::NAME)?,
        factors: SecondFactorAttempts::new(platform)?,
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
    factors: SecondFactorAttempts,
    authenticators: Authenticators,
    users: Users,
    activities: Activities,
    notices: Notices,
    clock: Clock,
}

/// The proofs.
struct Input {
    proof: FreshProof,
    second_factor: SecondFactor,
}

impl Operation for DisableMfa {
    const NAME: &'static str = "disable-mfa";
    const ACCESS: Access = Access::Caller;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let proof = fields.fresh_proof();
        let second_factor = fields.second_factor();
        fields.one_of(&["code", "backupCode"]);
        let input = || {
            Some(Input {
                proof: proof?,
                second_factor: second_factor?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        self.disable(&input, exchange).await
    }
}
