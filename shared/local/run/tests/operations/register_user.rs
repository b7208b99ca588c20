//! `register-user`: a password is chosen at an address that nobody has proved yet.

use auth_api::Contract;
use auth_domain::NewPassword;
use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::requests::{counted, named_fields};
use crate::harness::steps::{at_once, attribute};

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
            // Past the mails of an hour the rest hear nothing of the address.
            .all(|(status, _)| matches!(status, 201 | 409 | 429))
    );
    assert_eq!(
        (world.users().await.len(), world.guests().await.len()),
        (1, 1)
    );

    let mut browser = world.browser();
    world.advance(3600);
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
        "AuthFlow": "USER_AUTH",
        "ClientId": client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" },
    });
    let refused = world.cognito_call("InitiateAuth", around).await;
    assert_eq!(refused["__type"], "NotAuthorizedException");

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

/// Before anybody has proved the address, Cognito takes the registered password for right: its trigger refuses the public client.
#[tokio::test]
async fn a_registered_password_opens_nothing_past_latchkey_before_its_address_is_confirmed() {
    let world = TestWorld::start().await;
    let client_id = world.ready().client_id.clone();
    let mut eve = world.browser_at("127.0.0.2");
    eve.register(ADA, PASSWORD).await.expect_status(201);
    let code = world.mail_code(ADA).await;
    let around = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" },
    });
    let refused = world.cognito_call("InitiateAuth", around.clone()).await;
    refused.expect_status(400);
    assert_eq!(refused["__type"], "UserLambdaValidationException");

    world.browser().confirm(ADA, &code).await.expect_status(204);
    let signed_in = world.cognito_call("InitiateAuth", around).await;
    signed_in.expect_status(200);
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
