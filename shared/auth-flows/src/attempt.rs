//! Counted attempts: claimed from their sign-in, counted against network and budget, and only then
//! evaluated.
//!
//! If the proof was not evaluated, the counts are restored. If that fails too, they stay until the
//! sign-in ends or the count ages out.

use std::time::Duration;

use auth_aws::{Event, HeldSignIns, Limits, SignIns, Undecided};
use auth_domain::{
    AttemptId, Attempts, HeldSignInId, Limit, LimitState, LimitSubject, Problem, SignIn, SignInId,
    Timestamp,
};
use tokio::join;

use crate::{
    CodeTries, NetworkAttempts, Requester, Turn,
    counted::{Counted, note_kept},
};

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
    at: Timestamp,
    claim: Option<Claim<'a>>,
    budget: Option<Budget<'a>>,
    left: Attempts,
}

/// The sign-in that grants an attempt.
pub(crate) enum Claim<'a> {
    /// One by mailed code or passkey, as it was when claimed.
    SignIn(&'a SignIns, SignInId, Box<SignIn>),
    /// One between its factors.
    Held(&'a HeldSignIns, HeldSignInId),
}

/// The budget of attempts over all sign-ins.
pub(crate) enum Budget<'a> {
    /// The codes that a requester may try.
    Codes(&'a CodeTries, Box<Requester<'a>>),
    /// The failures of an address, a device or a guest.
    Failures {
        limits: &'a Limits,
        limit: &'a Limit,
        subject: LimitSubject,
    },
}

