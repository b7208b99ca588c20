//! `delete-guest`: an operator deletes a guest, and nothing is left but the record of the act.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::json;

use crate::harness::backstage::items;
use crate::harness::case::{Case, Then};
use crate::harness::operators::{assert_recorded, recorded, with_reason};
use crate::harness::people::ADA;
use crate::harness::requests::{assert_refused_everywhere, opens};
use crate::harness::stage::Stage;
use crate::harness::{Answer, SignedIn, TestWorld};

fn path_of(guest: &SignedIn<'_>) -> String {
    format!("/admin/guests/{}", guest.user["guestId"].as_str().unwrap())
}

async fn delete(world: &TestWorld, path: &str) -> Answer {
    let mut operator = world.operator();
    operator
        .send_json(Method::DELETE, path, &with_reason())
        .await
}

/// Items that name the guest. The audit table keeps the act, and finished sign-ins expire.
async fn left_of(world: &TestWorld, guest: &SignedIn<'_>) -> Vec<String> {
    let mut left = Vec::new();
    for table in ["guests", "user-sessions", "activity"] {
        for item in items(world, &world.ready().tables[table]).await {
            let text = json!(item).to_string();
            if text.contains(guest.user["guestId"].as_str().unwrap()) || text.contains(ADA) {
                left.push(format!("{table}: {text}"));
            }
        }
    }
    left
}

#[tokio::test]
async fn nothing_is_left_but_the_record_and_the_address_is_free() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mails = world.mails(ADA).len();
    let done = delete(&world, &path_of(&guest)).await;
    done.expect_status(202);
    assert_recorded(&world, &guest, "delete").await;
    assert_refused_everywhere(&world, &guest.access_token).await;
    assert_eq!(left_of(&world, &guest).await, [""; 0]);
    assert!(world.users().await.is_empty());
    assert_eq!(world.mails(ADA).len(), mails + 1);

    let unknown = delete(&world, &path_of(&guest)).await;
    unknown.expect_problem(404, "NOT_FOUND");
    let next = world.sign_in(ADA).await;
    assert_ne!(next.user["guestId"], guest.user["guestId"]);
}

#[tokio::test]
async fn an_interrupted_deletion_goes_on_with_the_same_request() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let stuck = Fault::new(FaultKind::Denied, "dynamodb", "Query");
    world.fault(stuck.of("delete-guest"));
    let failed = delete(&world, &path_of(&guest)).await;
    failed.expect_problem(500, "INTERNAL");
    assert!(!opens(&world, &guest.access_token).await);
    let acts = recorded(&world).await;
    assert_eq!(acts.last().unwrap()["outcome"], "INTERNAL");

    let done = delete(&world, &path_of(&guest)).await;
    done.expect_status(202);
    assert_eq!(left_of(&world, &guest).await, [""; 0]);
}

#[tokio::test]
async fn an_unsigned_request_deletes_nothing() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    browser.delete(&path_of(&guest)).await.expect_status(403);
    assert_eq!(recorded(&world).await, []);
    assert!(opens(&world, &guest.access_token).await);
}

/// Its cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("delete-guest", "deleted", "202", |world| {
            Box::pin(deleting(world))
        })
        .then(|_, stage, answer| Box::pin(is_deleted(stage, answer))),
    ]
}

async fn deleting(world: &TestWorld) -> Stage<'_> {
    let guest = world.sign_in(ADA).await;
    Stage::operator(world, Method::DELETE, &path_of(&guest), with_reason())
}

/// The same request, until the guest has gone.
async fn is_deleted(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 202 {
        then = Then::SameAgain;
        let again = stage.act().await;
        if again["code"] == "NOT_FOUND" {
            then = Then::Done;
        } else {
            again.expect_status(202);
        }
    }
    drop(stage.world.sign_in(ADA).await);
    then
}
