//! `requestProof`, POST /me/proof: mails a code that proves the caller again, for one change.
//!
//! The code counts for its purpose, in the session that asked, once. It signs nobody in, and a code
//! of a sign-in proves nothing here. The mails are counted for the guest, so strangers cannot spend
//! a signed-in guest's budget.
//!
//! If a call fails: before Cognito is asked, only counters have moved. If the proof cannot be
//! stored after the mail was sent, that mail's code proves nothing, and the next try mails another.

mod request_proof;

use auth_aws::{Callers, ConfigurationError, Platform};
use auth_domain::{Problem, ProofPurpose};
use auth_flows::ProofMails;
use auth_lambda::{Access, CodeSent, Exchange, Fields, Function, Operation};

/// The function with its dependencies.
pub fn function(platform: &Platform) -> Result<Function, ConfigurationError> {
    let operation = RequestProof {
        callers: Callers::new(platform)?,
        mails: ProofMails::new(platform, RequestProof::NAME)?,
    };
    let deployment = platform.deployment_with_callers()?;
    Ok(Function::operation(operation, deployment))
}

/// The operation's dependencies.
struct RequestProof {
    callers: Callers,
    mails: ProofMails,
}

impl Operation for RequestProof {
    const NAME: &'static str = "request-proof";
    const ACCESS: Access = Access::Caller;

    type Input = ProofPurpose;
    type Output = CodeSent;

    fn parse(&self, fields: &mut Fields) -> Result<ProofPurpose, Problem> {
        let purpose = fields.required("purpose");
        fields.finish_with(purpose)
    }

    async fn run(&self, purpose: ProofPurpose, exchange: &Exchange) -> Result<CodeSent, Problem> {
        self.request(purpose, exchange).await
    }
}
