//! If a second factor is required, no sign-in ends without one.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::authenticator_app::{App, code, statuses};
use crate::harness::device::Device;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, ELSEWHERE};
use crate::harness::requests::opens;
use crate::harness::steps::{ROOMY_MAILBOXES, at_once};
use crate::harness::{Answer, Browser, TestWorld};

/// Seconds for a set-up, as the contract has it.
const SET_UP: u64 = 600;

async fn strict() -> TestWorld {
    let mut settings = vec![
        ("SECOND_FACTOR", "required"),
        ("OTP_STARTS_PER_EMAIL", "50"),
    ];
    settings.extend(ROOMY_MAILBOXES);
    TestWorld::with_settings(&settings).await
}

/// An answer of a sign-in that waits; its session token.
fn waits(answer: &Answer) -> String {
    answer.expect_status(200);
    assert_eq!(answer["mfaSetupRequired"], true, "{}", answer.body);
    assert_eq!(answer["expiresIn"], SET_UP);
    for absent in ["accessToken", "idToken", "refreshToken", "user"] {
        assert!(answer[absent].is_null(), "{absent}: {}", answer.body);
    }
    answer.text("sessionToken")
}

async fn waiting(browser: &mut Browser<'_>) -> String {
    waits(&browser.sign_in(ADA).await)
}

async fn begin(browser: &mut Browser<'_>, session_token: &str) -> Answer {
    let body = json!({ "sessionToken": session_token });
    browser.post("/auth/mfa/setup", body).await
}

async fn end(browser: &mut Browser<'_>, session_token: &str, code: &str) -> Answer {
    let body = json!({ "sessionToken": session_token, "code": code });
    browser.post("/auth/mfa/setup/verify", body).await
}

/// Sets an authenticator up by a sign-in that waits, and is signed in by it.
async fn set_up<'world>(
    world: &'world TestWorld,
    browser: &mut Browser<'world>,
) -> (App<'world>, Answer) {
    let session_token = waiting(browser).await;
    let begun = begin(browser, &session_token).await;
    begun.expect_status(200);
    let app = App::new(world, &begun.text("secret"));
    let signed_in = end(browser, &session_token, &app.code()).await;
    signed_in.expect_status(200);
    (app, signed_in)
}

/// Begins a passkey by a sign-in that waits, and a mailed code for the proof.
async fn passkey(
    world: &TestWorld,
    browser: &mut Browser<'_>,
    session_token: &str,
    device: &mut Device,
) -> Answer {
    let proof = world.mailed_sign_in(ADA).await;
    let body = json!({ "sessionToken": session_token, "proof": proof });
    let begun = browser.set_up_passkey(body).await;
    begun.expect_status(200);
    let credential = device.create(&begun["options"]).await;
    browser.complete_passkey(&begun, &credential).await
}

#[tokio::test]
async fn every_sign_in_of_a_guest_without_a_second_factor_waits() {
    let world = strict().await;
    let mut browser = world.browser();
    let registration = browser.registering(ADA, PASSWORD).await;
    let confirmed = browser
        .confirm(&registration, &world.mail_code(ADA).await)
        .await;
    waits(&confirmed);
    waits(&browser.sign_in(ADA).await);
    waits(&browser.login(ADA, PASSWORD).await);
    let reset = world
        .reset_password(&mut browser, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    let after_reset = waits(&browser.login(ADA, OTHER_PASSWORD).await);
    // A passkey whose device did not verify its user is only one factor, too.
    let mut touch = Device::without_verification(&world.origin());
    passkey(&world, &mut browser, &after_reset, &mut touch)
        .await
        .expect_status(201);
    waits(&browser.passkey_sign_in(ADA, &mut touch).await);
    // So are agents, and operators at the function itself.
    let asked = json!({ "email": ADA });
    let asked = world
        .call_tool("initiate-otp", "initiate_cognito_login", &asked)
        .await;
    let brought = json!({
        "email": ADA,
        "otp_code": world.mail_code(ADA).await,
        "session_token": asked["session_token"],
    });
    let told = world
        .call_tool("verify-otp", "verify_cognito_otp", &brought)
        .await;
    assert_eq!(told["success"], false, "{}", told.body);
    assert_eq!(told["error_code"], "AUTH_REQUIRED");
    assert_eq!(told["mfa_setup_required"], true);
    assert!(told["access_token"].is_null());
    let direct = json!({ "email": ADA, "password": OTHER_PASSWORD });
    waits(&world.invoke("login-user", &direct).await);
}

#[tokio::test]
async fn an_authenticator_that_is_set_up_finishes_the_sign_in() {
    let world = strict().await;
    let mut browser = world.browser();
    let (app, signed_in) = set_up(&world, &mut browser).await;
    assert_eq!(signed_in["backupCodes"].as_array().map(Vec::len), Some(10));
    assert_eq!(signed_in["user"]["email"], ADA);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    let refresh = json!({ "refreshToken": signed_in["refreshToken"] });
    let refreshed = browser.post("/auth/refresh", refresh).await;
    refreshed.expect_status(200);
    assert!(opens(&world, &refreshed.text("accessToken")).await);
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&app.next_code()))
        .await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_passkey_that_verifies_its_user_finishes_the_sign_in() {
    let world = strict().await;
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let mut touch = Device::without_verification(&world.origin());
    let added = passkey(&world, &mut browser, &session_token, &mut touch).await;
    added.expect_status(201);
    assert!(added["accessToken"].is_null(), "one factor: it waits on");
    let mut device = world.device();
    let added = passkey(&world, &mut browser, &session_token, &mut device).await;
    added.expect_status(201);
    assert_eq!(added["userVerified"], true);
    assert!(opens(&world, &added.text("accessToken")).await);
    // From now on the passkey signs in.
    let one_factor = world.browser().sign_in(ADA).await;
    one_factor.expect_problem(403, "PASSKEY_REQUIRED");
    let one_factor = world.browser().passkey_sign_in(ADA, &mut touch).await;
    one_factor.expect_problem(403, "PASSKEY_REQUIRED");
    let signed_in = world.browser().passkey_sign_in(ADA, &mut device).await;
    signed_in.expect_status(200);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
}

