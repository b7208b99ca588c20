//! Passwords from outside: registered, confirmed, signed in with, forgotten, and chosen by somebody else.

use std::collections::BTreeMap;
use std::future::Future;
use std::time::{Duration, Instant};

use auth_api::Contract;
use auth_domain::NewPassword;
use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{Answer, Browser, TestWorld};
use crate::requests::{counted, named_fields, opens, refresh};
use crate::steps::{WRONG_CODE, at_once, attribute};

const ADA: &str = "ada@example.com";
const EVE: &str = "eve@example.com";

/// What the guests choose.
const PASSWORD: &str = "nine lives of a cat";
const OTHER_PASSWORD: &str = "ten lives of a lucky cat";

/// Six digits that no mail holds, but once in a million.
const WRONG_RESET_CODE: &str = "404170";

/// Seconds without a wrong password after which all are forgotten.
const QUIET: u64 = 960;

impl Browser<'_> {
    async fn register(&mut self, email: &str, password: &str) -> Answer {
        let registration = json!({ "email": email, "password": password, "name": "Ada Lovelace" });
        self.post("/auth/register", registration).await
    }

    async fn confirm(&mut self, email: &str, code: &str) -> Answer {
        let confirmation = json!({ "email": email, "code": code });
        self.post("/auth/register/confirm", confirmation).await
    }

    async fn resend_confirmation(&mut self, email: &str) -> Answer {
        let resend = json!({ "email": email, "resend": true });
        self.post("/auth/register/confirm", resend).await
    }

    pub(crate) async fn login(&mut self, email: &str, password: &str) -> Answer {
        let login = json!({ "email": email, "password": password });
        self.post("/auth/login", login).await
    }

    async fn request_reset(&mut self, email: &str) -> Answer {
        self.post("/auth/password/reset", json!({ "email": email }))
            .await
    }

    async fn confirm_reset(&mut self, email: &str, code: &str, password: &str) -> Answer {
        let reset = json!({ "email": email, "code": code, "newPassword": password });
        self.post("/auth/password/reset/confirm", reset).await
    }
}

impl TestWorld {
    /// A guest who has registered a password and confirmed the address.
    pub(crate) async fn registered(&self, email: &str, password: &str) {
        let mut browser = self.browser();
        browser.register(email, password).await.expect_status(201);
        let code = self.mail_code(email).await;
        browser.confirm(email, &code).await.expect_status(204);
    }

    /// A guest's password set anew by a mailed code.
    pub(crate) async fn reset_password(
        &self,
        browser: &mut Browser<'_>,
        email: &str,
        password: &str,
    ) -> Answer {
        browser.request_reset(email).await.expect_status(202);
        let code = self.mail_code(email).await;
        browser.confirm_reset(email, &code, password).await
    }

    fn subjects(&self, email: &str) -> Vec<String> {
        let mails = self.mails(email).into_iter();
        mails.map(|mail| mail.subject).collect()
    }
}

/// What anybody sees of an answer, but for what differs from one request to the next in any case.
fn form(answer: &Answer) -> (u16, BTreeMap<String, String>, Value) {
    let mut body = answer.body.clone();
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    let headers = answer.headers.iter().filter(|(name, _)| {
        let name = name.as_str();
        name != "apigw-requestid" && name != "date"
    });
    let headers = headers.map(|(name, value)| (name.to_string(), format!("{value:?}")));
    (answer.status, headers.collect(), body)
}

#[tokio::test]
async fn a_registered_address_is_confirmed_by_the_mailed_code_and_signs_in_with_the_password() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let registered = browser.register(ADA, PASSWORD).await;
    registered.expect_status(201);
    assert_eq!(registered["user"]["emailVerified"], false);
    assert_eq!(registered["user"]["name"], "Ada Lovelace");
    assert_eq!(
        registered["delivery"],
        json!({ "medium": "EMAIL", "destination": "a***@e***" })
    );

    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);

    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["tokenType"], "Bearer");
    assert_eq!(signed_in["user"]["emailVerified"], true);
    assert_eq!(signed_in["user"]["guestId"], registered["user"]["guestId"]);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    refresh(&mut browser, &signed_in.text("refreshToken"))
        .await
        .expect_status(200);
    let by_code = browser.sign_in(ADA).await;
    by_code.expect_status(200);
    assert_eq!(by_code["user"]["guestId"], registered["user"]["guestId"]);
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn the_tokens_of_a_confirmation_leave_nobody_and_are_revoked() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let calls: Vec<String> = world
        .calls_of("confirm-registration")
        .into_iter()
        .map(|call| call.action)
        .collect();
    assert!(calls.contains(&"RevokeToken".to_owned()), "{calls:?}");
}

