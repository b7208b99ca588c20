//! `get-session-status`: how far an authorization has come.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authorizations::{
    UNTIL_OVER_SECONDS, ask, consented, location, path_of, status, status_path,
};
use crate::harness::case::Case;
use crate::harness::people::ADA;
use crate::harness::requests::counted;
use crate::harness::stage::Stage;

#[tokio::test]
async fn nine_fifty_nine_is_in_time_and_ten_minutes_and_one_second_are_not() {
    for (seconds, expected) in [
        (599, "?auth=success"),
        (601, "code=SESSION_EXPIRED&reason=expired"),
    ] {
        let world = TestWorld::stopped(&[]).await;
        let (mut browser, back) = consented(&world, ADA).await;
        world.advance(seconds);
        let ended = browser.get(&path_of(&back)).await;
        assert!(location(&ended).contains(expected), "{}", location(&ended));
        let stranger = world.browser().get(&path_of(&back)).await;
        assert!(location(&stranger).ends_with("?auth=error&code=USER_MISMATCH"));
    }
}

#[tokio::test]
async fn a_session_reads_expired_on_time_and_its_abandonment_counts_once() {
    let world = TestWorld::stopped(&[]).await;
    let session = ask(&world, json!({})).await["error"]["sessionId"].clone();
    let session = session.as_str().expect("an id");
    world.advance(599);
    assert_eq!(status(&world, session).await, "PENDING");
    world.advance(1);
    for _ in 0..3 {
        assert_eq!(status(&world, session).await, "EXPIRED");
    }
    assert_eq!(counted(&world, "AuthorizationsAbandoned"), 1);
    let again = ask(&world, json!({ "sessionId": session })).await;
    assert_ne!(again["error"]["sessionId"], session);
    world.advance(24 * 3600 + 1);
    let forgotten = world.browser().get(&status_path(session)).await;
    forgotten.expect_problem(404, "NOT_FOUND");
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("get-session-status", "waiting", "200", |world| {
            Box::pin(waiting(world))
        }),
        Case::of("get-session-status", "abandoned", "200", |world| {
            Box::pin(abandoned(world))
        }),
    ]
}

async fn waiting(world: &TestWorld) -> Stage<'_> {
    let asked = ask(world, json!({})).await;
    let session = asked["error"]["sessionId"].as_str().expect("an id");
    Stage::get(world.browser(), &status_path(session))
}

async fn abandoned(world: &TestWorld) -> Stage<'_> {
    let stage = waiting(world).await;
    world.advance(UNTIL_OVER_SECONDS);
    stage
}
