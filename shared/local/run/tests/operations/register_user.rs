//! `register-user`: a person chooses a password at an address that is not proved yet.

use std::time::Duration;

use auth_api::Contract;
use auth_domain::NewPassword;
use auth_local::{Fault, FaultKind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tokio::join;

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::requests::{counted, named_fields};
use crate::harness::stage::Stage;
use crate::harness::steps::{at_once, attribute, sub_of};
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn only_a_confirmed_guest_is_a_conflict() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    world.sign_in("grace@example.com").await;
    world
        .put_guest_without_user("imported@example.com", "GST-2025-7K3QXB", "Imported")
        .await;
    let session_token = browser.registering(ADA, PASSWORD).await;
    let code = world.mail_code(ADA).await;
    browser.registering("ADA@Example.com", OTHER_PASSWORD).await;
    browser.registering("imported@example.com", PASSWORD).await;
    browser
        .register("grace@example.com", OTHER_PASSWORD)
        .await
        .expect_problem(409, "EMAIL_EXISTS");

    browser
        .confirm(&session_token, &code)
        .await
        .expect_status(200);
    let mailed = world.mails(ADA).len();
    browser
        .register(ADA, OTHER_PASSWORD)
        .await
        .expect_problem(409, "EMAIL_EXISTS");
    assert_eq!(world.mails(ADA).len(), mailed, "a conflict mails nothing");
    browser.login(ADA, PASSWORD).await.expect_status(200);
}

/// A registration writes no other record before its code comes back.
#[tokio::test]
async fn a_pending_registration_stands_in_its_own_record_alone() {
    let world = TestWorld::start().await;
    world.browser().registering(ADA, PASSWORD).await;
    let guests = &world.ready().tables["guests"];
    assert_eq!(world.items(guests).await, Vec::<Value>::new());
    // Cognito has the user, and no password to try.
    let refused = past_latchkey(&world).await;
    assert!(refused["AuthenticationResult"].is_null(), "{refused:?}");
    world.user(ADA).await;
}

/// A pending password cannot be read from the tables, or from KMS with the tables: the session
/// token is the third part.
#[tokio::test]
async fn a_pending_password_is_read_nowhere_without_the_session_token() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let records = pending(&world).await;
    let [record] = records.as_slice() else {
        panic!("one registration: {records:?}");
    };
    let sealed = record["pendingPassword"]["B"].as_str().expect("bytes");
    assert_reads_nowhere(&world, PASSWORD).await;
    assert_reads_nowhere(&world, &session_token).await;
    let id = attribute(record, "pk").trim_start_matches("sign-in#");
    let context = json!({ "sign-in": id, "use": "pending-password" });
    let opened = world
        .kms(
            "Decrypt",
            json!({ "CiphertextBlob": sealed, "EncryptionContext": context }),
        )
        .await;
    let opened = STANDARD
        .decode(opened["Plaintext"].as_str().expect("bytes"))
        .expect("base64");
    assert!(!String::from_utf8_lossy(&opened).contains(PASSWORD));

    let code = world.mail_code(ADA).await;
    let confirmed = browser.confirm(&session_token, &code).await;
    confirmed.expect_status(200);
    assert!(pending(&world).await.is_empty());
    assert_reads_nowhere(&world, PASSWORD).await;
}

/// The registrations that wait to be confirmed.
async fn pending(world: &TestWorld) -> Vec<Value> {
    let mut items = world.items(&world.ready().tables["challenges"]).await;
    items.retain(|item| item.get("pendingPassword").is_some());
    items
}

async fn assert_reads_nowhere(world: &TestWorld, secret: &str) {
    for short in ["guests", "challenges", "sessions"] {
        let table = &world.ready().tables[short];
        let items = json!(world.items(table).await).to_string();
        for written in [secret.to_owned(), STANDARD.encode(secret)] {
            let written = written.trim_end_matches('=');
            assert!(!items.contains(written), "{short}");
        }
    }
}

