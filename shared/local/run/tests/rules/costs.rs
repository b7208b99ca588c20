//! What operations call, are granted and are told, held against the contract and its list of calls.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use auth_api::Contract;
use auth_local::{AwsCall, Fault, FaultKind};
use cognito_local::UnknownUser;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authorization_cases;
use crate::harness::backstage::{delete_user, make_user_with_password, plant_bound_guest};
use crate::harness::cases::Case;
use crate::harness::passkey_cases;
use crate::harness::people::ADA;
use crate::harness::second_factor_cases;

/// Another person.
const EVE: &str = "eve@example.com";

/// Draws all three recorded answers for unknown users within a few sign-ins, the same ones in every
/// run.
const VARYING: UnknownUser = UnknownUser::Varying { seed: 7 };

/// More starts than it takes until Cognito offers a choice; one in three does.
const TRIES: u32 = 25;

/// How often each call is made.
type Calls = BTreeMap<String, usize>;

const SECRETS: &str = "secrets:GetSecretValue";

/// Published for everybody, and read by a cold function that checks tokens.
const SIGNING_KEYS: &str = "user-pool:GetSigningKeys";

/// The calls of `calls.yaml`, by operation and case.
fn table() -> BTreeMap<(String, String), Calls> {
    let cases = auth_api::Calls::embedded().cases().iter();
    cases
        .map(|case| {
            let key = (case.function.clone(), case.name.clone());
            (key, case.counted())
        })
        .collect()
}

/// A call as the table has it: `guests:GetItem`.
fn written(world: &TestWorld, call: &AwsCall) -> String {
    let ready = world.ready();
    if let Some(table) = ready.tables.resource(&call.resource) {
        return format!("{table}:{}", call.action);
    }
    let resource = match call.resource.as_str() {
        index if index.ends_with("/index/unproved-index") => "unproved-index",
        _ if call.action.starts_with("GetWorkloadAccessToken") => "workload-identity",
        _ if call.service == "bedrock-agentcore" => "token-vault",
        pool if pool == ready.user_pool_id || pool == world.operations_client_id() => "user-pool",
        _ if call.action.contains("WebAuthn") => "user-pool",
        _ if call.service == "secretsmanager" => "secrets",
        _ if call.service == "kms" => "sealing-key",
        _ if call.service == "ses" => "mail",
        other => panic!("no name for {other}"),
    };
    format!("{resource}:{}", call.action)
}

/// The AWS calls of an operation after `since`.
fn calls(world: &TestWorld, operation: &str, since: u64) -> Calls {
    let mut counted = Calls::new();
    for call in world.calls(since) {
        if call.function != operation {
            continue;
        }
        // A batch counts for each table that it reads.
        for table in call.resource.split(',') {
            let of_one = AwsCall {
                resource: table.to_owned(),
                ..call.clone()
            };
            *counted.entry(written(world, &of_one)).or_default() += 1;
        }
    }
    counted
}

/// The calls of a case on a function that has no secrets yet.
async fn cold_calls(case: Case) -> Calls {
    let world = TestWorld::start().await;
    let mut stage = case.prepare(&world).await;
    let since = world.last_call();
    let answer = stage.act().await;
    answer.expect_status(case.healthy_status());
    assert!(calls(&world, "pre-token-generation", 0).is_empty());
    calls(&world, case.operation(), since)
}