#[tokio::test]
async fn a_password_login_can_have_its_refresh_token_in_a_cookie() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let login = json!({ "email": ADA, "password": PASSWORD, "tokenDelivery": "cookie" });
    let signed_in = browser.post("/auth/login", login.clone()).await;
    signed_in.expect_status(200);
    assert!(signed_in["refreshToken"].is_null());
    let invoked = world.invoke("login-user", &login).await;
    assert!(
        invoked["refreshToken"].is_string(),
        "an invocation has no cookies"
    );
    assert!(browser.cookies.contains_key("__Host-latchkey-refresh"));
    browser.always("sec-fetch-site", "same-origin");
    browser
        .post("/auth/refresh", json!({}))
        .await
        .expect_status(200);
}

#[tokio::test]
async fn every_address_that_has_an_account_is_a_conflict() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    world.sign_in("grace@example.com").await;
    world
        .put_guest_without_user("imported@example.com", "GST-2025-7K3QXB", "Imported")
        .await;
    browser.register(ADA, PASSWORD).await.expect_status(201);
    for email in [
        ADA,
        "ADA@Example.com",
        "grace@example.com",
        "imported@example.com",
    ] {
        let refused = browser.register(email, OTHER_PASSWORD).await;
        refused.expect_problem(409, "EMAIL_EXISTS");
    }
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);
    browser
        .register(ADA, OTHER_PASSWORD)
        .await
        .expect_problem(409, "EMAIL_EXISTS");
    assert_eq!(world.mails(ADA).len(), 1, "a conflict mails nothing");
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_registrations_at_once_one_succeeds() {
    let world = TestWorld::with_settings(&[("REGISTRATIONS_PER_IP", "100")]).await;
    let registrations = (0..50).map(|number| {
        let world = &world;
        async move {
            let password = format!("{PASSWORD}, number {number}");
            let mut browser = world.browser();
            let status = browser.register(ADA, &password).await.status;
            (status, password)
        }
    });
    let answers = at_once(registrations).await;
    let winners: Vec<_> = answers
        .iter()
        .filter(|(status, _)| *status == 201)
        .collect();
    assert_eq!(winners.len(), 1);
    assert!(
        answers
            .iter()
            .all(|(status, _)| matches!(status, 201 | 409))
    );
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 1)
    );

    let mut browser = world.browser();
    world.advance(31);
    browser.resend_confirmation(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);
    browser.login(ADA, &winners[0].1).await.expect_status(200);
}

#[tokio::test]
async fn every_broken_rule_of_a_new_password_is_named() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let before = world.last_call();
    let refused = browser.register(ADA, "dragon ").await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    let errors = refused["errors"].as_array().unwrap();
    let codes: Vec<&str> = errors
        .iter()
        .map(|error| error["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes, ["too_short", "space_at_an_end", "common"]);
    assert_eq!(named_fields(&refused.body), ["password"; 3]);
    for password in [
        ADA,
        "Password1234!",
        "short",
        "line\nbreak and more",
        &"long ".repeat(60),
    ] {
        let refused = browser.register(ADA, password).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        let refused = browser.confirm_reset(ADA, "481516", password).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert!(
            named_fields(&refused.body)
                .iter()
                .all(|field| *field == "newPassword")
        );
    }
    assert_eq!(world.actions_since(before), Vec::<String>::new());
}

#[tokio::test]
async fn a_password_is_the_same_however_its_letters_are_composed() {
    let world = TestWorld::start().await;
    world.registered(ADA, "cafe\u{301} au lait, twice").await;
    let mut browser = world.browser();
    let composed = browser.login(ADA, "caf\u{e9} au lait, twice").await;
    composed.expect_status(200);
}

/// "Account pre-hijacking": who registers an address need not be who reads its mail.
#[tokio::test]
async fn a_password_that_somebody_else_registered_never_opens_the_owners_account() {
    let world = TestWorld::start().await;
    let mut eve = world.browser_at("127.0.0.2");
    eve.register(ADA, PASSWORD).await.expect_status(201);

    let mut ada = world.browser();
    let signed_in = ada.sign_in(ADA).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);

    eve.login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    // Nor does it past Latchkey, with the client that browsers have.
    let client_id = world.ready().client_id.clone();
    let around = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD },
    });
    let refused = world.cognito_call("InitiateAuth", around).await;
    assert_eq!(refused["__type"], "UserLambdaValidationException");

    // The owner may have a password all the same, and keeps it.
    world.advance(60);
    let reset = world.reset_password(&mut ada, ADA, OTHER_PASSWORD).await;
    reset.expect_status(204);
    ada.login(ADA, OTHER_PASSWORD).await.expect_status(200);
    eve.login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 1)
    );
}

