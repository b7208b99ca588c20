//! `resendOtp`, POST /auth/otp/resend: mails a fresh code for the same sign-in.
//!
//! Same token, same end, same budget: no attempt comes back (NIST SP 800-63B-4 §3.1.3.2), and the codes mailed before go on
//! working, because mails overtake each other.
//!
//! If a call fails: the 30 seconds between mails begin only with a mail, so a re-send that did not come as far as that is
//! withdrawn and can be asked for again at once. If the new mail cannot be remembered, its code proves nothing, and the next
//! re-send brings another.

mod resend_otp;

use std::time::Duration;

use auth_aws::{ConfigurationError, EmailCodes, Platform, Secrets, SignIns};
use auth_domain::{Clock, Problem, ProofOfWork, Randomness, SessionToken, SignInRules};
use auth_flows::CodeMails;
use auth_lambda::{Access, CodeSent, Exchange, Fields, Function, Operation, ResponseFloor};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        ResendOtp::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct ResendOtp {
    mails: CodeMails,
    codes: EmailCodes,
    sign_ins: SignIns,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    settings: Settings,
}

/// The numbers that the operation goes by.
struct Settings {
    rules: SignInRules,
    device_lifetime: Duration,
    floor: ResponseFloor,
}

impl ResendOtp {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        let per_email = environment.limit(
            "otp-resend-email",
            ("OTP_RESENDS_PER_EMAIL", 5),
            ("OTP_RESEND_WINDOW_SECONDS", 900),
        )?;
        Ok(Self {
            mails: CodeMails::new(platform, per_email)?,
            codes: EmailCodes::new(platform, &secrets)?,
            sign_ins: SignIns::new(platform)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings {
                rules: environment.sign_in_rules()?,
                device_lifetime: environment.device_cookie_lifetime()?,
                floor: ResponseFloor::new(environment.milliseconds("OTP_RESPONSE_FLOOR_MS", 1000)?),
            },
        })
    }
}

/// For which sign-in.
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
        self.settings.floor.hold(self.resend(input, exchange)).await
    }
}
