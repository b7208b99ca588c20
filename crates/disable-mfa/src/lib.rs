//! `disableMfa`, POST /auth/mfa/disable: removes the guest's authenticator and backup codes.
//!
//! It takes both proofs of a sign-in anew: the password or a code by mail, and then a code of the authenticator or a backup code.
//! Neither a stolen session nor a mailbox that somebody else reads is enough. Every other session ends with it; this session's access
//! token goes on until it ends by itself, its refresh token does not. A guest who has no authenticator is left as they are, and nothing is
//! asked of them: so the request may be sent again when its answer was lost.
//!
//! If a call fails: until the last write the authenticator stays in force. A mailed code and the second factor are used up by then, and
//! other sessions may be signed out already; the next try needs fresh ones. A notice that cannot be mailed is logged and counted, and
//! fails nothing.

mod disable_mfa;

use std::time::Duration;

use auth_aws::{
    Authenticators, ConfigurationError, Guests, Mailer, Platform, Reauthentication, Secrets,
    TokenService,
};
use auth_domain::{Clock, FreshProof, Problem, SecondFactor};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        DisableMfa::new(platform)?,
        platform.deployment_with_callers()?,
    ))
}

/// What the operation works with.
struct DisableMfa {
    guests: Guests,
    reauthentication: Reauthentication,
    authenticators: Authenticators,
    token_service: TokenService,
    mailer: Mailer,
    pool_id: String,
    device_lifetime: Duration,
    clock: Clock,
}

impl DisableMfa {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        Ok(Self {
            guests: Guests::new(platform)?,
            reauthentication: Reauthentication::new(platform, &secrets)?,
            authenticators: Authenticators::new(platform)?,
            token_service: TokenService::new(platform, &secrets)?,
            mailer: Mailer::new(platform)?,
            pool_id: environment.text("COGNITO_USER_POOL_ID")?.to_owned(),
            device_lifetime: environment.device_cookie_lifetime()?,
            clock: platform.clock(),
        })
    }
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
