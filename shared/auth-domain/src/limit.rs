//! Limits as rules. The tables count the events.

use std::time::Duration;

use crate::{SolvedWork, Timestamp};

/// At most `quota` events; `ageing` says when an event no longer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The policy's name in the `RateLimit` fields and in the table.
    pub name: &'static str,
    /// The number of events.
    pub quota: u32,
    /// The time in which they count.
    pub window: Duration,
    /// How events leave the count.
    pub ageing: Ageing,
}

/// How a limit forgets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ageing {
    /// Each event by itself, when it is as old as the window: at most `quota` in any span of the
    /// window.
    OneByOne,
    /// All together, when the window has passed without another: slow events add up as quick ones
    /// do.
    AfterQuiet,
}

/// The rest of a limit after an event was counted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The rule.
    pub limit: Limit,
    /// The number of further events that it admits now.
    pub remaining: u32,
    /// Seconds until the limit admits one more event than now.
    pub reset_seconds: u64,
}

/// The attempts for one address: by strangers, and by people who solved a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TryLimits {
    /// All strangers together.
    pub strangers: Limit,
    /// The extra attempts for solved challenges.
    pub solved: Limit,
}

/// Mails with a code for one mailbox, over all operations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CodeMailLimits {
    /// All strangers together, by the hour.
    pub strangers_per_hour: Limit,
    /// All strangers together, by the day.
    pub strangers_per_day: Limit,
    /// The extra attempts for solved challenges.
    pub solved_per_hour: Limit,
    /// All requesters together.
    pub total_per_day: Limit,
}

impl CodeMailLimits {
    /// The number of mails a day up to which this payer gets another one.
    #[must_use]
    pub const fn total_for(&self, payer: Payer<'_>) -> Limit {
        Limit {
            quota: payer.part_of(self.total_per_day.quota),
            ..self.total_per_day
        }
    }
}

/// An operation's own limit on mails with a code for one mailbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnMailLimits {
    /// All strangers together.
    pub strangers: Limit,
    /// Strangers and solved challenges together. `None` if only the mailbox's limits apply to
    /// challenges.
    pub with_solved: Option<Limit>,
}

/// Recoveries that solved challenges buy in addition to the strangers' limit. Cognito itself may
/// refuse a user after five an hour from all callers, and known devices need some of those.
const SOLVED_AT_RECOVERY: u32 = 1;

impl OwnMailLimits {
    /// The limits of recovery by a mailed code.
    #[must_use]
    pub const fn of_recovery(strangers: Limit) -> Self {
        let with_solved = Limit {
            quota: strangers.quota.saturating_add(SOLVED_AT_RECOVERY),
            ..strangers
        };
        Self {
            strangers,
            with_solved: Some(with_solved),
        }
    }
}

impl TryLimits {
    /// The same for recovery by a mailed code.
    #[must_use]
    pub fn of_recovery(self) -> Self {
        let solved = Limit {
            quota: self.solved.quota.min(SOLVED_AT_RECOVERY),
            ..self.solved
        };
        Self { solved, ..self }
    }
}

/// The budget that pays for a request.
#[derive(Clone, Copy, Debug)]
pub enum Payer<'a> {
    /// The budget that all strangers share.
    Stranger,
    /// The budget of requests with a solved challenge.
    Solved(&'a SolvedWork),
    /// An agent's own. It may speak for a stranger, and solves no challenges.
    Agent,
    /// The requester's own budget: a known device's, or a signed-in guest's.
    Known,
}

impl<'a> Payer<'a> {
    /// The solved challenge that a count uses up.
    #[must_use]
    pub const fn solved(self) -> Option<&'a SolvedWork> {
        match self {
            Self::Solved(solved) => Some(solved),
            Self::Stranger | Self::Agent | Self::Known => None,
        }
    }

    /// This payer's part of a quota that all payers share. A fifth is reserved for known devices
    /// and signed-in guests, so strangers who solve challenges or who talk to an agent cannot spend
    /// it.
    const fn part_of(self, quota: u32) -> u32 {
        match self {
            Self::Known => quota,
            Self::Stranger | Self::Solved(_) | Self::Agent => quota - quota / 5,
        }
    }
}