impl<'a> Attempt<'a> {
    /// Counts an attempt against the network and the budget, side by side. If one of them refuses,
    /// the claim is released, and the budget's count restored.
    pub(crate) async fn count(
        turn: &Turn<'_>,
        claim: Option<Claim<'a>>,
        budget: Option<Budget<'a>>,
        network: Option<(&NetworkAttempts, &Requester<'_>)>,
    ) -> Result<Self, Problem> {
        let tally = Tally::count(turn, budget, network).await;
        tally.decide(turn, claim).await
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
        give_back(&self.id, self.at, self.claim.as_ref(), self.budget.as_ref()).await;
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
        // An end whose answer was lost may be written.
        if let Err(problem) = &ended
            && problem.may_have_acted()
        {
            self.reopen().await;
        }
        ended
    }

    /// Finishes the attempt beside the call that `recording` makes: nothing leaves before both are
    /// done. If the record alone fails, the sign-in is opened again, for another mail.
    pub async fn finish_beside<T>(
        &self,
        recording: impl Future<Output = Result<T, Problem>>,
    ) -> Result<T, Problem> {
        match &self.claim {
            // What finishing takes away from a held sign-in does not come back.
            Some(Claim::Held(_, _)) => {
                let recorded = recording.await?;
                self.finish().await?;
                Ok(recorded)
            }
            Some(Claim::SignIn(_, _, _)) | None => match join!(recording, self.finish()) {
                (Ok(recorded), Ok(())) => Ok(recorded),
                (Ok(_), Err(problem)) => Err(problem),
                (Err(problem), finished) => {
                    if finished.is_ok() {
                        self.reopen().await;
                    }
                    Err(problem)
                }
            },
        }
    }

    /// Opens a sign-in again that this attempt has ended, as it was when claimed.
    async fn reopen(&self) {
        if let Some(Claim::SignIn(sign_ins, id, sign_in)) = &self.claim
            && sign_ins.reopen(id, &self.id, sign_in).await.is_err()
        {
            tracing::warn!("a sign-in could not be opened again");
        }
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

/// The counts of an attempt, before anything is made of them.
pub(crate) struct Tally<'a> {
    budget: Option<Budget<'a>>,
    by_network: Counted,
    by_budget: Counted,
}

impl<'a> Tally<'a> {
    /// Counts side by side. A challenge that a person has solved is used up by its count, so then
    /// the network is asked before.
    pub(crate) async fn count(
        turn: &Turn<'_>,
        budget: Option<Budget<'a>>,
        network: Option<(&NetworkAttempts, &Requester<'_>)>,
    ) -> Self {
        let pays_with_work = network.is_some_and(|(_, requester)| requester.pays_with_work());
        let (by_network, by_budget) = {
            let counting = async {
                match network {
                    Some((network, requester)) => network.count(requester).await,
                    None => Counted::free(),
                }
            };
            let spending = async {
                match &budget {
                    Some(budget) => budget.count(turn).await,
                    None => Counted::free(),
                }
            };
            if pays_with_work {
                match counting.await {
                    admitted if admitted.is_admitted() => (admitted, spending.await),
                    refused => (refused, Counted::free()),
                }
            } else {
                join!(counting, spending)
            }
        };
        Self {
            budget,
            by_network,
            by_budget,
        }
    }

    /// Says what is left of each limit. If one has refused, the claim and the budget's count are
    /// given back.
    pub(crate) async fn decide(
        self,
        turn: &Turn<'_>,
        claim: Option<Claim<'a>>,
    ) -> Result<Attempt<'a>, Problem> {
        let Self {
            budget,
            by_network,
            by_budget,
        } = self;
        let left = by_budget.left().map_or(ENDLESS, attempts);
        let may_stand = by_budget.may_stand();
        let told = by_network.tell(turn.exchange);
        match told.and_then(|()| by_budget.tell(turn.exchange)) {
            Ok(()) => Ok(Attempt {
                id: turn.attempt.clone(),
                at: turn.now,
                claim,
                budget,
                left,
            }),
            Err(problem) => {
                let from_budget = budget.as_ref().filter(|_| may_stand);
                give_back(&turn.attempt, turn.now, claim.as_ref(), from_budget).await;
                Err(problem)
            }
        }
    }

    /// Gives the budget's count back, where the sign-in has granted no attempt.
    pub(crate) async fn give_back(self, turn: &Turn<'_>) {
        let may_stand = self.by_budget.may_stand();
        let budget = self.budget.as_ref().filter(|_| may_stand);
        give_back(&turn.attempt, turn.now, None, budget).await;
    }
}

impl Claim<'_> {
    async fn give_back(&self, attempt: &AttemptId) -> Result<(), Problem> {
        match self {
            Self::SignIn(sign_ins, id, _) => sign_ins.give_back(id, attempt).await,
            Self::Held(held, id) => held.give_back(id, attempt).await,
        }
    }

    async fn finish(&self, attempt: &AttemptId) -> Result<(), Problem> {
        let is_finished = match self {
            Self::SignIn(sign_ins, id, _) => sign_ins.finish(id, attempt).await?,
            Self::Held(held, id) => held.finish(id, attempt).await?,
        };
        if is_finished {
            Ok(())
        } else {
            Err(Problem::SignInCompleted)
        }
    }
}

impl Budget<'_> {
    async fn count(&self, turn: &Turn<'_>) -> Counted {
        match self {
            Self::Codes(tries, requester) => tries.count(requester).await,
            Self::Failures {
                limits,
                limit,
                subject,
            } => {
                let event = turn.event(subject);
                Counted::new(limits.admit(limit, event).await)
            }
        }
    }

    async fn give_back(&self, attempt: &AttemptId, at: Timestamp) -> Result<(), Problem> {
        match self {
            Self::Codes(tries, requester) => tries.give_back(requester).await,
            Self::Failures {
                limits,
                limit,
                subject,
            } => {
                let event = Event {
                    subject,
                    attempt,
                    now: at,
                };
                limits.take_back(limit, event).await
            }
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

async fn give_back(
    attempt: &AttemptId,
    at: Timestamp,
    claim: Option<&Claim<'_>>,
    budget: Option<&Budget<'_>>,
) {
    let from_claim = async {
        match claim {
            Some(claim) => claim.give_back(attempt).await,
            None => Ok(()),
        }
    };
    let from_budget = async {
        match budget {
            Some(budget) => budget.give_back(attempt, at).await,
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
