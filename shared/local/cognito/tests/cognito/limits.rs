//! Cognito's limits for one user within an hour.

use std::future::Future;

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ContextDataType};
use cognito_local::HourlyLimits;
use serde_json::json;

use crate::email_codes::join_all;
use crate::world::{PASSWORD, World, refusal};

const NINA: &str = "nina@example.com";
const NOBODY: &str = "zoe@nowhere.example";
const LIMIT: &str = "LimitExceededException: Attempt limit exceeded, please try after some time.";

/// Calls until the limit is met; returns how many calls came through.
async fn until_the_limit<F: Future<Output = Option<String>>>(call: impl Fn() -> F) -> usize {
    for passed in 0..50 {
        if call().await.as_deref() == Some(LIMIT) {
            return passed;
        }
    }
    panic!("no limit was met");
}

async fn forgot(world: &World, name: &str) -> Option<String> {
    let call = world.sdk.forgot_password();
    let call = call.client_id(&world.client.client_id).username(name);
    let outcome = call.send().await;
    outcome.is_err().then(|| refusal(outcome))
}

async fn confirm_forgot(world: &World, name: &str) -> Option<String> {
    let call = world.sdk.confirm_forgot_password();
    let call = call.client_id(&world.client.client_id).username(name);
    let call = call.confirmation_code("none").password("Another-Horse-8");
    Some(refusal(call.send().await))
}

async fn confirm(world: &World, name: &str) -> Option<String> {
    let call = world.sdk.confirm_sign_up();
    let call = call.client_id(&world.client.client_id).username(name);
    Some(refusal(call.confirmation_code("none").send().await))
}

async fn resend(world: &World, name: &str) -> Option<String> {
    let call = world.sdk.resend_confirmation_code();
    let call = call.client_id(&world.client.client_id).username(name);
    let outcome = call.send().await;
    outcome.is_err().then(|| refusal(outcome))
}

async fn signed_up(world: &World, name: &str) {
    let call = world.sdk.sign_up();
    let call = call.client_id(&world.client.client_id).username(name);
    call.password(PASSWORD).send().await.unwrap();
}

#[tokio::test]
async fn recovery_and_registration_are_counted_by_the_hour_for_known_and_unknown_names() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    for name in [NINA, NOBODY] {
        assert_eq!(until_the_limit(|| forgot(&world, name)).await, 5);
        assert_eq!(until_the_limit(|| confirm_forgot(&world, name)).await, 5);
    }
    let omar = "omar@example.com";
    signed_up(&world, omar).await;
    for name in [omar, NOBODY] {
        assert_eq!(until_the_limit(|| resend(&world, name)).await, 5);
        assert_eq!(until_the_limit(|| confirm(&world, name)).await, 15);
    }
    assert_eq!(world.mails_to(NINA).len(), 5);
    assert_eq!(world.mails_to(omar).len(), 6);

    world.clock.advance(3_599);
    assert_eq!(forgot(&world, NINA).await.as_deref(), Some(LIMIT));
    world.clock.advance(1);
    assert_eq!(forgot(&world, NINA).await, None);
    assert_eq!(resend(&world, omar).await, None);
}

#[tokio::test]
async fn of_forty_guesses_at_once_no_more_than_the_limit_are_looked_at() {
    let world = World::with(|plan| {
        plan.options.hourly_limits = HourlyLimits {
            confirm_forgot_password: 20,
            ..HourlyLimits::default()
        };
    })
    .await;
    world.user_with_password(NINA).await;
    forgot(&world, NINA).await;
    let guesses = join_all((0..40).map(|_| confirm_forgot(&world, NINA))).await;
    let looked_at = guesses
        .iter()
        .filter(|guess| guess.as_deref() != Some(LIMIT))
        .count();
    assert_eq!(looked_at, 20);
}

#[tokio::test]
async fn the_holder_of_a_token_is_counted_too() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let token = tokens.access_token().unwrap();
    let change = async || {
        let call = world.sdk.change_password().access_token(token);
        let call = call.previous_password(PASSWORD).proposed_password("short");
        Some(refusal(call.send().await))
    };
    let ask = async || {
        let call = world.sdk.get_user_attribute_verification_code();
        let outcome = call
            .access_token(token)
            .attribute_name("email")
            .send()
            .await;
        outcome.is_err().then(|| refusal(outcome))
    };
    let verify = async || {
        let call = world.sdk.verify_user_attribute().access_token(token);
        let call = call.attribute_name("email").code("none");
        Some(refusal(call.send().await))
    };
    assert_eq!(until_the_limit(&change).await, 5);
    assert_eq!(until_the_limit(&ask).await, 5);
    assert_eq!(until_the_limit(&verify).await, 15);
    assert_eq!(
        confirm_forgot(&world, NINA).await.as_deref(),
        Some("ExpiredCodeException: Invalid code provided, please request a code again.")
    );
}

/// Asks for a sign-in code through the Admin form, for a person at this address.
async fn code_for(world: &World, name: &str, address: Option<&str>) -> Option<String> {
    let context = address.map(|address| {
        let context = ContextDataType::builder().ip_address(address);
        let context = context.server_name("example.com").server_path("/sign-in");
        let context = context.set_http_headers(Some(Vec::new()));
        context.build().unwrap()
    });
    let call = world.sdk.admin_initiate_auth();
    let call = call
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id);
    let call = call.auth_flow(AuthFlowType::UserAuth);
    let call = call.auth_parameters("USERNAME", name);
    let call = call.auth_parameters("PREFERRED_CHALLENGE", "EMAIL_OTP");
    let outcome = call.set_context_data(context).send().await;
    outcome.is_err().then(|| refusal(outcome))
}

#[tokio::test]
async fn sign_in_codes_are_counted_by_address_and_requester() {
    let world = World::with(|plan| plan.options.hourly_limits.sign_in_codes = 5).await;
    world.passwordless_user(NINA).await;
    for name in [NINA, NOBODY] {
        for address in [Some("192.0.2.1"), Some("192.0.2.2"), None] {
            assert_eq!(until_the_limit(|| code_for(&world, name, address)).await, 5);
        }
    }
    assert_eq!(world.mails_to(NINA).len(), 15);
    // The public form counts for another requester.
    let begin = world.sdk.initiate_auth();
    let begin = begin.client_id(&world.client.client_id);
    let begin = begin.auth_flow(AuthFlowType::UserAuth);
    let begin = begin.auth_parameters("USERNAME", NINA);
    let begin = begin.auth_parameters("PREFERRED_CHALLENGE", "EMAIL_OTP");
    begin.send().await.unwrap();
    world.clock.advance(3_600);
    assert_eq!(code_for(&world, NINA, None).await, None);
}

#[tokio::test]
async fn a_context_names_address_server_path_and_fields() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let begin = json!({
        "UserPoolId": world.pool,
        "ClientId": world.client.client_id,
        "AuthFlow": "USER_AUTH",
        "AuthParameters": { "USERNAME": NINA, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
        "ContextData": { "IpAddress": "192.0.2.1" },
    });
    let (status, answer) = world.raw("AdminInitiateAuth", &begin).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap();
    for member in ["serverName", "serverPath", "httpHeaders"] {
        assert!(message.contains(member), "{message}");
    }
}