fn grants(operation: &str) -> BTreeSet<String> {
    let function = Contract::embedded()
        .function(operation)
        .expect("in the contract");
    function.grants.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn the_calls_of_each_operation_are_those_of_the_table_and_one_for_secrets_where_it_is_cold() {
    let mut table = table();
    let mut differences = String::new();
    for case in Case::ALL {
        let (operation, name) = case.row();
        let mut expected = table
            .remove(&(operation.to_owned(), name.to_owned()))
            .unwrap_or_default();
        // What brings about these cases has called the function before.
        let is_warm = matches!(
            case,
            Case::LogoutEverywhere | Case::ConfirmationWithAuthenticator
        );
        if grants(operation).contains(SECRETS) && !is_warm {
            expected.insert(SECRETS.to_owned(), 1);
        }
        let made = cold_calls(case).await;
        if made != expected {
            let _infallible = writeln!(
                differences,
                "{operation}, {name}: the table has {expected:?}, made were {made:?}"
            );
        }
    }
    for (operation, name, made) in [
        (
            "initiate-otp",
            "choice offered",
            start_with_a_choice().await,
        ),
        ("resend-otp", "choice offered", resend_with_a_choice().await),
        (
            "initiate-otp",
            "removal half done",
            start_after_half_a_removal().await,
        ),
    ] {
        let key = (operation.to_owned(), name.to_owned());
        let expected = table.remove(&key).unwrap_or_default();
        if made != expected {
            let _infallible = writeln!(
                differences,
                "{operation}, {name}: the table has {expected:?}, made were {made:?}"
            );
        }
    }
    for (operation, made) in known_device_calls().await {
        let key = (operation.to_owned(), "known device".to_owned());
        let expected = table.remove(&key).unwrap_or_default();
        if made != expected {
            let _infallible = writeln!(
                differences,
                "{operation}, known device: the table has {expected:?}, made were {made:?}"
            );
        }
    }
    let rolled_back = ("register-user".to_owned(), "rolled back".to_owned());
    assert_eq!(
        table.remove(&rolled_back),
        Some(registration_rolled_back().await)
    );
    for (operation, name, mut made) in second_factor_calls()
        .await
        .into_iter()
        .chain(pre_token_generation_calls().await)
        .chain(authorization_calls().await)
        .chain(passkey_calls().await)
        .chain(sweep_calls().await)
        .chain(authorizer_calls().await)
        .chain(theft_calls().await)
    {
        made.remove(SECRETS);
        made.remove(SIGNING_KEYS);
        let key = (operation.to_owned(), name.to_owned());
        let expected = table.remove(&key).unwrap_or_default();
        if made != expected {
            let _infallible = writeln!(
                differences,
                "{operation}, {name}: the table has {expected:?}, made were {made:?}"
            );
        }
    }
    assert!(differences.is_empty(), "{differences}");
    assert!(table.is_empty(), "rows that no test exercises: {table:?}");
}

#[tokio::test]
async fn a_warm_function_reads_no_secrets() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let since = world.last_call();
    let mut tokens = world.sign_in(ADA).await;
    let exchange = json!({ "refreshToken": tokens.refresh_token });
    tokens
        .browser
        .post("/auth/refresh", exchange.clone())
        .await
        .expect_status(200);
    assert_eq!(
        count(&world, since, "GetSecretValue"),
        1,
        "the one of refresh-token, which is cold"
    );
    let since = world.last_call();
    tokens
        .browser
        .post("/auth/refresh", exchange)
        .await
        .expect_status(200);
    assert_eq!(count(&world, since, "GetSecretValue"), 0);
}

fn count(world: &TestWorld, since: u64, action: &str) -> usize {
    let calls = world.calls(since);
    calls.iter().filter(|call| call.action == action).count()
}

/// A bound guest whose user has gone, when Cognito answers for the unknown user with a choice of
/// factors.
async fn start_with_a_choice() -> Calls {
    let world = TestWorld::start().await;
    world.cognito().set_unknown_user(VARYING);
    let mut browser = world.browser();
    for number in 0..TRIES {
        let email = format!("guest-{number}@example.com");
        plant_bound_guest(&world, &email, &format!("GST-2026-{number:06}")).await;
        let since = world.last_call();
        let start = json!({ "email": email });
        browser
            .post("/auth/otp/initiate", start)
            .await
            .expect_status(200);
        if count(&world, since, "AdminRespondToAuthChallenge") > 0 && number > 0 {
            return calls(&world, "initiate-otp", since);
        }
    }
    panic!("no choice in {TRIES} starts");
}

/// The same when the user goes between start and re-send.
async fn resend_with_a_choice() -> Calls {
    let world = TestWorld::start().await;
    world.cognito().set_unknown_user(VARYING);
    let mut browser = world.browser();
    for number in 0..TRIES {
        let email = format!("guest-{number}@example.com");
        let start = json!({ "email": email });
        let started = browser.post("/auth/otp/initiate", start).await;
        started.expect_status(200);
        delete_user(&world, &email).await;
        world.advance(31);
        let since = world.last_call();
        let again = json!({ "sessionToken": started["sessionToken"] });
        browser
            .post("/auth/otp/resend", again)
            .await
            .expect_status(200);
        let made = calls(&world, "resend-otp", since);
        if count(&world, since, "AdminRespondToAuthChallenge") > 0 && !made.contains_key(SECRETS) {
            return made;
        }
    }
    panic!("no choice in {TRIES} re-sends");
}

/// What a sign-in and a reset call for a browser that signed in before.
async fn known_device_calls() -> Vec<(&'static str, Calls)> {
    let world = TestWorld::start().await;
    let mut browser = world.sign_in(ADA).await.browser;
    world.advance(3600);
    let mut all = Vec::new();
    let mut note = |operation, since| {
        let mut made = calls(&world, operation, since);
        made.remove(SECRETS);
        all.push((operation, made));
    };
    let since = world.last_call();
    let session_token = browser.started(ADA).await;
    note("initiate-otp", since);
    world.advance(31);
    let since = world.last_call();
    browser.resend(&session_token).await.expect_status(200);
    note("resend-otp", since);
    let code = world.mail_code(ADA).await;
    let since = world.last_call();
    let verified = browser.verify(ADA, &code, &session_token).await;
    verified.expect_status(200);
    note("verify-otp", since);
    let since = world.last_call();
    browser.request_reset(ADA).await.expect_status(202);
    note("request-password-reset", since);
    all
}

