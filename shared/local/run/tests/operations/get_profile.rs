//! `get-profile`: the guest's own record. `update_profile.rs` and `rules/` test its content.

use reqwest::Method;
use serde_json::Value;

use crate::harness::case::{Case, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{API, Outside, public_records};
use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let first_call = Case::of(
        "get-profile",
        "first call of the public client",
        "200",
        |world| Box::pin(first_call(world, "/me")),
    );
    vec![
        Case::of("get-profile", "signed in", "200", |world| {
            Box::pin(signed_in(world))
        }),
        first_call
            .with(&API)
            .then(|case, stage, answer| Box::pin(is_recorded(case, stage, answer))),
    ]
}

async fn signed_in(world: &TestWorld) -> Stage<'_> {
    Stage::signed_in(world.sign_in(ADA).await, Method::GET, "/me", Value::Null)
}

pub(crate) async fn first_call<'world>(world: &'world TestWorld, path: &str) -> Stage<'world> {
    world.registered(ADA, PASSWORD).await;
    let session = Outside::of(world).session(ADA, PASSWORD).await;
    Stage::signed_in(session, Method::GET, path, Value::Null)
}

/// The session has a record, at the latest after the next call.
pub(crate) async fn is_recorded(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    if public_records(stage.world).await.len() == 1 {
        return then;
    }
    stage.act().await.expect_status(200);
    assert_eq!(public_records(stage.world).await.len(), 1);
    Then::SameAgain
}
