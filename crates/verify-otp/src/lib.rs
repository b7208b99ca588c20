//! `verifyOtp`, POST /auth/otp/verify: proves a mailed code, finds or makes the guest, and hands out tokens.
//!
//! The attempt is counted before Cognito is asked, by one conditional write that also checks the address and the time, so that
//! parallel guesses cannot outrun it. Wrong codes count for the address over all its sign-ins (NIST SP 800-63B-4 §3.1.3.2), and
//! for a known device on its own.
//!
//! A user of an older pool may have a password that was chosen before anybody proved the address.
//! It is taken away: who chose it need not be who reads the mail. Registrations that wait to be
//! confirmed end here: their tokens confirm nothing any more. A guest hears by mail of a browser
//! that signs in for the first time.
//!
//! A guest whose user has gone from Cognito is refused (`USER_MISMATCH`), though the code is right: who has the mailbox now need not be who
//! had the account. An operator who knows that they are the same takes `cognitoSub` off the guest's item, and what begins with
//! `authenticator`, which nobody can open any more; the next code binds the new user.
//!
//! A guest who has an authenticator gets no tokens here: the sign-in is held until `verifyMfa` brings the second factor. The refresh
//! token lies sealed in its record, the other tokens are forgotten, and no device is remembered yet.
//!
//! If a call fails: an attempt at which nobody looked is given back. If Cognito's answer is lost, the code is used up, and a
//! re-send of the same sign-in brings another. If the guest cannot be made, the sign-in not be held or not be ended, the
//! new tokens are revoked and never leave; a re-send brings another code here too. Only a sign-in that was ended, and nobody heard of it, begins
//! anew.

mod verify_otp;

use std::time::Duration;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Mailer, Passwords, Platform, SecondFactors, Secrets,
    SignIns, TokenService, UnprovedUsers,
};
use auth_domain::{
    Clock, Email, OtpCode, Problem, ProofOfWork, Randomness, SessionToken, SignInRules,
    TokenDelivery,
};
use auth_flows::CodeTries;
use auth_lambda::{
    Access, AgentTool, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer,
};
use serde_json::{Map, Value};

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::agent_tool(
        VerifyOtp::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct VerifyOtp {
    sign_ins: SignIns,
    tries: CodeTries,
    codes: EmailCodes,
    passwords: Passwords,
    guests: Guests,
    unproved: UnprovedUsers,
    second_factors: SecondFactors,
    mailer: Mailer,
    token_service: TokenService,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    settings: Settings,
}

/// The numbers that the operation goes by.
struct Settings {
    rules: SignInRules,
    device_lifetime: Duration,
    refresh_token_lifetime: Duration,
    refusal_floor: ResponseFloor,
}

impl VerifyOtp {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        Ok(Self {
            sign_ins: SignIns::new(platform)?,
            tries: CodeTries::new(platform, environment.code_tries()?, "otp-verify-network")?,
            codes: EmailCodes::new(platform, &secrets)?,
            passwords: Passwords::new(platform, &secrets)?,
            guests: Guests::new(platform)?,
            unproved: UnprovedUsers::new(platform)?,
            second_factors: SecondFactors::new(platform)?,
            mailer: Mailer::new(platform)?,
            token_service: TokenService::new(platform, &secrets)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings {
                rules: environment.sign_in_rules()?,
                device_lifetime: environment.device_cookie_lifetime()?,
                refresh_token_lifetime: environment.refresh_token_lifetime()?,
                refusal_floor: ResponseFloor::new(
                    environment.milliseconds("OTP_REFUSAL_FLOOR_MS", 400)?,
                ),
            },
        })
    }
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
        let (email, code, session_token) = (
            fields.required("email"),
            fields.required("code"),
            fields.required("sessionToken"),
        );
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
        self.settings
            .refusal_floor
            .hold_refusals(self.verify(&input, exchange))
            .await
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
