//! Counting in fixed windows of the clock, one item and one counter each.

use auth_domain::{
    AttemptId, Limit, LimitState, NewUser, Payer, PoolLimits, PoolRequest, Problem, Timestamp,
};

use super::{Count, Event, KEPT_SECONDS, Limits, key};
use crate::items::{Item, Written, conditional_update, get_number, get_text, number, text};

/// The limit of the whole pool that refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PoolRefusal {
    /// The minute's mails are spent, for this requester.
    Mails {
        /// Seconds until the next minute.
        retry_after_seconds: u64,
    },
    /// The minute has seen so many new users that strangers have to pay with work.
    NewUsers {
        /// Seconds until the next minute.
        retry_after_seconds: u64,
        /// How many times the rate has been reached within the minute: the work's price grows with
        /// it.
        times_over: u32,
    },
}

/// A window of a limit that does not slide.
struct Window {
    begin: i64,
    end: Timestamp,
}

impl Window {
    fn at(limit: &Limit, now: Timestamp) -> Self {
        let seconds = i64::try_from(limit.window.as_secs())
            .unwrap_or(i64::MAX)
            .max(1);
        let begin = now.as_seconds().div_euclid(seconds) * seconds;
        Self {
            begin,
            end: Timestamp::from_seconds(begin + seconds),
        }
    }
}

impl Limits {
    /// Counts an event of a subject in fixed windows of the clock. For hundreds of events a log
    /// would be too long, and the edge need not be sharp.
    pub async fn admit_in_window(&self, limit: &Limit, event: Event<'_>) -> Result<Count, Problem> {
        let Event {
            subject,
            attempt,
            now,
        } = event;
        let window = Window::at(limit, now);
        let write = self
            .challenges
            .update(key(limit.name, format_args!("{subject}#{}", window.begin)))
            .update_expression("SET lastAttempt = :attempt, #ttl = :ttl ADD events :one")
            .condition_expression("(attribute_not_exists(events) OR events < :quota) AND (attribute_not_exists(lastAttempt) OR lastAttempt <> :attempt)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":quota", number(limit.quota))
            .expression_attribute_values(":ttl", number(window.end.as_seconds() + KEPT_SECONDS));
        let (is_admitted, item) = match conditional_update(write, "count in a window").await? {
            Written::Made(item) => (true, item),
            Written::Refused(item) => {
                let item = item.unwrap_or_default();
                (is_this(&item, attempt), item)
            }
        };
        let counted = get_number(&item, "events")
            .map_or(0, |events| u32::try_from(events).unwrap_or(u32::MAX));
        let reset_seconds = window.end.seconds_from(now).max(1);
        if !is_admitted {
            tracing::warn!(
                limit = limit.name,
                events = counted,
                "a limit over all requests of a window is reached"
            );
        }
        let state = LimitState {
            limit: *limit,
            remaining: limit.quota.saturating_sub(counted),
            reset_seconds,
        };
        Ok(Count::of(is_admitted, state))
    }

    /// Counts a mail against the pool's minute, together with a new user if it needs one. Strangers
    /// leave a share of the mails to known requesters. `None` if it is counted.
    pub async fn admit_to_pool(
        &self,
        limits: &PoolLimits,
        request: PoolRequest<'_>,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Option<PoolRefusal>, Problem> {
        let window = Window::at(&limits.mails, now);
        let most = limits.mails_for(request.payer);
        let new_users = match request.new_user {
            NewUser::Possible => 1,
            NewUser::Never => 0,
        };
        let mut condition = String::from(
            "(attribute_not_exists(events) OR events < :most) AND (attribute_not_exists(lastAttempt) OR lastAttempt <> :attempt)",
        );
        let mut write = self
            .challenges
            .update(key(limits.mails.name, window.begin))
            .update_expression(
                "SET lastAttempt = :attempt, #ttl = :ttl ADD events :one, newUsers :new",
            )
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":new", number(new_users))
            .expression_attribute_values(":most", number(most))
            .expression_attribute_values(":ttl", number(window.end.as_seconds() + KEPT_SECONDS));
        if let Payer::Stranger = request.payer {
            condition.push_str(" AND (attribute_not_exists(newUsers) OR newUsers < :newUsers)");
            write = write.expression_attribute_values(":newUsers", number(limits.new_users));
        }
        let write = write.condition_expression(condition);
        let retry_after_seconds = window.end.seconds_from(now).max(1);
        Ok(
            match conditional_update(write, "count against the pool").await? {
                Written::Made(_) => None,
                Written::Refused(Some(item)) if is_this(&item, attempt) => None,
                Written::Refused(item) => {
                    let item = item.unwrap_or_default();
                    let mails = get_number(&item, "events").unwrap_or_default();
                    let new_users = get_number(&item, "newUsers").unwrap_or_default();
                    tracing::warn!(mails, new_users, "a limit of the whole pool is reached");
                    Some(if mails >= i64::from(most) {
                        PoolRefusal::Mails {
                            retry_after_seconds,
                        }
                    } else {
                        PoolRefusal::NewUsers {
                            retry_after_seconds,
                            times_over: u32::try_from(new_users / i64::from(limits.new_users))
                                .unwrap_or(u32::MAX),
                        }
                    })
                }
            },
        )
    }

    /// Removes a known device's mail from the pool's minute. A write that is repeated at once
    /// removes one.
    pub async fn take_back_from_pool(
        &self,
        limits: &PoolLimits,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let window = Window::at(&limits.mails, now);
        let write = self
            .challenges
            .update(key(limits.mails.name, window.begin))
            .update_expression("SET takenBack = :attempt ADD events :less")
            .condition_expression(
                "events > :none AND (attribute_not_exists(takenBack) OR takenBack <> :attempt)",
            )
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":less", number(-1))
            .expression_attribute_values(":none", number(0));
        match conditional_update(write, "take back from the pool").await? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }
}

/// Whether a window's item already counts this attempt, by a write whose answer was lost.
fn is_this(item: &Item, attempt: &AttemptId) -> bool {
    get_text(item, "lastAttempt") == Some(attempt.as_str())
}
