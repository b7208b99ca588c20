//! Every AWS call of an authorization, refused and lost: the answer is clear, and the next try
//! heals it.

use std::collections::BTreeSet;

use auth_local::{Fault, FaultKind};

use crate::harness::authorization_cases::Case;
use crate::harness::{Answer, TestWorld};

/// For each AWS call that each operation makes: refused, failed, lost, denied. The answer is a
/// clear one, and the next try does what the first was to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_call_may_fail_and_the_next_try_heals_it() {
    let mut broken: Vec<String> = Vec::new();
    let mut tried = BTreeSet::new();
    for case in Case::ALL {
        let (operation, _) = case.row();
        for (service, action, nth) in healthy_calls(case).await {
            if !tried.insert((operation, service, action.clone(), nth)) {
                continue;
            }
            for (kind, times) in [
                (FaultKind::Throttle, u32::MAX),
                (FaultKind::Internal, u32::MAX),
                (FaultKind::Lost, u32::MAX),
                (FaultKind::Denied, u32::MAX),
                // Healed by the SDK's second try, which must not count twice.
                (FaultKind::Lost, 1),
            ] {
                let world = TestWorld::start().await;
                let mut stage = case.prepare(&world).await;
                let fault = Fault::new(kind, service, &action).of(operation);
                world.fault(fault.nth(nth).times(times));
                let answer = stage.act().await;
                assert_clear(&answer);
                world.clear_faults();
                let mut healed = case.is_healthy(&answer) || case.is_healthy(&stage.act().await);
                if !healed {
                    // A claim that could not be let go is taken over after half a minute.
                    world.advance(31);
                    healed = case.is_healthy(&stage.act().await);
                }
                if !healed && !needs_another(case, &action, kind) {
                    broken.push(format!(
                        "{case:?}, {service} {action} ({nth}), {kind:?} × {times}: {} {}",
                        answer.status, answer.body
                    ));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The calls that an operation makes where nothing fails, the same action counted from 1.
async fn healthy_calls(case: Case) -> Vec<(&'static str, String, u32)> {
    let world = TestWorld::start().await;
    let mut stage = case.prepare(&world).await;
    let since = world.last_call();
    stage.act().await;
    let mut calls: Vec<(&'static str, String, u32)> = Vec::new();
    for call in world.calls(since) {
        if call.function == case.row().0 {
            let earlier = calls.iter().filter(|(_, action, _)| *action == call.action);
            let nth = u32::try_from(earlier.count()).expect("few") + 1;
            calls.push((call.service, call.action, nth));
        }
    }
    assert!(!calls.is_empty(), "{case:?}");
    calls
}

/// Where the person has to begin anew: `AgentCore`'s "denied" cannot be told from "this session is
/// over".
fn needs_another(case: Case, action: &str, kind: FaultKind) -> bool {
    matches!(
        (case, action, kind),
        (
            Case::CallbackForGuest | Case::CallbackForAnybody | Case::CallbackOfAnotherPerson,
            "CompleteResourceTokenAuth" | "GetResourceOauth2Token",
            FaultKind::Denied,
        )
    )
}

fn assert_clear(answer: &Answer) {
    let problem = if answer.status == 200 && answer["error"].is_object() {
        &answer["error"]
    } else {
        &answer.body
    };
    match answer.status {
        200 if problem["code"].is_null() || problem["code"] == "AUTH_REQUIRED" => {}
        302 | 303 => {}
        _ => {
            let status = problem["status"].as_u64().expect("a problem");
            assert!([500, 503].contains(&status), "{}", answer.body);
            assert!(problem["detail"].is_string());
        }
    }
}
