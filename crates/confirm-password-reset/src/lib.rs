//! `confirmPasswordReset`, POST /auth/password/reset/confirm: sets a new password by a mailed code.
//!
//! Code and password go to Cognito in one call, so a code sets one password, once. Then every
//! session of the guest ends: refresh tokens at Cognito, access tokens by the guest's
//! `signedOutAt`. The answer has no tokens, so it does not bypass an authenticator: a sign-in with
//! the new password asks for it. The guest gets a notice by mail.
//!
//! The attempt is counted for the address, or for a known device on its own, before Cognito is
//! asked. A right code clears that count and the count of wrong passwords. For every wrong code,
//! the answer is the same for every address, and does not leave before a floor.
//!
//! A code that was asked for at the address before counts no more: after a change of address, one
//! has to be asked for at the new one.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, the password may be set: a sign-in with it shows that, and otherwise the code still works.
//! If the sessions cannot be ended at Cognito, they are still ended here, where a refresh revives
//! none, and the reverse. The answer is then an error, and the next reset ends the rest. The guest
//! still gets the notice of the new password. A failed notice is logged and counted, and does not
//! fail the request.

mod confirm_password_reset;

use auth_aws::{ConfigurationError, Guests, Passwords, Platform, Users};
use auth_domain::{Clock, Email, NewPassword, OtpCode, Problem, ProofOfWork, TryLimits};
use auth_flows::{
    Activities, Arrivals, CodeTries, NetworkAttempts, Notices, PasswordAttempts, Requesters,
};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, ResponseFloor};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let tries = TryLimits {
        strangers: environment.recovery_failures()?,
        ..environment.code_tries()?
    };
    let operation = ConfirmPasswordReset {
        requesters: Requesters::new(platform, ConfirmPasswordReset::NAME)?,
        tries: CodeTries::for_recovery(platform, tries)?,
        network: NetworkAttempts::new(platform, "reset-confirm-network")?,
        password_attempts: PasswordAttempts::new(platform, ConfirmPasswordReset::NAME, None)?,
        passwords: Passwords::new(platform)?,
        guests: Guests::new(platform)?,
        arrivals: Arrivals::new(platform)?,
        users: Users::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        clock: platform.clock(),
        refusal_floor: ResponseFloor::new(environment.refusal_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ConfirmPasswordReset {
    requesters: Requesters,
    tries: CodeTries,
    network: NetworkAttempts,
    password_attempts: PasswordAttempts,
    passwords: Passwords,
    guests: Guests,
    arrivals: Arrivals,
    users: Users,
    activities: Activities,
    notices: Notices,
    clock: Clock,
    refusal_floor: ResponseFloor,
}

/// The code and the new password.
struct Input {
    email: Email,
    code: OtpCode,
    new_password: NewPassword,
    proof_of_work: Option<ProofOfWork>,
}

impl Operation for ConfirmPasswordReset {
    const NAME: &'static str = "confirm-password-reset";
    const ACCESS: Access = Access::Public;
    const STATUS: u16 = 204;

    type Input = Input;
    type Output = ();

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email: Option<Email> = fields.required("email");
        let code = fields.required("code");
        let new_password = fields.new_password("newPassword", email.as_ref());
        let proof_of_work = fields.optional("proofOfWork");
        let input = || {
            Some(Input {
                email: email?,
                code: code?,
                new_password: new_password?,
                proof_of_work,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<(), Problem> {
        let confirm = self.confirm(&input, exchange);
        self.refusal_floor.hold_refusals(confirm).await
    }
}