/// Before anybody has proved the address, Cognito takes the registered password for right: the public client is refused by its trigger.
#[tokio::test]
async fn a_registered_password_opens_nothing_past_latchkey_before_its_address_is_confirmed() {
    let world = TestWorld::start().await;
    let client_id = world.ready().client_id.clone();
    let mut eve = world.browser_at("127.0.0.2");
    eve.register(ADA, PASSWORD).await.expect_status(201);
    let code = world.mail_code(ADA).await;
    for parameters in [
        json!({ "USERNAME": ADA, "PASSWORD": PASSWORD }),
        json!({ "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" }),
        json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" }),
    ] {
        let by_choice = !parameters["PREFERRED_CHALLENGE"].is_null();
        let flow = if by_choice {
            "USER_AUTH"
        } else {
            "USER_PASSWORD_AUTH"
        };
        let around =
            json!({ "AuthFlow": flow, "ClientId": client_id, "AuthParameters": parameters });
        let refused = world.cognito_call("InitiateAuth", around).await;
        refused.expect_status(400);
        assert_eq!(refused["__type"], "UserLambdaValidationException");
    }

    world.browser().confirm(ADA, &code).await.expect_status(204);
    let around = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD },
    });
    let signed_in = world.cognito_call("InitiateAuth", around).await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_registration_that_nobody_confirmed_is_taken_over_by_a_reset() {
    let world = TestWorld::start().await;
    let mut eve = world.browser_at("127.0.0.2");
    eve.register(ADA, PASSWORD).await.expect_status(201);
    let mut ada = world.browser();
    let reset = world.reset_password(&mut ada, ADA, OTHER_PASSWORD).await;
    reset.expect_status(204);
    eve.login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let signed_in = ada.login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);
}

#[tokio::test]
async fn an_address_at_which_a_code_was_once_asked_for_can_be_registered() {
    let world = TestWorld::start().await;
    world.browser().started(ADA).await;
    world.registered(ADA, PASSWORD).await;
    world
        .browser()
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 1)
    );
}

#[tokio::test]
async fn a_confirmation_has_three_attempts_and_five_minutes_and_another_mail_begins_them_anew() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    browser
        .confirm(ADA, WRONG_CODE)
        .await
        .expect_problem(400, "INVALID_SESSION");
    browser.register(ADA, PASSWORD).await.expect_status(201);
    let code = world.mail_code(ADA).await;
    for left in [2, 1, 0] {
        let wrong = browser.confirm(ADA, WRONG_CODE).await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], left);
    }
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");

    world.advance(31);
    browser.resend_confirmation(ADA).await.expect_status(202);
    let soon = browser.resend_confirmation(ADA).await;
    soon.expect_problem(429, "RATE_LIMITED");
    assert_eq!(soon.retry_after(), Some(30));
    world.advance(301);
    let code = world.mail_code(ADA).await;
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(410, "OTP_EXPIRED");
    browser.resend_confirmation(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    browser.confirm(ADA, &code).await.expect_status(204);
    browser
        .confirm(ADA, &code)
        .await
        .expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn another_confirmation_mail_is_asked_for_alike_by_everyone_and_sent_to_whom_it_concerns() {
    let world = TestWorld::stopped(&[]).await;
    world
        .browser()
        .register(ADA, PASSWORD)
        .await
        .expect_status(201);
    world.registered("grace@example.com", PASSWORD).await;
    let before = world.mails("grace@example.com").len();
    let mut expected = None;
    for email in [ADA, "alan@example.com", "grace@example.com"] {
        let resent = world.browser().resend_confirmation(email).await;
        resent.expect_status(202);
        let (status, headers, mut body) = form(&resent);
        body["delivery"]["destination"].take();
        let seen = (status, headers, body);
        assert_eq!(expected.get_or_insert(seen.clone()), &seen, "{email}");
    }
    assert_eq!(world.mails(ADA).len(), 2);
    assert!(world.mails("alan@example.com").is_empty());
    assert_eq!(world.mails("grace@example.com").len(), before);
    assert_eq!(world.users().await.len(), 2);
}

#[tokio::test]
async fn people_of_an_older_pool_sign_in_with_what_they_had() {
    let world = TestWorld::start().await;
    world.make_user(ADA, None).await;
    let set = json!({ "Username": ADA, "Password": PASSWORD, "Permanent": true });
    world.admin("AdminSetUserPassword", set).await;
    let mut browser = world.browser();
    browser
        .register(ADA, OTHER_PASSWORD)
        .await
        .expect_problem(409, "EMAIL_EXISTS");
    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["emailVerified"], true);
    assert_eq!(world.guests().await.len(), 1);
    browser.sign_in(ADA).await.expect_status(200);
    browser.login(ADA, PASSWORD).await.expect_status(200);

    // An address that nobody has verified there is not taken for verified here.
    world.make_user(EVE, None).await;
    let set = json!({ "Username": EVE, "Password": PASSWORD, "Permanent": true });
    world.admin("AdminSetUserPassword", set).await;
    let unverified = json!({
        "Username": EVE,
        "UserAttributes": [{ "Name": "email_verified", "Value": "false" }],
    });
    world.admin("AdminUpdateUserAttributes", unverified).await;
    browser
        .login(EVE, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    // Whoever proves it takes it: the password may be a stranger's, and Cognito would take it for right from then on.
    browser.sign_in(EVE).await.expect_status(200);
    browser
        .login(EVE, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    world
        .reset_password(&mut browser, EVE, OTHER_PASSWORD)
        .await
        .expect_status(204);
    browser.login(EVE, OTHER_PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_password_that_an_administrator_gave_has_to_be_replaced() {
    let world = TestWorld::start().await;
    world
        .make_user(ADA, Some("given-by-an-administrator"))
        .await;
    let held = world
        .browser()
        .login(ADA, "given-by-an-administrator")
        .await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true);
    assert_eq!(held["challenge"], "NEW_PASSWORD_REQUIRED");
    assert_eq!(held["tokenType"], "Bearer");
    assert_eq!(held.text("sessionToken").len(), 43);
    assert_eq!(held.body.as_object().unwrap().len(), 4);
}

#[tokio::test]
async fn after_five_wrong_passwords_strangers_wait_and_a_known_device_does_not() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let mut stranger = world.browser_at("127.0.0.2");
    for left in (0..5).rev() {
        let wrong = stranger.login(ADA, OTHER_PASSWORD).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        let remaining = wrong.header("ratelimit").unwrap();
        assert!(remaining.contains(&format!("r={left}")), "{remaining}");
        world.advance(16);
    }
    let asked = world.count("AdminInitiateAuth");
    let refused = stranger.login(ADA, PASSWORD).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(QUIET - 16));
    assert_eq!(
        world.count("AdminInitiateAuth"),
        asked,
        "Cognito is not asked"
    );
    known.login(ADA, PASSWORD).await.expect_status(200);
    world.advance(QUIET - 16 - 1);
    let refused = stranger.login(ADA, PASSWORD).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(1));
    world.advance(1);
    stranger.login(ADA, PASSWORD).await.expect_status(200);
    assert!(counted(&world, "PasswordFailures") >= 5);
}

