//! Counting against limits. Each subject of a limit is one item. Each event is one conditional
//! write, which refuses past the limit. So any number of functions share one count, and concurrent
//! requests cannot exceed it.
//!
//! The item logs instants in lists, the newest first. An event is admitted if the instant `quota`
//! places behind it is outside the window, and pushes them all back by one. So a window slides
//! exactly, an edge admits no double quota, and events leave the count one by one as they age.
//! Several lists and limits of one subject are checked and written together.
//!
//! An instant carries its attempt as a fraction of a millisecond. So a repeated write counts once,
//! and a count can be restored however many events came after it.

mod window;

use std::fmt::{Display, Write};

use auth_domain::{
    Ageing, AttemptId, CodeMailLimits, Limit, LimitState, LimitSubject, OwnMailLimits, Payer,
    Problem, SolvedWork, Timestamp, TryLimits,
};
use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    ConfigurationError, Platform,
    boxed::Boxed as _,
    challenges::Challenges,
    failure::failure,
    items::{Item, Written, conditional_update, millis, number, text},
};

pub use window::PoolRefusal;

/// How long an item stays after its window, for an operator who investigates. DynamoDB removes it
/// within days of that.
const KEPT_SECONDS: i64 = 3600;

/// The number of unread entries in a list after which a write removes them.
const TRIMMED_AFTER: usize = 32;

/// The writes that try to restore a count while other events move it.
const ROUNDS: usize = 4;

/// The list of a limit that has only one.
pub(crate) const EVENTS: &str = "events";

/// The list of mails that strangers have asked for.
pub(crate) const STRANGERS: &str = "strangers";

/// The list of events that solved challenges have paid for.
const SOLVED: &str = "solved";

/// The counters in the challenges table.
#[derive(Clone)]
pub struct Limits {
    challenges: Challenges,
}

/// The list of every mail with a code.
pub(crate) const MAILS: &str = "mails";

/// An event of a subject.
#[derive(Clone, Copy)]
pub struct Event<'a> {
    /// Whose event it is.
    pub subject: &'a LimitSubject,
    /// The attempt's name. A repeated write under it counts once.
    pub attempt: &'a AttemptId,
    /// When it happens.
    pub now: Timestamp,
}

/// What came of counting an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count {
    /// The state of each limit that its requester may see.
    pub states: Vec<LimitState>,
    /// Why it was not counted.
    pub refusal: Option<Refusal>,
}

/// A list of instants in an item, and the limits on it.
struct Log {
    name: String,
    limits: Vec<Limit>,
    /// How many entries the list keeps: as many as the largest quota of any requester.
    looked_at: u32,
}

/// A limit's refusal, and the challenge that would admit the request nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Seconds until one more is admitted.
    pub retry_after_seconds: u64,
    /// How many solved challenges have recently paid for the same subject. `None` if no challenge
    /// would help now.
    pub solved_lately: Option<u32>,
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        Self::RateLimited {
            retry_after_seconds: refusal.retry_after_seconds,
            challenge: None,
        }
    }
}

impl Count {
    /// A count against one limit, which no challenge extends.
    fn of(is_admitted: bool, state: LimitState) -> Self {
        Self {
            states: vec![state],
            refusal: (!is_admitted).then_some(Refusal {
                retry_after_seconds: state.reset_seconds,
                solved_lately: None,
            }),
        }
    }
}

impl Limits {
    /// Counters in the table that `CHALLENGES_TABLE_NAME` names.
    pub fn new(platform: &Platform) -> Result<Self, ConfigurationError> {
        Ok(Self {
            challenges: Challenges::new(platform)?,
        })
    }

    /// Counts an event, or refuses it.
    pub async fn admit(&self, limit: &Limit, event: Event<'_>) -> Result<Count, Problem> {
        let log = Log::of(EVENTS, vec![*limit]);
        let key = key(limit.name, event.subject);
        let (is_admitted, item) = self.count(key, &[log], None, event).await?;
        let state = log_state(EVENTS, limit, &item, event.now);
        Ok(Count::of(is_admitted, state))
    }