/// After the hour's mails are spent, the other senders learn nothing of the address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_thirty_registrations_at_once_the_one_that_is_confirmed_counts() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, OTHER_PASSWORD).await;
    let code = world.mail_code(ADA).await;
    let others = (0..30).map(|number| {
        let world = &world;
        async move {
            let mut browser = world.browser_at("127.0.0.2");
            let password = format!("{PASSWORD}, number {number}");
            browser.register(ADA, &password).await
        }
    });
    let others = at_once(others).await;
    for answer in &others {
        assert!(matches!(answer.status, 201 | 429), "{answer:?}");
    }
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 0)
    );
    let others: Vec<String> = others
        .iter()
        .filter(|answer| answer.status == 201)
        .map(|answer| answer.text("sessionToken"))
        .collect();
    assert!(!others.is_empty());

    let confirmed = browser.confirm(&session_token, &code).await;
    confirmed.expect_status(200);
    for other in others {
        browser
            .confirm(&other, &code)
            .await
            .expect_problem(400, "INVALID_SESSION");
    }
    browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 1)
    );
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

/// "Account pre-hijacking" (USENIX Security 2022): the person who registers an address may not be
/// the reader of its mail.
#[tokio::test]
async fn a_strangers_registration_gives_the_owner_neither_password_nor_name() {
    for stranger_is_first in [true, false] {
        let world = TestWorld::start().await;
        let (mut eve, mut ada) = (world.browser_at("127.0.0.2"), world.browser());
        let owned = json!({ "email": ADA, "password": OTHER_PASSWORD });
        let mut tokens = Vec::new();
        let mut codes = Vec::new();
        for is_eve in [stranger_is_first, !stranger_is_first] {
            let registered = if is_eve {
                eve.register(ADA, PASSWORD).await
            } else {
                ada.post("/auth/register", owned.clone()).await
            };
            registered.expect_status(201);
            tokens.push(registered.text("sessionToken"));
            codes.push(world.mail_code(ADA).await);
        }
        let (eves, adas) = if stranger_is_first { (0, 1) } else { (1, 0) };

        // A code confirms only the registration that it was mailed for.
        let wrong = ada.confirm(&tokens[adas], &codes[eves]).await;
        wrong.expect_problem(401, "INVALID_OTP");
        let confirmed = ada.confirm(&tokens[adas], &codes[adas]).await;
        confirmed.expect_status(200);
        assert_eq!(confirmed["user"].get("name"), None);
        ada.login(ADA, OTHER_PASSWORD).await.expect_status(200);

        eve.confirm(&tokens[eves], &codes[eves])
            .await
            .expect_problem(400, "INVALID_SESSION");
        eve.login(ADA, PASSWORD)
            .await
            .expect_problem(401, "INVALID_CREDENTIALS");
        assert_eq!(
            (world.users().await.len(), world.guests().await.len()),
            (1, 1)
        );
    }
}

#[tokio::test]
async fn a_registration_dies_when_the_address_is_proved_in_another_way() {
    for way in ["code", "reset"] {
        let world = TestWorld::start().await;
        let mut eve = world.browser_at("127.0.0.2");
        let eves = eve.registering(ADA, PASSWORD).await;
        let code = world.mail_code(ADA).await;

        let mut ada = world.browser();
        if way == "code" {
            let signed_in = ada.sign_in(ADA).await;
            signed_in.expect_status(200);
            assert_eq!(signed_in["user"].get("name"), None);
        } else {
            let reset = world.reset_password(&mut ada, ADA, OTHER_PASSWORD).await;
            reset.expect_status(204);
        }
        world.advance(31);
        eve.resend_confirmation(&eves)
            .await
            .expect_problem(400, "INVALID_SESSION");
        eve.confirm(&eves, &code)
            .await
            .expect_problem(400, "INVALID_SESSION");
        eve.login(ADA, PASSWORD)
            .await
            .expect_problem(401, "INVALID_CREDENTIALS");
        eve.register(ADA, PASSWORD)
            .await
            .expect_problem(409, "EMAIL_EXISTS");
        if way == "code" {
            world.advance(60);
            let reset = world.reset_password(&mut ada, ADA, OTHER_PASSWORD).await;
            reset.expect_status(204);
        }
        ada.login(ADA, OTHER_PASSWORD).await.expect_status(200);
        assert_eq!(
            (world.users().await.len(), world.guests().await.len()),
            (1, 1)
        );
    }
}