/// Five wrong passwords count together however far apart they are, until there has been quiet.
#[tokio::test]
async fn slow_wrong_passwords_add_up() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    for pause in [QUIET - 1, 181] {
        for _ in 0..5 {
            let wrong = world.browser().login(ADA, OTHER_PASSWORD).await;
            wrong.expect_problem(401, "INVALID_CREDENTIALS");
            world.advance(pause);
        }
        let refused = world.browser().login(ADA, PASSWORD).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert_eq!(refused.retry_after(), Some(QUIET - pause));
        // A refused try is no failure: the quiet goes on.
        world.advance(QUIET - pause);
    }
    // Quiet after the second failure: the three that follow are the first three.
    for (pause, left) in [(10, 4), (QUIET, 3), (10, 4), (10, 3), (10, 2)] {
        let wrong = world.browser().login(ADA, OTHER_PASSWORD).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
        let remaining = wrong.header("ratelimit").unwrap();
        assert!(remaining.contains(&format!("r={left}")), "{remaining}");
        world.advance(pause);
    }
}

/// Cognito forgets wrong passwords after 15 quiet minutes: a stranger who tries every 181 seconds must not reach its lock-out.
#[tokio::test]
async fn a_patient_stranger_keeps_no_known_device_out() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let mut stranger = world.browser_at("127.0.0.2");
    for arrival in 0..24 {
        for _ in 0..20 {
            stranger.login(ADA, OTHER_PASSWORD).await;
            world.advance(181);
        }
        let signed_in = known.login(ADA, PASSWORD).await;
        assert_eq!(signed_in.status, 200, "arrival {arrival}");
    }
}

#[tokio::test]
async fn a_right_password_clears_the_count() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    for _ in 0..3 {
        let mut stranger = world.browser();
        for _ in 0..4 {
            stranger
                .login(ADA, OTHER_PASSWORD)
                .await
                .expect_problem(401, "INVALID_CREDENTIALS");
        }
        stranger.login(ADA, PASSWORD).await.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_wrong_passwords_at_once_five_reach_cognito() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let before = world.count("AdminInitiateAuth");
    let logins = (0..50).map(|_| {
        let world = &world;
        async move { world.browser().login(ADA, OTHER_PASSWORD).await.status }
    });
    let statuses = at_once(logins).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 45);
    assert_eq!(world.count("AdminInitiateAuth") - before, 5);
}

