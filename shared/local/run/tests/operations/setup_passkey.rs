//! `setup-passkey`: a fresh proof brings the options of a passkey, and its tokens never leave.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::backstage::items;
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::{claims, opens};
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, SECOND_FACTOR_REQUIRED};
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn a_passkey_is_registered_by_password_or_by_mail() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let by_password = json!({ "password": PASSWORD });
    let by_mail = json!({ "proof": ada.browser.mailed_proof(ADA, "passkey").await });
    for proofs in [by_password, by_mail] {
        let begun = ada.browser.set_up_passkey(proofs).await;
        begun.expect_status(200);
        let options = &begun["options"];
        assert_eq!(options["rp"]["id"], "localhost");
        assert_eq!(options["user"]["name"], ADA);
        let credential = world.device().create(options).await;
        let added = ada.browser.complete_passkey(&begun, &credential).await;
        added.expect_status(201);
        assert_eq!(added["name"], "Passkey");
        assert_eq!(added["userVerified"], true);
    }
    let listed = ada.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"].as_array().unwrap().len(), 2);
    assert!(opens(&world, &ada.access_token).await, "no session ends");
}

#[tokio::test]
async fn it_takes_a_fresh_proof_of_the_guests_own() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    let mut eve = world.sign_in(EVE).await;
    ada.browser.bearer(&ada.access_token);
    eve.browser.bearer(&eve.access_token);
    for (proofs, status, problem) in [
        (json!({}), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password" }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "proof": eve.browser.mailed_proof(EVE, "passkey").await }),
            400,
            "INVALID_SESSION",
        ),
    ] {
        let refused = ada.browser.set_up_passkey(proofs).await;
        refused.expect_problem(status, problem);
    }
    let mut nobody = world.browser();
    let refused = nobody.set_up_passkey(json!({ "password": PASSWORD })).await;
    refused.expect_status(401);
}

#[tokio::test]
async fn a_guest_with_an_authenticator_shows_it_too() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let browser = &mut guest.session.browser;
    let refused = browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "mfaCode");
    let wrong = json!({ "password": PASSWORD, "mfaCode": "404170" });
    let refused = browser.set_up_passkey(wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    let right = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
    browser.set_up_passkey(right).await.expect_status(200);
}

/// No answer contains the proof's tokens, and no table has them in clear text. The harness searches
/// every log and answer for the tokens that Cognito has issued.
#[tokio::test]
async fn the_tokens_of_a_registration_are_sealed_and_revoked_after_it() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    assert_eq!(claims(&ada.access_token)["scope"], "latchkey/session");
    let begun = ada
        .browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    assert!(
        !begun.body.to_string().contains("eyJ"),
        "a token in the answer"
    );
    let stored = items(&world, &world.ready().tables["challenges"]).await;
    assert!(
        !format!("{stored:?}").contains("eyJ"),
        "a token in the table"
    );
    let before = world.last_call();
    let credential = world.device().create(&begun["options"]).await;
    let added = ada.browser.complete_passkey(&begun, &credential).await;
    added.expect_status(201);
    let actions = world.cognito_actions_since(before);
    assert_eq!(
        actions,
        [
            "GetSigningKeys",
            "CompleteWebAuthnRegistration",
            "RevokeToken"
        ]
    );
}

#[tokio::test]
async fn a_registration_takes_one_answer_within_five_minutes() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let proofs = json!({ "password": PASSWORD });
    let begun = ada.browser.set_up_passkey(proofs.clone()).await;
    let another = ada.browser.set_up_passkey(proofs.clone()).await;
    let credential = world.device().create(&begun["options"]).await;
    let refused = ada.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let refused = ada.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");

    let begun = ada.browser.set_up_passkey(proofs).await;
    let credential = world.device().create(&begun["options"]).await;
    world.advance(300);
    let late = ada.browser.complete_passkey(&begun, &credential).await;
    late.expect_problem(410, "SESSION_EXPIRED");
    drop(another);
}

#[tokio::test]
async fn another_guest_completes_no_registration() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    let mut eve = world.sign_in(EVE).await;
    eve.browser.bearer(&eve.access_token);
    let begun = ada
        .browser
        .set_up_passkey(json!({ "password": PASSWORD }))
        .await;
    let credential = world.device().create(&begun["options"]).await;
    let refused = eve.browser.complete_passkey(&begun, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let added = ada.browser.complete_passkey(&begun, &credential).await;
    added.expect_status(201);
}

#[tokio::test]
async fn a_registration_that_cannot_be_kept_leaves_no_tokens() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    for (service, action) in [
        ("cognito-idp", "StartWebAuthnRegistration"),
        ("kms", "Encrypt"),
        ("dynamodb", "PutItem"),
    ] {
        world.fault(Fault::new(FaultKind::Denied, service, action));
        let before = world.last_call();
        let failed = ada
            .browser
            .set_up_passkey(json!({ "password": PASSWORD }))
            .await;
        failed.expect_problem(500, "INTERNAL");
        let actions = world.cognito_actions_since(before);
        assert_eq!(actions.last().unwrap(), "RevokeToken", "{action}");
    }
}

/// The beginning of a registration, by each proof.
const PATH: &str = "/me/passkeys";

pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("setup-passkey", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_set_up(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(world, PATH, json!({})))
        }),
        case("proved by mail", |world| {
            Box::pin(Stage::proved_by_mail(world, PATH))
        }),
        case("proved by passkey", |world| {
            Box::pin(Stage::proved_by_passkey(world, PATH, json!({})))
        }),
        case("proved with an authenticator", |world| {
            Box::pin(Stage::proved_with_authenticator(world, PATH))
        }),
        case("for a sign-in that waits", |world| {
            Box::pin(waited_for(world))
        })
        .with(&SECOND_FACTOR_REQUIRED),
        Case::of(
            "setup-passkey",
            "last wrong factor",
            "401 INVALID_OTP",
            |world| Box::pin(Stage::proved_with_wrong_code(world, PATH)),
        )
        .with(&[("MFA_FAILURES_PER_USER", "1")]),
    ]
}

async fn waited_for(world: &TestWorld) -> Stage<'_> {
    let waiting = world.browser().sign_in(ADA).await;
    let proof = world.mailed_sign_in(ADA).await;
    let body = json!({ "sessionToken": waiting["sessionToken"], "proof": proof });
    Stage::post(world, PATH, body)
}

/// The least that a person must do until the passkey is on their list.
async fn is_set_up(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, again) = if answer.status == 200 {
        (Then::Nothing, None)
    } else {
        let again = stage.act().await;
        if again.status == 200 {
            (Then::SameAgain, Some(again))
        } else {
            stage.renew_proofs().await;
            (Then::AnotherCode, Some(stage.act().await))
        }
    };
    let begun = again.as_ref().unwrap_or(answer);
    begun.expect_status(200);
    let credential = stage.world.device().create(&begun["options"]).await;
    let added = stage.browser.complete_passkey(begun, &credential).await;
    added.expect_status(201);
    then
}
