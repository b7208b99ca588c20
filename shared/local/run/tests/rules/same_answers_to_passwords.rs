//! Logins, registrations and resets answer alike for every kind of address: the same bytes, and the
//! same time.

use std::future::Future;
use std::time::{Duration, Instant};

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::backstage::lose_words_of_mails;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD, WRONG_RESET_CODE};
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::form;
use crate::harness::steps::at_once;
use crate::harness::{Answer, TestWorld};

/// A person of every kind that must look alike.
async fn people(world: &TestWorld) -> Vec<String> {
    let mut people = vec!["nobody@example.com".to_owned()];
    let registered = "registered@example.com";
    world.registered(registered, PASSWORD).await;
    let unconfirmed = "unconfirmed@example.com";
    world
        .browser()
        .register(unconfirmed, PASSWORD)
        .await
        .expect_status(201);
    let by_code = "by-code@example.com";
    world.sign_in(by_code).await;
    let disabled = "disabled@example.com";
    world.registered(disabled, PASSWORD).await;
    world
        .admin("AdminDisableUser", json!({ "Username": disabled }))
        .await;
    let temporary = "temporary@example.com";
    world
        .make_user(temporary, Some("given-by-an-administrator"))
        .await;
    people.extend([registered, unconfirmed, by_code, disabled, temporary].map(str::to_owned));
    people
}

#[tokio::test]
async fn logins_and_resets_of_every_kind_of_address_get_the_same_bytes() {
    let world = TestWorld::stopped(&[]).await;
    let people = people(&world).await;
    // Some of them needed a mailed code for their state.
    world.advance(24 * 3600);
    for (step, times, status) in [
        ("login", 5, 401),
        ("login", 2, 429),
        ("reset", 3, 202),
        ("reset", 2, 429),
        ("code", 3, 401),
        ("code", 2, 429),
    ] {
        for _ in 0..times {
            let mut expected = None;
            for (host, email) in (2..).zip(&people) {
                let mut browser = world.browser_at(&format!("127.0.0.{host}"));
                let answer = match step {
                    "login" => browser.login(email, OTHER_PASSWORD).await,
                    "reset" => browser.request_reset(email).await,
                    _ => {
                        browser
                            .confirm_reset(email, WRONG_RESET_CODE, OTHER_PASSWORD)
                            .await
                    }
                };
                answer.expect_status(status);
                let form = form(&answer);
                assert_eq!(
                    expected.get_or_insert(form.clone()),
                    &form,
                    "{email}, {step}"
                );
            }
        }
    }
}

/// Only a mail to a user who exists is worded by a function, so its failure must not show.
#[tokio::test]
async fn a_reset_that_cannot_be_mailed_answers_as_for_an_unknown_address() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    world.advance(24 * 3600);
    let mails = world.mails(ADA).len();
    lose_words_of_mails(&world).await;
    let mut forms = Vec::new();
    for (host, email) in [("127.0.0.2", ADA), ("127.0.0.3", "nobody@example.com")] {
        let asked = world.browser_at(host).request_reset(email).await;
        asked.expect_status(202);
        forms.push(form(&asked));
    }
    assert_eq!(forms[0], forms[1]);
    assert_eq!(world.mails(ADA).len(), mails);
}

/// The floor of the tests below: far more than the work, also on a busy machine.
const FLOOR: Duration = Duration::from_millis(2500);

/// The delay of each call of Cognito: a missing one would show.
const HANDICAP: Duration = Duration::from_millis(600);

const ROUNDS: usize = 3;

async fn timed(asked: impl Future<Output = Answer>) -> Duration {
    let began = Instant::now();
    asked.await;
    began.elapsed()
}

/// ASVS 5.0 6.3.8.
#[tokio::test]
async fn unknown_addresses_take_as_long_as_known_ones() {
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::with_settings(&[
        ("OTP_RESPONSE_FLOOR_MS", &floor),
        ("OTP_REFUSAL_FLOOR_MS", &floor),
    ])
    .await;
    world.registered(ADA, PASSWORD).await;
    world.sign_in(EVE).await;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "GetItem");
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let people = [ADA, EVE, "nobody@example.com"];
    for step in ["login", "reset", "code"] {
        let mut took: Vec<Vec<Duration>> = vec![Vec::new(); people.len()];
        for _ in 0..ROUNDS {
            let asked = people.map(|email| {
                let world = &world;
                async move {
                    let mut browser = world.browser();
                    timed(async move {
                        match step {
                            "login" => browser.login(email, OTHER_PASSWORD).await,
                            "reset" => browser.request_reset(email).await,
                            _ => {
                                browser
                                    .confirm_reset(email, WRONG_RESET_CODE, OTHER_PASSWORD)
                                    .await
                            }
                        }
                    })
                    .await
                }
            });
            for (took, duration) in took.iter_mut().zip(at_once(asked).await) {
                took.push(duration);
            }
            world.advance(31);
        }
        let medians: Vec<Duration> = took
            .into_iter()
            .map(|mut took| {
                took.sort_unstable();
                took[ROUNDS / 2]
            })
            .collect();
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        assert!(
            *least >= FLOOR && most.saturating_sub(*least) < HANDICAP / 2,
            "{step}: {medians:?}"
        );
    }
}
