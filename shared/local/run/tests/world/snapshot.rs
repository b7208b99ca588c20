//! A world returns to a moment, as often as a test wants.

use auth_local::{Fault, FaultKind};

use crate::harness::TestWorld;
use crate::harness::people::{ADA, BOB};

#[tokio::test]
async fn a_world_returns_to_a_snapshot_with_people_mails_faults_and_time() {
    let world = TestWorld::start().await;
    let token = world.browser().started(ADA).await;
    let code = world.mail_code(ADA).await;
    let lost = Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "AdminRespondToAuthChallenge",
    );
    world.fault(lost.of("verify-otp"));
    let (then, moment) = (world.clock().now(), world.moment());
    for _ in 0..3 {
        let mut browser = world.browser();
        let denied = browser.verify(ADA, &code, &token).await;
        denied.expect_problem(500, "INTERNAL");
        browser.verify(ADA, &code, &token).await.expect_status(200);
        world.sign_in(BOB).await;
        world.advance(86_400);
        assert_eq!(world.guests().await.len(), 2);
        world.return_to(&moment);
        assert!(world.guests().await.is_empty());
        assert!(world.mails(BOB).is_empty());
        assert_eq!(world.mail_code(ADA).await, code);
        let passed = world.clock().now().as_millis() - then.as_millis();
        assert!((0..60_000).contains(&passed), "{passed}");
    }
}

/// A function keeps what it has read before a snapshot, and nothing of what it reads later.
#[tokio::test]
async fn functions_are_as_warm_as_at_the_snapshot() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let moment = world.moment();
    let reads = |function: &'static str| {
        let calls = world.calls_of(function).into_iter();
        calls.filter(|call| call.action == "GetSecretValue").count()
    };
    assert_eq!((reads("initiate-otp"), reads("resend-otp")), (1, 0));
    for _ in 0..3 {
        let mut browser = world.browser();
        let token = browser.started(BOB).await;
        world.advance(31);
        browser.resend(&token).await.expect_status(200);
        assert_eq!((reads("initiate-otp"), reads("resend-otp")), (1, 1));
        world.return_to(&moment);
    }
    world.advance(86_400);
    world.browser().started(BOB).await;
    assert_eq!(reads("initiate-otp"), 2);
}
