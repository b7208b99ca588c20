//! `sweep-unproved-users`: its cases. `rules/unproved_users.rs` tests its promises.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::case::{Case, Then};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

const SWEEP: &str = "sweep-unproved-users";

/// Longer than an unproved user is kept.
const UNTIL_DUE_SECONDS: u64 = 25 * 3600;

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of(SWEEP, "one removed", "200", |world| {
            Box::pin(one_due(world))
        })
        .in_a_fresh_world()
        .then(|case, stage, answer| Box::pin(nobody_is_left(case, stage, answer))),
        Case::of(SWEEP, "none due", "200", |world| Box::pin(none_due(world))).in_a_fresh_world(),
    ]
}

async fn none_due(world: &TestWorld) -> Stage<'_> {
    world.browser().started(ADA).await;
    Stage::invocation(world, SWEEP, json!({}))
}

async fn one_due(world: &TestWorld) -> Stage<'_> {
    let stage = none_due(world).await;
    world.advance(UNTIL_DUE_SECONDS);
    stage
}

/// A run has claimed ADA's user, but not removed the user.
pub(crate) async fn half_done(world: &TestWorld) {
    let mut stage = one_due(world).await;
    let fault = Fault::new(FaultKind::Denied, "cognito-idp", "AdminDeleteUser");
    world.fault(fault.of(SWEEP));
    let failed = stage.act().await;
    assert_eq!(failed.in_short(), "500 ScheduledWorkFailed");
}

async fn nobody_is_left(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    assert!(stage.world.users().await.is_empty());
    then
}
