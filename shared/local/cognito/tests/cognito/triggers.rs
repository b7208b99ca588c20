//! Triggers, called through a Lambda Invoke API that the tests play.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use cognito_local::SignInMails;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::tokens::verified;
use crate::world::{World, refusal};

const NINA: &str = "nina@example.com";
const PRE_TOKEN: &str = "arn:aws:lambda:eu-west-1:000000000000:function:pre-token-generation";
const PRE_AUTHENTICATION: &str =
    "arn:aws:lambda:eu-west-1:000000000000:function:pre-authentication";

type Handler = Arc<dyn Fn(&Value) -> Outcome + Send + Sync>;

/// How the functions of a test answer.
pub(crate) enum Outcome {
    Answer(Value),
    FunctionError(Value),
    Status(u16),
    NotJson,
    Silence,
}

#[derive(Clone)]
pub(crate) struct Functions {
    pub(crate) url: String,
    pub(crate) events: Arc<Mutex<Vec<(String, Value)>>>,
    handler: Handler,
}

pub(crate) async fn functions(
    handler: impl Fn(&Value) -> Outcome + Send + Sync + 'static,
) -> Functions {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let functions = Functions {
        url: format!("http://{}", listener.local_addr().unwrap()),
        events: Arc::default(),
        handler: Arc::new(handler),
    };
    let router = Router::new()
        .route("/2015-03-31/functions/{arn}/invocations", post(invoke))
        .with_state(functions.clone());
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    functions
}

