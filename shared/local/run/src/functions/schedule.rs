//! The schedules of the contract, kept as `EventBridge` keeps a rule.

use std::sync::Arc;
use std::time::Duration;

use auth_api::{Contract, FunctionKind};
use auth_domain::Timestamp;
use auth_lambda::ClientContext;
use serde_json::json;
use serde_json::value::to_raw_value;

use super::Functions;
use crate::world::account::{ACCOUNT_ID, REGION, function_name};
use crate::world::clock::WorldClock;
use crate::world::random;

/// How often the world's clock is read. `EventBridge` promises the minute, and no more.
const LOOK_EVERY: Duration = Duration::from_mins(1);

/// Invokes each scheduled function when it is due by the world's clock, until the world ends.
///
/// It is due for the first time one interval after the start. If the clock skips several intervals,
/// one invocation covers them.
pub(crate) async fn keep(functions: Arc<Functions>, clock: WorldClock) {
    let mut schedules: Vec<Schedule> = Contract::embedded()
        .functions()
        .iter()
        .filter_map(|function| match function.kind {
            FunctionKind::Schedule { every_minutes } => {
                let every = Duration::from_mins(every_minutes.into());
                Some(Schedule {
                    function: &function.name,
                    every,
                    due: clock.now().after(every),
                })
            }
            FunctionKind::Route
            | FunctionKind::Trigger(_)
            | FunctionKind::Authorizer
            | FunctionKind::MailFeedback => None,
        })
        .collect();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = clock.now();
        for schedule in schedules.iter_mut().filter(|one| one.due <= now) {
            schedule.due = now.after(schedule.every);
            if let Ok(event) = to_raw_value(&event(schedule.function, now)) {
                functions
                    .invoke(schedule.function, event, ClientContext::NoTool)
                    .await;
            }
        }
    }
}

struct Schedule {
    function: &'static str,
    every: Duration,
    due: Timestamp,
}

/// An event of `EventBridge`.
fn event(function: &str, now: Timestamp) -> serde_json::Value {
    let rule = function_name(function);
    json!({
        "version": "0",
        "id": random::uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT_ID,
        "time": now,
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT_ID}:rule/{rule}")],
        "detail": {},
    })
}