    /// Counts a try against its payer's budget: what solved challenges buy is beside the rest. The
    /// same write uses up the challenge.
    pub async fn admit_try(
        &self,
        limits: &TryLimits,
        payer: Payer<'_>,
        event: Event<'_>,
    ) -> Result<Count, Problem> {
        let (log, limit) = try_log(limits, payer);
        let key = key(limits.strangers.name, event.subject);
        let (is_admitted, item) = self
            .count(key, std::slice::from_ref(&log), payer.solved(), event)
            .await?;
        let state = log_state(&log.name, limit, &item, event.now);
        let refusal = (!is_admitted).then(|| Refusal {
            // With a rest, only the challenge is refused: it was used, or is too cheap by now.
            retry_after_seconds: match state.remaining {
                0 => state.reset_seconds,
                _ => 1,
            },
            solved_lately: solved_lately(&limits.solved, &item, event.now),
        });
        Ok(Count {
            states: vec![state],
            refusal,
        })
    }

    /// Counts a mail with a code to a mailbox before it is sent, against the mailbox's total and
    /// the payer's share. The operation's `own` limit also applies to a stranger. The same write
    /// uses up a solved challenge. Strangers see the total only in a refusal: otherwise it would
    /// reveal when the owner signs in.
    pub async fn admit_code_mail(
        &self,
        limits: &CodeMailLimits,
        own: &OwnMailLimits,
        payer: Payer<'_>,
        event: Event<'_>,
    ) -> Result<Count, Problem> {
        let now = event.now;
        let logs = mail_logs(limits, own, payer);
        let (is_admitted, item) = self
            .count(code_mail_key(event.subject), &logs, payer.solved(), event)
            .await?;
        let mut states: Vec<LimitState> = logs
            .iter()
            .flat_map(|log| log.limits.iter().map(|limit| (&log.name, limit)))
            .map(|(name, limit)| log_state(name, limit, &item, now))
            .collect();
        let is_spent = |state: &LimitState| !is_admitted && state.remaining == 0;
        let total_is_spent = states.last().is_some_and(is_spent);
        let waits = states.iter().filter(|state| is_spent(state));
        let retry_after_seconds = waits.map(|state| state.reset_seconds).max();
        if states.len() > 1 && !total_is_spent {
            states.pop();
        }
        let own_name = own_list(&own.strangers);
        let is_of_use = own
            .with_solved
            .is_none_or(|limit| log_state(&own_name, &limit, &item, now).remaining > 0);
        let refusal = (!is_admitted).then(|| Refusal {
            // No limit refuses: the challenge was used before, or is too cheap by now.
            retry_after_seconds: retry_after_seconds.unwrap_or(1),
            solved_lately: solved_lately(&limits.solved_per_hour, &item, now)
                .filter(|_| is_of_use && !total_is_spent),
        });
        Ok(Count { states, refusal })
    }

    /// Removes an event: the counted action did not happen.
    pub async fn take_back(&self, limit: &Limit, event: Event<'_>) -> Result<(), Problem> {
        let log = Log::of(EVENTS, vec![*limit]);
        self.uncount(key(limit.name, event.subject), &[log], event)
            .await
    }

    /// Restores the count of an attempt without evaluation. A challenge that paid for it stays used
    /// up.
    pub async fn take_back_try(
        &self,
        limits: &TryLimits,
        payer: Payer<'_>,
        event: Event<'_>,
    ) -> Result<(), Problem> {
        let (log, _) = try_log(limits, payer);
        let key = key(limits.strangers.name, event.subject);
        self.uncount(key, &[log], event).await
    }

    /// Removes a mail that was not requested after all. The challenge that paid for it stays used
    /// up.
    pub async fn take_back_code_mail(
        &self,
        limits: &CodeMailLimits,
        own: &OwnMailLimits,
        payer: Payer<'_>,
        event: Event<'_>,
    ) -> Result<(), Problem> {
        let logs = mail_logs(limits, own, payer);
        self.uncount(code_mail_key(event.subject), &logs, event)
            .await
    }

