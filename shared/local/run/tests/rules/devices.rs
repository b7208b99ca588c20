//! Known devices: whose device cookie counts, its lifetime, and a browser's maximum.

use serde_json::json;

use crate::harness::backstage::release_guest;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::harness::{Browser, TestWorld};

/// Whether a start of the browser is admitted after strangers have spent their budget.
async fn is_known(world: &TestWorld, browser: &mut Browser<'_>, email: &str) -> bool {
    let mut stranger = world.browser_at("127.0.0.9");
    for _ in 0..5 {
        stranger.start(email).await;
    }
    let refused = stranger.start(email).await;
    refused.expect_problem(429, "RATE_LIMITED");
    let started = browser.start(email).await;
    if started.status != 200 {
        started.expect_problem(429, "RATE_LIMITED");
    }
    started.status == 200
}

/// After a reset, a stranger who once had the guest's browser is a stranger, and so is a browser
/// that a thief keeps.
#[tokio::test]
async fn a_password_reset_ends_every_known_device() {
    let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
    world.registered(ADA, PASSWORD).await;
    let mut thief = world.browser();
    thief.login(ADA, PASSWORD).await.expect_status(200);
    let mut owner = world.browser();
    owner.login(ADA, PASSWORD).await.expect_status(200);
    assert!(is_known(&world, &mut thief, ADA).await);

    owner.request_reset(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    let reset = owner.confirm_reset(ADA, &code, OTHER_PASSWORD).await;
    reset.expect_status(204);
    assert!(!is_known(&world, &mut thief, ADA).await);
    owner.login(ADA, OTHER_PASSWORD).await.expect_status(200);
    assert!(is_known(&world, &mut owner, ADA).await);
}

#[tokio::test]
async fn a_device_of_the_last_owner_of_an_address_is_a_stranger_to_the_next() {
    let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
    let mut last = world.sign_in(ADA).await.browser;
    assert!(is_known(&world, &mut last, ADA).await);
    // The user is deleted, and the address gets another.
    world
        .admin("AdminDeleteUser", json!({ "Username": ADA }))
        .await;
    release_guest(&world, ADA).await;
    world.advance(3600);
    let mut next = world.sign_in(ADA).await.browser;
    assert!(is_known(&world, &mut next, ADA).await);
    assert!(!is_known(&world, &mut last, ADA).await);
}

/// Past 10,240 bytes of fields API Gateway answers 431 to everything.
#[tokio::test]
async fn a_browser_keeps_eight_device_cookies_and_the_oldest_go() {
    let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
    let mut browser = world.browser();
    for number in 0..20 {
        world.advance(60);
        let guest = format!("guest.{number}@example.com");
        browser.sign_in(&guest).await.expect_status(200);
        assert_eq!(browser.cookies.len(), (number + 1).min(8));
    }
    for (number, known) in [(11, false), (12, true), (19, true)] {
        let guest = format!("guest.{number}@example.com");
        assert_eq!(
            is_known(&world, &mut browser, &guest).await,
            known,
            "{guest}"
        );
    }
}

#[tokio::test]
async fn device_cookies_past_eight_that_a_browser_has_from_before_are_cleared() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    for number in 0..40 {
        let name = format!("__Host-latchkey-device-{number:08x}");
        let value = format!("v1.{number}.{}.{}", "0".repeat(32), "0".repeat(64));
        browser.cookies.insert(name, value);
    }
    browser.sign_in(ADA).await.expect_status(200);
    assert_eq!(browser.cookies.len(), 8);
    let oldest = browser
        .cookies
        .values()
        .filter(|value| value.starts_with("v1.3"));
    assert_eq!(oldest.count(), 7, "those of 33 to 39 stay");
}