/// Locks the user at Cognito itself: a known device and strangers together make more failures than it forgives.
async fn lock_at_cognito(world: &TestWorld, email: &str) {
    let mut known = world.browser();
    known.login(email, PASSWORD).await.expect_status(200);
    // The known device has five failures of its own, and strangers have five. The lock doubles with each after the fifth.
    for pause in [0, 0, 0, 0, 1] {
        known.login(email, OTHER_PASSWORD).await.expect_status(401);
        world.advance(pause);
    }
    for pause in [2, 4, 8, 0] {
        let wrong = world.browser().login(email, OTHER_PASSWORD).await;
        wrong.expect_status(401);
        world.advance(pause);
    }
}

/// Cognito's own lock-out befalls users who exist, and no stranger is told of it.
#[tokio::test]
async fn cognitos_lock_looks_like_a_wrong_password() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    lock_at_cognito(&world, ADA).await;
    let locked = world.browser().login(ADA, PASSWORD).await;
    locked.expect_problem(401, "INVALID_CREDENTIALS");
    assert!(locked.header("retry-after").is_none());
    world.advance(QUIET);
    world
        .browser()
        .login(ADA, PASSWORD)
        .await
        .expect_status(200);
}

/// A known device belongs to somebody who has signed in: it may hear what is the matter, and of the way that is open.
#[tokio::test]
async fn a_known_device_that_meets_cognitos_lock_is_offered_a_code() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    lock_at_cognito(&world, ADA).await;
    for _ in 0..10 {
        let locked = known.login(ADA, PASSWORD).await;
        locked.expect_problem(429, "RATE_LIMITED");
        assert_eq!(locked["signInWith"], "CODE");
        assert!(locked["challenge"].is_null());
    }
    known.sign_in(ADA).await.expect_status(200);
    world.advance(QUIET);
    // What the lock refused, Cognito has not looked at: the device has all its tries.
    known.login(ADA, PASSWORD).await.expect_status(200);
}

/// Somebody of every kind that must not be told from the others.
async fn people(world: &TestWorld) -> Vec<String> {
    let mut people = vec!["nobody@example.com".to_owned()];
    let registered = "registered@example.com";
    world.registered(registered, PASSWORD).await;
    let unconfirmed = "unconfirmed@example.com";
    world
        .browser()
        .register(unconfirmed, PASSWORD)
        .await
        .expect_status(201);
    let by_code = "by-code@example.com";
    world.sign_in(by_code).await;
    let disabled = "disabled@example.com";
    world.registered(disabled, PASSWORD).await;
    world
        .admin("AdminDisableUser", json!({ "Username": disabled }))
        .await;
    let temporary = "temporary@example.com";
    world
        .make_user(temporary, Some("given-by-an-administrator"))
        .await;
    people.extend([registered, unconfirmed, by_code, disabled, temporary].map(str::to_owned));
    people
}

#[tokio::test]
async fn logins_and_resets_of_every_kind_of_address_get_the_same_bytes() {
    let world = TestWorld::stopped(&[]).await;
    let people = people(&world).await;
    for (step, times, status) in [
        ("login", 5, 401),
        ("login", 2, 429),
        ("reset", 5, 202),
        ("code", 3, 401),
        ("code", 2, 429),
    ] {
        for _ in 0..times {
            let mut expected = None;
            for (host, email) in (2..).zip(&people) {
                let mut browser = world.browser_at(&format!("127.0.0.{host}"));
                let answer = match step {
                    "login" => browser.login(email, OTHER_PASSWORD).await,
                    "reset" => browser.request_reset(email).await,
                    _ => {
                        browser
                            .confirm_reset(email, WRONG_RESET_CODE, OTHER_PASSWORD)
                            .await
                    }
                };
                answer.expect_status(status);
                let form = form(&answer);
                assert_eq!(
                    expected.get_or_insert(form.clone()),
                    &form,
                    "{email}, {step}"
                );
            }
        }
    }
}

/// The floor of the tests below: far more than the work, also on a busy machine.
const FLOOR: Duration = Duration::from_millis(2500);

/// What is added to each call of Cognito: where one is missing, it would show.
const HANDICAP: Duration = Duration::from_millis(600);

const ROUNDS: usize = 3;

async fn timed(asked: impl Future<Output = Answer>) -> Duration {
    let began = Instant::now();
    asked.await;
    began.elapsed()
}

