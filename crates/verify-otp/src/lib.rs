//! `verifyOtp`, POST /auth/otp/verify: proves a mailed code, finds or makes the guest, and hands
//! out tokens.
//!
//! The attempt counts before Cognito is asked: for the sign-in, and for the address over all its
//! sign-ins (NIST SP 800-63B-4 §3.1.3.2), or for a known device on its own.
//!
//! A password that was chosen before anybody proved the address, in an older pool, is taken away:
//! who chose it need not be who reads the mail. Registrations that wait to be confirmed end here. A
//! guest hears by mail of a browser that signs in for the first time.
//!
//! A guest whose user has gone from Cognito is refused (`USER_MISMATCH`): who has the mailbox now
//! need not be who had the account. An operator who knows that they are the same links the guest to
//! the new user (`relinkGuest`).
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, or a write after it fails, the code is used up, and a re-send brings another; the new
//! tokens are revoked. Only a sign-in that was ended, and whose answer was lost, begins anew.

mod verify_otp;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Email, OtpCode, Problem, ProofOfWork, SessionToken, TokenDelivery};
use auth_flows::{CodeAttempts, SigningIn};
use auth_lambda::{
    Access, AgentTool, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer,
};
use serde_json::{Map, Value};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyOtp {
        codes: CodeAttempts::new(platform, VerifyOtp::NAME, Some("otp-verify-network"))?,
        signing_in: SigningIn::new(platform)?,
        refusal_floor: ResponseFloor::new(platform.environment().refusal_floor()?),
    };
    Ok(Function::agent_tool(operation, platform.deployment()?))
}

/// The operation with its capabilities.
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
