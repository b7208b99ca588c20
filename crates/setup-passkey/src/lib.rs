//! `setupPasskey`, POST /me/passkeys: begins registering a passkey, and returns the options for the
//! browser.
//!
//! It takes a fresh proof, and the authenticator of a guest who has one: a passkey added by a
//! stolen session would outlive the session. The proof is a sign-in of its own. Its access token
//! keeps the scope that Cognito requires for passkeys. That token and its refresh token are sealed
//! in the registration's record until `verifyPasskeySetup`, and never leave.
//!
//! A sign-in that waits for a set-up sends its `sessionToken` in place of an access token. It also
//! needs the fresh proof: only a proof earns the token that Cognito requires.
//!
//! If a call fails: a mailed code is used up, and the proof's tokens are revoked or expire unused.
//! A registration that is not completed expires, and so does Cognito's challenge.

mod setup_passkey;

use auth_aws::{Callers, ConfigurationError, PasskeySetUps, Passkeys, Platform};
use auth_domain::{Clock, Problem, ProofPurpose, Proofs, Randomness, SessionToken};
use auth_flows::{Entrance, FreshProofs, WaitingSignIns};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;
use serde_json::Value;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    // Passkeys of another name would be useless at the front end, so the function does not start.
    platform.environment().relying_party()?;
    let operation = SetupPasskey {
        entrance: Entrance::new(platform)?,
        waiting: WaitingSignIns::new(platform)?,
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, SetupPasskey::NAME, ProofPurpose::Passkey)?,
        passkeys: Passkeys::new(platform)?,
        set_ups: PasskeySetUps::new(platform)?,
        clock: platform.clock(),
        randomness: platform.randomness(),
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct SetupPasskey {
    entrance: Entrance,
    waiting: WaitingSignIns,
    callers: Callers,
    proofs: FreshProofs,
    passkeys: Passkeys,
    set_ups: PasskeySetUps,
    clock: Clock,
    randomness: Randomness,
}

/// The proofs, and the sign-in that waits for the passkey, if one does.
struct Input {
    session_token: Option<SessionToken>,
    proofs: Proofs,
}

/// The browser's options for making a passkey.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Begun {
    #[serde(serialize_with = "auth_lambda::session_token")]
    session_token: SessionToken,
    options: Value,
}

impl Operation for SetupPasskey {
    const NAME: &'static str = "setup-passkey";
    const ACCESS: Access = Access::CallerOrProof;

    type Input = Input;
    type Output = Begun;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let (session_token, proofs) = (fields.optional("sessionToken"), fields.proofs());
        let input = || {
            Some(Input {
                session_token,
                proofs: proofs?,
            })
        };
        fields.finish_with(input())
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Begun, Problem> {
        self.begin(&input, exchange).await
    }
}
