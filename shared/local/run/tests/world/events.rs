//! Events of guests, in the form in which a deployment's bus delivers them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::Duration;

use auth_api::{Contract, EVENT_TEMPLATE};
use auth_domain::ActivityKind;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;

/// An event that is written at all is sent within milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

/// How many write at once.
const WRITERS: usize = 50;

/// A connection that events come by.
struct Events {
    response: reqwest::Response,
    text: String,
}

impl Events {
    async fn of(world: &TestWorld, query: &str) -> Self {
        let url = format!("{}/_local/events{query}", world.ready().gateway);
        let response = reqwest::get(url).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            response,
            text: String::new(),
        }
    }

    async fn next(&mut self) -> Value {
        tokio::time::timeout(PATIENCE, async {
            loop {
                if let Some((sent, rest)) = self.text.split_once("\n\n") {
                    let (sent, rest) = (sent.to_owned(), rest.to_owned());
                    self.text = rest;
                    let line = |name: &str| sent.lines().find_map(|line| line.strip_prefix(name));
                    let event: Value = serde_json::from_str(line("data: ").unwrap()).unwrap();
                    assert_eq!(event["detail"]["id"], line("id: ").unwrap());
                    assert_eq!(event["detail"]["type"], line("event: ").unwrap());
                    return event;
                }
                let chunk = self.response.chunk().await.unwrap().unwrap();
                self.text.push_str(std::str::from_utf8(&chunk).unwrap());
            }
        })
        .await
        .expect("an event in time")
    }

    async fn next_types<const N: usize>(&mut self) -> [String; N] {
        let mut types = Vec::new();
        for _ in 0..N {
            types.push(type_of(&self.next().await));
        }
        types.try_into().unwrap()
    }
}

fn type_of(event: &Value) -> String {
    event["detail"]["type"].as_str().unwrap().to_owned()
}

fn schema() -> &'static Value {
    &Contract::embedded().as_json()["components"]["schemas"]["GuestEvent"]
}

fn types() -> BTreeSet<&'static str> {
    let types = schema()["properties"]["type"]["enum"].as_array().unwrap();
    types.iter().map(|one| one.as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_first_sign_in_is_two_events_that_name_the_guest_and_no_address() {
    let world = TestWorld::start().await;
    let mut events = Events::of(&world, "").await;
    let guest = world.sign_in(ADA).await;
    for _ in 0..2 {
        let event = events.next().await;
        let detail = &event["detail"];
        let members: BTreeSet<&String> = detail.as_object().unwrap().keys().collect();
        let required = schema()["required"].as_array().unwrap();
        assert_eq!(json!(members).as_array().unwrap().len(), required.len());
        for name in required {
            assert!(detail[name.as_str().unwrap()].is_string(), "{event}");
        }
        assert!(
            types().contains(detail["type"].as_str().unwrap()),
            "{event}"
        );
        assert_eq!(detail["guestId"], guest.user["guestId"]);
        assert_eq!(detail["version"], "1");
        assert_eq!(event["source"], "latchkey.local");
        assert_eq!(event["detail-type"], "Latchkey event");
        assert!(!event.to_string().contains('@'), "{event}");
    }
    // What was before is asked for by its instant.
    let mut all = Events::of(&world, "?since=0").await;
    let first: [String; 2] = all.next_types().await;
    assert_eq!(first, ["guest.created", "guest.signed_in"]);
}

#[tokio::test]
async fn changes_and_expiry_are_no_events() {
    let world = TestWorld::with_settings(&[("ACTIVITY_DAYS", "1")]).await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let mut events = Events::of(&world, "").await;
    let renamed = guest.browser.patch("/me", json!({ "name": "Ada" })).await;
    renamed.expect_status(200);
    world.advance(3 * 24 * 3600);
    world.sign_in(ADA).await;
    let [next]: [String; 1] = events.next_types().await;
    assert_eq!(next, "guest.signed_in");
}

#[tokio::test]
async fn a_guest_who_leaves_is_an_event_once() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let mut events = Events::of(&world, "").await;
    let proof = json!({ "password": PASSWORD });
    ada.browser
        .post("/me/delete", proof)
        .await
        .expect_status(202);
    world.sign_in(ADA).await;
    let [first, second, third]: [String; 3] = events.next_types().await;
    assert_eq!(first, "guest.deleted");
    assert_eq!(
        [second.as_str(), third.as_str()],
        ["guest.created", "guest.signed_in"]
    );
}