/// ASVS 5.0 6.3.8.
#[tokio::test]
async fn unknown_addresses_take_as_long_as_known_ones() {
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::with_settings(&[
        ("OTP_RESPONSE_FLOOR_MS", &floor),
        ("OTP_REFUSAL_FLOOR_MS", &floor),
    ])
    .await;
    world.registered(ADA, PASSWORD).await;
    world.sign_in(EVE).await;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "GetItem");
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let people = [ADA, EVE, "nobody@example.com"];
    for step in ["login", "reset", "code", "resend"] {
        let mut took: Vec<Vec<Duration>> = vec![Vec::new(); people.len()];
        for _ in 0..ROUNDS {
            let asked = people.map(|email| {
                let world = &world;
                async move {
                    let mut browser = world.browser();
                    timed(async move {
                        match step {
                            "login" => browser.login(email, OTHER_PASSWORD).await,
                            "reset" => browser.request_reset(email).await,
                            "code" => {
                                browser
                                    .confirm_reset(email, WRONG_RESET_CODE, OTHER_PASSWORD)
                                    .await
                            }
                            _ => browser.resend_confirmation(email).await,
                        }
                    })
                    .await
                }
            });
            for (took, duration) in took.iter_mut().zip(at_once(asked).await) {
                took.push(duration);
            }
            world.advance(31);
        }
        let medians: Vec<Duration> = took
            .into_iter()
            .map(|mut took| {
                took.sort_unstable();
                took[ROUNDS / 2]
            })
            .collect();
        let (least, most) = (medians.iter().min().unwrap(), medians.iter().max().unwrap());
        assert!(
            *least >= FLOOR && most.saturating_sub(*least) < HANDICAP / 2,
            "{step}: {medians:?}"
        );
    }
}

#[tokio::test]
async fn a_reset_ends_every_session_and_gives_no_tokens() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let before = browser.login(ADA, PASSWORD).await;
    before.expect_status(200);
    let by_code = world.browser().sign_in(ADA).await;
    world.advance(1);
    let reset = world
        .reset_password(&mut browser, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    assert!(reset.bytes.is_empty() && reset.headers.get("set-cookie").is_none());
    for ended in [&before, &by_code] {
        assert!(!opens(&world, &ended.text("accessToken")).await);
        refresh(&mut browser, &ended.text("refreshToken"))
            .await
            .expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    world.advance(1);
    let signed_in = browser.login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    assert!(opens(&world, &signed_in.text("accessToken")).await);
    assert!(
        world
            .subjects(ADA)
            .contains(&"Your password was changed".to_owned())
    );
}

/// Each half of ending the sessions is worth having by itself, and the guest hears of the new password in any case.
#[tokio::test]
async fn a_reset_that_half_fails_ends_every_session_all_the_same() {
    for (service, action) in [
        ("cognito-idp", "AdminUserGlobalSignOut"),
        ("dynamodb", "UpdateItem"),
    ] {
        let world = TestWorld::stopped(&[]).await;
        world.registered(ADA, PASSWORD).await;
        let mut browser = world.browser();
        let before = browser.login(ADA, PASSWORD).await;
        before.expect_status(200);
        world.advance(2);
        browser.request_reset(ADA).await.expect_status(202);
        let code = world.mail_code(ADA).await;
        // The count of attempts is the first write.
        let nth = if service == "dynamodb" { 2 } else { 1 };
        let denied = Fault::new(FaultKind::Denied, service, action);
        world.fault(denied.of("confirm-password-reset").nth(nth));
        let reset = browser.confirm_reset(ADA, &code, OTHER_PASSWORD).await;
        reset.expect_problem(500, "INTERNAL");
        let changed = "Your password was changed".to_owned();
        assert!(world.subjects(ADA).contains(&changed), "{action}");
        world.advance(2);
        let refreshed = refresh(&mut browser, &before.text("refreshToken")).await;
        assert_eq!(refreshed.status == 200, service == "cognito-idp");
        if refreshed.status == 200 {
            // Cognito has not heard of it, and the guest's record has.
            assert!(!opens(&world, &refreshed.text("accessToken")).await);
            assert!(!opens(&world, &before.text("accessToken")).await);
        } else {
            refreshed.expect_problem(401, "INVALID_REFRESH_TOKEN");
        }
        let signed_in = browser.login(ADA, OTHER_PASSWORD).await;
        signed_in.expect_status(200);
        assert!(opens(&world, &signed_in.text("accessToken")).await);
    }
}

#[tokio::test]
async fn signing_in_again_gives_a_browser_no_other_budget() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let device = |answer: &Answer| {
        let cookie = answer.header("set-cookie").expect("a device cookie");
        cookie.split('.').nth(2).expect("four parts").to_owned()
    };
    let mut browser = world.browser();
    let first = device(&browser.login(ADA, PASSWORD).await);
    assert_eq!(device(&browser.login(ADA, PASSWORD).await), first);
    assert_eq!(device(&browser.sign_in(ADA).await), first);
    assert_ne!(device(&world.browser().login(ADA, PASSWORD).await), first);
}

#[tokio::test]
async fn who_signs_in_by_code_can_add_a_password() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = world.browser();
    browser
        .login(ADA, PASSWORD)
        .await
        .expect_problem(401, "INVALID_CREDENTIALS");
    let reset = world.reset_password(&mut browser, ADA, PASSWORD).await;
    reset.expect_status(204);
    let signed_in = browser.login(ADA, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["guestId"], guest.user["guestId"]);
    browser.sign_in(ADA).await.expect_status(200);
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