#[tokio::test]
async fn a_registered_password_signs_in_past_latchkey_once_its_address_is_confirmed() {
    let world = TestWorld::start().await;
    let mut browser = world.browser();
    let session_token = browser.registering(ADA, PASSWORD).await;
    let code = world.mail_code(ADA).await;
    let before = past_latchkey(&world).await;
    assert!(before["AuthenticationResult"].is_null(), "{before:?}");
    browser
        .confirm(&session_token, &code)
        .await
        .expect_status(200);
    let after = past_latchkey(&world).await;
    assert!(after["AuthenticationResult"].is_object(), "{after:?}");
}

/// Her registered password at Cognito's own endpoint, with the client that browsers have.
async fn past_latchkey(world: &TestWorld) -> Answer {
    let sign_in = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" },
    });
    world.cognito_call("InitiateAuth", sign_in).await
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

/// An incomplete registration: a step after the user's making fails, and so does the roll-back.
#[tokio::test]
async fn half_a_registration_is_counted_and_healed_by_the_next() {
    for (service, action) in [
        ("kms", "Encrypt"),
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
            world.registered(ADA, PASSWORD).await;
            browser.login(ADA, PASSWORD).await.expect_status(200);
            assert_eq!(
                (world.users().await.len(), world.guests().await.len()),
                (1, 1)
            );
        }
    }
}

/// While a registration hangs between two of its calls, the owner signs in by code; then it fails.
/// It removes only its own work.
#[tokio::test]
async fn a_registration_that_fails_late_leaves_the_user_whom_the_owner_has_proved() {
    // The note about the new user, and the next step.
    for (service, action, nth) in [
        ("dynamodb", "UpdateItem", 4),
        ("cognito-idp", "AdminInitiateAuth", 1),
    ] {
        let world = TestWorld::start().await;
        let of_registration =
            |kind, service, action| Fault::new(kind, service, action).of("register-user");
        let hangs = of_registration(FaultKind::Delay, service, action);
        world.fault(hangs.nth(nth).lasting(Duration::from_millis(900)));
        let fails = of_registration(FaultKind::Internal, "dynamodb", "PutItem");
        world.fault(fails.times(u32::MAX));
        let (mut eve, mut ada) = (world.browser_at("127.0.0.2"), world.browser());
        let (failed, signed_in) = join!(eve.register(ADA, PASSWORD), async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            ada.sign_in(ADA).await
        });
        signed_in.expect_status(200);
        failed.expect_problem(503, "SERVICE_UNAVAILABLE");
        assert_eq!(world.count("AdminDeleteUser"), 0, "{action}");
        assert_eq!(counted(&world, "RollbackFailures"), 0, "{action}");
        let sub = sub_of(&world.user(ADA).await);
        assert_eq!(signed_in["user"]["cognitoSub"], sub);
        ada.sign_in(ADA).await.expect_status(200);
    }
}

