//! `setup-mfa`: a fresh proof brings the secret of a new authenticator.

use serde_json::json;

use crate::harness::authenticator_app::{App, code, statuses};
use crate::harness::backstage::{authenticator_keys, set_authenticator_keys};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, SECOND_FACTOR_REQUIRED, at_once};
use crate::harness::{Answer, TestWorld};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_fifty_set_ups_at_once_the_one_that_was_kept_is_confirmed_and_no_other() {
    let world = TestWorld::with_settings(&[("MFA_FAILURES_PER_USER", "100")]).await;
    world.registered(ADA, PASSWORD).await;
    let session = world.browser().login(ADA, PASSWORD).await;
    let token = session.text("accessToken");
    let begun = (0..50).map(|_| async {
        let mut browser = world.browser();
        browser.bearer(&token);
        browser.set_up(json!({ "password": PASSWORD })).await
    });
    let mut begun = at_once(begun).await;
    // Five concurrent passwords are admitted; those set-ups are race enough.
    begun.retain(|set_up| set_up.status == 200);
    assert!(begun.len() > 1);
    let confirmed = begun.iter().map(|set_up| {
        let app = App::new(&world, &set_up.text("secret"));
        let (world, token) = (&world, &token);
        async move {
            let mut browser = world.browser();
            browser.bearer(token);
            browser.confirm_set_up(&app.code()).await
        }
    });
    assert_eq!(statuses(&at_once(confirmed).await, 200), 1);
}

#[tokio::test]
async fn setting_up_takes_a_fresh_proof_of_the_guests_own() {
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
            json!({ "proof": eve.browser.mailed_proof(EVE, "authenticator").await }),
            400,
            "INVALID_SESSION",
        ),
        (
            json!({ "password": PASSWORD, "proof": ada.browser.mailed_proof(ADA, "authenticator").await }),
            400,
            "VALIDATION_FAILED",
        ),
    ] {
        let refused = ada.browser.set_up(proofs).await;
        refused.expect_problem(status, problem);
    }
    let mut nobody = world.browser();
    let refused = nobody.set_up(json!({ "password": PASSWORD })).await;
    refused.expect_status(401);
    // The code that proved it does not sign in afterwards, and proves nothing again.
    let proof = ada.browser.mailed_proof(ADA, "authenticator").await;
    let set_up = json!({ "proof": proof });
    ada.browser.set_up(set_up.clone()).await.expect_status(200);
    let refused = ada.browser.set_up(set_up).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn a_new_authenticator_takes_the_place_of_the_old_only_when_it_is_confirmed() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let browser = &mut guest.session.browser;
    // A password alone, or a mailbox alone, must not replace it.
    let refused = browser.set_up(json!({ "password": PASSWORD })).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "mfaCode");
    let wrong = json!({ "password": PASSWORD, "mfaCode": "404170" });
    let refused = browser.set_up(wrong).await;
    refused.expect_problem(401, "INVALID_OTP");
    let replacing = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
    let set_up = browser.set_up(replacing).await;
    set_up.expect_status(200);
    let new = App::new(&world, &set_up.text("secret"));
    let held = world.held(ADA).await;
    let refused = world
        .browser()
        .second_factor(&held, code(&new.next_code()))
        .await;
    refused.expect_problem(401, "INVALID_OTP");
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.code()))
        .await;
    signed_in.expect_status(200);

    browser
        .confirm_set_up(&new.next_code())
        .await
        .expect_status(200);
    let held = world.held(ADA).await;
    for refused in [
        code(&guest.app.next_code()),
        json!({ "backupCode": guest.backup_codes[0] }),
    ] {
        let refused = world.browser().second_factor(&held, refused).await;
        refused.expect_problem(401, "INVALID_OTP");
    }
    let signed_in = world
        .browser()
        .second_factor(&held, code(&new.code()))
        .await;
    signed_in.expect_status(200);
}

