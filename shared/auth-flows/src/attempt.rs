//! Counted attempts: claimed from their sign-in, counted against network and budget, and only then
//! evaluated.
//!
//! If the proof was not evaluated, the counts are restored. If that fails too, they stay until the
//! sign-in ends or the count ages out.

use std::time::Duration;

use auth_aws::{Limits, SecondFactors, SignIns, Undecided};
use auth_domain::{AttemptId, Attempts, Limit, LimitState, Problem, SignInId};
use tokio::join;

use crate::{CodeTries, NetworkAttempts, Requester, Turn};

/// Pauses before each check whether another attempt has ended the sign-in.
const OTHERS_END: [Duration; 3] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_millis(200),
];

/// The rest for an attempt without a budget.
const ENDLESS: Attempts = Attempts {
    made: 0,
    remaining: u32::MAX,
};

/// An attempt, and all its counts.
pub struct Attempt<'a> {
    id: AttemptId,
    claim: Option<Claim<'a>>,
    budget: Option<Budget<'a>>,
    left: Attempts,
}

/// The sign-in that grants an attempt.
pub(crate) enum Claim<'a> {
    /// One by mailed code.
    SignIn(&'a SignIns, SignInId),
    /// One between its factors.
    Held(&'a SecondFactors, SignInId),
}

/// The budget of attempts over all sign-ins.
pub(crate) enum Budget<'a> {
    /// The codes that a requester may try.
    Codes(&'a CodeTries, Box<Requester<'a>>),
    /// The failures of an address, a device or a guest.
    Failures {
        limits: &'a Limits,
        limit: &'a Limit,
        subject: String,
    },
}

impl<'a> Attempt<'a> {
    /// Counts an attempt against the network, then against the budget, so a network past its limit
    /// does not spend an address's budget. If one of them refuses, the claim is released.
    pub(crate) async fn count(
        turn: &Turn<'_>,
        claim: Option<Claim<'a>>,
        budget: Option<Budget<'a>>,
        network: Option<(&NetworkAttempts, &Requester<'_>)>,
    ) -> Result<Self, Problem> {
        let admitted = match network {
            Some((network, requester)) => network.admit(requester).await,
            None => Ok(()),
        };
        if let Err(problem) = admitted {
            give_back(&turn.attempt, claim.as_ref(), None).await;
            return Err(problem);
        }
        let counted = match &budget {
            Some(budget) => budget.count(turn).await.map(attempts),
            None => Ok(ENDLESS),
        };
        match counted {
            Ok(left) => Ok(Self {
                id: turn.attempt.clone(),
                claim,
                budget,
                left,
            }),
            Err(problem) => {
                // A refusal counted nothing. A lost answer may have.
                let may_be_counted = problem.report().is_some();
                let from_budget = budget.as_ref().filter(|_| may_be_counted);
                give_back(&turn.attempt, claim.as_ref(), from_budget).await;
                Err(problem)
            }
        }
    }

    /// Counts an attempt at a code that belongs to no sign-in.
    pub async fn at_code(
        tries: &'a CodeTries,
        network: &NetworkAttempts,
        requester: &Requester<'a>,
    ) -> Result<Self, Problem> {
        let budget = Budget::Codes(tries, Box::new(requester.clone()));
        let through = Some((network, requester));
        Self::count(&requester.turn(), None, Some(budget), through).await
    }

    /// Evaluates the attempt's proof. If the call fails before that, the attempt's counts are
    /// restored.
    pub async fn evaluate<T>(
        &self,
        evaluating: impl Future<Output = Result<T, Undecided>>,
    ) -> Result<T, Problem> {
        match evaluating.await {
            Ok(decided) => Ok(decided),
            Err(undecided) => {
                if !undecided.may_be_evaluated {
                    self.give_back().await;
                }
                Err(undecided.problem)
            }
        }
    }

    /// Restores the counts of an attempt whose proof was not evaluated.
    pub async fn give_back(&self) {
        give_back(&self.id, self.claim.as_ref(), self.budget.as_ref()).await;
    }

    /// Ends the sign-in of the attempt, and clears the failures of its budget, because the proof
    /// was right (NIST SP 800-63B-4 §3.2.2). One conditional write decides between two right
    /// proofs, and refuses the second.
    pub async fn finish(&self) -> Result<(), Problem> {
        let ending = async {
            match &self.claim {
                Some(claim) => claim.finish(&self.id).await,
                None => Ok(()),
            }
        };
        let (ended, ()) = join!(ending, self.clear());
        ended
    }

    /// Forgets the failures of the attempt's budget.
    pub async fn clear(&self) {
        if let Some(budget) = &self.budget {
            budget.clear_or_note().await;
        }
    }

    /// The rest of the budget; unlimited without one.
    #[must_use]
    pub fn left(&self) -> Attempts {
        self.left
    }
}

impl Claim<'_> {
    async fn give_back(&self, attempt: &AttemptId) -> Result<(), Problem> {
        match self {
            Self::SignIn(sign_ins, id) => sign_ins.give_back(id, attempt).await,
            Self::Held(second_factors, id) => second_factors.give_back(id, attempt).await,
        }
    }

