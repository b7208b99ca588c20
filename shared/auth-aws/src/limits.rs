//! Counting against limits. Each limit of each subject is one item; each event is one conditional write, which refuses past
//! the limit, so that any number of functions share one truth and no two requests can slip through together.
//!
//! The item is a log of the last `quota` events in as many slots, oldest first: an event is admitted while the oldest slot lies
//! outside the window, and shifts all slots by one. So a window slides exactly, nothing is admitted twice around an edge, and
//! failures fall out one by one as they age.

use std::fmt::Write;

use auth_domain::{AttemptId, Limit, LimitState, Problem, Timestamp};
use aws_sdk_dynamodb::Client;

use crate::{
    ConfigurationError, Platform,
    clients::dynamodb,
    failure::failure,
    items::{
        Item, Written, conditional_update, get_millis, get_number, get_text, millis, number, text,
    },
};

/// How long after its window an item stays, for whoever looks into a case. DynamoDB removes it within days of that.
const KEPT_SECONDS: i64 = 3600;

/// The counters in the challenges table.
#[derive(Clone)]
pub struct Limits {
    client: Client,
    table: String,
}

/// What came of asking a limit.
enum Admission {
    Admitted(LimitState),
    Refused(LimitState),
}

impl Limits {
    /// Counters in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            client: dynamodb(platform)?,
            table: platform
                .environment()
                .text("CHALLENGES_TABLE_NAME")?
                .to_owned(),
        })
    }

    /// Counts an event of `subject` at `now`, or refuses it; `note` hears the state that results, either way. Sent twice under
    /// one attempt's id, an event counts once.
    pub async fn admit(
        &self,
        limit: &Limit,
        subject: &str,
        attempt: &AttemptId,
        now: Timestamp,
        note: impl FnOnce(LimitState),
    ) -> Result<(), Problem> {
        let (state, outcome) = match self.count(limit, subject, attempt, now).await? {
            Admission::Admitted(state) => (state, Ok(())),
            Admission::Refused(state) => (
                state,
                Err(Problem::RateLimited {
                    retry_after_seconds: state.reset_seconds,
                }),
            ),
        };
        note(state);
        outcome
    }

    async fn count(
        &self,
        limit: &Limit,
        subject: &str,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<Admission, Problem> {
        let last = limit.quota - 1;
        let mut update = String::from("SET lastAttempt = :attempt, #ttl = :ttl");
        for slot in 0..last {
            // The right-hand sides see the item as it was, so the slots shift without treading on each other.
            let _infallible = write!(update, ", s{slot} = if_not_exists(s{}, :never)", slot + 1);
        }
        let _infallible = write!(update, ", s{last} = :now");
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", key(limit, subject))
            .update_expression(update)
            .condition_expression("(attribute_not_exists(s0) OR s0 <= :cutoff) AND (attribute_not_exists(lastAttempt) OR lastAttempt <> :attempt)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":now", millis(now))
            .expression_attribute_values(":cutoff", millis(now.before(limit.window)))
            .expression_attribute_values(":ttl", number(now.after(limit.window).as_seconds() + KEPT_SECONDS));
        // DynamoDB refuses values that no expression uses, and a log of one slot shifts nothing.
        let write = if last == 0 {
            write
        } else {
            write.expression_attribute_values(":never", number(0))
        };
        Ok(match conditional_update!(write, "count against a limit")? {
            Written::Made(item) => Admission::Admitted(state(limit, &item, now)),
            Written::Refused(item) => {
                let item = item.unwrap_or_default();
                let counted_before = get_text(&item, "lastAttempt") == Some(attempt.as_str());
                let state = state(limit, &item, now);
                if counted_before {
                    Admission::Admitted(state)
                } else {
                    Admission::Refused(state)
                }
            }
        })
    }

    /// Counts an event against a total, in windows that begin with the clock's multiples: a log would be too long where a
    /// thousand events a minute are fine.
    pub async fn admit_to_total(
        &self,
        limit: &Limit,
        attempt: &AttemptId,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let window_seconds = i64::try_from(limit.window.as_secs())
            .unwrap_or(i64::MAX)
            .max(1);
        let begin = now.as_seconds().div_euclid(window_seconds) * window_seconds;
        let end = Timestamp::from_seconds(begin + window_seconds);
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", key(limit, &begin.to_string()))
            .update_expression("SET lastAttempt = :attempt, #ttl = :ttl ADD events :one")
            .condition_expression("(attribute_not_exists(events) OR events < :quota) AND (attribute_not_exists(lastAttempt) OR lastAttempt <> :attempt)")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":quota", number(limit.quota))
            .expression_attribute_values(":ttl", number(end.as_seconds() + KEPT_SECONDS));
        match conditional_update!(write, "count against a total")? {
            Written::Made(_) => Ok(()),
            Written::Refused(Some(item))
                if get_text(&item, "lastAttempt") == Some(attempt.as_str()) =>
            {
                Ok(())
            }
            Written::Refused(item) => {
                tracing::warn!(
                    limit = limit.name,
                    events = item.and_then(|item| get_number(&item, "events")),
                    "a total is reached"
                );
                Err(Problem::RateLimited {
                    retry_after_seconds: end.seconds_from(now).max(1),
                })
            }
        }
    }

    /// Takes back the newest event, if it is this attempt's: what it was counted for did not happen.
    pub async fn take_back(
        &self,
        limit: &Limit,
        subject: &str,
        attempt: &AttemptId,
    ) -> Result<(), Problem> {
        let mut update = String::from("SET s0 = :never");
        for slot in 1..limit.quota {
            let _infallible = write!(update, ", s{slot} = s{}", slot - 1);
        }
        let write = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", key(limit, subject))
            .update_expression(format!("{update} REMOVE lastAttempt"))
            .condition_expression("lastAttempt = :attempt")
            .expression_attribute_values(":attempt", text(attempt.as_str()))
            .expression_attribute_values(":never", number(0));
        match conditional_update!(write, "take back a count")? {
            Written::Made(_) | Written::Refused(_) => Ok(()),
        }
    }

    /// Forgets all events: the person has proved themselves (NIST SP 800-63B-4 §3.2.2).
    pub async fn clear(&self, limit: &Limit, subject: &str) -> Result<(), Problem> {
        let delete = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", key(limit, subject))
            .send()
            .await;
        delete
            .map(drop)
            .map_err(failure("clear a count"))
            .map_err(Problem::from)
    }
}

fn key(limit: &Limit, subject: &str) -> aws_sdk_dynamodb::types::AttributeValue {
    text(format!("limit#{}#{subject}", limit.name))
}

fn state(limit: &Limit, item: &Item, now: Timestamp) -> LimitState {
    limit.state(
        (0..limit.quota).filter_map(|slot| get_millis(item, &format!("s{slot}"))),
        now,
    )
}
