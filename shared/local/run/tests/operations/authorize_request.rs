//! `authorize-request`: a team's own APIs admit the callers whom the JWT routes would admit.

use serde_json::{Value, json};

use crate::harness::case::{Case, Then};
use crate::harness::people::ADA;
use crate::harness::requests::refresh;
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, SignedIn, TestWorld};

const STAGE: &str = "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod";

async fn ask(world: &TestWorld, event: &Value) -> Answer {
    world.remember_secrets(&json!({ "accessToken": event["headers"]["authorization"] }));
    world.invoke("authorize-request", event).await
}

fn of_http_api(token: &str) -> Value {
    json!({
        "version": "2.0",
        "type": "REQUEST",
        "routeArn": format!("{STAGE}/GET/rooms"),
        "headers": { "authorization": format!("Bearer {token}") },
    })
}

fn of_rest_api(token: &str) -> Value {
    json!({
        "type": "TOKEN",
        "methodArn": format!("{STAGE}/GET/rooms"),
        "authorizationToken": format!("Bearer {token}"),
    })
}

async fn passes(world: &TestWorld, token: &str) -> bool {
    let simple = ask(world, &of_http_api(token)).await;
    let policy = ask(world, &of_rest_api(token)).await;
    let statement = &policy["policyDocument"]["Statement"][0];
    assert_eq!(statement["Resource"], format!("{STAGE}/*"));
    let allowed = statement["Effect"] == "Allow";
    assert_eq!(simple["isAuthorized"], allowed, "both kinds of API agree");
    assert_eq!(simple["context"], policy["context"]);
    allowed
}

#[tokio::test]
async fn a_token_of_a_session_that_goes_on_passes_and_names_the_guest() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    assert!(passes(&world, &guest.access_token).await);
    let answer = ask(&world, &of_http_api(&guest.access_token)).await;
    assert_eq!(answer["context"]["guestId"], guest.user["guestId"]);
    assert_eq!(answer["context"]["sub"], guest.user["cognitoSub"]);
    let actions = world.calls_of("authorize-request").into_iter();
    let reads = actions.filter(|call| call.service == "dynamodb");
    assert_eq!(
        reads.count(),
        3,
        "one read a request, and nothing is remembered"
    );
}

/// ASVS 5.0 7.4.1: the gateway's cache is the only one.
#[tokio::test]
async fn a_token_of_an_ended_session_passes_no_more() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let enders: [(&str, &str, Value); 3] = [
        ("POST", "/auth/logout", json!({})),
        ("POST", "/auth/logout", json!({ "everywhere": true })),
        ("DELETE", "/me/sessions", Value::Null),
    ];
    for (method, path, body) in enders {
        let mut ended = world.sign_in(ADA).await;
        let mut other = world.sign_in(ADA).await;
        assert!(passes(&world, &ended.access_token).await);
        let leaver: &mut SignedIn<'_> = if path == "/me/sessions" {
            &mut other
        } else {
            &mut ended
        };
        leaver.browser.bearer(&leaver.access_token);
        let done = match method {
            "POST" => leaver.browser.post(path, body).await,
            _ => leaver.browser.delete(path).await,
        };
        done.expect_status(204);
        assert!(!passes(&world, &ended.access_token).await, "{path}");
    }
    let mut guest = world.sign_in(ADA).await;
    let old = guest.refresh_token.clone();
    refresh(&mut guest.browser, &old).await.expect_status(200);
    world.advance(61);
    refresh(&mut guest.browser, &old).await.expect_status(401);
    assert!(!passes(&world, &guest.access_token).await);
}

#[tokio::test]
async fn whatever_the_jwt_routes_would_not_take_does_not_pass() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let (head, _) = guest.access_token.rsplit_once('.').unwrap();
    let now = world.clock().now().as_seconds();
    for claims in [
        json!({ "nbf": now + 60 }),
        json!({ "iss": "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_Another" }),
        json!({ "client_id": world.ready().client_id }),
        json!({ "scope": "openid" }),
        json!({ "token_use": "id" }),
        json!({ "origin_jti": null }),
        json!({ "sub": "3b0c7d2e-0000-4000-8000-000000000000" }),
    ] {
        let token = world.signed_with(&guest.access_token, &claims);
        assert!(!passes(&world, &token).await, "{claims}");
    }
    assert!(passes(&world, &guest.access_token).await);
    for token in [
        "",
        "text",
        &guest.id_token,
        &guest.refresh_token,
        &format!("{head}.c2ln"),
    ] {
        assert!(!passes(&world, token).await);
    }
    world.advance(3600);
    assert!(!passes(&world, &guest.access_token).await);
}

/// A request without a decision is denied, and the gateway caches no answer for it.
#[tokio::test]
async fn what_cannot_be_decided_is_an_error() {
    use auth_local::{Fault, FaultKind};
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    for (service, action) in [
        ("cognito-idp", "GetSigningKeys"),
        ("dynamodb", "BatchGetItem"),
    ] {
        for kind in [FaultKind::Internal, FaultKind::Lost] {
            let fault = Fault::new(kind, service, action).of("authorize-request");
            world.fault(fault.times(3));
            let failed = ask(&world, &of_http_api(&guest.access_token)).await;
            assert_eq!(failed["errorType"], "Undecided", "{}", failed.body);
        }
        assert!(passes(&world, &guest.access_token).await);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let passed = Case::of("authorize-request", "passed", "200", |world| {
        Box::pin(request(world))
    });
    vec![passed.then(|case, stage, answer| Box::pin(may_pass(case, stage, answer)))]
}

async fn request(world: &TestWorld) -> Stage<'_> {
    let token = world.sign_in(ADA).await.access_token;
    Stage::invocation(world, "authorize-request", of_http_api(&token))
}

async fn may_pass(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    let answer = again.as_ref().unwrap_or(answer);
    assert_eq!(answer["isAuthorized"], true, "{}", answer.body);
    then
}
