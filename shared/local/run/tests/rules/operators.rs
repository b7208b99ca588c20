//! Operators' routes: IAM alone opens them, and every act is recorded before it begins and after.

use crate::harness::TestWorld;
use crate::harness::operators::recorded;
use crate::harness::people::ADA;
use crate::harness::requests::Sample;

#[tokio::test]
async fn no_guest_and_no_stranger_reaches_an_operators_route() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let mut stranger = world.browser_at("127.0.0.2");
    let before = world.last_call();
    for sample in Sample::of_operators() {
        for browser in [&mut stranger, &mut guest.browser] {
            let refused = sample.send(browser).await;
            assert_eq!(refused.status, 403, "{}", sample.name());
        }
    }
    let calls = world.actions_since(before);
    assert!(calls.is_empty(), "no function runs: {calls:?}");
}

#[tokio::test]
async fn each_act_is_recorded_before_it_begins_and_with_its_outcome() {
    let world = TestWorld::start().await;
    let mut operator = world.operator();
    for sample in Sample::of_operators() {
        let before = recorded(&world).await.len();
        let answer = sample.send(&mut operator).await;
        assert!([204, 404].contains(&answer.status), "{}", answer.in_short());
        let acts = recorded(&world).await;
        assert_eq!(acts.len(), before + 2, "{}", sample.name());
        let outcomes = acts.iter().filter(|act| act.contains_key("outcome"));
        assert_eq!(outcomes.count(), acts.len() / 2, "{}", sample.name());
    }
}
