//! `verifyOtp`, POST /auth/otp/verify: proves a mailed code, finds or makes the guest, and returns
//! tokens.
//!
//! The attempt counts before Cognito is asked: for the sign-in, and for the address over all its
//! sign-ins (NIST SP 800-63B-4 §3.1.3.2), or for a known device on its own.
//!
//! A password from before the address was proved, in an older pool, is removed: another person than
//! the reader of the mail may have chosen it. Registrations that wait to be confirmed end here. The
//! guest gets a mail when a browser signs in for the first time.
//!
//! A guest whose user no longer exists at Cognito is refused (`USER_MISMATCH`): the mailbox may
//! have a new owner. An operator who knows that it is the same person links the guest to the new
//! user (`relinkGuest`).
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, or a write after it fails, the code is used up, and a re-send brings another; the new
//! tokens are revoked. Only if the sign-in was ended and the answer was lost, the person signs in
//! again.

mod verify_otp;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Email, OtpCode, Problem, ProofOfWork, SessionToken, TokenDelivery};
use auth_flows::{CodeAttempts, NetworkAttempts, SigningIn};
use auth_lambda::{
    Access, AgentTool, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer,
};
use serde_json::{Map, Value};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let network = NetworkAttempts::of_tool(platform, "otp-verify-network")?;
    let operation = VerifyOtp {
        codes: CodeAttempts::new(platform, VerifyOtp::NAME, Some(network))?,
        signing_in: SigningIn::new(platform)?,
        refusal_floor: ResponseFloor::new(platform.environment().refusal_floor()?),
    };
    Ok(Function::agent_tool(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct VerifyOtp {
    codes: CodeAttempts,
    signing_in: SigningIn,
    refusal_floor: ResponseFloor,
}

/// A code, and the sign-in that it is for.
struct Input {
    email: Email,
    code: OtpCode,
    session_token: SessionToken,
    token_delivery: TokenDelivery,
    proof_of_work: Option<ProofOfWork>,
}

impl Operation for VerifyOtp {
    const NAME: &'static str = "verify-otp";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = SignInAnswer;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (email, code) = (fields.required("email"), fields.required("code"));
        let session_token = fields.required("sessionToken");
        let token_delivery = fields.optional("tokenDelivery").unwrap_or_default();
        let proof_of_work = fields.optional("proofOfWork");
        let input = || {
            Some(Input {
                email: email?,
                code: code?,
                session_token: session_token?,
                token_delivery,
                proof_of_work,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SignInAnswer, Problem> {
        let verify = self.verify(&input, exchange);
        self.refusal_floor.hold_refusals(verify).await
    }
}

impl AgentTool for VerifyOtp {
    const TOOL: &'static str = "verify_cognito_otp";
    const ARGUMENTS: &'static [(&'static str, &'static str)] = &[
        ("email", "email"),
        ("otp_code", "code"),
        ("session_token", "sessionToken"),
    ];

    fn result(answer: SignInAnswer) -> Map<String, Value> {
        answer.into_tool_result()
    }
}