#[tokio::test]
async fn a_mail_that_bounces_is_one_event_however_often_it_is_told() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let mut events = Events::of(&world, "").await;
    let bounce = json!({
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{ "emailAddress": ADA }],
            "timestamp": "2026-11-01T00:00:00.000Z",
        },
    });
    for _ in 0..2 {
        world
            .invoke("note-bounce", &json!({ "detail": bounce }))
            .await;
    }
    world.sign_in(ADA).await;
    let told: [String; 2] = events.next_types().await;
    assert_eq!(told, ["mail.bounced", "guest.signed_in"]);
}

#[tokio::test]
async fn fifty_writers_at_once_lose_and_double_nothing_and_keep_the_order() {
    let world = TestWorld::start().await;
    let mut events = Events::of(&world, "").await;
    let guest = world.sign_in(ADA).await;
    // Past the gateway, whose throttle is not what is tried here.
    let asked = json!({
        "guestId": guest.user["guestId"],
        "principal": "arn:aws:iam::000000000000:user/support",
    });
    let acts = (0..WRITERS).map(|_| world.invoke("enable-guest", &asked));
    for done in join_all(acts).await {
        done.expect_status(200);
        assert!(done["error"].is_null(), "{}", done.body);
    }
    world.sign_in(ADA).await;
    let begun: [String; 2] = events.next_types().await;
    assert_eq!(begun, ["guest.created", "guest.signed_in"]);
    let mut ids = BTreeSet::new();
    for _ in 0..WRITERS {
        let event = events.next().await;
        assert_eq!(event["detail"]["type"], "operator.acted");
        ids.insert(event["detail"]["id"].to_string());
    }
    assert_eq!(ids.len(), WRITERS);
    let [last]: [String; 1] = events.next_types().await;
    assert_eq!(last, "guest.signed_in");
}

#[tokio::test]
async fn of_fifty_guests_at_once_each_keeps_their_order() {
    const LIFE: [&str; 4] = [
        "guest.created",
        "guest.signed_in",
        "session.ended",
        "guest.signed_in",
    ];
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_IP", "100")]).await;
    let mut events = Events::of(&world, "").await;
    let signing = (0..WRITERS).map(async |number| {
        let email = format!("guest.{number}@example.com");
        let mut guest = world.sign_in(&email).await;
        guest.browser.bearer(&guest.access_token);
        let ended = guest.browser.post("/auth/logout", json!({})).await;
        ended.expect_status(204);
        world.sign_in(&email).await;
    });
    join_all(signing).await;
    let mut ids = BTreeSet::new();
    let mut lives: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..WRITERS * LIFE.len() {
        let event = events.next().await;
        assert!(ids.insert(event["detail"]["id"].to_string()), "{event}");
        let guest = event["detail"]["guestId"].to_string();
        lives.entry(guest).or_default().push(type_of(&event));
    }
    assert_eq!(lives.len(), WRITERS);
    for (guest, life) in lives {
        assert_eq!(life, LIFE, "{guest}");
    }
}

/// The pipe of a deployment fills the same template, and lets the same items through.
#[test]
fn the_pipe_and_the_local_run_have_one_form() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
    let read = |path: &str| fs::read_to_string(format!("{root}/{path}")).unwrap();
    let main = read("terraform/main.tf");
    assert!(main.contains("= file(\"${path.module}/../shared/auth-api/event.json\")"));
    assert!(main.contains("= module.tables.tables[\"activity\"].stream_arn"));
    let module = read("terraform/modules/events/main.tf");
    assert!(module.contains("input_template = var.template"));
    assert!(module.contains("eventName = [\"INSERT\"]"));
    assert!(module.contains("dynamodb = { NewImage = { event = { S = sort(var.types) } } }"));
    let template: Value = serde_json::from_str(EVENT_TEMPLATE).unwrap();
    let members: Vec<&String> = template.as_object().unwrap().keys().collect();
    assert_eq!(
        members.len(),
        schema()["required"].as_array().unwrap().len()
    );
    let noted: BTreeSet<&str> = ActivityKind::ALL
        .into_iter()
        .filter_map(ActivityKind::event)
        .collect();
    assert_eq!(noted, types());
}
