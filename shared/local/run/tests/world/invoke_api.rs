//! Lambda's Invoke API: functions by all their names, the three invocation types, the agent's door,
//! and AWS's own SDK.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::people::ADA;

#[tokio::test]
async fn a_function_answers_under_every_name_that_it_has() {
    let world = TestWorld::start().await;
    for name in [
        "initiate-otp",
        "latchkey-local-initiate-otp",
        "latchkey-dev-initiate-otp:live",
        "arn:aws:lambda:eu-west-1:000000000000:function:latchkey-local-initiate-otp",
        "000000000000:function:initiate-otp:$LATEST",
    ] {
        let answer = world.invoke(name, &json!({ "email": ADA })).await;
        answer.expect_status(200);
        assert_eq!(answer["expiresIn"], 300, "{name}");
        assert!(answer.header("x-amz-function-error").is_none());
    }
    for name in ["nothing", "initiate-otp:staging"] {
        let missing = world.invoke(name, &json!({})).await;
        missing.expect_status(404);
        assert_eq!(
            missing.header("x-amzn-errortype"),
            Some("ResourceNotFoundException")
        );
    }
}

#[tokio::test]
async fn the_direct_door_and_the_agents_door_open_here() {
    let world = TestWorld::start().await;
    let refused = world
        .invoke("initiate-otp", &json!({ "email": "no address" }))
        .await;
    refused.expect_status(200);
    assert_eq!(refused["error"]["code"], "VALIDATION_FAILED");

    let started = world
        .call_tool(
            "initiate-otp",
            "initiate_cognito_login",
            &json!({ "email": ADA }),
        )
        .await;
    assert_eq!(started["success"], true, "{}", started.body);
    let proof = json!({ "email": ADA, "otp_code": world.mail_code(ADA).await, "session_token": started["session_token"] });
    let tokens = world
        .call_tool("verify-otp", "verify_cognito_otp", &proof)
        .await;
    assert_eq!(tokens["event_type"], "auth_tokens", "{}", tokens.body);
}

#[tokio::test]
async fn invocation_types_and_log_tails_are_lambdas() {
    let world = TestWorld::start().await;
    let dry_run = world
        .invoke_with(
            "initiate-otp",
            &json!({}),
            &[("x-amz-invocation-type", "DryRun")],
        )
        .await;
    dry_run.expect_status(204);
    assert!(world.logs().is_empty());

    let event = [("x-amz-invocation-type", "Event")];
    world
        .invoke_with("initiate-otp", &json!({ "email": ADA }), &event)
        .await
        .expect_status(202);
    world.mail_code(ADA).await;

    let tailed = world
        .invoke_with(
            "initiate-otp",
            &json!({ "email": ADA }),
            &[("x-amz-log-type", "Tail")],
        )
        .await;
    let tail = STANDARD
        .decode(tailed.header("x-amz-log-result").unwrap())
        .unwrap();
    let request_id = tailed.header("x-amzn-requestid").unwrap();
    assert!(String::from_utf8(tail).unwrap().contains(request_id));
    assert_eq!(tailed.header("x-amz-executed-version"), Some("$LATEST"));

    let unknown = world
        .invoke_with(
            "initiate-otp",
            &json!({}),
            &[("x-amz-invocation-type", "Now")],
        )
        .await;
    unknown.expect_status(400);
    for context in ["not base64!", "bm90IGpzb24="] {
        let refused = world
            .invoke_with(
                "initiate-otp",
                &json!({}),
                &[("x-amz-client-context", context)],
            )
            .await;
        refused.expect_status(400);
    }
}

#[tokio::test]
async fn a_functions_error_is_http_200_with_a_header() {
    let world = TestWorld::start().await;
    let failed = world.invoke("pre-token-generation", &json!([])).await;
    failed.expect_status(200);
    assert_eq!(failed.header("x-amz-function-error"), Some("Unhandled"));
    assert!(failed["errorType"].is_string() && failed["errorMessage"].is_string());
}

#[tokio::test]
async fn awss_own_sdk_invokes_unchanged() {
    let world = TestWorld::start().await;
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(aws_sdk_lambda::config::BehaviorVersion::latest())
        .region(aws_sdk_lambda::config::Region::new("eu-west-1"))
        .credentials_provider(aws_sdk_lambda::config::Credentials::new(
            "LOCAL", "local", None, None, "test",
        ))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .endpoint_url(&world.ready().lambda)
        .build();
    let lambda = aws_sdk_lambda::Client::from_conf(config);
    let payload = json!({ "email": ADA });
    world.remember_secrets(&payload);
    let output = lambda
        .invoke()
        .function_name("initiate-otp")
        .payload(payload.to_string().into_bytes().into())
        .send()
        .await
        .unwrap();
    assert_eq!((output.status_code(), output.function_error()), (200, None));
    let missing = lambda
        .invoke()
        .function_name("nothing")
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    assert!(missing.is_resource_not_found_exception());
}