/// The owner begins during the roll-back of a registration: the start finishes that, and gets a
/// user of its own.
#[tokio::test]
async fn a_start_during_a_roll_back_signs_in() {
    let world = TestWorld::start().await;
    let of_registration =
        |kind, service, action| Fault::new(kind, service, action).of("register-user");
    let fails = of_registration(FaultKind::Internal, "dynamodb", "PutItem");
    world.fault(fails.times(u32::MAX));
    let hangs = of_registration(FaultKind::Delay, "cognito-idp", "AdminDeleteUser");
    world.fault(hangs.lasting(Duration::from_millis(1500)));
    let (mut eve, mut ada) = (world.browser_at("127.0.0.2"), world.browser());
    let (failed, signed_in) = join!(eve.register(ADA, PASSWORD), async {
        while world.count("AdminDeleteUser") == 0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if world.count("PutItem") >= 3 {
                tokio::time::sleep(Duration::from_millis(300)).await;
                break;
            }
        }
        ada.sign_in(ADA).await
    });
    failed.expect_problem(503, "SERVICE_UNAVAILABLE");
    signed_in.expect_status(200);
    assert_eq!(
        signed_in["user"]["cognitoSub"],
        sub_of(&world.user(ADA).await)
    );
    ada.sign_in(ADA).await.expect_status(200);
}

/// An operator removes the user of a registration that waits.
#[tokio::test]
async fn an_address_whose_user_has_gone_can_be_registered_or_sign_in() {
    for by_registration in [true, false] {
        let world = TestWorld::start().await;
        let mut browser = world.browser();
        browser.registering(ADA, PASSWORD).await;
        world
            .admin("AdminDeleteUser", json!({ "Username": ADA }))
            .await;
        if by_registration {
            world.registered(ADA, OTHER_PASSWORD).await;
            browser.login(ADA, OTHER_PASSWORD).await.expect_status(200);
        } else {
            browser.sign_in(ADA).await.expect_status(200);
        }
        let guests = world.guests().await;
        assert_eq!((world.users().await.len(), guests.len()), (1, 1));
        assert_eq!(guests[0]["emailVerified"]["BOOL"], true);
    }
}

#[tokio::test]
async fn the_domain_the_contract_terraform_and_the_pool_ask_for_the_same_length() {
    let terraform = include_str!("../../../../../terraform/modules/user-pool/main.tf");
    // Terraform makes the pool from the same description, with the contract's length.
    let filled_in = terraform.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(filled_in.contains("SHORTEST_PASSWORD = var.shortest_password "));
    let operations = include_str!("../../../../../terraform/operations.tf");
    assert!(operations.contains("components.schemas.NewPassword.minLength"));

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

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("register-user", name, "201", prepare)
            .then(|case, stage, answer| Box::pin(is_confirmed(case, stage, answer)))
    };
    vec![
        case("new address", |world| {
            Box::pin(async { Stage::registration(world) })
        }),
        case("user without a guest", |world| Box::pin(left_user(world))),
        Case::of("register-user", "rolled back", "500 INTERNAL", |world| {
            Box::pin(async { Stage::registration(world) })
        })
        .denied("AdminInitiateAuth")
        .then(|case, stage, answer| Box::pin(is_made_after_all(case, stage, answer))),
    ]
}

/// A person asked for a code and never proved it.
async fn left_user(world: &TestWorld) -> Stage<'_> {
    Stage::start(world).act().await.expect_status(200);
    Stage::registration(world)
}

/// The mailed code confirms it, and then the password opens the account.
async fn is_confirmed(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = case.reach(stage, answer).await;
    confirm(stage, again.as_ref().unwrap_or(answer)).await;
    then
}

/// The next registration finds no obstacle.
async fn is_made_after_all(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let again = stage.act().await;
    again.expect_status(201);
    confirm(stage, &again).await;
    if case.is_healthy(answer) {
        Then::Nothing
    } else {
        Then::SameAgain
    }
}

async fn confirm(stage: &mut Stage<'_>, registered: &Answer) {
    let code = stage.world.mail_code(ADA).await;
    let session_token = registered.text("sessionToken");
    let confirmed = stage.browser.confirm(&session_token, &code).await;
    confirmed.expect_status(200);
    let mut login = Stage::login(stage.world, PASSWORD);
    login.act().await.expect_status(200);
}