/// The whole pool's limits in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolLimits {
    /// The limit on mails with a code. It protects the mail quota that all guests share.
    pub mails: Limit,
    /// The number of new users from which on strangers must pay with work.
    pub new_users: u32,
}

/// Whether a mail may need a new Cognito user for its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewUser {
    /// The address may have no user.
    Possible,
    /// No user is made.
    Never,
}

/// One mail, as the pool counts it.
#[derive(Clone, Copy, Debug)]
pub struct PoolRequest<'a> {
    /// The payer of the request.
    pub payer: Payer<'a>,
    /// Whether it may need a new user.
    pub new_user: NewUser,
}

impl PoolLimits {
    /// The number of mails a minute up to which this payer gets another one.
    #[must_use]
    pub const fn mails_for(&self, payer: Payer<'_>) -> u32 {
        payer.part_of(self.mails.quota)
    }
}

impl Limit {
    /// The state of a limit that admits nothing until `end`.
    #[must_use]
    pub fn spent_until(self, end: Timestamp, now: Timestamp) -> LimitState {
        LimitState {
            limit: self,
            remaining: 0,
            reset_seconds: end.seconds_from(now).max(1),
        }
    }

    /// The state that `events` make at `now`: the instants counted so far, the newest first.
    #[must_use]
    pub fn state(&self, events: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> LimitState {
        let mut counted = 0;
        let mut frees = now.after(self.window);
        let mut later = now;
        for event in events {
            let is_over = match self.ageing {
                Ageing::OneByOne => event.after(self.window) <= now,
                Ageing::AfterQuiet => event.after(self.window) <= later,
            };
            if is_over || counted == self.quota {
                break;
            }
            let is_newest = counted == 0;
            counted += 1;
            // One by one, the oldest counted event is the next to leave. After quiet, all leave
            // with the newest.
            if is_newest || self.ageing == Ageing::OneByOne {
                frees = event.after(self.window);
            }
            later = event;
        }
        LimitState {
            limit: *self,
            remaining: self.quota - counted,
            reset_seconds: frees.seconds_from(now).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Limit = Limit {
        name: "otp-start-email",
        quota: 2,
        window: Duration::from_mins(15),
        ageing: Ageing::OneByOne,
    };

    fn left(limit: Limit, newest_first: &[i64], now: i64) -> (u32, u64) {
        let events = newest_first
            .iter()
            .map(|second| Timestamp::from_seconds(*second));
        let state = limit.state(events, Timestamp::from_seconds(now));
        (state.remaining, state.reset_seconds)
    }

    #[test]
    fn a_log_that_is_longer_than_the_quota_counts_its_newest_events() {
        assert_eq!(left(LIMIT, &[1200, 1100, 1000], 1300), (0, 700));
    }

    #[test]
    fn after_quiet_all_events_go_together() {
        let limit = Limit {
            quota: 3,
            ageing: Ageing::AfterQuiet,
            ..LIMIT
        };
        assert_eq!(left(limit, &[], 0), (3, 900));
        // The older two are far outside the window. They count while no quiet window follows them.
        let slow = [2600, 1800, 1000];
        assert_eq!(left(limit, &slow, 3499), (0, 1));
        assert_eq!(left(limit, &slow, 3500), (3, 900));
        // 900 seconds lie between the older two, so the events before that gap are forgotten.
        assert_eq!(left(limit, &[2700, 1900, 1000], 2700), (1, 900));
    }

    #[test]
    fn an_event_counts_until_its_window_is_over_and_not_a_moment_longer() {
        let first = Timestamp::from_seconds(1000);
        let later = |seconds: i64| LIMIT.state([first], Timestamp::from_seconds(1000 + seconds));
        assert_eq!((later(0).remaining, later(0).reset_seconds), (1, 900));
        assert_eq!((later(899).remaining, later(899).reset_seconds), (1, 1));
        assert_eq!((later(900).remaining, later(900).reset_seconds), (2, 900));
    }
}