#[tokio::test]
async fn a_code_for_a_new_password_works_once_and_for_an_hour() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    browser.request_reset(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    world.advance(3599);
    browser
        .confirm_reset(ADA, &code, OTHER_PASSWORD)
        .await
        .expect_status(204);
    browser
        .confirm_reset(ADA, &code, PASSWORD)
        .await
        .expect_problem(401, "INVALID_OTP");
    browser.request_reset(ADA).await.expect_status(202);
    let code = world.latest_code_of_reset(ADA);
    world.advance(3601);
    browser
        .confirm_reset(ADA, &code, PASSWORD)
        .await
        .expect_problem(401, "INVALID_OTP");
}

impl TestWorld {
    /// The code of the newest mail that has one.
    fn latest_code_of_reset(&self, email: &str) -> String {
        let mut mails = self.mails(email).into_iter();
        mails.find_map(|mail| mail.code).expect("a code")
    }
}

/// However often a stranger asks, the owner can recover: by the stranger's mail, or by a known device.
#[tokio::test]
async fn nobody_is_locked_out_of_their_recovery() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    let before = world.mails(ADA).len();
    let mut stranger = world.browser_at("127.0.0.2");
    for _ in 0..20 {
        stranger.request_reset(ADA).await.expect_status(202);
    }
    assert_eq!(world.mails(ADA).len() - before, 3);
    for _ in 0..3 {
        stranger
            .confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD)
            .await
            .expect_problem(401, "INVALID_OTP");
    }
    stranger
        .confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD)
        .await
        .expect_problem(429, "RATE_LIMITED");
    let code = world.latest_code_of_reset(ADA);
    known
        .confirm_reset(ADA, &code, OTHER_PASSWORD)
        .await
        .expect_status(204);
    let mut stranger = world.browser_at("127.0.0.3");
    for number in 0..30 {
        let email = format!("guest-{number}@example.com");
        stranger.request_reset(&email).await.expect_status(202);
    }
    stranger
        .request_reset(ADA)
        .await
        .expect_problem(429, "RATE_LIMITED");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_wrong_reset_codes_at_once_three_reach_cognito() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    world.browser().request_reset(ADA).await.expect_status(202);
    let guesses = (0..50).map(|_| {
        let world = &world;
        async move {
            let mut browser = world.browser();
            let guess = browser.confirm_reset(ADA, WRONG_RESET_CODE, OTHER_PASSWORD);
            guess.await.status
        }
    });
    let statuses = at_once(guesses).await;
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 3);
    assert_eq!(world.count("ConfirmForgotPassword"), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_right_reset_code_sent_twice_at_once_sets_one_password() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let (mut one, mut two) = (world.browser(), world.browser());
    one.request_reset(ADA).await.expect_status(202);
    let code = world.mail_code(ADA).await;
    let (first, second) = tokio::join!(
        one.confirm_reset(ADA, &code, OTHER_PASSWORD),
        two.confirm_reset(ADA, &code, "eleven lives, and a dog")
    );
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [204, 401]);
    let winner = if first.status == 204 {
        OTHER_PASSWORD
    } else {
        "eleven lives, and a dog"
    };
    one.login(ADA, winner).await.expect_status(200);
}

/// Half a registration: the user's making, or what comes after it, fails, and so does taking it back.
#[tokio::test]
async fn half_a_registration_is_counted_and_healed_by_what_comes_next() {
    for (service, action) in [
        ("dynamodb", "TransactWriteItems"),
        ("cognito-idp", "AdminSetUserPassword"),
        ("cognito-idp", "AdminInitiateAuth"),
        ("dynamodb", "PutItem"),
    ] {
        for kind in [FaultKind::Internal, FaultKind::Lost] {
            let world = TestWorld::start().await;
            let fault = |kind, service, action| {
                Fault::new(kind, service, action)
                    .of("register-user")
                    .times(u32::MAX)
            };
            world.fault(fault(kind, service, action));
            world.fault(fault(FaultKind::Internal, "cognito-idp", "AdminDeleteUser"));
            let mut browser = world.browser();
            let failed = browser.register(ADA, PASSWORD).await;
            failed.expect_problem(503, "SERVICE_UNAVAILABLE");
            assert_eq!(counted(&world, "RollbackFailures"), 1, "{action} {kind:?}");
            world.clear_faults();

            browser
                .login(ADA, PASSWORD)
                .await
                .expect_problem(401, "INVALID_CREDENTIALS");
            let again = browser.register(ADA, PASSWORD).await;
            if again.status == 201 {
                let code = world.mail_code(ADA).await;
                browser.confirm(ADA, &code).await.expect_status(204);
                browser.login(ADA, PASSWORD).await.expect_status(200);
            } else {
                again.expect_problem(409, "EMAIL_EXISTS");
                browser.sign_in(ADA).await.expect_status(200);
                browser
                    .login(ADA, PASSWORD)
                    .await
                    .expect_problem(401, "INVALID_CREDENTIALS");
                let reset = world
                    .reset_password(&mut browser, ADA, OTHER_PASSWORD)
                    .await;
                reset.expect_status(204);
                browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
            }
            assert_eq!(
                (world.users().await.len(), world.guests().await.len()),
                (1, 1)
            );
        }
    }
}

