//! `confirmRegistration`, POST /auth/register/confirm: proves the code that a registration mailed, or mails another.
//!
//! The session token says which registration is meant, so only the one who began it can confirm it,
//! and the password that counts is the one that came with it. Confirming makes the guest, by one
//! write that decides between every proof of the address: registrations of others, sign-ins by
//! code, resets. Where another was quicker, the token is unknown from then on. Only then is the
//! password set, and signed in by: until then Cognito has none.
//!
//! The attempt is counted before Cognito is asked, for this registration and for the address, as
//! for a sign-in. A re-send is the same registration: same token, same end, same attempts.
//!
//! If a call fails: an attempt at which nobody looked is given back. If Cognito's answer is lost,
//! or what follows it fails, the code is used up, and a re-send brings another: the registration
//! goes on where it was left, also where it has made its guest already. Where even its time is
//! over, the guest signs in by code. Tokens that do not leave are revoked. If the registration was
//! confirmed and nobody heard of it, the password signs in.

mod confirm_registration;
mod resend;

use std::time::Duration;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Passwords, PendingPasswords, Platform, SecondFactors,
    Secrets, SignIns, TokenService, UnprovedUsers,
};
use auth_domain::{
    Clock, OtpCode, Problem, ProofOfWork, Randomness, SessionToken, SignInRules, TokenDelivery,
};
use auth_flows::{CodeMails, CodeTries};
use auth_lambda::{
    Access, Delivery, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer,
};
use serde::Serialize;

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        ConfirmRegistration::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct ConfirmRegistration {
    sign_ins: SignIns,
    tries: CodeTries,
    mails: CodeMails,
    codes: EmailCodes,
    guests: Guests,
    unproved: UnprovedUsers,
    passwords: Passwords,
    pending_passwords: PendingPasswords,
    second_factors: SecondFactors,
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
    floor: ResponseFloor,
    refusal_floor: ResponseFloor,
}

impl ConfirmRegistration {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        let resends = environment.limit(
            "registration-resend",
            ("OTP_RESENDS_PER_EMAIL", 5),
            ("OTP_RESEND_WINDOW_SECONDS", 900),
        )?;
        let tries = environment.code_tries()?;
        Ok(Self {
            tries: CodeTries::new(platform, tries, "registration-confirm-network")?,
            mails: CodeMails::new(platform, resends)?,
            sign_ins: SignIns::new(platform)?,
            codes: EmailCodes::new(platform, &secrets)?,
            guests: Guests::new(platform)?,
            unproved: UnprovedUsers::new(platform)?,
            passwords: Passwords::new(platform, &secrets)?,
            pending_passwords: PendingPasswords::new(platform)?,
            second_factors: SecondFactors::new(platform)?,
            token_service: TokenService::new(platform, &secrets)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings::read(platform)?,
        })
    }
}

impl Settings {
    fn read(platform: &Platform) -> Result<Self, ConfigurationError> {
        let environment = platform.environment();
        let floor = |name, default| {
            let least = environment.milliseconds(name, default)?;
            Ok(ResponseFloor::new(least))
        };
        Ok(Self {
            rules: environment.sign_in_rules()?,
            device_lifetime: environment.device_cookie_lifetime()?,
            refresh_token_lifetime: environment.refresh_token_lifetime()?,
            floor: floor("OTP_RESPONSE_FLOOR_MS", 1000)?,
            refusal_floor: floor("OTP_REFUSAL_FLOOR_MS", 400)?,
        })
    }
}

/// What is asked for.
enum Input {
    Confirm(Confirmation),
    Resend(Resend),
}

/// The registration of which another code is wanted.
struct Resend {
    session_token: SessionToken,
    proof_of_work: Option<ProofOfWork>,
}

/// A code, and the registration that it is for.
struct Confirmation {
    session_token: SessionToken,
    code: OtpCode,
    token_delivery: TokenDelivery,
    proof_of_work: Option<ProofOfWork>,
}

/// What came of it.
#[derive(Serialize)]
#[serde(untagged)]
enum Output {
    Confirmed(SignInAnswer),
    Resent { delivery: Delivery },
}

impl Operation for ConfirmRegistration {
    const NAME: &'static str = "confirm-registration";
    const ACCESS: Access = Access::Public;

    type Input = Input;
    type Output = Output;

    fn status(output: &Output) -> u16 {
        match output {
            Output::Confirmed(_) => Self::STATUS,
            Output::Resent { .. } => 202,
        }
    }

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.required("sessionToken");
        let token_delivery = fields.optional("tokenDelivery").unwrap_or_default();
        let proof_of_work = fields.optional("proofOfWork");
        if fields.flag("resend") {
            // Not needed, and no reason to let something else pass for one.
            let _code: Option<OtpCode> = fields.optional("code");
            let resend = session_token.map(|session_token| Resend {
                session_token,
                proof_of_work,
            });
            return fields.finish_with(resend.map(Input::Resend));
        }
        let code = fields.required("code");
        let input = || {
            Some(Input::Confirm(Confirmation {
                session_token: session_token?,
                code: code?,
                token_delivery,
                proof_of_work,
            }))
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Output, Problem> {
        match input {
            Input::Confirm(confirmation) => {
                let confirming = self.confirm(&confirmation, exchange);
                let floor = &self.settings.refusal_floor;
                let answer = floor.hold_refusals(confirming).await?;
                Ok(Output::Confirmed(answer))
            }
            Input::Resend(resend) => {
                let resending = self.resend(&resend, exchange);
                let delivery = self.settings.floor.hold(resending).await?;
                Ok(Output::Resent { delivery })
            }
        }
    }
}