    async fn finish(&self, attempt: &AttemptId) -> Result<(), Problem> {
        let is_finished = match self {
            Self::SignIn(sign_ins, id) => sign_ins.finish(id, attempt).await?,
            Self::Held(second_factors, id) => second_factors.finish(id, attempt).await?,
        };
        if is_finished {
            Ok(())
        } else {
            Err(Problem::SignInCompleted)
        }
    }
}

impl Budget<'_> {
    async fn count(&self, turn: &Turn<'_>) -> Result<LimitState, Problem> {
        match self {
            Self::Codes(tries, requester) => tries.admit(requester).await,
            Self::Failures {
                limits,
                limit,
                subject,
            } => {
                let mut left = limit.spent_until(turn.now, turn.now);
                let noted = |state| {
                    left = state;
                    turn.exchange.rate_limit(state);
                };
                let counting = limits.admit(limit, subject, &turn.attempt, turn.now, noted);
                counting.await?;
                Ok(left)
            }
        }
    }

    async fn give_back(&self, attempt: &AttemptId) -> Result<(), Problem> {
        match self {
            Self::Codes(tries, requester) => tries.give_back(requester).await,
            Self::Failures {
                limits,
                limit,
                subject,
            } => limits.take_back(limit, subject, attempt).await,
        }
    }

    pub(crate) async fn clear_or_note(&self) {
        if self.clear().await.is_err() {
            tracing::warn!("a count of failures could not be cleared, and will age out");
        }
    }

    async fn clear(&self) -> Result<(), Problem> {
        match self {
            Self::Codes(tries, requester) => tries.clear(requester).await,
            Self::Failures {
                limits,
                limit,
                subject,
            } => limits.clear(limit, subject).await,
        }
    }
}

/// The attempts in a limit's state.
fn attempts(left: LimitState) -> Attempts {
    Attempts {
        made: left.limit.quota.saturating_sub(left.remaining),
        remaining: left.remaining,
    }
}

async fn give_back(attempt: &AttemptId, claim: Option<&Claim<'_>>, budget: Option<&Budget<'_>>) {
    let from_claim = async {
        match claim {
            Some(claim) => claim.give_back(attempt).await,
            None => Ok(()),
        }
    };
    let from_budget = async {
        match budget {
            Some(budget) => budget.give_back(attempt).await,
            None => Ok(()),
        }
    };
    let (claim, budget) = join!(from_claim, from_budget);
    note_kept(&claim.and(budget));
}

/// Waits for a concurrent attempt that may be ending the same sign-in: a double click sends a right
/// code twice. The first attempt has used up the code at Cognito, and makes more calls before it
/// writes the sign-in's end. The second attempt polls for longer than those calls take, with few
/// reads. `looking` returns the number of attempts, or the problem of an ended sign-in. Returns
/// `None` if no other attempt ends the sign-in.
pub(crate) async fn others_end<F>(looking: impl Fn() -> F) -> Option<Problem>
where
    F: Future<Output = Result<u32, Problem>>,
{
    for pause in OTHERS_END {
        tokio::time::sleep(pause).await;
        match looking().await {
            Ok(attempts) if attempts > 1 => {}
            Ok(_) => return None,
            Err(problem) => return Some(problem),
        }
    }
    None
}

/// Logs that an attempt stays counted. The request does not fail: the limits are only stricter than
/// promised.
pub(crate) fn note_kept(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that was not evaluated stays counted");
    }
}
