//! `requestProof`, POST /me/proof: asks the caller to prove themselves again, for one change: mails
//! a code, or returns a challenge for a passkey.
//!
//! The answer counts for its purpose, in the session that asked, once. It signs nobody in, and a
//! code or passkey of a sign-in proves nothing here. The mails are counted for the guest, so
//! strangers cannot spend a signed-in guest's budget. The options list the guest's passkeys, so
//! that the browser offers no other account's.
//!
//! If a call fails: before Cognito is asked, only counters have moved. If the proof cannot be
//! stored after Cognito's answer, that mail's code or that challenge proves nothing, and the next
//! try begins another.

mod request_proof;

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Problem, ProofMethod, ProofPurpose};
use auth_flows::{ProofChallenges, ProofMails};
use auth_lambda::{Access, CodeSent, Exchange, Fields, Function, Operation, PasskeyAsked};
use serde::Serialize;

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = RequestProof {
        callers: Callers::new(platform)?,
        mails: ProofMails::new(platform, RequestProof::NAME)?,
        challenges: ProofChallenges::new(platform)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct RequestProof {
    callers: Callers,
    mails: ProofMails,
    challenges: ProofChallenges,
}

/// The change, and the means of the proof.
struct Input {
    purpose: ProofPurpose,
    method: ProofMethod,
}

/// The question to the guest.
#[derive(Serialize)]
#[serde(untagged)]
enum Asked {
    /// For the code of a mail.
    Mail(CodeSent),
    /// For a passkey.
    Passkey(PasskeyAsked),
}

impl Operation for RequestProof {
    const NAME: &'static str = "request-proof";
    const ACCESS: Access = Access::Caller;

    type Input = Input;
    type Output = Asked;

    fn parse(&self, fields: &mut Fields) -> Result<Input, Problem> {
        let purpose = fields.required("purpose");
        let method = fields.optional("method").unwrap_or_default();
        fields.finish_with(purpose.map(|purpose| Input { purpose, method }))
    }

    async fn run(&self, input: Input, exchange: &Exchange) -> Result<Asked, Problem> {
        self.request(&input, exchange).await
    }
}