    /// Clears the tries of a subject. Tries that solved challenges paid for stay counted, and the
    /// challenges stay used up.
    pub async fn clear_tries(
        &self,
        limits: &TryLimits,
        subject: &LimitSubject,
    ) -> Result<(), Problem> {
        self.challenges
            .update(key(limits.strangers.name, subject))
            .update_expression(format!("REMOVE {EVENTS}"))
            .condition_expression("attribute_exists(pk)")
            .send()
            .boxed()
            .await
            .map(drop)
            .map_err(failure("clear the tries"))
            .map_err(Problem::from)
    }

    /// Clears all events: the person has proved their identity (NIST SP 800-63B-4 §3.2.2).
    pub async fn clear(&self, limit: &Limit, subject: &LimitSubject) -> Result<(), Problem> {
        self.forget(key(limit.name, subject)).await
    }

    /// Forgets everything that an item counts.
    pub(crate) async fn forget(&self, key: AttributeValue) -> Result<(), Problem> {
        let delete = self.challenges.delete(key).send().boxed().await;
        delete
            .map(drop)
            .map_err(failure("clear a count"))
            .map_err(Problem::from)
    }

    /// Adds an event to each log unless a limit refuses. Returns whether it was added, and the
    /// item. A challenge is admitted once, and only if no more have been solved than its price
    /// allows for.
    async fn count(
        &self,
        key: AttributeValue,
        logs: &[Log],
        proof: Option<&SolvedWork>,
        event: Event<'_>,
    ) -> Result<(bool, Item), Problem> {
        let now = event.now;
        let limits = || logs.iter().flat_map(|log| &log.limits);
        let kept_for = limits().map(|limit| limit.window).max().unwrap_or_default();
        let event = entry(event);
        let mut update = String::from("SET #ttl = :ttl");
        // One log tells for all: a write adds to each of them or to none.
        let told_by = logs.last().map_or(EVENTS, |log| &log.name);
        let mut condition =
            format!("(attribute_not_exists({told_by}) OR NOT contains({told_by}, :event))");
        let mut write = self
            .challenges
            .update(key.clone())
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":event", event.clone())
            .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
            .expression_attribute_values(":now", AttributeValue::L(vec![event.clone()]))
            .expression_attribute_values(
                ":ttl",
                number(now.after(kept_for).as_seconds() + KEPT_SECONDS),
            );
        for log in logs {
            push(&mut update, &log.name, ":now");
        }
        for (index, (name, limit)) in logs
            .iter()
            .flat_map(|log| log.limits.iter().map(move |limit| (&log.name, limit)))
            .enumerate()
        {
            let limit = match proof {
                Some(proof) if name == SOLVED => proof.affords(*limit),
                Some(_) | None => *limit,
            };
            let _infallible = write!(condition, " AND {}", admits(name, &limit, index));
            let cutoff = end_of(now.before(limit.window));
            write = write.expression_attribute_values(format!(":cutoff{index}"), cutoff);
            if limit.ageing == Ageing::AfterQuiet {
                push(&mut update, &quiet(name), ":quiet");
                let quiet_from = AttributeValue::L(vec![millis(now.after(limit.window))]);
                write = write.expression_attribute_values(":quiet", quiet_from);
            }
        }
        if let Some(proof) = proof {
            push(&mut update, "proofs", ":proof");
            condition.push_str(
                " AND (attribute_not_exists(proofs) OR NOT contains(proofs, :proofName))",
            );
            let name = text(proof.as_str());
            write = write
                .expression_attribute_values(":proof", AttributeValue::L(vec![name.clone()]))
                .expression_attribute_values(":proofName", name);
        }
        let write = write
            .update_expression(update)
            .condition_expression(condition);
        let (is_admitted, item) = match conditional_update(write, "count against a limit").await? {
            Written::Made(item) => (true, item),
            Written::Refused(item) => {
                let item = item.unwrap_or_default();
                // By a write whose answer was lost.
                (place(&item, told_by, &event).is_some(), item)
            }
        };
        if is_admitted {
            self.trim(key, logs, &item).await;
        }
        Ok((is_admitted, item))
    }

    /// Removes the entries that no limit reads any more, once there are some. Concurrent events are
    /// safe: they push more entries behind the same place.
    async fn trim(&self, key: AttributeValue, logs: &[Log], item: &Item) {
        let mut removed = Vec::new();
        for log in logs {
            let looked_at = log.looked_at as usize;
            let (list, quiet) = (log.name.clone(), quiet(&log.name));
            let proofs = (log.name == SOLVED).then(|| "proofs".to_owned());
            for name in [Some(list), Some(quiet), proofs].into_iter().flatten() {
                let length = list_of(item, &name).map_or(0, Vec::len);
                if length >= looked_at + TRIMMED_AFTER {
                    removed.extend((looked_at..length).map(|place| format!("{name}[{place}]")));
                }
            }
        }
        if removed.is_empty() {
            return;
        }
        let trimmed = self
            .challenges
            .update(key)
            .update_expression(format!("REMOVE {}", removed.join(", ")))
            .send()
            .boxed()
            .await;
        if trimmed.is_err() {
            tracing::warn!("a limit's old events were not removed, and stay until the next try");
        }
    }

    /// Takes an event out of every log, wherever it stands by now. One that is not there was not
    /// counted, or is taken back already.
    async fn uncount(
        &self,
        key: AttributeValue,
        logs: &[Log],
        event: Event<'_>,
    ) -> Result<(), Problem> {
        let event = entry(event);
        let mut places = vec![0; logs.len()];
        for _ in 0..ROUNDS {
            let (mut removed, mut found) = (Vec::new(), Vec::new());
            for (log, place) in logs.iter().zip(&places) {
                let name = &log.name;
                found.push(format!("{name}[{place}] = :event"));
                removed.push(format!("{name}[{place}]"));
                if log.is_after_quiet() {
                    removed.push(format!("{}[{place}]", quiet(name)));
                }
            }
            let write = self
                .challenges
                .update(key.clone())
                .update_expression(format!("REMOVE {}", removed.join(", ")))
                .condition_expression(found.join(" AND "))
                .expression_attribute_values(":event", event.clone());
            let item = match conditional_update(write, "take back a count").await? {
                Written::Made(_) | Written::Refused(None) => return Ok(()),
                Written::Refused(Some(item)) => item,
            };
            let found = logs.iter().map(|log| place(&item, &log.name, &event));
            match found.collect() {
                Some(moved) => places = moved,
                None => return Ok(()),
            }
        }
        Err(Problem::contended(
            "others kept counting before a count was taken back",
        ))
    }
}

