//! The protocol itself: errors, headers, CORS, and input that no SDK would send.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::world::{SIGNATURE, World};

async fn post(world: &World, target: &str, body: impl Into<reqwest::Body>) -> Response {
    reqwest::Client::new()
        .post(&world.url)
        .header("content-type", "application/x-amz-json-1.1")
        .header("x-amz-target", target)
        .header("authorization", SIGNATURE)
        .body(body)
        .send()
        .await
        .unwrap()
}

const INITIATE: &str = "AWSCognitoIdentityProviderService.InitiateAuth";

#[tokio::test]
async fn an_error_has_the_headers_and_the_body_of_the_real_service() {
    let world = World::new().await;
    let response = post(
        &world,
        INITIATE,
        json!({"ClientId": "unknown", "AuthFlow": "USER_AUTH"}).to_string(),
    )
    .await;
    assert_eq!(response.status(), 400);
    let headers = response.headers().clone();
    assert_eq!(headers["content-type"], "application/x-amz-json-1.1");
    assert_eq!(headers["x-amzn-errortype"], "ResourceNotFoundException:");
    let message = "User pool client unknown does not exist.";
    assert_eq!(headers["x-amzn-errormessage"], message);
    assert_eq!(headers["x-amzn-requestid"].len(), 36);
    assert_eq!(headers["access-control-allow-origin"], "*");
    assert_eq!(
        headers["access-control-expose-headers"],
        "x-amzn-RequestId,x-amzn-ErrorType,x-amzn-ErrorMessage,Date"
    );
    let body: Value = response.json().await.unwrap();
    assert_eq!(
        body,
        json!({"__type": "ResourceNotFoundException", "message": message})
    );
}

#[tokio::test]
async fn a_browser_may_call_from_anywhere() {
    let world = World::new().await;
    let response = reqwest::Client::new()
        .request(Method::OPTIONS, &world.url)
        .header("origin", "https://app.example")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    assert_eq!(response.status(), 200);
    let allowed = response.headers()["access-control-allow-headers"]
        .to_str()
        .unwrap();
    for name in [
        "content-type",
        "x-amz-target",
        "x-amz-user-agent",
        "cache-control",
        "amz-sdk-invocation-id",
        "amz-sdk-request",
    ] {
        assert!(allowed.contains(name), "{name}");
    }
    assert!(response.headers().contains_key("access-control-max-age"));
}

#[tokio::test]
async fn unknown_operations_and_other_methods_are_refused() {
    let world = World::new().await;
    for target in [
        "AWSCognitoIdentityProviderService.MakeCoffee",
        "AWSCognitoIdentityProviderService.",
        "DynamoDB_20120810.GetItem",
        "",
    ] {
        let response = post(&world, target, "{}").await;
        assert_eq!(response.status(), 400);
        let body: Value = response.json().await.unwrap();
        assert_eq!(body["__type"], "UnknownOperationException");
    }
    let response = reqwest::get(&world.url).await.unwrap();
    assert_eq!(response.status(), 400);
    let response = reqwest::get(format!(
        "{}/eu-west-1_nowhere/.well-known/jwks.json",
        world.url
    ))
    .await;
    assert_eq!(response.unwrap().status(), 404);
}

#[tokio::test]
async fn operations_of_administrators_want_a_signature_and_the_others_none() {
    let world = World::new().await;
    let call = async |operation: &str, authorization: Option<&str>| {
        let mut request = reqwest::Client::new()
            .post(&world.url)
            .header(
                "x-amz-target",
                format!("AWSCognitoIdentityProviderService.{operation}"),
            )
            .body("{}");
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        let body: Value = request.send().await.unwrap().json().await.unwrap();
        body["__type"].as_str().unwrap_or_default().to_owned()
    };
    for operation in [
        "AdminCreateUser",
        "AdminInitiateAuth",
        "ListUsers",
        "DescribeUserPool",
        "CreateUserPool",
    ] {
        assert_eq!(
            call(operation, None).await,
            "MissingAuthenticationTokenException"
        );
        assert_eq!(
            call(operation, Some("Bearer x")).await,
            "IncompleteSignatureException"
        );
        let elsewhere = SIGNATURE.replace("cognito-idp", "dynamodb");
        assert_eq!(
            call(operation, Some(&elsewhere)).await,
            "InvalidSignatureException"
        );
        assert_eq!(
            call(operation, Some(SIGNATURE)).await,
            "InvalidParameterException"
        );
    }
    for operation in [
        "InitiateAuth",
        "SignUp",
        "GetUser",
        "RevokeToken",
        "GetTokensFromRefreshToken",
    ] {
        assert_eq!(call(operation, None).await, "InvalidParameterException");
    }
}

