//! Admission of tries of a code, by the requester's budget.

use auth_aws::{ConfigurationError, Limits, Platform};
use auth_domain::{Problem, TryLimits};

use crate::{Requester, counted::Counted, requester::CodeUse};

/// Admission of tries of a code, counted before the code is evaluated.
#[derive(Clone)]
pub struct CodeTries {
    limits: Limits,
    tries: TryLimits,
    code_use: CodeUse,
}

impl CodeTries {
    /// Tries under these limits.
    pub fn new(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            tries,
            code_use: CodeUse::Proof,
        })
    }

    /// Tries at recovery, which Cognito itself limits for each user.
    pub fn for_recovery(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            code_use: CodeUse::Recovery,
            ..Self::new(platform, tries.of_recovery())?
        })
    }

    /// Counts a try.
    pub(crate) async fn count(&self, requester: &Requester<'_>) -> Counted {
        let budget = requester.code_budget(self.code_use);
        let (payer, event) = (requester.payer(), requester.event(&budget));
        let counting = self.limits.admit_try(&self.tries, payer, event);
        Counted::or(counting.await, |refusal| requester.refused(refusal))
    }

    /// Restores the count of an attempt without evaluation.
    pub async fn give_back(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        let budget = requester.code_budget(self.code_use);
        let (payer, event) = (requester.payer(), requester.event(&budget));
        self.limits.take_back_try(&self.tries, payer, event).await
    }

    /// Forgets the tries of the requester's budget: the right code was among them (NIST SP
    /// 800-63B-4 §3.2.2).
    pub async fn clear(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        self.limits
            .clear_tries(&self.tries, &requester.code_budget(self.code_use))
            .await
    }
}
