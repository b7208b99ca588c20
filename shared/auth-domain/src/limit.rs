//! Limits as rules; who counts them is the tables' business.

use std::time::Duration;

use crate::Timestamp;

/// At most `quota` events in any span of `window`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The policy's name in the `RateLimit` fields and in the table.
    pub name: &'static str,
    /// How many.
    pub quota: u32,
    /// In how long.
    pub window: Duration,
}

/// What is left of a limit after an event was counted or refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LimitState {
    /// The rule.
    pub limit: Limit,
    /// How many more events it admits now.
    pub remaining: u32,
    /// Seconds until it admits one more than now.
    pub reset_seconds: u64,
}

impl Limit {
    /// The state of a limit that admits nothing more until `end`.
    #[must_use]
    pub fn spent_until(self, end: Timestamp, now: Timestamp) -> LimitState {
        LimitState {
            limit: self,
            remaining: 0,
            reset_seconds: end.seconds_from(now).max(1),
        }
    }

    /// The state that `events`, the instants counted so far, make at `now`. Those older than the window do not count.
    #[must_use]
    pub fn state(&self, events: impl IntoIterator<Item = Timestamp>, now: Timestamp) -> LimitState {
        let cutoff = now.before(self.window);
        let mut counted = 0;
        let mut oldest: Option<Timestamp> = None;
        for event in events.into_iter().filter(|event| *event > cutoff) {
            counted += 1;
            oldest = Some(oldest.map_or(event, |known| known.min(event)));
        }
        let reset = oldest.map_or(now.after(self.window), |event| event.after(self.window));
        LimitState {
            limit: *self,
            remaining: self.quota.saturating_sub(counted),
            reset_seconds: reset.seconds_from(now).max(1),
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
    };

    #[test]
    fn an_event_counts_until_its_window_is_over_and_not_a_moment_longer() {
        let first = Timestamp::from_seconds(1000);
        let later = |seconds: i64| LIMIT.state([first], Timestamp::from_seconds(1000 + seconds));
        assert_eq!((later(0).remaining, later(0).reset_seconds), (1, 900));
        assert_eq!((later(899).remaining, later(899).reset_seconds), (1, 1));
        assert_eq!((later(900).remaining, later(900).reset_seconds), (2, 900));
    }
}
