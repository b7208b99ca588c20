//! `confirmRegistration`, POST /auth/register/confirm: proves the code that a registration mailed, or mails another.
//!
//! From then on the address is the guest's, and the registered password signs in. The code is one of Cognito's for signing in, so proving
//! it begins a session there, which is ended at once: this operation gives no tokens.
//!
//! The attempt is counted before Cognito is asked, for this registration and for the address, as for a sign-in. Another mail begins the
//! count of this registration's attempts anew, because whoever confirms brings nothing that a stranger could not bring too; the
//! count of the address's failures goes on. Asking for it is answered the same for every address, in the same time.
//!
//! If a call fails: an attempt at which nobody looked is given back. If Cognito's answer is lost, or what follows it fails, the code is used
//! up, and another mail brings another. If the registration was confirmed and nobody heard of it, the password signs in.

mod confirm_registration;

use std::time::Duration;

use auth_aws::{
    ConfigurationError, EmailCodes, Guests, Limits, Platform, Secrets, SignIns, TokenService,
};
use auth_domain::{Clock, Email, Limit, OtpCode, Problem, ProofOfWork, Randomness, SignInRules};
use auth_flows::{CodeMails, CodeTries};
use auth_lambda::{Access, Delivery, Exchange, Fields, Function, Operation, ResponseFloor};
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
    limits: Limits,
    tries: CodeTries,
    mails: CodeMails,
    codes: EmailCodes,
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
    resend_gap: Limit,
    device_lifetime: Duration,
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
        Ok(Self {
            tries: CodeTries::new(
                platform,
                environment.code_tries()?,
                "registration-confirm-network",
            )?,
            mails: CodeMails::new(platform, resends)?,
            sign_ins: SignIns::new(platform)?,
            limits: Limits::new(platform)?,
            codes: EmailCodes::new(platform, &secrets)?,
            guests: Guests::new(platform)?,
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
        let rules = environment.sign_in_rules()?;
        let floor = |name, default| {
            let least = environment.milliseconds(name, default)?;
            Ok(ResponseFloor::new(least))
        };
        Ok(Self {
            rules,
            resend_gap: Limit {
                name: "registration-resend-gap",
                ..rules.resend_gap()
            },
            device_lifetime: environment.device_cookie_lifetime()?,
            floor: floor("OTP_RESPONSE_FLOOR_MS", 1000)?,
            refusal_floor: floor("OTP_REFUSAL_FLOOR_MS", 400)?,
        })
    }
}

/// What is asked for.
struct Input {
    email: Email,
    wish: Wish,
    proof_of_work: Option<ProofOfWork>,
}

/// To confirm, or to have another code.
enum Wish {
    Confirm(OtpCode),
    Resend,
}

/// What came of it.
enum Output {
    Confirmed,
    Resent(Delivery),
}

impl Serialize for Output {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Resent<'a> {
            delivery: &'a Delivery,
        }
        match self {
            Self::Confirmed => serializer.serialize_unit(),
            Self::Resent(delivery) => Resent { delivery }.serialize(serializer),
        }
    }
}

impl Operation for ConfirmRegistration {
    const NAME: &'static str = "confirm-registration";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = Output;

    fn status(output: &Output) -> u16 {
        match output {
            Output::Confirmed => Self::STATUS,
            Output::Resent(_) => 202,
        }
    }

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.required("email");
        let proof_of_work = fields.optional("proofOfWork");
        let wish = if fields.flag("resend") {
            // Not needed, and no reason to let something else pass for one.
            let _code: Option<OtpCode> = fields.optional("code");
            Some(Wish::Resend)
        } else {
            fields.required("code").map(Wish::Confirm)
        };
        let input = || {
            Some(Input {
                email: email?,
                wish: wish?,
                proof_of_work,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Output, Problem> {
        match &input.wish {
            Wish::Confirm(code) => {
                let confirming = self.confirm(&input, code, exchange);
                let floor = &self.settings.refusal_floor;
                floor.hold_refusals(confirming).await?;
                Ok(Output::Confirmed)
            }
            Wish::Resend => {
                let resending = self.resend(&input, exchange);
                self.settings.floor.hold(resending).await?;
                Ok(Output::Resent(Delivery::to(&input.email)))
            }
        }
    }
}
