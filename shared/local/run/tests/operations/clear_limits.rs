//! `clear-limits`: an operator lets a person try again.

use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::operators::{assert_recorded, recorded, with_reason};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;
use crate::operations::note_bounce::bounce;

const PATH: &str = "/admin/clear-limits";
const FIND: &str = "/admin/guests/find";
const RECOVER: &str = "/auth/password/reset";
const CONFIRM: &str = "/auth/password/reset/confirm";

#[tokio::test]
async fn mails_codes_and_passwords_are_counted_from_the_beginning() {
    let world = TestWorld::with_settings(&[
        ("CODE_MAILS_PER_HOUR", "2"),
        ("LOGIN_FAILURES_PER_EMAIL", "1"),
        ("OTP_FAILURES_PER_EMAIL", "3"),
    ])
    .await;
    let mut browser = world.browser();
    let token = browser.started(ADA).await;
    for _ in 0..3 {
        browser.verify(ADA, "000000", &token).await;
    }
    browser.started(ADA).await;
    let start = json!({ "email": ADA });
    let password = json!({ "email": ADA, "password": PASSWORD });
    let wrong = browser.post("/auth/login", password.clone()).await;
    wrong.expect_problem(401, "INVALID_CREDENTIALS");
    for _ in 0..2 {
        let refused = browser.post("/auth/otp/initiate", start.clone()).await;
        refused.expect_problem(429, "RATE_LIMITED");
        let refused = browser.post("/auth/login", password.clone()).await;
        refused.expect_problem(429, "RATE_LIMITED");
        let cleared = world.operator().post(PATH, with_address(ADA)).await;
        cleared.expect_status(204);
        let wrong = browser.post("/auth/login", password.clone()).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        for _ in 0..2 {
            let started = browser.post("/auth/otp/initiate", start.clone()).await;
            started.expect_status(200);
        }
    }
}

#[tokio::test]
async fn wrong_second_factors_of_a_guest_at_the_address_are_forgotten() {
    let world = TestWorld::with_settings(&[("MFA_FAILURES_PER_USER", "1")]).await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let code = |code: &str| crate::harness::authenticator_app::code(code);
    let mut browser = world.browser();
    browser.second_factor(&held, code("000000")).await;
    let held = world.held(ADA).await;
    let refused = browser.second_factor(&held, code("000000")).await;
    refused.expect_problem(429, "RATE_LIMITED");
    let cleared = world.operator().post(PATH, with_address(ADA)).await;
    cleared.expect_status(204);
    let right = browser
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    right.expect_status(200);
}

#[tokio::test]
async fn recovery_goes_on_after_strangers_have_spent_its_mails_and_its_codes() {
    let world = TestWorld::with_settings(&[("CODE_MAILS_PER_HOUR", "20")]).await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let ask = json!({ "email": ADA });
    let wrong = json!({ "email": ADA, "code": "000000", "newPassword": OTHER_PASSWORD });
    let (mut mails, mut tries) = (0, 0);
    while browser.post(RECOVER, ask.clone()).await.status != 429 {
        mails += 1;
    }
    while browser.post(CONFIRM, wrong.clone()).await.status != 429 {
        tries += 1;
    }
    let left = async |policy: &str| {
        let found = world.operator().post(FIND, ask.clone()).await;
        let mut limits = found["limits"].as_array().unwrap().iter();
        let limit = limits.find(|limit| limit["policy"] == policy).unwrap();
        limit["remaining"].as_u64().unwrap()
    };
    assert_eq!(
        (left("reset-email").await, left("reset-failure").await),
        (0, 0)
    );
    let cleared = world.operator().post(PATH, with_address(ADA)).await;
    cleared.expect_status(204);
    assert_eq!(left("reset-email").await, mails);
    assert_eq!(left("reset-failure").await, tries);
    let refused = browser.post(CONFIRM, wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    browser.post(RECOVER, ask).await.expect_status(202);
}

#[tokio::test]
async fn an_address_without_a_guest_is_recorded_by_its_hash() {
    let world = TestWorld::start().await;
    let cleared = world.operator().post(PATH, with_address(ADA)).await;
    cleared.expect_status(204);
    let acts = recorded(&world).await;
    assert_eq!(acts.len(), 2);
    for act in &acts {
        assert_eq!(act["act"], "clear-limits");
        let subject = act["subject"].as_str().unwrap();
        assert!(subject.starts_with("address#") && !subject.contains('@'));
        assert!(!act.contains_key("guestId"));
    }
    let mut browser = world.browser();
    let refused = browser.post(PATH, with_address(ADA)).await;
    refused.expect_status(403);
}

#[tokio::test]
async fn the_mark_of_a_bounce_goes_when_the_operator_says_that_mails_arrive_again() {
    let world = TestWorld::stopped(&[]).await;
    let guest = world.sign_in(ADA).await;
    bounce(&world, ADA, "permanent").await;
    let marked = async || {
        let found = world.operator().post(FIND, json!({ "email": ADA })).await;
        found["undeliverable"]["why"].as_str().map(str::to_owned)
    };
    let cleared = world.operator().post(PATH, with_address(ADA)).await;
    cleared.expect_status(204);
    assert_eq!(marked().await.as_deref(), Some("bounced"));

    world.advance(1);
    let cleared = world.operator().post(PATH, with_working_mail(ADA)).await;
    cleared.expect_status(204);
    assert_recorded(&world, &guest, "clear-limits-and-mark").await;
    assert_eq!(marked().await, None);
    let stranger = world.operator().post(PATH, with_working_mail(EVE)).await;
    stranger.expect_status(204);

    // The same feedback, late and again, is old. A new bounce marks the address again.
    let late = json!({
        "eventType": "Bounce",
        "bounce": {
            "bounceType": "Permanent",
            "bouncedRecipients": [{ "emailAddress": ADA }],
            "timestamp": "2020-01-01T00:00:00.000Z",
        },
    });
    world
        .invoke("note-bounce", &json!({ "detail": late }))
        .await;
    assert_eq!(marked().await, None);
    world.advance(1);
    bounce(&world, ADA, "complaint").await;
    assert_eq!(marked().await.as_deref(), Some("complained"));
}

fn with_working_mail(email: &str) -> Value {
    let mut body = with_address(email);
    body["mailWorks"] = json!(true);
    body
}

fn with_address(email: &str) -> Value {
    let mut body = with_reason();
    body["email"] = json!(email);
    body
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("clear-limits", "guest's address", "204", |world| {
            Box::pin(async {
                world.sign_in(ADA).await;
                Stage::agent(world, PATH, with_address(ADA))
            })
        }),
        Case::of(
            "clear-limits",
            "address that mails reach again",
            "204",
            |world| {
                Box::pin(async {
                    world.sign_in(ADA).await;
                    bounce(world, ADA, "permanent").await;
                    Stage::agent(world, PATH, with_working_mail(ADA))
                })
            },
        ),
        Case::of("clear-limits", "stranger's address", "204", |world| {
            Box::pin(async { Stage::agent(world, PATH, with_address(ADA)) })
        }),
    ]
}
