//! The aftermath of a request: its answer, its counts, the records and the calls.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use auth_domain::Timestamp;
use serde_json::Value;

use crate::harness::backstage::{Item, items, users};
use crate::harness::{Answer, TestWorld};

/// Limits that count requests, and the functions whose requests they count.
const COUNTED: [(&str, &[&str]); 4] = [
    (BY_IP_ADDRESS, &["initiate-otp"]),
    ("otp-start-email", &["initiate-otp"]),
    ("otp-resend-email", &["resend-otp"]),
    (
        "otp-mail-total",
        &[
            "initiate-otp",
            "resend-otp",
            "register-user",
            "change-email",
        ],
    ),
];

/// Longer than the window of any of these limits.
const REMEMBERED: Duration = Duration::from_hours(24);

const BY_IP_ADDRESS: &str = "otp-start-ip";

/// A failure is a problem, with a time for the retry if a retry helps. No token leaves beside one.
/// A function that is no operation fails as Lambda's functions do.
pub(crate) fn assert_clear(answer: &Answer) {
    if answer.status < 400 {
        return;
    }
    assert!(answer["accessToken"].is_null() && answer["sessionToken"].is_null());
    if answer["__type"].is_string() {
        return;
    }
    assert!(answer["code"].is_string() && answer["requestId"].is_string());
    if answer["success"].is_null() {
        let comes_back = matches!(answer.status, 429 | 503);
        assert_eq!(answer.retry_after().is_some(), comes_back);
    }
}

/// A request that failed leaves no sign-in at Cognito: each function revokes the tokens it got.
pub(crate) fn assert_no_session_is_forgotten(world: &TestWorld, since: u64, answer: &Answer) {
    if answer.status < 400 {
        return;
    }
    let calls = world.calls(since);
    for signed_in in calls.iter().filter(|call| call.signs_in) {
        let function = &signed_in.function;
        let mut after = calls.iter().skip_while(|call| call.id <= signed_in.id);
        let is_revoked = after.any(|call| {
            let everywhere = call.action == "AdminUserGlobalSignOut" && call.status == Some(200);
            call.function == *function && (call.action == "RevokeToken" || everywhere)
        });
        assert!(is_revoked, "{function} forgot a session");
    }
}

/// The attempts that are counted for open sign-ins.
pub(crate) async fn attempts(world: &TestWorld) -> usize {
    let challenges = items(world, &world.ready().tables["challenges"]).await;
    let going_on = challenges.iter().filter(|item| {
        (is(item, "sign-in#") || is(item, "held-sign-in#")) && !item.contains_key("finishedBy")
    });
    going_on
        .filter_map(|item| item.get("attempts")?.as_array())
        .map(Vec::len)
        .sum()
}

/// The records at the end: the number of each kind, and their attributes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remains(BTreeMap<String, usize>);

impl Remains {
    /// Fails if an address or an id does not name its guest.
    pub(crate) async fn of(world: &TestWorld) -> Self {
        let mut remains = BTreeMap::new();
        world.guests().await;
        for item in items(world, &world.ready().tables["guests"]).await {
            let key = item["pk"].as_str().expect("a key");
            let (kind, _) = key.split_once('#').expect("a kind");
            let attributes: Vec<&str> = item.keys().map(|name| kind_of(name)).collect();
            let kind = format!("{kind} with {}", attributes.join(", "));
            *remains.entry(kind).or_default() += 1;
        }
        for user in users(world).await {
            let kind = format!("user {}", user["UserStatus"]);
            *remains.entry(kind).or_default() += 1;
        }
        Self(remains)
    }

    /// Fails with the missing records and the present ones.
    pub(crate) fn assert_same(&self, expected: &Self) {
        let only = |one: &Self, other: &Self| -> Vec<String> {
            let all = one.0.iter();
            let differing = all.filter(|(kind, count)| other.0.get(*kind) != Some(count));
            differing
                .map(|(kind, count)| format!("{count} × {kind}"))
                .collect()
        };
        let (here, missing) = (only(self, expected), only(expected, self));
        assert!(
            here.is_empty() && missing.is_empty(),
            "in the end there are {here:?} where a healthy run leaves {missing:?}"
        );
    }
}

/// An attribute's name without the id that it may have: `passkey#…`.
fn kind_of(attribute: &str) -> &str {
    attribute
        .split_once('#')
        .map_or(attribute, |(kind, _)| kind)
}

/// Every request that reached Cognito was counted exactly once. An agent's tool has no IP address
/// to count by.
pub(crate) async fn assert_counted(world: &TestWorld, by_tool: bool) {
    let challenges = items(world, &world.ready().tables["challenges"]).await;
    let since = remembered_since(world);
    for (limit, functions) in COUNTED {
        if by_tool && limit == BY_IP_ADDRESS {
            continue;
        }
        let events = events(&challenges, limit, since);
        let (mut all, mut reached) = (BTreeSet::new(), BTreeSet::new());
        let calls = functions.iter().flat_map(|one| world.calls_of(one));
        for call in calls.filter(|call| call.at >= since) {
            if call.service == "cognito-idp" {
                reached.insert(call.request_id.clone());
            }
            all.insert(call.request_id);
        }
        assert!(
            (reached.len()..=all.len()).contains(&events),
            "{limit}: {events} events for {} requests, of which {} reached Cognito",
            all.len(),
            reached.len()
        );
    }
}

/// The wrong codes that are counted against an address.
pub(crate) async fn wrong_codes(world: &TestWorld) -> usize {
    let challenges = items(world, &world.ready().tables["challenges"]).await;
    events(&challenges, "otp-failure", remembered_since(world))
}

fn remembered_since(world: &TestWorld) -> Timestamp {
    world.clock().now().before(REMEMBERED)
}

/// Events since an instant that limits of a policy have counted: in items of their own, or in lists
/// of a mailbox's item.
fn events(challenges: &[Item], policy: &str, since: Timestamp) -> usize {
    let since = usize::try_from(since.as_millis()).expect("after 1970");
    let own = format!("limit#{policy}#");
    let list = policy.replace('-', "_");
    challenges
        .iter()
        .filter_map(|item| {
            if is(item, &own) {
                item.get("events")
            } else if is(item, "limit#code-mail#") {
                item.get(&list)
            } else {
                None
            }
        })
        .map(|events| match events.as_array() {
            Some(instants) => instants.iter().filter(|at| number(at) >= since).count(),
            None => number(events),
        })
        .sum()
}

fn is(item: &Item, kind: &str) -> bool {
    item["pk"].as_str().is_some_and(|key| key.starts_with(kind))
}

/// A count, or the milliseconds of an event, without the fraction that names its attempt.
fn number(value: &Value) -> usize {
    let text = value.as_str().unwrap_or_default();
    let (whole, _) = text.split_once('.').unwrap_or((text, ""));
    whole.parse().expect("a number")
}