impl Log {
    fn of(name: impl Into<String>, limits: Vec<Limit>) -> Self {
        let quotas = limits.iter().map(|limit| limit.quota);
        Self {
            name: name.into(),
            looked_at: quotas.max().unwrap_or_default(),
            limits,
        }
    }

    fn is_after_quiet(&self) -> bool {
        let is = |limit: &Limit| limit.ageing == Ageing::AfterQuiet;
        self.limits.iter().any(is)
    }
}

/// The list that a try is counted in, and its limit.
fn try_log<'a>(limits: &'a TryLimits, payer: Payer<'_>) -> (Log, &'a Limit) {
    let (name, limit) = match payer {
        Payer::Solved(_) => (SOLVED, &limits.solved),
        Payer::Stranger | Payer::Agent | Payer::Known => (EVENTS, &limits.strangers),
    };
    (Log::of(name, vec![*limit]), limit)
}

/// The lists that a payer's mail is counted in, the mailbox's total last.
fn mail_logs(limits: &CodeMailLimits, own: &OwnMailLimits, payer: Payer<'_>) -> Vec<Log> {
    let strangers = || vec![limits.strangers_per_hour, limits.strangers_per_day];
    let mut logs = match payer {
        Payer::Stranger => {
            vec![own_log(own, own.strangers), Log::of(STRANGERS, strangers())]
        }
        Payer::Solved(_) => {
            let held = own.with_solved.map(|limit| own_log(own, limit));
            let solved = Log::of(SOLVED, vec![limits.solved_per_hour]);
            held.into_iter().chain([solved]).collect()
        }
        Payer::Agent | Payer::Known => Vec::new(),
    };
    logs.push(Log {
        looked_at: limits.total_per_day.quota,
        ..Log::of(MAILS, vec![limits.total_for(payer)])
    });
    logs
}

