//! `verifyPasskeySetup`, POST /me/passkeys/verify: completes the registration of a passkey. From
//! then on it is on the guest's list, and signs in.
//!
//! A registration takes one answer, right or wrong, because any answer uses up Cognito's challenge.
//! No session ends: a new passkey invalidates nothing. The guest gets a notice by mail. A caller's
//! passkey whose device has verified its user stops an operator's reset that waits, as
//! `keepFactors` does.
//!
//! If a sign-in waits for the passkey, its registration needs no access token. A passkey whose
//! device has verified its user finishes that sign-in, and the answer has its tokens. Any other
//! passkey is put on the list, and the sign-in still waits. The sign-in is refused if the guest has
//! a second factor by now, or has signed out everywhere since: the write to the list decides that
//! as well.
//!
//! If the deployment demands verified users, a passkey whose device verifies nobody is refused
//! before Cognito has it.
//!
//! If a call fails: the registration is used up, its tokens are revoked or expire unused, and
//! another can begin. If the list cannot be written, the passkey is deleted at Cognito and from the
//! list. If that fails too, it stays at Cognito, takes one of the twenty places, and cannot sign
//! in. If the last answer is lost, the passkey is on the list. If the waiting sign-in cannot be
//! finished after that, the passkey comes without tokens.

mod verify_passkey_setup;

use auth_aws::{
    Callers, ConfigurationError, PasskeyList, PasskeySetUps, Passkeys, Platform, TokenService,
};
use auth_domain::{
    Attestation, Clock, Passkey, PasskeyName, Problem, Randomness, SessionToken, UserVerification,
};
use auth_flows::{Activities, Entrance, Notices, SetUpSignIns};
use auth_lambda::{Access, Exchange, Fields, Function, Operation, SignedIn};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = VerifyPasskeySetup {
        entrance: Entrance::new(platform)?,
        waiting: SetUpSignIns::new(platform, VerifyPasskeySetup::NAME, "set-up-network")?,
        callers: Callers::new(platform)?,
        set_ups: PasskeySetUps::new(platform)?,
        passkeys: Passkeys::new(platform)?,
        list: PasskeyList::new(platform)?,
        token_service: TokenService::new(platform)?,
        activities: Activities::new(platform)?,
        notices: Notices::new(platform)?,
        user_verification: platform
            .environment()
            .required("PASSKEY_USER_VERIFICATION")?,
        clock: platform.clock(),
        randomness: platform.randomness(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct VerifyPasskeySetup {
    entrance: Entrance,
    waiting: SetUpSignIns,
    callers: Callers,
    set_ups: PasskeySetUps,
    passkeys: Passkeys,
    list: PasskeyList,
    token_service: TokenService,
    activities: Activities,
    notices: Notices,
    user_verification: UserVerification,
    clock: Clock,
    randomness: Randomness,
}

/// The browser's answer, and the registration that it is for.
struct Input {
    session_token: SessionToken,
    attestation: Attestation,
    name: Option<PasskeyName>,
}

/// The passkey, and the tokens of a sign-in that waited for it.
#[derive(Serialize)]
struct Completed {
    #[serde(flatten)]
    passkey: Passkey,
    #[serde(flatten)]
    signed_in: Option<SignedIn>,
}

impl Operation for VerifyPasskeySetup {
    const NAME: &'static str = "verify-passkey-setup";
    const ACCESS: Access = Access::CallerOrProof;
    const STATUS: u16 = 201;

    type Input = Input;
    type Output = Completed;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let session_token = fields.required("sessionToken");
        let attestation = fields.attestation("credential");
        let name = fields.optional("name");
        let input = || {
            Some(Input {
                session_token: session_token?,
                attestation: attestation?,
                name,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Completed, Problem> {
        self.complete(&input, exchange).await
    }
}