/// A thief of the mailbox has a live session, too.
#[tokio::test]
async fn a_fresh_proof_of_a_guest_with_a_passkey_alone_is_the_passkey() {
    let world = strict().await;
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let mut device = world.device();
    let added = passkey(&world, &mut browser, &session_token, &mut device).await;
    added.expect_status(201);
    browser.bearer(&added.text("accessToken"));
    let removal = format!("/me/passkeys/{}", added.text("passkeyId"));
    let (post, delete) = (Method::POST, Method::DELETE);
    let password = json!({ "newPassword": PASSWORD });
    for (purpose, method, path, mut change, status) in [
        ("export", &post, "/me/export", json!({}), 200),
        (
            "email",
            &post,
            "/me/email",
            json!({ "email": ELSEWHERE }),
            200,
        ),
        ("password", &post, "/me/password", password, 204),
        ("passkey", &post, "/me/passkeys", json!({}), 200),
        ("authenticator", &post, "/auth/mfa/setup", json!({}), 200),
        ("passkey", &delete, removal.as_str(), json!({}), 204),
    ] {
        change["proof"] = browser.mailed_proof(ADA, purpose).await;
        let refused = changing(&mut browser, method, path, &change).await;
        refused.expect_problem(403, "PASSKEY_REQUIRED");
        let mut touch = device.touched();
        change["proof"] = browser.passkey_proof(purpose, &mut touch).await;
        let refused = changing(&mut browser, method, path, &change).await;
        refused.expect_problem(403, "PASSKEY_REQUIRED");
        change["proof"] = browser.passkey_proof(purpose, &mut device).await;
        let changed = changing(&mut browser, method, path, &change).await;
        changed.expect_status(status);
    }
}

#[tokio::test]
async fn a_passkey_alone_guards_the_deletion_of_the_account() {
    let world = strict().await;
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let mut device = world.device();
    let added = passkey(&world, &mut browser, &session_token, &mut device).await;
    browser.bearer(&added.text("accessToken"));
    let mailed = json!({ "proof": browser.mailed_proof(ADA, "delete").await });
    let refused = browser.post("/me/delete", mailed).await;
    refused.expect_problem(403, "PASSKEY_REQUIRED");
    let shown = json!({ "proof": browser.passkey_proof("delete", &mut device).await });
    let deleted = browser.post("/me/delete", shown).await;
    deleted.expect_status(202);
}

async fn changing(
    browser: &mut Browser<'_>,
    method: &Method,
    path: &str,
    change: &Value,
) -> Answer {
    let headers = [("content-type", "application/json")];
    let body = change.to_string().into_bytes();
    browser.send(method.clone(), path, &headers, body).await
}