/// The user was taken back, and the guest's record was not.
#[tokio::test]
async fn a_guest_whose_user_a_roll_back_took_can_be_registered_or_sign_in() {
    for by_registration in [true, false] {
        let world = TestWorld::start().await;
        let mut browser = world.browser();
        browser.register(ADA, PASSWORD).await.expect_status(201);
        world
            .admin("AdminDeleteUser", json!({ "Username": ADA }))
            .await;
        if by_registration {
            let again = browser.register(ADA, OTHER_PASSWORD).await;
            again.expect_status(201);
            let code = world.mail_code(ADA).await;
            browser.confirm(ADA, &code).await.expect_status(204);
            browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
        } else {
            browser.sign_in(ADA).await.expect_status(200);
        }
        let guests = world.guests().await;
        assert_eq!((world.users().await.len(), guests.len()), (1, 1));
        assert_eq!(guests[0]["emailVerified"]["BOOL"], true);
        assert!(attribute(&guests[0], "passwordStanding").len() < "unproven".len() + 1);
    }
}

#[tokio::test]
async fn a_new_device_is_announced_once_and_by_either_way_in() {
    let world = TestWorld::start().await;
    let announced = |world: &TestWorld| {
        let subjects = world.subjects(ADA).into_iter();
        subjects
            .filter(|subject| subject == "A new device signed in")
            .count()
    };
    world.registered(ADA, PASSWORD).await;
    assert_eq!(announced(&world), 0);
    let mut browser = world.browser();
    browser.login(ADA, PASSWORD).await.expect_status(200);
    assert_eq!(announced(&world), 1);
    browser.login(ADA, PASSWORD).await.expect_status(200);
    browser.sign_in(ADA).await.expect_status(200);
    assert_eq!(announced(&world), 1);
    world.browser().sign_in(ADA).await.expect_status(200);
    assert_eq!(announced(&world), 2);
    let mail = world.mail(ADA).await;
    assert!(mail.text.contains("If this was not you") && mail.html.contains("<h1"));

    world.sign_in(EVE).await;
    assert_eq!(world.subjects(EVE).len(), 1, "a first sign-in is no news");
}

#[tokio::test]
async fn a_notice_that_cannot_be_mailed_fails_nothing_and_is_counted() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    for kind in [FaultKind::Denied, FaultKind::Internal, FaultKind::Lost] {
        world.fault(Fault::new(kind, "ses", "SendEmail").times(u32::MAX));
        let before = counted(&world, "EmailDeliveryFailures");
        let mut browser = world.browser();
        browser.login(ADA, PASSWORD).await.expect_status(200);
        let reset = world.reset_password(&mut browser, ADA, PASSWORD).await;
        reset.expect_status(204);
        world.clear_faults();
        assert_eq!(counted(&world, "EmailDeliveryFailures") - before, 2);
        world.advance(3601);
    }
}

#[tokio::test]
async fn the_domain_the_contract_terraform_and_the_pool_ask_for_the_same_length() {
    let terraform = include_str!("../../../../../terraform/modules/user-pool/main.tf");
    // Terraform reads it from the contract.
    assert!(terraform.contains("= var.shortest_password\n"));
    let operations = include_str!("../../../../../terraform/operations.tf");
    assert!(operations.contains("components.schemas.NewPassword.minLength"));
    for kind in ["lowercase", "uppercase", "numbers", "symbols"] {
        let asked = terraform
            .lines()
            .find(|line| line.contains(&format!("require_{kind}")))
            .expect("a rule");
        assert!(asked.trim_end().ends_with("false"), "{asked}");
    }

    let schema = &Contract::embedded().as_json()["components"]["schemas"]["NewPassword"];
    assert_eq!(schema["minLength"], NewPassword::SHORTEST);

    let world = TestWorld::start().await;
    let pool = world.admin("DescribeUserPool", json!({})).await;
    let policy = &pool["UserPool"]["Policies"]["PasswordPolicy"];
    assert_eq!(policy["MinimumLength"], NewPassword::SHORTEST);
    for kind in ["Lowercase", "Uppercase", "Numbers", "Symbols"] {
        assert_eq!(policy[format!("Require{kind}")], false, "{policy}");
    }
}
