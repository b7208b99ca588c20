//! Unproved users are removed after a day, and no others are.

use std::time::Duration;

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::join;

use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::steps::{attribute, sub_of};
use crate::harness::{Answer, TestWorld};

const BOB: &str = "bob@example.com";

const SWEEP: &str = "sweep-unproved-users";

const HOUR: u64 = 3600;

impl TestWorld {
    /// A run of the function, as its schedule makes it.
    async fn sweep(&self) -> Answer {
        self.invoke(SWEEP, &json!({})).await
    }

    /// The notes of unproved addresses.
    async fn unproved(&self) -> Vec<Value> {
        let mut items = self.items(&self.ready().tables["challenges"]).await;
        items.retain(|item| {
            attribute(item, "pk").starts_with("unproved#") && item.get("waiting").is_some()
        });
        items
    }

    async fn addresses(&self) -> Vec<String> {
        let users = self.users().await;
        let mut addresses: Vec<String> = users.iter().map(email_of).collect();
        addresses.sort();
        addresses
    }
}

fn email_of(user: &Value) -> String {
    let attributes = user["Attributes"].as_array().expect("attributes");
    let email = attributes
        .iter()
        .find(|attribute| attribute["Name"] == "email");
    email.expect("an address")["Value"]
        .as_str()
        .expect("text")
        .to_owned()
}

#[tokio::test]
async fn a_user_whom_nobody_proves_in_a_day_goes_and_everybody_else_stays() {
    let world = TestWorld::stopped(&[]).await;
    let foreign = "foreign@example.com";
    world.make_user(foreign, None).await;
    let mut browser = world.browser();
    for unproved in [ADA, foreign] {
        browser.started(unproved).await;
    }
    browser.registering(EVE, PASSWORD).await;
    world.sign_in(BOB).await;
    world.registered("carol@example.com", PASSWORD).await;
    let by_reset = "dora@example.com";
    browser.registering(by_reset, PASSWORD).await;
    let reset = world
        .reset_password(&mut browser, by_reset, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    assert_eq!(world.addresses().await.len(), 6);

    world.advance(24 * HOUR - 1);
    assert_eq!(world.sweep().await["removed"], 0);
    world.advance(1);
    let swept = world.sweep().await;
    assert_eq!(swept["removed"], 2, "{}", swept.body);
    assert_eq!(
        world.addresses().await,
        [BOB, "carol@example.com", by_reset, foreign]
    );
    assert!(world.unproved().await.is_empty());

    // A later person begins like every other.
    world.sign_in(ADA).await;
    world.sign_in(foreign).await;
}

#[tokio::test]
async fn a_start_of_the_last_quarter_of_an_hour_keeps_the_user() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    browser.started(ADA).await;
    let sub = sub_of(&world.user(ADA).await);
    world.advance(24 * HOUR);
    let session_token = browser.started(ADA).await;
    assert_eq!(world.sweep().await["removed"], 0);
    let code = world.mail_code(ADA).await;
    let signed_in = browser.verify(ADA, &code, &session_token).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["cognitoSub"], sub);
    world.advance(48 * HOUR);
    assert_eq!(world.sweep().await["removed"], 0);

    browser.started(EVE).await;
    world.advance(24 * HOUR - 15 * 60);
    browser.started(EVE).await;
    world.advance(15 * 60 - 1);
    assert_eq!(world.sweep().await["removed"], 0);
    world.advance(1);
    assert_eq!(world.sweep().await["removed"], 1);
}

/// A start that comes while the user is being removed finishes that, and signs in with a user of
/// its own.
#[tokio::test]
async fn a_start_during_a_sweep_signs_in() {
    let world = TestWorld::start().await;
    world.browser().started(ADA).await;
    let swept = sub_of(&world.user(ADA).await);
    world.advance(25 * HOUR);
    let hangs = Fault::new(FaultKind::Delay, "cognito-idp", "AdminDeleteUser").of(SWEEP);
    world.fault(hangs.lasting(Duration::from_millis(1200)));
    let mut browser = world.browser();
    let (run, signed_in) = join!(world.sweep(), async {
        tokio::time::sleep(Duration::from_millis(400)).await;
        browser.sign_in(ADA).await
    });
    signed_in.expect_status(200);
    assert_eq!(run["removed"], 1, "{}", run.body);
    let sub = sub_of(&world.user(ADA).await);
    assert_ne!(sub, swept);
    assert_eq!(signed_in["user"]["cognitoSub"], sub);
    browser.sign_in(ADA).await.expect_status(200);
}

/// A proof claims the user first, and the sweep that has found it leaves it.
#[tokio::test]
async fn a_proof_during_a_sweep_keeps_the_user() {
    let world = TestWorld::start().await;
    world.browser().started(ADA).await;
    world.advance(25 * HOUR);
    let hangs = Fault::new(FaultKind::Delay, "dynamodb", "UpdateItem").of(SWEEP);
    world.fault(hangs.lasting(Duration::from_millis(1200)));
    let mut browser = world.browser();
    let (run, signed_in) = join!(world.sweep(), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        browser.sign_in(ADA).await
    });
    signed_in.expect_status(200);
    assert_eq!(run["removed"], 0, "{}", run.body);
    browser.sign_in(ADA).await.expect_status(200);
}

#[tokio::test]
async fn what_a_failed_sweep_leaves_the_next_one_or_the_next_start_finishes() {
    for (service, action) in [
        ("dynamodb", "Query"),
        ("dynamodb", "GetItem"),
        ("dynamodb", "UpdateItem"),
        ("cognito-idp", "AdminDeleteUser"),
        ("dynamodb", "DeleteItem"),
    ] {
        for kind in [FaultKind::Internal, FaultKind::Lost] {
            for by_start in [false, true] {
                let world = TestWorld::start().await;
                let mut browser = world.browser();
                browser.started(ADA).await;
                world.advance(25 * HOUR);
                world.fault(Fault::new(kind, service, action).of(SWEEP).times(3));
                let failed = world.sweep().await;
                assert_eq!(
                    failed["errorType"], "ScheduledWorkFailed",
                    "{action} {kind:?}"
                );
                world.clear_faults();
                if by_start {
                    browser.sign_in(ADA).await.expect_status(200);
                    assert_eq!(world.users().await.len(), 1, "{action} {kind:?}");
                } else {
                    world.sweep().await;
                    assert!(world.users().await.is_empty(), "{action} {kind:?}");
                }
                assert!(world.unproved().await.is_empty(), "{action} {kind:?}");
            }
        }
    }
}