#[tokio::test]
async fn parameters_are_held_against_the_model_in_its_words() {
    let world = World::new().await;
    let null = "Value null at 'authFlow' failed to satisfy constraint: Member must not be null; \
                Value null at 'clientId' failed to satisfy constraint: Member must not be null";
    for (operation, body, message) in [
        ("InitiateAuth", json!({}), format!("2 validation errors detected: {null}")),
        (
            "InitiateAuth",
            json!({"AuthFlow": "USER_AUTH", "ClientId": "not allowed"}),
            r"1 validation error detected: Value at 'clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+]+".to_owned(),
        ),
        (
            "InitiateAuth",
            json!({"AuthFlow": "USER_AUTH", "ClientId": "clé"}), // Java's letters are ASCII
            r"1 validation error detected: Value at 'clientId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w+]+".to_owned(),
        ),
        (
            "ListUsers",
            json!({"UserPoolId": "eu-west-1_a", "Limit": 61}),
            "1 validation error detected: Value '61' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 60".to_owned(),
        ),
        (
            "AdminGetUser",
            json!({"UserPoolId": "nowhere", "Username": "a"}),
            r"1 validation error detected: Value 'nowhere' at 'userPoolId' failed to satisfy constraint: Member must satisfy regular expression pattern: [\w-]+_[0-9a-zA-Z]+".to_owned(),
        ),
        (
            "AdminGetUser",
            json!({"UserPoolId": "eu-west-1_a", "Username": "a".repeat(129)}),
            "1 validation error detected: Value at 'username' failed to satisfy constraint: Member must have length less than or equal to 128".to_owned(),
        ),
        (
            "AdminUpdateUserAttributes",
            json!({"UserPoolId": "eu-west-1_a", "Username": "a", "UserAttributes": [{"Value": "x"}]}),
            "1 validation error detected: Value null at 'userAttributes.1.member.name' failed to satisfy constraint: Member must not be null".to_owned(),
        ),
    ] {
        let (status, answer) = world.raw(operation, &body).await;
        assert_eq!(status, 400);
        assert_eq!(answer["__type"], "InvalidParameterException");
        assert_eq!(answer["message"], message.as_str());
    }
    let (_, answer) = world
        .raw(
            "InitiateAuth",
            &json!({"AuthFlow": "MAGIC", "ClientId": "a"}),
        )
        .await;
    let message = answer["message"].as_str().unwrap();
    assert!(message.starts_with(
        "1 validation error detected: Value 'MAGIC' at 'authFlow' failed to satisfy constraint: Member must satisfy enum value set: ["
    ));
}

#[tokio::test]
async fn whatever_is_sent_is_answered_with_a_400() {
    let world = World::new().await;
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{".to_vec(),
        b"{\"ClientId\":\"\xff\xfe\"}".to_vec(),
        deep.clone().into_bytes(),
        format!("{{\"ClientMetadata\":{deep}}}").into_bytes(),
        br#"{"ClientId":5,"AuthFlow":"USER_AUTH"}"#.to_vec(),
        br#"{"ClientId":"a","AuthFlow":"USER_AUTH","AuthParameters":[]}"#.to_vec(),
        br#"{"ClientId":"a","AuthFlow":"USER_AUTH","AuthParameters":{"USERNAME":{}}}"#.to_vec(),
        br#"{"ClientId":"a\u0000","AuthFlow":"USER_AUTH"}"#.to_vec(),
        br#"{"ClientId":"a","ClientId":"b","AuthFlow":"USER_AUTH"}"#.to_vec(),
    ];
    for body in bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let response = post(&world, INITIATE, body).await;
        assert_eq!(response.status(), 400, "{shown}");
        let answer: Value = response.json().await.unwrap();
        assert!(answer["__type"].is_string(), "{shown}");
    }
    let response = post(&world, INITIATE, vec![b' '; 2 * 1_024 * 1_024]).await;
    assert_eq!(response.status(), 413);
}

#[tokio::test]
async fn strange_names_are_names_that_nobody_has() {
    let world = World::new().await;
    for name in [
        "\u{0}",
        "a\r\nBcc: b@c",
        "%",
        "'; DROP TABLE users; --",
        "\u{ff20}",
        &"x".repeat(60_000),
    ] {
        let body = json!({
            "ClientId": world.client.client_id,
            "AuthFlow": "USER_AUTH",
            "AuthParameters": {"USERNAME": name, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
        });
        let (status, answer) = world.raw("InitiateAuth", &body).await;
        assert_eq!(status, 200, "{answer}");
        assert_eq!(answer["ChallengeName"], "EMAIL_OTP");
    }
    assert!(world.mails.lock().unwrap().is_empty());
}