/// A registration whose code cannot be mailed.
async fn registration_rolled_back() -> Calls {
    let world = TestWorld::start().await;
    let mut stage = Case::Registration.prepare(&world).await;
    world.fault(Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "AdminInitiateAuth",
    ));
    let since = world.last_call();
    stage.act().await.expect_problem(500, "INTERNAL");
    let mut made = calls(&world, "register-user", since);
    made.remove(SECRETS);
    made
}

/// A start at an address whose user a sweep has claimed and not removed: it finishes the removal,
/// and makes another user.
async fn start_after_half_a_removal() -> Calls {
    let world = TestWorld::start().await;
    world.browser().started(ADA).await;
    world.advance(25 * 3600);
    world.fault(Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "AdminDeleteUser",
    ));
    world.invoke("sweep-unproved-users", &json!({})).await;
    let since = world.last_call();
    world.browser().started(ADA).await;
    let mut made = calls(&world, "initiate-otp", since);
    made.remove(SECRETS);
    made
}

/// The calls of every case about authenticators, without the one for secrets.
async fn second_factor_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let mut all = Vec::new();
    for case in second_factor_cases::Case::ALL {
        let world = TestWorld::start().await;
        let mut stage = case.prepare(&world).await;
        let since = world.last_call();
        let answer = stage.act().await;
        answer.expect_status(case.healthy_status());
        let (operation, name) = case.row();
        all.push((operation, name, calls(&world, operation, since)));
    }
    all
}

/// The calls of every case about passkeys, without the one for secrets.
async fn passkey_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let mut all = Vec::new();
    for case in passkey_cases::Case::ALL {
        let world = TestWorld::start().await;
        let mut stage = case.prepare(&world).await;
        let since = world.last_call();
        let answer = stage.act().await;
        answer.expect_status(case.healthy_status());
        let (operation, name) = case.row();
        all.push((operation, name, calls(&world, operation, since)));
    }
    all
}

/// The calls of every case about authorizations, without those of a cold start.
async fn authorization_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let mut all = Vec::new();
    for case in authorization_cases::Case::ALL {
        let world = TestWorld::start().await;
        let mut stage = case.prepare(&world).await;
        let since = world.last_call();
        let answer = stage.act().await;
        assert!(case.is_healthy(&answer), "{case:?}: {answer:?}");
        let (operation, name) = case.row();
        all.push((operation, name, calls(&world, operation, since)));
    }
    all
}

/// A refresh token that comes again, after later ones of its session have been used.
async fn theft_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let function = "refresh-token";
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = world.browser();
    let mut token = json!(guest.refresh_token);
    for _ in 0..2 {
        let exchange = json!({ "refreshToken": token });
        let refreshed = browser.post("/auth/refresh", exchange).await;
        refreshed.expect_status(200);
        token = refreshed["refreshToken"].clone();
    }
    world.advance(61);
    let since = world.last_call();
    let again = json!({ "refreshToken": guest.refresh_token });
    browser
        .post("/auth/refresh", again)
        .await
        .expect_status(401);
    vec![(function, "came again", calls(&world, function, since))]
}

/// A request to a team's own API.
async fn authorizer_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let function = "authorize-request";
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let event = json!({
        "version": "2.0",
        "routeArn": "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/prod/GET/rooms",
        "headers": { "authorization": format!("Bearer {}", guest.access_token) },
    });
    let since = world.last_call();
    let passed = world.invoke(function, &event).await;
    assert_eq!(passed["isAuthorized"], true, "{}", passed.body);
    vec![(function, "passed", calls(&world, function, since))]
}

/// A sweep that finds a user to remove, and one that finds none.
async fn sweep_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let function = "sweep-unproved-users";
    let world = TestWorld::start().await;
    world.browser().started(ADA).await;
    let since = world.last_call();
    world.invoke(function, &json!({})).await;
    let none = calls(&world, function, since);
    world.advance(25 * 3600);
    let since = world.last_call();
    let swept = world.invoke(function, &json!({})).await;
    assert_eq!(swept["removed"], 1, "{}", swept.body);
    vec![
        (function, "none due", none),
        (function, "one removed", calls(&world, function, since)),
    ]
}

