//! `initiate-passkey`: the options of a sign-in are the same for every address.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use auth_local::{Fault, FaultKind};
use cognito_local::UnknownUser;
use serde_json::{Value, json};

use crate::harness::backstage::delete_user;
use crate::harness::case::{Case, Prepare};
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::{Answer, TestWorld};

/// Far more than the work, also on a busy machine.
const FLOOR: Duration = Duration::from_millis(2500);

/// The delay of the one call that differs.
const HANDICAP: Duration = Duration::from_millis(600);

/// A guest with a passkey whose user was deleted at Cognito.
const GONE: &str = "mia@example.com";

/// Everything of an answer that may be compared: the challenge and the token differ by nature.
fn form(answer: &Answer) -> (u16, Value, BTreeMap<String, String>, usize) {
    let mut body = answer.body.clone();
    for place in ["/sessionToken", "/options/challenge"] {
        let text = body.pointer_mut(place).unwrap();
        *text = json!(text.as_str().unwrap().len());
    }
    let mut headers = BTreeMap::new();
    for name in [
        "content-type",
        "cache-control",
        "set-cookie",
        "content-length",
    ] {
        headers.insert(
            name.to_owned(),
            answer.header(name).unwrap_or_default().to_owned(),
        );
    }
    (answer.status, body, headers, answer.body.to_string().len())
}

#[tokio::test]
async fn known_and_unknown_addresses_with_and_without_passkeys_get_the_same_bytes() {
    let world = TestWorld::start().await;
    world.holder(ADA).await;
    world.sign_in(EVE).await;
    // Cognito does not know the user any more; the guest's list still has a passkey.
    world.holder(GONE).await;
    delete_user(&world, GONE).await;
    let with = form(&world.browser().start_passkey(ADA).await);
    for unknown in [
        UnknownUser::EmailOtp,
        UnknownUser::AllFactors,
        UnknownUser::Passkey,
        UnknownUser::SelectChallenge,
    ] {
        world.cognito().set_unknown_user(unknown);
        for email in [EVE, GONE, "zoe@nowhere.example"] {
            let started = world.browser().start_passkey(email).await;
            assert_eq!(form(&started), with, "{email}");
        }
    }
}

/// ASVS 5.0 6.3.8. Cognito is asked about one of the two addresses alone. Even a slow call does not
/// show.
#[tokio::test]
async fn an_address_without_passkeys_takes_as_long_as_one_with_them() {
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::with_settings(&[("OTP_RESPONSE_FLOOR_MS", &floor)]).await;
    world.holder(ADA).await;
    let slow = Fault::new(FaultKind::Delay, "cognito-idp", "AdminInitiateAuth");
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let took = async |email| {
        let began = Instant::now();
        world.browser().start_passkey(email).await;
        began.elapsed()
    };
    let (with, without) = tokio::join!(took(ADA), took("zoe@nowhere.example"));
    assert!(with >= FLOOR && without >= FLOOR, "{with:?}, {without:?}");
    assert!(
        with.abs_diff(without) < HANDICAP / 2,
        "{with:?}, {without:?}"
    );
}

#[tokio::test]
async fn cognito_is_asked_where_the_list_has_a_passkey_and_nowhere_else() {
    let world = TestWorld::start().await;
    world.holder(ADA).await;
    let before = world.last_call();
    world.browser().start_passkey("zoe@nowhere.example").await;
    assert!(world.cognito_actions_since(before).is_empty());
    world.browser().start_passkey(ADA).await;
    assert_eq!(world.cognito_actions_since(before), ["AdminInitiateAuth"]);
}

#[tokio::test]
async fn a_network_begins_thirty_times_in_fifteen_minutes() {
    let world = TestWorld::start().await;
    for _ in 0..30 {
        world.browser().start_passkey(ADA).await;
    }
    let refused = world
        .browser()
        .post("/auth/passkey/initiate", json!({ "email": EVE }))
        .await;
    refused.expect_problem(429, "RATE_LIMITED");
}

#[tokio::test]
async fn the_token_of_a_passkey_opens_nothing_that_is_for_codes() {
    let world = TestWorld::start().await;
    world.holder(ADA).await;
    let started = world.browser().start_passkey(ADA).await;
    let token = started.text("sessionToken");
    let mut browser = world.browser();
    let refused = browser.verify(ADA, "48151623", &token).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let refused = browser.resend(&token).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| Case::of("initiate-passkey", name, "200", prepare);
    vec![
        case("guest with a passkey", |world| {
            Box::pin(async {
                drop(world.holder(ADA).await);
                world.advance(UNTIL_COLD_SECONDS);
                start_of(world, ADA)
            })
        }),
        case("address without a guest", |world| {
            Box::pin(async { start_of(world, EVE) })
        }),
    ]
}

fn start_of<'world>(world: &'world TestWorld, email: &str) -> Stage<'world> {
    Stage::post(world, "/auth/passkey/initiate", json!({ "email": email }))
}
