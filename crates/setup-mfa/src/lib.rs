//! `setupMfa`, POST /auth/mfa/setup: begins setting up an authenticator, and shows its secret once,
//! as text, URI and QR code.
//!
//! It takes an access token, or the `sessionToken` of a sign-in that waits for a set-up. The latter
//! has just proved a factor. Its guest must have no second factor yet.
//!
//! A session alone does not suffice: the guest needs a fresh proof, the password or a mailed code.
//! A guest with an authenticator must show it too, or a backup code. Otherwise a reader of the
//! guest's mail could replace it. The old authenticator stays in force until `verifyMfaSetup` gets
//! the new one's first code. A later set-up replaces this one.
//!
//! If a call fails: nothing has changed, except that a mailed code and a code of the present
//! authenticator are used up; counts without evaluation are restored. If the last answer is lost,
//! the unseen secret expires.

mod qr_code;
mod setup_mfa;

use std::time::Duration;

use auth_aws::{Authenticators, Callers, ConfigurationError, Platform};
use auth_domain::{Clock, Problem, ProofPurpose, Proofs, Randomness, SessionToken, TotpIssuer};
use auth_flows::{Entrance, FreshProofs, WaitingSignIns};
use auth_lambda::{Access, Exchange, Fields, Function, Operation};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let environment = platform.environment();
    let operation = SetupMfa {
        entrance: Entrance::new(platform)?,
        waiting: WaitingSignIns::new(platform)?,
        callers: Callers::new(platform)?,
        proofs: FreshProofs::new(platform, SetupMfa::NAME, ProofPurpose::Authenticator)?,
        authenticators: Authenticators::new(platform)?,
        clock: platform.clock(),
        randomness: platform.randomness(),
        issuer: environment.required("TOTP_ISSUER")?,
        lifetime: environment.set_up_lifetime()?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct SetupMfa {
    entrance: Entrance,
    waiting: WaitingSignIns,
    callers: Callers,
    proofs: FreshProofs,
    authenticators: Authenticators,
    clock: Clock,
    randomness: Randomness,
    issuer: TotpIssuer,
    lifetime: Duration,
}

/// The owner of the new authenticator.
enum Input {
    /// The guest of a sign-in that waits for it.
    Waiting(SessionToken),
    /// A caller, with proofs. The second factor is the authenticator that the new one replaces.
    Caller(Proofs),
}

/// The new authenticator, to be taken up by the guest's app.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SetUp {
    secret: String,
    otpauth_uri: String,
    qr_svg: String,
    qr_png: String,
    expires_in: u64,
}

impl Operation for SetupMfa {
    const NAME: &'static str = "setup-mfa";
    const ACCESS: Access = Access::CallerOrProof;

    type Input = Input;
    type Output = SetUp;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let input = if fields.has("sessionToken") {
            fields.required("sessionToken").map(Input::Waiting)
        } else {
            fields.proofs().map(Input::Caller)
        };
        fields.finish_with(input)
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<SetUp, Problem> {
        self.set_up(&input, exchange).await
    }
}
