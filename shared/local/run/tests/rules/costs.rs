//! The functions' calls, grants and settings, compared with the contract and its list of calls. The
//! walk through all cases looks for secrets besides.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::time::Duration;

use auth_api::Contract;
use auth_local::{AwsCall, Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::people::ADA;
use crate::harness::stage::UNTIL_COLD_SECONDS;
use crate::operations;

/// How often each call is made.
type Calls = BTreeMap<String, usize>;

const SECRETS: &str = "secrets:GetSecretValue";

/// Public, and read by a cold function that checks tokens.
const SIGNING_KEYS: &str = "user-pool:GetSigningKeys";

/// A call as the table has it: `guests:GetItem`.
fn written(world: &TestWorld, call: &AwsCall) -> String {
    let ready = world.ready();
    if let Some(table) = ready.tables.resource(&call.resource) {
        return format!("{table}:{}", call.action);
    }
    let resource = match call.resource.as_str() {
        index if index.ends_with("/index/unproved-index") => "unproved-index",
        _ if call.action.starts_with("GetWorkloadAccessToken") => "workload-identity",
        _ if call.service == "bedrock-agentcore" => "token-vault",
        pool if pool == ready.user_pool_id || pool == world.operations_client_id() => "user-pool",
        _ if call.action.contains("WebAuthn") => "user-pool",
        _ if call.service == "secretsmanager" => "secrets",
        _ if call.service == "kms" => "sealing-key",
        _ if call.service == "ses" => "mail",
        other => panic!("no name for {other}"),
    };
    format!("{resource}:{}", call.action)
}

/// A call as the table has it, once for each table that it reads or writes.
fn written_for_each(world: &TestWorld, call: &AwsCall) -> Vec<String> {
    let tables = call.resource.split(',').map(|table| AwsCall {
        resource: table.to_owned(),
        ..call.clone()
    });
    tables.map(|of_one| written(world, &of_one)).collect()
}

/// The calls of a healthy run.
struct Made {
    counted: Calls,
    /// The grants that they need.
    needed: BTreeSet<String>,
}

impl Made {
    /// The AWS calls of a function after `since`.
    fn by(world: &TestWorld, function: &str, since: u64) -> Self {
        let mut made = Self {
            counted: Calls::new(),
            needed: BTreeSet::new(),
        };
        let calls = world.calls(since).into_iter();
        for call in calls.filter(|call| call.function == function) {
            for written in written_for_each(world, &call) {
                *made.counted.entry(written).or_default() += 1;
            }
            made.needed.extend(needed(world, &call));
        }
        made
    }
}

/// The round trip of each call, so that two calls overlap only where neither waits for the other.
const ROUND_TRIP: Duration = Duration::from_millis(20);

/// The services that have it. Secrets and signing keys, which only a cold function reads, are no
/// part of a case's depth.
const TRAVELLED: [&str; 5] = ["dynamodb", "cognito-idp", "kms", "ses", "bedrock-agentcore"];

/// Lets each call of a function travel.
fn slow_down(world: &TestWorld, function: &str) {
    for service in TRAVELLED {
        let mut delay = Fault::new(FaultKind::Delay, service, "").of(function);
        delay.action = None;
        world.fault(delay.times(u32::MAX).lasting(ROUND_TRIP));
    }
}

/// How many calls of a function after `since` waited for one another.
fn depth(world: &TestWorld, function: &str, since: u64) -> usize {
    let calls = world.calls(since);
    let travelled = calls.iter().filter(|call| {
        call.function == function
            && TRAVELLED.contains(&call.service)
            && call.action != "GetSigningKeys"
    });
    AwsCall::depth(travelled)
}

/// A case without a failure.
struct Healthy {
    made: Made,
    depth: usize,
    /// Whether its function has read secrets shortly before.
    is_warm: bool,
}

async fn healthy_calls(world: &TestWorld, case: &Case) -> Healthy {
    let mut stage = case.prepare(world).await;
    let since = world.last_call();
    let now = world.clock().now();
    let is_warm = world.calls_of(case.function).into_iter().any(|call| {
        let age = (now.as_millis() - call.at.as_millis()) / 1000;
        call.action == "GetSecretValue" && age < i64::try_from(UNTIL_COLD_SECONDS).unwrap()
    });
    slow_down(world, case.function);
    let answer = stage.act().await;
    world.clear_faults();
    assert!(case.is_healthy(&answer), "{case}: {answer:?}");
    Healthy {
        made: Made::by(world, case.function, since),
        depth: depth(world, case.function, since),
        is_warm,
    }
}

fn grants(function: &str) -> BTreeSet<String> {
    let function = Contract::embedded()
        .function(function)
        .expect("in the contract");
    function.grants.iter().map(ToString::to_string).collect()
}

/// One walk through every case serves three promises. The calls are those of the list. The grants
/// are those calls and no more. No secret stands in a log line at an operator's most verbose level,
/// or in a record, and no address in the counts of requests.
#[tokio::test]
async fn every_case_makes_the_listed_calls_uses_its_grants_and_leaves_no_secret() {
    let listed: BTreeMap<_, _> = auth_api::Calls::embedded()
        .cases()
        .iter()
        .map(|case| {
            let name = (case.function.as_str(), case.name.as_str());
            (name, (case.counted(), case.depth))
        })
        .collect();
    let mut differences = String::new();
    let mut needed: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let loud = [("LOG_LEVEL", "trace")];
    let shared = TestWorld::with_settings(&loud).await;
    for case in operations::cases() {
        let own = match case.settings {
            [] if !case.fresh => None,
            settings => Some(TestWorld::with_settings(&[&loud, settings].concat()).await),
        };
        let world = own.as_ref().unwrap_or(&shared);
        let Healthy {
            made,
            depth,
            is_warm,
        } = healthy_calls(world, &case).await;
        world.assert_records_hold_no_secret().await;
        let Some((mut expected, listed_depth)) = listed.get(&(case.function, case.name)).cloned()
        else {
            let _infallible = writeln!(
                differences,
                "{case}: calls.yaml lacks it. It makes {:?}",
                made.counted
            );
            continue;
        };
        needed.entry(case.function).or_default().extend(made.needed);
        let made = made.counted;
        // A cold function reads them once, or not at all in a case that does not need them.
        for once in [SECRETS, SIGNING_KEYS] {
            if made.contains_key(once) && !(once == SECRETS && is_warm) {
                expected.insert(once.to_owned(), 1);
            }
        }
        if made != expected {
            let _infallible = writeln!(
                differences,
                "{case}: calls.yaml has {expected:?}, made were {made:?}"
            );
        }
        let depth = (depth > 0).then_some(depth);
        if listed_depth != depth {
            let _infallible = writeln!(
                differences,
                "{case}: calls.yaml has depth {listed_depth:?}, measured was {depth:?}"
            );
        }
        // The log is judged as the world is renewed.
        world.renew();
    }
    for (function, needed) in needed {
        let granted = grants(function);
        if granted != needed {
            let unused: Vec<_> = granted.difference(&needed).collect();
            let lacking: Vec<_> = needed.difference(&granted).collect();
            let _infallible = writeln!(
                differences,
                "{function}: no case uses the grants {unused:?}; it lacks {lacking:?}"
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
}

#[tokio::test]
async fn a_warm_function_reads_no_secrets() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let since = world.last_call();
    let mut tokens = world.sign_in(ADA).await;
    let exchange = json!({ "refreshToken": tokens.refresh_token });
    tokens
        .browser
        .post("/auth/refresh", exchange.clone())
        .await
        .expect_status(200);
    assert_eq!(
        count(&world, since, "GetSecretValue"),
        1,
        "the one of refresh-token, which is cold"
    );
    let since = world.last_call();
    tokens
        .browser
        .post("/auth/refresh", exchange)
        .await
        .expect_status(200);
    assert_eq!(count(&world, since, "GetSecretValue"), 0);
}

fn count(world: &TestWorld, since: u64, action: &str) -> usize {
    let calls = world.calls(since);
    calls.iter().filter(|call| call.action == action).count()
}

/// The grants that a call needs. A transaction needs those of its items.
fn needed(world: &TestWorld, call: &AwsCall) -> Vec<String> {
    if !call.is_signed {
        return Vec::new();
    }
    if call.transacted.is_empty() {
        return written_for_each(world, call);
    }
    let items = call.transacted.iter().map(|(table, action)| AwsCall {
        resource: table.clone(),
        action: action.clone(),
        ..call.clone()
    });
    items.map(|item| written(world, &item)).collect()
}
