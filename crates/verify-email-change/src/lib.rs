//! `verifyEmailChange`, POST /me/email/verify: makes the address the guest's that a code proves.
//!
//! The attempt counts before the code is looked at. A right code claims the address for the guest,
//! in one transaction that decides between this and everybody else. A user whom a start has left
//! there is removed, Cognito's user gets the address, and one transaction moves the claim: the old
//! address is free then. Sessions go on, and both addresses hear of it.
//!
//! A code counts in the session that asked for it, and not after another change. Only a right code
//! hears that its address has got an account meanwhile: the guest reads that mailbox.
//!
//! If a call fails before the claim, nothing has changed. After it, the change is half done: the
//! same code goes on with it, and so does a sign-in at either address. Where Cognito's user has
//! gone, the claim is given up. A notice that cannot be mailed is logged and counted, and fails
//! nothing.

mod verify_email_change;

use auth_aws::{AddressCodes, Callers, ConfigurationError, Platform, Secrets};
use auth_domain::{AddressCodeRules, Clock, OtpCode, Problem, Profile, Randomness, SessionToken};
use auth_flows::AddressChanges;
use auth_lambda::{Access, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyEmailChange {
        callers: Callers::new(platform)?,
        secrets: Secrets::new(platform)?,
        codes: AddressCodes::new(platform)?,
        changes: AddressChanges::new(platform)?,
        rules: platform.environment().address_code_rules()?,
        clock: platform.clock(),
        randomness: platform.randomness(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct VerifyEmailChange {
    callers: Callers,
    secrets: Secrets,
    codes: AddressCodes,
    changes: AddressChanges,
    rules: AddressCodeRules,
    clock: Clock,
    randomness: Randomness,
}

/// The code, and the handle of its mail.
struct Input {
    session_token: SessionToken,
    code: OtpCode,
}

impl Operation for VerifyEmailChange {
    const NAME: &'static str = "verify-email-change";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = Profile;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (session_token, code) = (fields.required("sessionToken"), fields.required("code"));
        let input = || {
            Some(Input {
                session_token: session_token?,
                code: code?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Profile, Problem> {
        self.verify(&input, exchange).await.map(Profile::from)
    }
}