#[tokio::test]
async fn a_set_up_that_is_not_confirmed_in_ten_minutes_has_to_be_begun_anew() {
    let world = TestWorld::stopped(&[]).await;
    let mut session = world.sign_in(ADA).await;
    session.browser.bearer(&session.access_token);
    let nothing = session.browser.confirm_set_up("404170").await;
    nothing.expect_problem(400, "INVALID_SESSION");
    let proof = session.browser.mailed_proof(ADA, "authenticator").await;
    let set_up = session.browser.set_up(json!({ "proof": proof })).await;
    assert_eq!(set_up["expiresIn"], 600);
    let app = App::new(&world, &set_up.text("secret"));
    world.advance(600);
    let late = session.browser.confirm_set_up(&app.code()).await;
    late.expect_problem(410, "SESSION_EXPIRED");
    world.browser().sign_in(ADA).await.expect_status(200);
}

/// The address was changed at Cognito, and the guest's record has the one before.
#[tokio::test]
async fn a_guest_whose_address_has_changed_can_set_up_an_authenticator() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let elsewhere = "ada@elsewhere.example";
    let change = json!({
        "Username": ADA,
        "UserAttributes": [
            { "Name": "email", "Value": elsewhere },
            { "Name": "email_verified", "Value": "true" },
        ],
    });
    world.admin("AdminUpdateUserAttributes", change).await;
    let mut browser = world.browser();
    let signed_in = browser.login(elsewhere, PASSWORD).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
    let set_up = json!({ "password": PASSWORD });
    let set_up = browser.post("/auth/mfa/setup", set_up).await;
    set_up.expect_status(200);
}

#[tokio::test]
async fn keys_that_were_moved_to_another_guest_do_not_open() {
    let world = TestWorld::start().await;
    let ada = world.guarded(ADA).await;
    world.guarded(EVE).await;
    let keys = authenticator_keys(&world, ADA).await;
    set_authenticator_keys(&world, EVE, &keys).await;
    let held = world.held(EVE).await;
    let refused = world
        .browser()
        .second_factor(&held, code(&ada.app.next_code()))
        .await;
    refused.expect_problem(500, "INTERNAL");
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&ada.app.next_code()))
        .await;
    signed_in.expect_status(200);
}

const PATH: &str = "/auth/mfa/setup";

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("setup-mfa", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_set_up(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(world, PATH, json!({})))
        }),
        case("proved by mail", |world| {
            Box::pin(Stage::proved_by_mail(world, PATH))
        }),
        case("in place of another", |world| {
            Box::pin(Stage::proved_with_authenticator(world, PATH))
        }),
        Case::of("setup-mfa", "for a sign-in that waits", "200", |world| {
            Box::pin(waited_for(world))
        })
        .with(&SECOND_FACTOR_REQUIRED),
        Case::of(
            "setup-mfa",
            "last wrong factor",
            "401 INVALID_OTP",
            |world| Box::pin(Stage::proved_with_wrong_code(world, PATH)),
        )
        .with(&[("MFA_FAILURES_PER_USER", "1")]),
    ]
}

async fn waited_for(world: &TestWorld) -> Stage<'_> {
    let waiting = world.browser().sign_in(ADA).await;
    let body = json!({ "sessionToken": waiting["sessionToken"] });
    Stage::post(world, PATH, body)
}

/// The least that a person must do until the new authenticator is in force.
async fn is_set_up(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    let mut secret = answer["secret"].clone();
    if secret.is_null() {
        then = Then::SameAgain;
        secret = stage.act().await["secret"].clone();
    }
    if secret.is_null() {
        then = Then::AnotherCode;
        stage.renew_proofs().await;
        secret = json!(stage.act().await.text("secret"));
    }
    let app = App::new(stage.world, secret.as_str().expect("text"));
    let confirmed = stage.browser.confirm_set_up(&app.code()).await;
    confirmed.expect_status(200);
    then
}
