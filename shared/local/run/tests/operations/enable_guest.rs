//! `enable-guest`: a disabled guest may sign in again.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::operators::{act_on_ada, assert_recorded, path_of, with_reason};
use crate::harness::people::ADA;
use crate::harness::requests::opens;

#[tokio::test]
async fn an_enabled_guest_signs_in_and_old_sessions_stay_ended() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut operator = world.operator();
    let disabled = operator
        .post(&path_of(&guest.user, "disable"), json!({}))
        .await;
    disabled.expect_status(204);
    for _ in 0..2 {
        let path = path_of(&guest.user, "enable");
        let enabled = operator.post(&path, with_reason()).await;
        enabled.expect_status(204);
        assert_recorded(&world, &guest, "enable").await;
    }
    assert!(!opens(&world, &guest.access_token).await);
    world.advance(1);
    let again = world.sign_in(ADA).await;
    assert_eq!(again.user["guestId"], guest.user["guestId"]);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("enable-guest", "enabled", "204", |world| {
        Box::pin(act_on_ada(world, "enable"))
    })]
}
