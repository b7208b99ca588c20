//! `get-profile`: the guest's own record. `update_profile.rs` and `rules/` test its content.

use reqwest::Method;
use serde_json::Value;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::people::ADA;
use crate::harness::stage::Stage;

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("get-profile", "signed in", "200", |world| {
        Box::pin(signed_in(world))
    })]
}

async fn signed_in(world: &TestWorld) -> Stage<'_> {
    Stage::signed_in(world.sign_in(ADA).await, Method::GET, "/me", Value::Null)
}
