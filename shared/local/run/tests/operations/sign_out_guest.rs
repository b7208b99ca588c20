//! `sign-out-guest`: every session of a guest ends.

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::operators::{act_on_ada, assert_recorded, path_of, with_reason};
use crate::harness::people::ADA;
use crate::harness::requests::{assert_refused_everywhere, expect_refused_refresh, opens, refresh};

#[tokio::test]
async fn every_session_ends_and_the_guest_signs_in_again() {
    let world = TestWorld::start().await;
    let mut laptop = world.sign_in(ADA).await;
    let telephone = world.sign_in(ADA).await;
    let other = world.sign_in("eve@example.com").await;
    let path = path_of(&laptop.user, "sign-out");
    let mut operator = world.operator();
    for _ in 0..2 {
        let done = operator.post(&path, with_reason()).await;
        done.expect_status(204);
        assert_recorded(&world, &laptop, "sign-out").await;
    }
    for token in [&laptop.access_token, &telephone.access_token] {
        assert_refused_everywhere(&world, token).await;
    }
    let refused = refresh(&mut laptop.browser, &laptop.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    assert!(opens(&world, &other.access_token).await);
    world.advance(1);
    let again = world.sign_in(ADA).await;
    assert!(opens(&world, &again.access_token).await);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("sign-out-guest", "signed out", "204", |world| {
        Box::pin(act_on_ada(world, "sign-out"))
    })]
}
