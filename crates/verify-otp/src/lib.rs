//! `verifyOtp`, POST /auth/otp/verify: proves a mailed code, finds or makes the guest, and hands out tokens.
//!
//! The attempt is counted before Cognito is asked, by one conditional write that also checks the address and the time, so that
//! parallel guesses cannot outrun it. Wrong codes count for the address over all its sign-ins (NIST SP 800-63B-4 §3.1.3.2), and
//! for a known device on its own.
//!
//! Where somebody has registered the address with a password and not confirmed it, that password is taken away: who chose it need not
//! be who reads the mail.
//!
//! If a call fails: an attempt at which nobody looked is given back. If Cognito's answer is lost, the code is used up, and a
//! re-send of the same sign-in brings another. If the guest cannot be made or the sign-in not be ended, the new tokens are
//! revoked and never leave; a re-send brings another code here too. Only a sign-in that was ended, and nobody heard of it, begins
//! anew.

mod verify_otp;

use std::time::Duration;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Limits, Passwords, Platform, Secrets, SignIns,
    TokenService,
};
use auth_domain::{
    Clock, Email, Guest, Limit, OtpCode, Problem, Randomness, SessionToken, SignInRules,
    TokenDelivery, Tokens,
};
use auth_lambda::{
    Access, AgentTool, Exchange, Fields, Function, IssuedTokens, Operation, ResponseFloor,
};
use serde::Serialize;
use serde_json::{Map, Value, json};

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
    limits: Limits,
    codes: EmailCodes,
    passwords: Passwords,
    guests: Guests,
    token_service: TokenService,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    settings: Settings,
}

/// The numbers that the operation goes by.
struct Settings {
    rules: SignInRules,
    failures: Limit,
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
            limits: Limits::new(platform)?,
            codes: EmailCodes::new(platform, &secrets)?,
            passwords: Passwords::new(platform, &secrets)?,
            guests: Guests::new(platform)?,
            token_service: TokenService::new(platform, &secrets)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings {
                rules: environment.sign_in_rules()?,
                failures: environment.otp_failures()?,
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
}

/// The tokens, and whose they are.
#[derive(Serialize)]
struct SignedIn {
    #[serde(flatten)]
    tokens: IssuedTokens,
    user: Guest,
}

impl SignedIn {
    fn new(tokens: Tokens, user: Guest) -> Self {
        Self {
            tokens: IssuedTokens::new(tokens),
            user,
        }
    }
}

impl Operation for VerifyOtp {
    const NAME: &'static str = "verify-otp";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = SignedIn;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (email, code, session_token) = (
            fields.required("email"),
            fields.required("code"),
            fields.required("sessionToken"),
        );
        let token_delivery = fields.optional("tokenDelivery").unwrap_or_default();
        let input = || {
            Some(Input {
                email: email?,
                code: code?,
                session_token: session_token?,
                token_delivery,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SignedIn, Problem> {
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

    /// The token delivery event, which a browser that watches the agent's stream recognises.
    fn result(signed_in: SignedIn) -> Map<String, Value> {
        let SignedIn { tokens, user } = signed_in;
        let event = json!({
            "event_type": "auth_tokens",
            "id_token": tokens.id_token(),
            "access_token": tokens.access_token(),
            "refresh_token": tokens.refresh_token(),
            "expires_in": tokens.expires_in(),
            "guest_id": user.guest_id,
            "email": user.email.as_str(),
            "cognito_sub": user.cognito_sub.as_ref().map(auth_domain::UserSub::as_str),
        });
        event.as_object().cloned().unwrap_or_default()
    }
}
