//! `confirmRegistration`, POST /auth/register/confirm: proves the code that a registration mailed,
//! or mails another.
//!
//! The session token names the registration, so only its sender can confirm it, and only the
//! password of that registration counts. The confirmation makes the guest, by one write that
//! decides between every proof of the address: registrations of others, sign-ins by code, resets.
//! If another proof was faster, the token becomes unknown. Only then the password is set and signs
//! the guest in: until then Cognito has none.
//!
//! The attempt is counted before Cognito is asked, for this registration and for the address, as
//! for a sign-in. A re-send belongs to the same registration: same token, same end, same attempts.
//!
//! If a call fails: the count of an attempt without evaluation is restored. If Cognito's answer is
//! lost, or a later step fails, the code is used up, and a re-send brings another. The registration
//! then continues where it stopped, even if it has already made its guest. After its end, the guest
//! signs in by code. Tokens that do not leave are revoked. If the registration was confirmed and
//! the answer was lost, the password signs in.

mod confirm_registration;
mod resend;

use auth_aws::{ConfigurationError, Platform, TokenService};
use auth_domain::{OtpCode, Problem, ProofOfWork, SessionToken, TokenDelivery};
use auth_flows::{CodeAttempts, NetworkAttempts, Registrations, Resends, SigningIn};
use auth_lambda::{
    Access, Delivery, Exchange, Fields, Function, Operation, ResponseFloor, SignInAnswer,
};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let network = NetworkAttempts::new(platform, "registration-confirm-network")?;
    let operation = ConfirmRegistration {
        code_attempts: CodeAttempts::new(platform, ConfirmRegistration::NAME, Some(network))?,
        resends: Resends::new(platform, ConfirmRegistration::NAME, "registration-resend")?,
        registrations: Registrations::new(platform)?,
        signing_in: SigningIn::new(platform)?,
        token_service: TokenService::new(platform)?,
        floor: ResponseFloor::new(environment.response_floor()?),
        refusal_floor: ResponseFloor::new(environment.refusal_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct ConfirmRegistration {
    code_attempts: CodeAttempts,
    resends: Resends,
    registrations: Registrations,
    signing_in: SigningIn,
    token_service: TokenService,
    floor: ResponseFloor,
    refusal_floor: ResponseFloor,
}

/// The request.
enum Input {
    Confirm(Confirmation),
    Resend(Resend),
}

/// The registration that asks for another code.
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

/// The outcome.
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
            // A re-send needs no code, but an invalid one must not pass as valid.
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
                let answer = self.refusal_floor.hold_refusals(confirming).await?;
                Ok(Output::Confirmed(answer))
            }
            Input::Resend(resend) => {
                let resending = self.resend(&resend, exchange);
                let delivery = self.floor.hold(resending).await?;
                Ok(Output::Resent { delivery })
            }
        }
    }
}