async fn invoke(
    State(functions): State<Functions>,
    Path(arn): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Response {
    assert_eq!(headers["x-amz-invocation-type"], "RequestResponse");
    let event: Value = serde_json::from_str(&body).unwrap();
    functions.events.lock().unwrap().push((arn, event.clone()));
    match (functions.handler)(&event) {
        Outcome::Answer(answer) => answer.to_string().into_response(),
        Outcome::FunctionError(error) => {
            ([("x-amz-function-error", "Unhandled")], error.to_string()).into_response()
        }
        Outcome::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Outcome::NotJson => "fine".into_response(),
        Outcome::Silence => std::future::pending().await,
    }
}

async fn pre_token_world(
    limit: Duration,
    handler: impl Fn(&Value) -> Outcome + Send + Sync + 'static,
) -> (World, Functions) {
    let functions = functions(handler).await;
    let url = functions.url.clone();
    let world = World::with(|plan| {
        plan.options.lambda_url = Some(url);
        plan.options.lambda_limit = limit;
        plan.pool.pre_token_generation = Some(PRE_TOKEN.to_owned());
    })
    .await;
    world.passwordless_user(NINA).await;
    (world, functions)
}

const LONG: Duration = Duration::from_secs(5);

fn with_details(event: &Value, details: Value) -> Outcome {
    let mut answer = event.clone();
    answer["response"]["claimsAndScopeOverrideDetails"] = details;
    Outcome::Answer(answer)
}

#[tokio::test]
async fn the_pre_token_trigger_changes_scopes_and_claims_at_every_issue() {
    let (world, functions) = pre_token_world(LONG, |event| {
        with_details(
            event,
            json!({
                "idTokenGeneration": {
                    "claimsToAddOrOverride": {"guest": "GST-1", "sub": "someone", "aud": "other", "both": 1},
                    "claimsToSuppress": ["email", "iss", "both"],
                },
                "accessTokenGeneration": {
                    "claimsToAddOrOverride": {"roles": ["a"], "client_id": "other", "exp": 1},
                    "claimsToSuppress": ["origin_jti"],
                    "scopesToAdd": ["latchkey/session", "aws.cognito.more"],
                    "scopesToSuppress": ["aws.cognito.signin.user.admin"],
                },
                "groupOverrideDetails": {
                    "groupsToOverride": ["guests"],
                    "iamRolesToOverride": ["arn:aws:iam::000000000000:role/guest"],
                    "preferredRole": "arn:aws:iam::000000000000:role/guest",
                },
            }),
        )
    })
    .await;
    let tokens = world.sign_in(NINA).await;
    let refreshed = world
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(&world.client.client_id)
        .refresh_token(tokens.refresh_token().unwrap())
        .client_metadata("device", "phone")
        .send()
        .await
        .unwrap()
        .authentication_result
        .unwrap();
    for result in [&tokens, &refreshed] {
        let id = verified(&world, result.id_token().unwrap()).await;
        let access = verified(&world, result.access_token().unwrap()).await;
        assert_eq!(id["guest"], "GST-1");
        assert!(id.get("email").is_none() && id.get("both").is_none());
        assert_eq!(id["aud"], world.client.client_id.as_str());
        assert_ne!(id["sub"], "someone");
        assert_eq!(id["cognito:groups"], json!(["guests"]));
        assert_eq!(
            id["cognito:preferred_role"],
            "arn:aws:iam::000000000000:role/guest"
        );
        assert_eq!(access["scope"], "latchkey/session");
        assert_eq!(access["roles"], json!(["a"]));
        assert_eq!(access["client_id"], world.client.client_id.as_str());
        assert!(access["origin_jti"].is_string());
        assert_eq!(access["cognito:groups"], json!(["guests"]));
    }

    let events = functions.events.lock().unwrap().clone();
    assert_eq!(events.len(), 2);
    let (arn, event) = &events[0];
    assert_eq!(arn, PRE_TOKEN);
    assert_eq!(event["version"], "2");
    assert_eq!(event["triggerSource"], "TokenGeneration_Authentication");
    assert_eq!(event["region"], "eu-west-1");
    assert_eq!(event["userPoolId"], world.pool.as_str());
    assert_eq!(
        event["callerContext"]["clientId"],
        world.client.client_id.as_str()
    );
    let attributes = &event["request"]["userAttributes"];
    assert_eq!(attributes["sub"], event["userName"]);
    assert_eq!(attributes["email"], NINA);
    assert_eq!(attributes["email_verified"], "true");
    assert_eq!(attributes["cognito:user_status"], "CONFIRMED");
    assert_eq!(
        event["request"]["scopes"],
        json!(["aws.cognito.signin.user.admin"])
    );
    assert!(event["request"]["groupConfiguration"].is_object());
    assert_eq!(
        event["response"],
        json!({"claimsAndScopeOverrideDetails": null})
    );
    assert_eq!(
        events[1].1["triggerSource"],
        "TokenGeneration_RefreshTokens"
    );
    assert_eq!(
        events[1].1["request"]["clientMetadata"],
        json!({"device": "phone"})
    );
}

#[tokio::test]
async fn a_token_without_the_scope_opens_nothing_of_ones_own_account() {
    let (world, _functions) = pre_token_world(LONG, |event| {
        with_details(
            event,
            json!({"accessTokenGeneration": {
                "scopesToAdd": ["latchkey/session"],
                "scopesToSuppress": ["aws.cognito.signin.user.admin"],
            }}),
        )
    })
    .await;
    let tokens = world.sign_in(NINA).await;
    let token = tokens.access_token().unwrap();
    for (operation, extra) in [
        ("GetUser", json!({})),
        ("GetUserAuthFactors", json!({})),
        ("StartWebAuthnRegistration", json!({})),
        ("CompleteWebAuthnRegistration", json!({"Credential": {}})),
        ("ListWebAuthnCredentials", json!({})),
        ("DeleteWebAuthnCredential", json!({"CredentialId": "x"})),
        ("DeleteUser", json!({})),
        ("GlobalSignOut", json!({})),
        ("AssociateSoftwareToken", json!({})),
        ("VerifySoftwareToken", json!({"UserCode": "123456"})),
        ("SetUserMFAPreference", json!({})),
        (
            "ChangePassword",
            json!({"ProposedPassword": "Another-Horse-8"}),
        ),
        ("UpdateUserAttributes", json!({"UserAttributes": []})),
        (
            "DeleteUserAttributes",
            json!({"UserAttributeNames": ["name"]}),
        ),
        (
            "GetUserAttributeVerificationCode",
            json!({"AttributeName": "email"}),
        ),
        (
            "VerifyUserAttribute",
            json!({"AttributeName": "email", "Code": "123456"}),
        ),
    ] {
        let mut body = extra;
        body["AccessToken"] = json!(token);
        let (status, answer) = world.raw(operation, &body).await;
        assert_eq!(status, 400, "{operation}");
        assert_eq!(
            answer["__type"], "NotAuthorizedException",
            "{operation}: {answer}"
        );
        assert_eq!(
            answer["message"], "Access Token does not have required scopes",
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_trigger_that_fails_in_any_way_lets_nobody_in() {
    type Case = (fn(&Value) -> Outcome, &'static str);
    let cases: [Case; 9] = [
        (
            |_| Outcome::FunctionError(json!({"errorMessage": "not today", "errorType": "Error"})),
            "UserLambdaValidationException: PreTokenGeneration failed with error not today.",
        ),
        (
            |_| Outcome::FunctionError(json!("?")),
            "UserLambdaValidationException: PreTokenGeneration failed with error null.",
        ),
        (
            |_| Outcome::Status(500),
            "UnexpectedLambdaException: PreTokenGeneration invocation failed due to error ServiceException.",
        ),
        (
            |_| Outcome::Status(404),
            "UnexpectedLambdaException: PreTokenGeneration invocation failed due to error ResourceNotFoundException.",
        ),
        (
            |_| Outcome::NotJson,
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
        (
            |_| Outcome::Answer(Value::Null),
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
        (
            |event| {
                with_details(
                    event,
                    json!({"accessTokenGeneration": {"scopesToAdd": "text"}}),
                )
            },
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
        (
            |event| {
                let smuggled = json!({"accessTokenGeneration":
                    {"scopesToAdd": ["a aws.cognito.signin.user.admin"]}});
                with_details(event, smuggled)
            },
            "InvalidLambdaResponseException: Unrecognizable lambda output",
        ),
        (
            |_| Outcome::Silence,
            "UnexpectedLambdaException: PreTokenGeneration invocation failed due to error TimeoutException.",
        ),
    ];
    for (handler, expected) in cases {
        let (world, _functions) = pre_token_world(Duration::from_millis(300), handler).await;
        let session = world.begin_session(NINA).await;
        let code = world.last_code(NINA);
        assert_eq!(refusal(world.answer(NINA, &session, &code).await), expected);
    }
    let nowhere =
        World::with(|plan| plan.pool.pre_token_generation = Some(PRE_TOKEN.to_owned())).await;
    nowhere.passwordless_user(NINA).await;
    let session = nowhere.begin_session(NINA).await;
    let code = nowhere.last_code(NINA);
    assert!(
        refusal(nowhere.answer(NINA, &session, &code).await)
            .starts_with("UnexpectedLambdaException: ")
    );
}

#[tokio::test]
async fn a_trigger_that_does_not_answer_is_called_three_times_and_one_that_refuses_once() {
    type Case = (fn(usize, &Value) -> Outcome, usize, bool);
    let cases: [Case; 4] = [
        (|_, _| Outcome::Silence, 3, false),
        (
            |call, event| match call {
                1 => Outcome::Silence,
                2 => Outcome::Status(500),
                _ => Outcome::Answer(event.clone()),
            },
            3,
            true,
        ),
        (
            |_, _| Outcome::FunctionError(json!({"errorMessage": "not today"})),
            1,
            false,
        ),
        (|_, _| Outcome::Status(404), 1, false),
    ];
    for (handler, calls, signs_in) in cases {
        let called = Arc::new(Mutex::new(0));
        let counter = Arc::clone(&called);
        let (world, _functions) = pre_token_world(Duration::from_millis(300), move |event| {
            let mut called = counter.lock().unwrap();
            *called += 1;
            handler(*called, event)
        })
        .await;
        let session = world.begin_session(NINA).await;
        let code = world.last_code(NINA);
        let answered = world.answer(NINA, &session, &code).await;
        assert_eq!(answered.is_ok(), signs_in);
        assert_eq!(*called.lock().unwrap(), calls);
    }
}

#[tokio::test]
async fn a_failing_trigger_costs_no_refresh_token() {
    let failing = Arc::new(Mutex::new(false));
    let switch = Arc::clone(&failing);
    let functions = functions(move |event| {
        if *switch.lock().unwrap() {
            Outcome::Status(500)
        } else {
            Outcome::Answer(event.clone())
        }
    })
    .await;
    let world = World::with(|plan| {
        plan.options.lambda_url = Some(functions.url);
        plan.pool.pre_token_generation = Some(PRE_TOKEN.to_owned());
        plan.client.explicit_auth_flows = vec!["ALLOW_USER_AUTH".to_owned()];
        plan.client.refresh_rotation = Some(cognito_local::RefreshRotation { grace_seconds: 0 });
    })
    .await;
    world.passwordless_user(NINA).await;
    let token = world.sign_in(NINA).await.refresh_token.unwrap();
    let refresh = || {
        world
            .sdk
            .get_tokens_from_refresh_token()
            .client_id(&world.client.client_id)
            .refresh_token(&token)
            .send()
    };
    *failing.lock().unwrap() = true;
    assert!(refusal(refresh().await).starts_with("UnexpectedLambdaException"));
    *failing.lock().unwrap() = false;
    refresh().await.unwrap();
}

#[tokio::test]
async fn the_pre_authentication_trigger_decides_who_may_begin() {
    let functions = functions(|event| {
        if event["request"]["validationData"]["refuse"] == "yes" {
            return Outcome::FunctionError(json!({"errorMessage": "no entry"}));
        }
        Outcome::Answer(event.clone())
    })
    .await;
    let events = Arc::clone(&functions.events);
    let world = World::with(|plan| {
        plan.options.lambda_url = Some(functions.url);
        plan.pool.pre_authentication = Some(PRE_AUTHENTICATION.to_owned());
    })
    .await;
    world.passwordless_user(NINA).await;
    world.sign_in(NINA).await;
    let refused = world
        .sdk
        .admin_initiate_auth()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .auth_flow(aws_sdk_cognitoidentityprovider::types::AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", NINA)
        .client_metadata("refuse", "yes")
        .send()
        .await;
    assert_eq!(
        refusal(refused),
        "UserLambdaValidationException: PreAuthentication failed with error no entry."
    );
    world.begin("nobody@example.com").await.unwrap();
    let events = events.lock().unwrap();
    assert_eq!(events.len(), 3, "once a sign-in, never at the answer");
    assert_eq!(
        events[0].1["triggerSource"],
        "PreAuthentication_Authentication"
    );
    assert_eq!(events[0].1["request"]["userAttributes"]["email"], NINA);
    assert_eq!(events[2].1["request"]["userNotFound"], true);
}

const CUSTOM_MESSAGE: &str = "arn:aws:lambda:eu-west-1:000000000000:function:custom-message";

async fn custom_message_world(
    sign_in_mails: SignInMails,
    handler: impl Fn(&Value) -> Outcome + Send + Sync + 'static,
) -> (World, Functions) {
    let functions = functions(handler).await;
    let url = functions.url.clone();
    let world = World::with(|plan| {
        plan.options.lambda_url = Some(url);
        plan.options.sign_in_mails = sign_in_mails;
        plan.pool.custom_message = Some(CUSTOM_MESSAGE.to_owned());
    })
    .await;
    world.passwordless_user(NINA).await;
    (world, functions)
}

fn worded(event: &Value, message: &str, subject: &str) -> Outcome {
    let mut answer = event.clone();
    answer["response"]["emailMessage"] = message.into();
    answer["response"]["emailSubject"] = subject.into();
    Outcome::Answer(answer)
}

#[tokio::test]
async fn the_custom_message_trigger_words_mails_and_never_sees_their_codes() {
    let (world, functions) = custom_message_world(SignInMails::WordedByTrigger, |event| {
        worded(
            event,
            "<h1>Hi</h1><p>Code: <b>{####}</b> &amp; more</p>",
            "A code",
        )
    })
    .await;
    world.sign_in(NINA).await;
    world
        .sdk
        .forgot_password()
        .client_id(&world.client.client_id)
        .username(NINA)
        .client_metadata("page", "forgot")
        .send()
        .await
        .unwrap();
    let mut mails = world.mails_to(NINA);
    mails.sort_by_key(|mail| std::cmp::Reverse(mail.code.len()));
    assert_eq!(mails.len(), 2);
    for mail in &mails {
        assert_eq!(mail.subject, "A code");
        assert_eq!(mail.text, format!("HiCode: {} & more", mail.code));
    }
    let events = functions.events.lock().unwrap().clone();
    let (arn, signing_in) = &events[0];
    assert_eq!(arn, CUSTOM_MESSAGE);
    assert_eq!(signing_in["version"], "1");
    assert_eq!(signing_in["triggerSource"], "CustomMessage_Authentication");
    assert_eq!(signing_in["request"]["codeParameter"], "{####}");
    assert_eq!(signing_in["request"]["userAttributes"]["email"], NINA);
    assert!(signing_in["request"].get("clientMetadata").is_none());
    assert_eq!(
        signing_in["response"],
        json!({"smsMessage": null, "emailMessage": null, "emailSubject": null})
    );
    let recovering = &events[1].1;
    assert_eq!(recovering["triggerSource"], "CustomMessage_ForgotPassword");
    assert_eq!(
        recovering["request"]["clientMetadata"],
        json!({"page": "forgot"})
    );
    for (mail, (_, event)) in mails.iter().zip(&events) {
        assert!(!event.to_string().contains(&mail.code));
    }
}

#[tokio::test]
async fn words_that_cognito_does_not_take_stop_the_mail() {
    let long = "x".repeat(20_001);
    for (message, subject) in [
        ("no code", "A code"),
        (long.as_str(), "A code"),
        ("{####}", &long[..141]),
    ] {
        let (message, subject) = (message.to_owned(), subject.to_owned());
        let (world, _functions) =
            custom_message_world(SignInMails::WordedByTrigger, move |event| {
                worded(event, &message, &subject)
            })
            .await;
        let asked = world
            .sdk
            .forgot_password()
            .client_id(&world.client.client_id)
            .username(NINA)
            .send()
            .await;
        let refusal = asked.unwrap_err().into_service_error();
        assert!(
            refusal.is_invalid_lambda_response_exception(),
            "{refusal:?}"
        );
        assert!(world.mails_to(NINA).is_empty());
    }
}

#[tokio::test]
async fn without_words_the_pools_own_are_sent_and_cognito_may_word_sign_ins_itself() {
    let (world, _functions) = custom_message_world(SignInMails::WordedByTrigger, |event| {
        Outcome::Answer(event.clone())
    })
    .await;
    world.sign_in(NINA).await;
    assert_eq!(world.mails_to(NINA)[0].subject, "Your sign-in code");

    let (world, functions) = custom_message_world(SignInMails::WordedByCognito, |event| {
        worded(event, "{####}", "A code")
    })
    .await;
    world.sign_in(NINA).await;
    assert_eq!(world.mails_to(NINA)[0].subject, "Your sign-in code");
    assert!(functions.events.lock().unwrap().is_empty());
}
