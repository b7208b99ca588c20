//! `changeEmail`, POST /me/email: mails a code to the address that is to be the guest's.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one. The code is Latchkey's
//! own: Cognito mails codes to the address alone that a user has. It is kept as a keyed hash, and
//! counts in the session that asked. Nothing changes before `verifyEmailChange` takes it.
//!
//! The answer is the same where the address has an account, and so are the calls and the time. The
//! owner gets a mail that says so, and no code is right then. A guest may ask a few times an hour,
//! so that nobody sends mails to strangers this way.
//!
//! If a call fails: before the mail, only counters have moved, and the proof is used up where it
//! was a mailed code. If the mail cannot be sent, the code is in nobody's hands. The next try mails
//! another.

mod change_email;

use auth_aws::{AddressCodes, Callers, ConfigurationError, Guests, Mailer, Platform};
use auth_domain::{
    AddressCodeRules, Email, Problem, ProofPurpose, Proofs, Randomness, SessionToken,
};
use auth_flows::{CodeMails, FreshProofs, GuestRequests, Requesters};
use auth_lambda::{
    Access, Delivery, Exchange, Fields, Function, Operation, ResponseFloor, session_token,
};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let per_address = environment.limit(
        "address-change-email",
        "OTP_STARTS_PER_EMAIL",
        "OTP_START_WINDOW_SECONDS",
    )?;
    let operation = ChangeEmail {
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, ChangeEmail::NAME, ProofPurpose::Email)?,
        guests: Guests::new(platform)?,
        requesters: Requesters::new(platform, ChangeEmail::NAME)?,
        per_guest: GuestRequests::new(platform, environment.address_changes()?)?,
        mails: CodeMails::new(platform, per_address)?,
        codes: AddressCodes::new(platform)?,
        mailer: Mailer::new(platform)?,
        rules: environment.address_code_rules()?,
        randomness: platform.randomness(),
        floor: ResponseFloor::new(environment.response_floor()?),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct ChangeEmail {
    callers: Callers,
    proofs: FreshProofs,
    guests: Guests,
    requesters: Requesters,
    per_guest: GuestRequests,
    mails: CodeMails,
    codes: AddressCodes,
    mailer: Mailer,
    rules: AddressCodeRules,
    randomness: Randomness,
    floor: ResponseFloor,
}

/// The proofs, and the address that is to be the guest's.
struct Input {
    email: Email,
    proofs: Proofs,
}

/// Where the code went, and the handle to prove it by.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AddressCodeSent {
    #[serde(serialize_with = "session_token")]
    session_token: SessionToken,
    expires_in: u64,
    delivery: Delivery,
}

impl Operation for ChangeEmail {
    const NAME: &'static str = "change-email";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = AddressCodeSent;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let email = fields.required("email");
        let proofs = fields.proofs();
        let input = || {
            Some(Input {
                email: email?,
                proofs: proofs?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<AddressCodeSent, Problem> {
        self.floor.hold(self.ask(&input, exchange)).await
    }
}
