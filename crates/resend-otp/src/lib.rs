//! `resendOtp`, POST /auth/otp/resend: mails a fresh code for the same sign-in.
//!
//! Same token, same end, same budget: no attempt is restored (NIST SP 800-63B-4 §3.1.3.2). Earlier
//! codes still work, because mails overtake each other.
//!
//! If a call fails: the 30 seconds between mails begin only with a mail, so a re-send without a
//! mail is withdrawn and can be repeated at once. If the new mail cannot be stored, its code proves
//! nothing, and the next re-send brings another.

mod resend_otp;

use auth_aws::{ConfigurationError, Platform};
use auth_domain::{Problem, ProofOfWork, SessionToken};
use auth_flows::Resends;
use auth_lambda::{Access, CodeSent, Exchange, Fields, Function, Operation, ResponseFloor};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let floor = platform.environment().response_floor()?;
    let operation = ResendOtp {
        resends: Resends::new(platform, ResendOtp::NAME, "otp-resend-email")?,
        floor: ResponseFloor::new(floor),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ResendOtp {
    resends: Resends,
    floor: ResponseFloor,
}

/// The sign-in.
struct Input {
    session_token: SessionToken,
    proof_of_work: Option<ProofOfWork>,
}

impl Operation for ResendOtp {
    const NAME: &'static str = "resend-otp";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = CodeSent;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.required("sessionToken");
        let proof_of_work = fields.optional("proofOfWork");
        fields.finish_with(session_token.map(|session_token| Input {
            session_token,
            proof_of_work,
        }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<CodeSent, Problem> {
        self.floor.hold(self.resend(input, exchange)).await
    }
}