/// What the trigger calls for the operations' own client, and for another one: with a guest,
/// without, and where it makes the guest.
async fn pre_token_generation_calls() -> Vec<(&'static str, &'static str, Calls)> {
    let world = TestWorld::start().await;
    world.registered(ADA, second_factor_cases::PASSWORD).await;
    world.sign_in(ADA).await;
    let own = calls(&world, "pre-token-generation", 0);
    let mut sign_in = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": {
            "USERNAME": ADA,
            "PASSWORD": second_factor_cases::PASSWORD,
            "PREFERRED_CHALLENGE": "PASSWORD",
        },
    });
    let since = world.last_call();
    let signed_in = world.cognito_call("InitiateAuth", sign_in.clone()).await;
    signed_in.expect_status(200);
    let other = calls(&world, "pre-token-generation", since);
    make_user_with_password(&world, EVE, second_factor_cases::PASSWORD).await;
    sign_in["AuthParameters"]["USERNAME"] = json!(EVE);
    let since = world.last_call();
    let signed_in = world.cognito_call("InitiateAuth", sign_in.clone()).await;
    signed_in.expect_status(200);
    let without_guest = calls(&world, "pre-token-generation", since);

    let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", "api")]).await;
    make_user_with_password(&world, EVE, second_factor_cases::PASSWORD).await;
    sign_in["ClientId"] = json!(world.ready().client_id);
    let signed_in = world.cognito_call("InitiateAuth", sign_in).await;
    signed_in.expect_status(200);
    let first_sign_in = calls(&world, "pre-token-generation", 0);
    vec![
        ("pre-token-generation", "operations' client", own),
        ("pre-token-generation", "another client", other),
        (
            "pre-token-generation",
            "another client, user without a guest",
            without_guest,
        ),
        (
            "pre-token-generation",
            "the API's public client, first sign-in",
            first_sign_in,
        ),
    ]
}

/// Operations whose transactions make no guest.
const ONLY_UPDATE_GUESTS: [&str; 6] = [
    "delete-passkey",
    "disable-mfa",
    "end-other-sessions",
    "logout-user",
    "verify-mfa-setup",
    "verify-passkey-setup",
];

/// What IAM must allow for a call; nothing for Cognito's operations that take a client's secret
/// instead of a signature. A transaction needs what it is made of: one that binds a guest puts and
/// updates.
fn needed(operation: &str, call: &str) -> Vec<String> {
    match call {
        "user-pool:ConfirmForgotPassword"
        | "user-pool:ForgotPassword"
        | "user-pool:GetSigningKeys"
        | "user-pool:GetTokensFromRefreshToken"
        | "user-pool:RevokeToken"
        | "user-pool:StartWebAuthnRegistration"
        | "user-pool:CompleteWebAuthnRegistration"
        | "user-pool:DeleteWebAuthnCredential" => Vec::new(),
        "guests:TransactWriteItems" if ONLY_UPDATE_GUESTS.contains(&operation) => {
            vec!["guests:UpdateItem".to_owned()]
        }
        "guests:TransactWriteItems" => ["guests:PutItem", "guests:UpdateItem"]
            .map(str::to_owned)
            .to_vec(),
        "sessions:TransactWriteItems" => vec!["sessions:UpdateItem".to_owned()],
        "user-sessions:TransactWriteItems" => vec!["user-sessions:UpdateItem".to_owned()],
        "activity:TransactWriteItems" => vec!["activity:PutItem".to_owned()],
        other => vec![other.to_owned()],
    }
}

#[tokio::test]
async fn the_grants_are_the_actions_that_are_really_called_and_no_more() {
    let mut called: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for case in Case::ALL {
        let made = cold_calls(case).await.into_keys();
        called.entry(case.operation()).or_default().extend(made);
    }
    for (operation, made) in [
        ("initiate-otp", start_with_a_choice().await),
        ("resend-otp", resend_with_a_choice().await),
    ] {
        called
            .entry(operation)
            .or_default()
            .extend(made.into_keys());
    }
    for (operation, made) in known_device_calls().await {
        called
            .entry(operation)
            .or_default()
            .extend(made.into_keys());
    }
    let second_factors = second_factor_calls().await;
    for (operation, _, made) in second_factors
        .into_iter()
        .chain(pre_token_generation_calls().await)
        .chain(authorization_calls().await)
        .chain(passkey_calls().await)
        .chain(sweep_calls().await)
        .chain(authorizer_calls().await)
        .chain(theft_calls().await)
    {
        called
            .entry(operation)
            .or_default()
            .extend(made.into_keys());
    }
    let registration = called.entry("register-user").or_default();
    registration.extend(registration_rolled_back().await.into_keys());
    let start = called.entry("initiate-otp").or_default();
    start.extend(start_after_half_a_removal().await.into_keys());
    for function in Contract::embedded().functions() {
        let made = called.remove(function.name.as_str()).unwrap_or_default();
        let needed: BTreeSet<String> = made
            .iter()
            .flat_map(|call| needed(&function.name, call))
            .collect();
        assert_eq!(grants(&function.name), needed, "{}", function.name);
    }
}
