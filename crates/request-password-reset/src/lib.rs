//! `requestPasswordReset`, POST /auth/password/reset: mails a code for a new password.
//!
//! The answer is the same 202 for every address, known or not, and it is never given before a floor that lies above what a mail
//! takes (ASVS 5.0 6.3.8).
//!
//! An address gets a few mails an hour, and a known device has its own few. Past them nothing is mailed, and the answer stays the same. So
//! nobody is locked out of their recovery by a stranger who asks too often: the stranger's last mail is in the owner's mailbox, and
//! its code works for an hour, whoever asked for it.
//!
//! If a call fails: before Cognito is asked, only counters have moved. If Cognito's answer is lost, the mail may have been sent, and its code
//! works.

mod request_password_reset;

use std::time::Duration;

use auth_aws::{ConfigurationError, Limits, Passwords, Platform, Secrets};
use auth_domain::{Clock, Email, Limit, Problem, Randomness};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor};
use serde::Serialize;

/// What everyone is told: it is true of every address.
const MESSAGE: &str = "If this address has an account, a code for a new password is on its way, or was mailed within the last hour and still works.";

/// The function, wired to what it uses.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    Ok(Function::operation(
        RequestPasswordReset::new(platform)?,
        platform.deployment()?,
    ))
}

/// What the operation works with.
struct RequestPasswordReset {
    limits: Limits,
    passwords: Passwords,
    secrets: Secrets,
    clock: Clock,
    randomness: Randomness,
    settings: Settings,
}

/// The numbers that the operation goes by.
struct Settings {
    per_email: Limit,
    per_ip: Limit,
    in_total: Limit,
    device_lifetime: Duration,
    floor: ResponseFloor,
}

impl RequestPasswordReset {
    fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        let secrets = Secrets::new(platform)?;
        let environment = platform.environment();
        let window = ("RESET_WINDOW_SECONDS", 3600);
        let floor = environment.milliseconds("OTP_RESPONSE_FLOOR_MS", 1000)?;
        Ok(Self {
            limits: Limits::new(platform)?,
            passwords: Passwords::new(platform, &secrets)?,
            secrets,
            clock: platform.clock(),
            randomness: platform.randomness(),
            settings: Settings {
                // Fewer than the five an hour that Cognito may allow a user itself.
                per_email: environment.limit("reset-email", ("RESETS_PER_EMAIL", 3), window)?,
                per_ip: environment.limit("reset-ip", ("RESETS_PER_IP", 30), window)?,
                in_total: environment.mails_per_minute()?,
                device_lifetime: environment.device_cookie_lifetime()?,
                floor: ResponseFloor::new(floor),
            },
        })
    }
}

/// Whose password is forgotten.
struct Input {
    email: Email,
}

/// What the person is told.
#[derive(Serialize)]
struct Requested {
    message: &'static str,
}

impl Operation for RequestPasswordReset {
    const NAME: &'static str = "request-password-reset";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 202;

    type Input = Input;
    type Output = Requested;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.required("email");
        fields.finish_with(email.map(|email| Input { email }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Requested, Problem> {
        let requesting = self.request(&input.email, exchange);
        self.settings.floor.hold(requesting).await?;
        Ok(Requested { message: MESSAGE })
    }
}