/// The list of an operation's own limit.
fn own_log(own: &OwnMailLimits, limit: Limit) -> Log {
    let largest = own.with_solved.unwrap_or(own.strangers);
    Log {
        looked_at: largest.quota,
        ..Log::of(own_list(&own.strangers), vec![limit])
    }
}

/// The list of an operation's own limit in the item of a mailbox: its name, as expressions can hold
/// it.
pub(crate) fn own_list(own: &Limit) -> String {
    own.name.replace('-', "_")
}

/// The condition under which a limit admits one more event to a list.
///
/// If all events leave together after a quiet time, the list is full as long as its newest event is
/// recent and no quiet time followed any of the first `quota` events. Each entry is compared with
/// the instant at which its quiet time would have ended.
fn admits(list: &str, limit: &Limit, index: usize) -> String {
    let Some(oldest) = limit.quota.checked_sub(1) else {
        return format!("(attribute_exists(never) AND never > :cutoff{index})");
    };
    let mut condition = format!("(attribute_not_exists({list}[{oldest}])");
    match limit.ageing {
        Ageing::OneByOne => {
            let _infallible = write!(condition, " OR {list}[{oldest}] <= :cutoff{index}");
        }
        Ageing::AfterQuiet => {
            let _infallible = write!(condition, " OR {list}[0] <= :cutoff{index}");
            let quiet = quiet(list);
            for (later, earlier) in (0..oldest).zip(1..) {
                let _infallible = write!(condition, " OR {list}[{later}] >= {quiet}[{earlier}]");
            }
        }
    }
    condition.push(')');
    condition
}

/// Appends to an update: a list gets a new head.
fn push(update: &mut String, list: &str, head: &str) {
    let _infallible = write!(
        update,
        ", {list} = list_append({head}, if_not_exists({list}, :none))"
    );
}

/// The list of the instants from which there would have been quiet after each event of another.
fn quiet(list: &str) -> String {
    format!("{list}Quiet")
}

pub(crate) fn key(limit: &str, subject: impl Display) -> AttributeValue {
    text(format!("limit#{limit}#{subject}"))
}

pub(crate) fn code_mail_key(mailbox: &LimitSubject) -> AttributeValue {
    key("code-mail", mailbox)
}

/// An event, as a log holds it.
fn entry(event: Event<'_>) -> AttributeValue {
    // The last digit keeps a zero before it from being cut off.
    let fraction = event.attempt.number();
    AttributeValue::N(format!("{}.{fraction:020}1", event.now.as_millis()))
}

/// The last instant of a millisecond, events of it included.
fn end_of(at: Timestamp) -> AttributeValue {
    AttributeValue::N(format!("{}.9999999999999999999999", at.as_millis()))
}

/// Where an event stands in a log.
fn place(item: &Item, list: &str, event: &AttributeValue) -> Option<usize> {
    list_of(item, list)?.iter().position(|each| each == event)
}

fn list_of<'a>(item: &'a Item, list: &str) -> Option<&'a Vec<AttributeValue>> {
    item.get(list)?.as_l().ok()
}

pub(crate) fn log_state(list: &str, limit: &Limit, item: &Item, now: Timestamp) -> LimitState {
    let instants = list_of(item, list).into_iter().flatten();
    let read = |instant: &AttributeValue| {
        let millis = instant.as_n().ok()?.split('.').next()?.parse().ok()?;
        Some(Timestamp::from_millis(millis))
    };
    limit.state(instants.filter_map(read), now)
}

/// How many solved challenges the item counts; `None` if they buy no more.
fn solved_lately(limit: &Limit, item: &Item, now: Timestamp) -> Option<u32> {
    let state = log_state(SOLVED, limit, item, now);
    (state.remaining > 0).then(|| limit.quota - state.remaining)
}
