//! What came of a count, before the answer hears of it.

use auth_aws::{Count, Refusal};
use auth_domain::{LimitState, Problem};
use auth_lambda::Exchange;

/// What came of one count. Counts stand side by side, so the answer hears of each afterwards, in
/// one order.
pub(crate) struct Counted {
    states: Vec<LimitState>,
    outcome: Result<(), Problem>,
    is_free: bool,
}

impl Counted {
    /// A count whose refusal nothing can turn.
    pub(crate) fn new(count: Result<Count, Problem>) -> Self {
        Self::or(count, Problem::from)
    }

    /// A count whose refusal has an answer of its own.
    pub(crate) fn or(
        count: Result<Count, Problem>,
        refused: impl FnOnce(Refusal) -> Problem,
    ) -> Self {
        let (states, outcome) = match count {
            Ok(Count { states, refusal }) => (
                states,
                refusal.map_or(Ok(()), |refusal| Err(refused(refusal))),
            ),
            Err(problem) => (Vec::new(), Err(problem)),
        };
        Self {
            states,
            outcome,
            is_free: false,
        }
    }

    /// A count that the answer does not show.
    pub(crate) fn unseen(outcome: Result<(), Problem>) -> Self {
        Self {
            states: Vec::new(),
            outcome,
            is_free: false,
        }
    }

    /// Where nothing is counted.
    pub(crate) fn free() -> Self {
        Self {
            states: Vec::new(),
            outcome: Ok(()),
            is_free: true,
        }
    }

    /// Whether there surely is something to take back.
    pub(crate) fn stands(&self) -> bool {
        self.outcome.is_ok() && !self.is_free
    }

    /// Whether there may be something to take back. A refusal has counted nothing. A lost answer
    /// may have.
    pub(crate) fn may_stand(&self) -> bool {
        match &self.outcome {
            Ok(()) => !self.is_free,
            Err(problem) => problem.may_have_acted(),
        }
    }

    /// Whether nothing refuses, and nothing failed.
    pub(crate) fn is_admitted(&self) -> bool {
        self.outcome.is_ok()
    }

    /// What is left of the last limit.
    pub(crate) fn left(&self) -> Option<LimitState> {
        self.states.last().copied()
    }

    /// Says in the answer's `RateLimit` fields what is left, and refuses what is over.
    pub(crate) fn tell(self, exchange: &Exchange) -> Result<(), Problem> {
        for state in self.states {
            exchange.rate_limit(state);
        }
        self.outcome
    }
}

/// Logs that a mail stays counted. The limits are only stricter than promised.
pub(crate) fn note_unsent(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("a mail that was not sent stays counted");
    }
}

/// Logs that an attempt stays counted. The request does not fail: the limits are only stricter than
/// promised.
pub(crate) fn note_kept(given_back: &Result<(), Problem>) {
    if given_back.is_err() {
        tracing::warn!("an attempt that was not evaluated stays counted");
    }
}
