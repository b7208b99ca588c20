//! Cognito's own limits on mails: Cognito learns each person's address, and a refused mail is no
//! failed delivery.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::counted;
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::harness::{Answer, TestWorld};

/// The network address of the people in these tests.
const HOME: &str = "127.0.0.7";

/// The calls that prove or mail something of a person's.
const PERSONAL: [&str; 4] = [
    "AdminInitiateAuth",
    "AdminRespondToAuthChallenge",
    "ConfirmForgotPassword",
    "ForgotPassword",
];

/// Calls Cognito's public endpoint until its hourly limit is met.
async fn spend(world: &TestWorld, action: &str, input: Value) {
    for _ in 0..30 {
        let answer = world.cognito_call(action, input.clone()).await;
        if answer.status == 400 {
            let refusal = answer.body["__type"].as_str().expect("an exception");
            assert!(refusal.ends_with("LimitExceededException"), "{refusal}");
            return;
        }
    }
    panic!("Cognito has no limit");
}

/// Has Cognito mail codes to an address until it refuses every request from 127.0.0.1.
async fn spend_codes(world: &TestWorld, email: &str) {
    let begin = json!({
        "ClientId": world.ready().client_id,
        "AuthFlow": "USER_AUTH",
        "AuthParameters": { "USERNAME": email, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
    });
    spend(world, "InitiateAuth", begin).await;
}

fn expect_limited(answer: &Answer) {
    answer.expect_problem(429, "RATE_LIMITED");
    assert_eq!(answer.retry_after(), Some(3600));
}

#[tokio::test]
async fn a_mail_that_cognitos_own_limit_refuses_is_no_failed_delivery() {
    let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
    world.cognito().set_sign_in_codes(20);
    world.registered(ADA, PASSWORD).await;
    let (mut browser, mut elsewhere) = (world.browser(), world.browser_at(HOME));
    let sign_in = browser.started(ADA).await;
    spend_codes(&world, ADA).await;
    expect_limited(&browser.start(ADA).await);
    world.advance(31);
    expect_limited(&browser.resend(&sign_in).await);
    elsewhere.started(ADA).await;

    let registration = browser.registering(EVE, PASSWORD).await;
    spend_codes(&world, EVE).await;
    expect_limited(&browser.register(EVE, PASSWORD).await);
    world.advance(31);
    expect_limited(&browser.resend_confirmation(&registration).await);
    elsewhere.registering(EVE, PASSWORD).await;

    // Cognito counts these by user, and only existing users reach the limit: no answer reveals it.
    let forgot = json!({ "ClientId": world.ready().client_id, "Username": ADA });
    spend(&world, "ForgotPassword", forgot).await;
    let mails = world.subjects(ADA).len();
    browser.request_reset(ADA).await.expect_status(202);
    assert_eq!(world.subjects(ADA).len(), mails);
    assert_eq!(counted(&world, "EmailDeliveryFailures"), 0);
}

#[tokio::test]
async fn cognito_is_told_where_each_person_is() {
    let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
    world.make_user(ADA, Some("Only-for-the-1st-time")).await;
    let mut browser = world.browser_at(HOME);
    let held = browser.login(ADA, "Only-for-the-1st-time").await;
    let chosen = json!({ "newPassword": PASSWORD });
    let signed_in = browser
        .second_factor(&held.text("sessionToken"), chosen)
        .await;
    browser.bearer(&signed_in.text("accessToken"));
    let proof = json!({ "password": PASSWORD });
    browser.set_up(proof).await.expect_status(200);
    let sign_in = browser.started(ADA).await;
    world.advance(31);
    browser.resend(&sign_in).await.expect_status(200);
    let code = world.mail_code(ADA).await;
    browser
        .verify(ADA, &code, &sign_in)
        .await
        .expect_status(200);

    let registration = browser.registering(EVE, PASSWORD).await;
    world.advance(31);
    let second_mail = browser.resend_confirmation(&registration).await;
    second_mail.expect_status(202);
    let code = world.mail_code(EVE).await;
    browser
        .confirm(&registration, &code)
        .await
        .expect_status(200);
    let reset = world.reset_password(&mut browser, EVE, OTHER_PASSWORD);
    reset.await.expect_status(204);

    let calls = world.calls(0);
    let personal = calls
        .iter()
        .filter(|call| PERSONAL.contains(&call.action.as_str()));
    let mut functions = BTreeSet::new();
    for call in personal {
        let told = call.ip_address.as_deref();
        assert_eq!(told, Some(HOME), "{} by {}", call.action, call.function);
        functions.insert(call.function.as_str());
    }
    let expected = [
        "confirm-password-reset",
        "confirm-registration",
        "initiate-otp",
        "login-user",
        "register-user",
        "request-password-reset",
        "resend-otp",
        "setup-mfa",
        "verify-mfa",
        "verify-otp",
    ];
    assert_eq!(functions, BTreeSet::from(expected));

    // A server is no person.
    let since = world.last_call();
    let started = world.invoke("initiate-otp", &json!({ "email": ADA })).await;
    assert!(started["sessionToken"].is_string(), "{}", started.body);
    assert!(
        world
            .calls(since)
            .iter()
            .all(|call| call.ip_address.is_none())
    );
}
