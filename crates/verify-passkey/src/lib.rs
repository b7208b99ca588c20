//! `verifyPasskey`, POST /auth/passkey/verify: proves a passkey, and returns tokens.
//!
//! A sign-in takes one answer. It is counted before Cognito is asked, with the attempts of its
//! network. Cognito verifies the assertion, which is serialized again from its parts. Then the
//! guest's list decides: a passkey that Cognito has and the list lacks cannot sign in, wherever it
//! was registered. Every refusal is one answer, and never before a floor.
//!
//! A guest who has an authenticator is asked for it. A passkey replaces it if the two were shown
//! together once and the passkey's device has verified its user: the signature that Cognito has
//! accepted covers that flag.
//!
//! If the deployment demands verified users, an answer without that flag is refused before anything
//! is asked. Cognito refuses it too.
//!
//! If a call fails: an attempt that Cognito did not evaluate is restored. If Cognito's answer is
//! lost, the sign-in is used up, and another begins. If a write after Cognito's answer fails, the
//! new tokens are revoked and not returned.

mod verify_passkey;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Assertion, Problem, SessionToken, TokenDelivery};
use auth_flows::{PasskeyAttempts, SigningIn};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyPasskey {
        attempts: PasskeyAttempts::new(
            platform,
            VerifyPasskey::NAME,
            Some("passkey-verify-network"),
        )?,
        signing_in: SigningIn::new(platform)?,
        refusal_floor: ResponseFloor::new(platform.environment().refusal_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct VerifyPasskey {
    attempts: PasskeyAttempts,
    signing_in: SigningIn,
    refusal_floor: ResponseFloor,
}

/// The browser's answer, and the sign-in that it is for.
struct Input {
    session_token: SessionToken,
    assertion: Assertion,
    token_delivery: TokenDelivery,
}

impl Operation for VerifyPasskey {
    const NAME: &'static str = "verify-passkey";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = SignInAnswer;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.required("sessionToken");
        let assertion = fields.assertion("credential");
        let token_delivery = fields.optional("tokenDelivery").unwrap_or_default();
        let input = || {
            Some(Input {
                session_token: session_token?,
                assertion: assertion?,
                token_delivery,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SignInAnswer, Problem> {
        let verify = self.verify(&input, exchange);
        self.refusal_floor.hold_refusals(verify).await
    }
}
