//! Admission of tries of a code, by the requester's budget.

use auth_aws::{ConfigurationError, Limits, Platform};
use auth_domain::{LimitSubject, Problem, TryLimits};

use crate::{Requester, counted::Counted};

/// Admission of tries of a code, counted before the code is evaluated.
#[derive(Clone)]
pub struct CodeTries {
    limits: Limits,
    tries: TryLimits,
    is_recovery: bool,
}

impl CodeTries {
    /// Tries under these limits.
    pub fn new(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            limits: Limits::new(platform)?,
            tries,
            is_recovery: false,
        })
    }

    /// Tries at recovery, which Cognito itself limits for each user.
    pub fn for_recovery(platform: &Platform, tries: TryLimits) -> Result<Self, ConfigurationError> {
        Ok(Self {
            is_recovery: true,
            ..Self::new(platform, tries.of_recovery())?
        })
    }

    fn budget(&self, requester: &Requester<'_>) -> LimitSubject {
        if self.is_recovery {
            requester.shared_budget()
        } else {
            requester.budget()
        }
    }

    /// Counts a try.
    pub(crate) async fn count(&self, requester: &Requester<'_>) -> Counted {
        let budget = self.budget(requester);
        let event = requester.event(&budget);
        let counting = self
            .limits
            .admit_try(&self.tries, requester.solved(), event);
        Counted::or(counting.await, |refusal| requester.refused(refusal))
    }

    /// Restores the count of an attempt without evaluation.
    pub async fn give_back(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        let budget = self.budget(requester);
        let (is_solved, event) = (requester.pays_with_work(), requester.event(&budget));
        self.limits
            .take_back_try(&self.tries, is_solved, event)
            .await
    }

    /// Forgets the tries of the requester's budget: the right code was among them (NIST SP
    /// 800-63B-4 §3.2.2).
    pub async fn clear(&self, requester: &Requester<'_>) -> Result<(), Problem> {
        self.limits
            .clear_tries(&self.tries, &self.budget(requester))
            .await
    }
}
