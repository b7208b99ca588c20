//! Faults strike exactly their own calls, in AWS's words.

use std::time::{Duration, Instant};

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::people::ADA;

#[tokio::test]
async fn refusals_happen_before_the_service_acts_and_wear_off() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    for kind in [FaultKind::Throttle, FaultKind::Internal, FaultKind::Denied] {
        world.reset().unwrap();
        world.fault(Fault::new(kind, "cognito-idp", "AdminInitiateAuth").times(u32::MAX));
        let refused = browser
            .post("/auth/otp/initiate", json!({ "email": ADA }))
            .await;
        assert!(refused.status >= 500, "{}", refused.body);
        assert!(world.mails(ADA).is_empty());
        world.clear_faults();
        browser.sign_in(ADA).await.expect_status(200);
    }
}

#[tokio::test]
async fn a_lost_answer_is_an_act_without_a_status() {
    let world = TestWorld::start().await;
    world.fault(Fault::new(
        FaultKind::Lost,
        "cognito-idp",
        "AdminCreateUser",
    ));
    world
        .browser()
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await
        .expect_status(200);
    let creations: Vec<_> = world
        .calls(0)
        .into_iter()
        .filter(|call| call.action == "AdminCreateUser")
        .map(|call| call.status)
        .collect();
    assert_eq!(
        creations,
        [None, Some(400)],
        "the second try finds the user that the first one made"
    );
}

#[tokio::test]
async fn a_fault_strikes_the_nth_call_of_its_function_only() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let fault = Fault::new(FaultKind::Denied, "dynamodb", "UpdateItem")
        .of("update-profile")
        .nth(2);
    world.fault(fault);
    // These update items too, and do not count.
    world.sign_in(ADA).await;
    for (name, status) in [("Ada", 200), ("Ada L.", 500), ("Ada Lovelace", 200)] {
        let changed = guest.browser.patch("/me", json!({ "name": name })).await;
        changed.expect_status(status);
    }
}

#[tokio::test]
async fn a_delay_lasts_as_long_as_it_says() {
    let world = TestWorld::start().await;
    let delay = Duration::from_millis(120);
    world.fault(Fault::new(FaultKind::Delay, "dynamodb", "PutItem").lasting(delay));
    let started = Instant::now();
    world
        .browser()
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await
        .expect_status(200);
    assert!(started.elapsed() >= delay);
    assert!(world.actions().contains(&"dynamodb:PutItem".to_owned()));
}

#[tokio::test]
async fn faults_are_armed_listed_and_cleared_over_http() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let fault = json!({ "service": "cognito-idp", "action": "AdminInitiateAuth", "nth": 1, "times": 1, "fault": "throttle" });
    browser
        .post("/_local/faults", fault.clone())
        .await
        .expect_status(201);
    assert_eq!(browser.get("/_local/faults").await.body, json!([fault]));
    let since = world.last_call();
    browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await
        .expect_status(200);
    let tries = world
        .actions_since(since)
        .into_iter()
        .filter(|call| call == "cognito-idp:AdminInitiateAuth")
        .count();
    assert_eq!(tries, 2, "one was throttled, the retry was not");
    assert_eq!(
        browser.get("/_local/faults").await.body,
        json!([]),
        "a spent fault is gone"
    );

    browser
        .post("/_local/faults", fault)
        .await
        .expect_status(201);
    browser.delete("/_local/faults").await.expect_status(204);
    assert_eq!(browser.get("/_local/faults").await.body, json!([]));
    for bad in [
        json!({ "service": "dynamodb", "fault": "explode" }),
        json!({ "service": "dynamodb", "fault": "delay" }),
        json!({ "service": "dynamodb", "fault": "lost", "nth": 0 }),
        json!({ "service": "dynamodb", "fault": "lost", "when": "now" }),
        json!({ "service": "cognito", "fault": "lost" }),
    ] {
        browser.post("/_local/faults", bad).await.expect_status(400);
    }
}
