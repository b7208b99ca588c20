//! `initiatePasskey`, POST /auth/passkey/initiate: begins a sign-in by passkey, and returns the
//! options for the browser.
//!
//! The answer is the same for every address: known, unknown, with passkeys or without. Cognito's
//! options list a user's credentials, so Latchkey writes its own and takes only the challenge.
//! Cognito is asked if the guest's list has a passkey; otherwise the challenge is made up. The time
//! is the same too: never before a floor that exceeds the time of a guest with passkeys.
//!
//! If a call fails: only the network's count has moved. If the last answer is lost, the sign-in
//! expires.

mod initiate_passkey;

use auth_aws::{ConfigurationError, Guests, Platform};
use auth_domain::{Email, Problem, RelyingParty, UserVerification};
use auth_flows::{NetworkStarts, PasskeyStarts, Requesters};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, PasskeyAsked, ResponseFloor};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let window = "OTP_START_WINDOW_SECONDS";
    let per_ip = environment.limit("passkey-start-ip", "OTP_STARTS_PER_IP", window)?;
    let operation = InitiatePasskey {
        requesters: Requesters::new(platform, InitiatePasskey::NAME)?,
        network: NetworkStarts::new(platform, per_ip)?,
        guests: Guests::new(platform)?,
        starts: PasskeyStarts::new(platform)?,
        relying_party: environment.relying_party()?,
        user_verification: environment.required("PASSKEY_USER_VERIFICATION")?,
        floor: ResponseFloor::new(environment.response_floor()?),
    };
    Ok(Function::operation(operation, platform.deployment()?))
}

/// The operation's dependencies.
struct InitiatePasskey {
    requesters: Requesters,
    network: NetworkStarts,
    guests: Guests,
    starts: PasskeyStarts,
    relying_party: RelyingParty,
    user_verification: UserVerification,
    floor: ResponseFloor,
}

impl Operation for InitiatePasskey {
    const NAME: &'static str = "initiate-passkey";
    const ACCESS: Access = Access::Public;

    type Input = Email;
    type Output = PasskeyAsked;

    fn parse(&self, fields: &mut Fields) -> Result<Email, Problem> {
        let email = fields.required("email");
        fields.finish_with(email)
    }

    async fn run(&self, email: Email, exchange: &Exchange) -> Result<PasskeyAsked, Problem> {
        self.floor.hold(self.initiate(&email, exchange)).await
    }
}