#[tokio::test]
async fn the_token_of_a_sign_in_that_waits_opens_set_ups_and_nothing_else() {
    let world = strict().await;
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let guessed = browser.second_factor(&session_token, code("287082")).await;
    guessed.expect_problem(400, "INVALID_SESSION");
    browser.bearer(&session_token);
    assert_eq!(browser.get("/me").await.status, 401);
    let mut nobody = world.browser();
    for (path, body) in [
        ("/auth/mfa/setup", json!({ "password": PASSWORD })),
        ("/auth/mfa/setup/verify", json!({ "code": "287082" })),
        ("/me/passkeys", json!({ "password": PASSWORD })),
    ] {
        let refused = nobody.post(path, body).await;
        refused.expect_problem(401, "AUTH_REQUIRED");
    }
    // A sign-in that is held for an authenticator does not count.
    let (_, signed_in) = set_up(&world, &mut world.browser()).await;
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    let held = world.held(ADA).await;
    let refused = begin(&mut nobody, &held).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let refused = end(&mut nobody, &held, "287082").await;
    refused.expect_problem(400, "INVALID_SESSION");
}

/// A thief of the mailbox began to sign in, too.
#[tokio::test]
async fn a_sign_in_that_waits_adds_no_factor_beside_another() {
    let world = strict().await;
    let (mut thief, mut ada) = (world.browser(), world.browser());
    let thiefs = waiting(&mut thief).await;
    let proof = world.mailed_sign_in(ADA).await;
    let body = json!({ "sessionToken": thiefs, "proof": proof });
    let begun = thief.set_up_passkey(body).await;
    begun.expect_status(200);
    let credential = world.device().create(&begun["options"]).await;
    let (_, signed_in) = set_up(&world, &mut ada).await;
    let refused = thief.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    for refused in [
        begin(&mut thief, &thiefs).await,
        end(&mut thief, &thiefs, "287082").await,
    ] {
        refused.expect_problem(400, "INVALID_SESSION");
    }
    ada.bearer(&signed_in.text("accessToken"));
    let listed = ada.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_sign_ins_that_wait_one_is_finished() {
    let world = strict().await;
    let mut browser = world.browser();
    let one = waiting(&mut browser).await;
    let two = waiting(&mut browser).await;
    let begun = begin(&mut browser, &one).await;
    let app = App::new(&world, &begun.text("secret"));
    let right = app.code();
    let ends = (0..10).map(|number| {
        let session_token = if number % 2 == 0 { &one } else { &two };
        let (world, right) = (&world, &right);
        async move { end(&mut world.browser(), session_token, right).await }
    });
    assert_eq!(statuses(&at_once(ends).await, 200), 1);
}

#[tokio::test]
async fn a_sign_in_waits_for_ten_minutes_and_three_codes() {
    let world = strict().await;
    world.clock().stop();
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let begun = begin(&mut browser, &session_token).await;
    let app = App::new(&world, &begun.text("secret"));
    world.advance(SET_UP);
    let late = end(&mut browser, &session_token, &app.code()).await;
    late.expect_problem(410, "SESSION_EXPIRED");
    let late = begin(&mut browser, &session_token).await;
    late.expect_problem(410, "SESSION_EXPIRED");

    let session_token = waiting(&mut browser).await;
    let begun = begin(&mut browser, &session_token).await;
    let app = App::new(&world, &begun.text("secret"));
    for left in [2, 1, 0] {
        let wrong = end(&mut browser, &session_token, "404170").await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], left);
    }
    let right = end(&mut browser, &session_token, &app.code()).await;
    right.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
}

#[tokio::test]
async fn what_was_set_up_stands_where_its_sign_in_cannot_be_finished() {
    let world = strict().await;
    let mut browser = world.browser();
    let session_token = waiting(&mut browser).await;
    let begun = begin(&mut browser, &session_token).await;
    let app = App::new(&world, &begun.text("secret"));
    let lost = Fault::new(
        FaultKind::Denied,
        "cognito-idp",
        "GetTokensFromRefreshToken",
    );
    world.fault(lost);
    let confirmed = end(&mut browser, &session_token, &app.code()).await;
    confirmed.expect_status(200);
    assert!(confirmed["accessToken"].is_null());
    let backup_code: Value = confirmed["backupCodes"][0].clone();
    let held = world.held(ADA).await;
    let factor = json!({ "backupCode": backup_code });
    browser
        .second_factor(&held, factor)
        .await
        .expect_status(200);
}

#[tokio::test]
async fn other_app_clients_get_no_tokens() {
    let world = strict().await;
    world.make_user(ADA, None).await;
    let client = world.ready().client_id.clone().expect("there is one");
    let start = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": client,
        "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
    });
    let begun = world.cognito_call("InitiateAuth", start).await;
    begun.expect_status(200);
    let proof = json!({
        "ClientId": client,
        "ChallengeName": "EMAIL_OTP",
        "Session": begun["Session"],
        "ChallengeResponses": { "USERNAME": ADA, "EMAIL_OTP_CODE": world.mail_code(ADA).await },
    });
    let refused = world.cognito_call("RespondToAuthChallenge", proof).await;
    refused.expect_status(400);
    assert_eq!(refused["__type"], "UserLambdaValidationException");
}
