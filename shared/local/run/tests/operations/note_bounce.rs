//! `note-bounce`: an unreachable address of a guest is marked, and no answer reveals it.

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;
use crate::harness::steps::attribute;

const FUNCTION: &str = "note-bounce";

pub(crate) async fn bounce(world: &TestWorld, to: &str, kind: &str) {
    let url = format!("{}/_local/bounces", world.ready().gateway);
    let body = json!({ "to": to, "kind": kind }).to_string();
    let answer = reqwest::Client::new().post(url).body(body).send().await;
    assert_eq!(answer.unwrap().status(), 202);
}

async fn items(world: &TestWorld) -> Vec<Value> {
    world.items(&world.ready().tables["guests"]).await
}

async fn claim(world: &TestWorld, email: &str) -> Value {
    let key = format!("address#{email}");
    let mut items = items(world).await.into_iter();
    items
        .find(|item| attribute(item, "pk") == key)
        .expect("the address is a guest's")
}

#[tokio::test]
async fn a_bounce_for_good_marks_the_guests_address_and_a_full_mailbox_does_not() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    bounce(&world, ADA, "transient").await;
    assert!(claim(&world, ADA).await.get("undeliverable").is_none());

    bounce(&world, "Ada@example.com", "permanent").await;
    assert_eq!(
        attribute(&claim(&world, ADA).await, "undeliverable"),
        "bounced"
    );
    world.advance(1);
    bounce(&world, ADA, "complaint").await;
    let marked = claim(&world, ADA).await;
    assert_eq!(attribute(&marked, "undeliverable"), "complained");

    // An older event that comes late changes nothing, and an address without a guest gets no mark.
    let late = json!({
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{ "emailAddress": ADA }, { "emailAddress": EVE }],
            "timestamp": "2020-01-01T00:00:00.000Z",
        },
    });
    world.invoke(FUNCTION, &json!({ "detail": late })).await;
    assert_eq!(claim(&world, ADA).await, marked);
    let of_eve = |item: &Value| attribute(item, "pk").contains(EVE);
    assert!(!items(&world).await.iter().any(of_eve));
}

#[tokio::test]
async fn nothing_reaches_a_dead_address_and_its_answers_stay_those_of_every_other() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let before = world.mails(ADA).len();
    bounce(&world, ADA, "permanent").await;
    let mut browser = world.browser_at("127.0.0.2");
    let of_dead = browser.start(ADA).await;
    let of_unknown = browser.start(EVE).await;
    of_dead.expect_status(200);
    of_unknown.expect_status(200);
    let members =
        |answer: &Value| -> Vec<String> { answer.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(members(&of_dead.body), members(&of_unknown.body));
    assert_eq!(world.mails(ADA).len(), before);
    assert_eq!(world.mails(EVE).len(), 1);
}

/// Notices name the configuration set whose list suppresses codes.
#[tokio::test]
async fn no_notice_reaches_a_dead_address_either() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let of_new_devices = || {
        let subjects = world.subjects(ADA);
        subjects
            .iter()
            .filter(|subject| subject.contains("device"))
            .count()
    };
    world
        .browser_at("127.0.0.2")
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
    let told = of_new_devices();
    assert!(told > 0);
    bounce(&world, ADA, "permanent").await;
    world
        .browser_at("127.0.0.3")
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
    assert_eq!(of_new_devices(), told);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of(FUNCTION, "a guest's address", "200", |world| {
        Box::pin(bounced(world))
    })]
}

async fn bounced(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    Stage::invocation(world, FUNCTION, event())
}

/// SES says that a mail to ADA came back.
fn event() -> Value {
    let event = include_str!("../../../../../crates/note-bounce/events/bounced.json");
    serde_json::from_str(event).unwrap()
}

#[tokio::test]
async fn a_mark_that_fails_is_an_error_that_lambda_tries_again() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let event = event();
    let refused = Fault::new(FaultKind::Internal, "dynamodb", "UpdateItem");
    world.fault(refused.of(FUNCTION).times(u32::MAX));
    let failed = world.invoke(FUNCTION, &event).await;
    assert_eq!(failed["errorType"], "FeedbackNotNoted", "{}", failed.body);
    world.clear_faults();
    let noted = world.invoke(FUNCTION, &event).await;
    assert_eq!(noted.body, json!({}));
    let marked = claim(&world, ADA).await;
    assert_eq!(attribute(&marked, "undeliverable"), "bounced");
}
