//! `requestPasswordReset`, POST /auth/password/reset: mails a code for a new password.
//!
//! The answer is the same 202 for every address, known or not. It never leaves before a floor that
//! exceeds the time of a mail (ASVS 5.0 6.3.8).
//!
//! An address gets a few mails an hour, and a known device has its own few. Past them the answer is
//! 429 for every address alike, with a challenge whose solution buys more. So a stranger who asks
//! too often cannot deprive the owner of a mail. The stranger's last mail is in the owner's mailbox
//! too, and its code works for an hour.
//!
//! Cognito's codes are the user's, whatever the address. So for an hour after a change of address
//! the claim notes each mail: a code that went to the address before counts no more.
//!
//! If a call fails: before Cognito is asked, only counters have moved. If Cognito's answer is lost,
//! the mail may have been sent, and its code works.

mod request_password_reset;

use auth_aws::{ConfigurationError, Guests, Passwords, Platform};
use auth_domain::{Email, Problem, ProofOfWork};
use auth_flows::{CodeMails, NetworkStarts, Requesters};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor};
use serde::Serialize;

/// The answer for every address, known or not.
const MESSAGE: &str = "If this address has an account, a code for a new password is on its way, or was mailed within the last hour and still works.";

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let window = "RESET_WINDOW_SECONDS";
    let per_email = environment.recovery_mails()?;
    let per_ip = environment.limit("reset-ip", "RESETS_PER_IP", window)?;
    let operation = RequestPasswordReset {
        requesters: Requesters::new(platform, RequestPasswordReset::NAME)?,
        starts: NetworkStarts::new(platform, per_ip)?,
        mails: CodeMails::for_recovery(platform, per_email)?,
        passwords: Passwords::new(platform)?,
        guests: Guests::new(platform)?,
        floor: ResponseFloor::new(environment.response_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct RequestPasswordReset {
    requesters: Requesters,
    starts: NetworkStarts,
    mails: CodeMails,
    passwords: Passwords,
    guests: Guests,
    floor: ResponseFloor,
}

/// The address of the forgotten password.
struct Input {
    email: Email,
    proof_of_work: Option<ProofOfWork>,
}

/// The message to the person.
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
        let proof_of_work = fields.optional("proofOfWork");
        fields.finish_with(email.map(|email| Input {
            email,
            proof_of_work,
        }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Requested, Problem> {
        let requesting = self.request(&input, exchange);
        self.floor.hold(requesting).await?;
        Ok(Requested { message: MESSAGE })
    }
}
