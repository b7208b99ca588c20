//! Passkeys as fresh proofs: each counts in one session, for one change, once, and only from the
//! guest's own list.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::authenticator_app::{App, assert_told};
use crate::harness::device::Device;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::requests::opens;
use crate::harness::steps::{MANY_STARTS, SECOND_FACTOR_REQUIRED, USER_VERIFICATION_REQUIRED};
use crate::harness::{Answer, Browser, TestWorld};

const EXPORT: &str = "/me/export";

async fn export(browser: &mut Browser<'_>, proof: &Value) -> Answer {
    browser.post(EXPORT, json!({ "proof": proof })).await
}

#[tokio::test]
async fn a_passkey_proves_every_change() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let (browser, device) = (&mut ada.session.browser, &mut ada.device);
    for (purpose, path, mut change, status) in [
        ("export", EXPORT, json!({}), 200),
        ("email", "/me/email", json!({ "email": ELSEWHERE }), 200),
        ("passkey", "/me/passkeys", json!({}), 200),
        ("authenticator", "/auth/mfa/setup", json!({}), 200),
        (
            "password",
            "/me/password",
            json!({ "newPassword": PASSWORD }),
            204,
        ),
    ] {
        change["proof"] = browser.passkey_proof(purpose, device).await;
        let changed = browser.post(path, change).await;
        changed.expect_status(status);
    }
    let proof = browser.passkey_proof("delete", device).await;
    let deleted = browser.post("/me/delete", json!({ "proof": proof })).await;
    deleted.expect_status(202);
    assert_told(&world, "Your account was deleted");
}

#[tokio::test]
async fn a_passkey_adds_another_and_may_prove_its_own_removal() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let mut second = world.device();
    let browser = &mut ada.session.browser;
    let proof = browser.passkey_proof("passkey", &mut ada.device).await;
    let proofs = json!({ "proof": proof });
    let added = browser.add_passkey(proofs, &mut second).await;
    added.expect_status(201);
    // The browser is told of both.
    let asked = browser.ask_for_passkey("export").await;
    let allowed = asked["options"]["allowCredentials"].as_array().unwrap();
    assert_eq!(allowed.len(), 2);

    let proof = browser.passkey_proof("passkey", &mut ada.device).await;
    let id = ada.passkey["passkeyId"].as_str().unwrap();
    let removed = browser.remove_passkey(id, json!({ "proof": proof })).await;
    removed.expect_status(204);
    let credential = ada.device.get(&asked["options"]).await;
    let proof = json!({ "sessionToken": asked["sessionToken"], "credential": credential });
    let refused = export(browser, &proof).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let proof = browser.passkey_proof("export", &mut second).await;
    export(browser, &proof).await.expect_status(200);
}

#[tokio::test]
async fn a_passkey_counts_for_its_purpose_and_its_session_alone_and_once() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let mut other = world.sign_in(ADA).await;
    other.browser.bearer(&other.access_token);
    let (browser, device) = (&mut ada.session.browser, &mut ada.device);
    let proof = browser.passkey_proof("export", device).await;

    let change = json!({ "proof": proof, "newPassword": PASSWORD });
    let refused = browser.post("/me/password", change).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let refused = export(&mut other.browser, &proof).await;
    refused.expect_problem(400, "INVALID_SESSION");
    export(browser, &proof).await.expect_status(200);
    let replayed = export(browser, &proof).await;
    replayed.expect_problem(400, "INVALID_SESSION");

    // The assertion is worth nothing beside another challenge, and uses that up.
    let mut proof = browser.passkey_proof("export", device).await;
    let fresh = browser.ask_for_passkey("export").await;
    proof["sessionToken"] = fresh["sessionToken"].clone();
    let refused = export(browser, &proof).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let credential = device.get(&fresh["options"]).await;
    let late = json!({ "sessionToken": fresh["sessionToken"], "credential": credential });
    let spent = export(browser, &late).await;
    spent.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
}

#[tokio::test]
async fn a_sign_in_is_no_proof_and_a_proof_signs_nobody_in() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let started = world.browser().start_passkey(ADA).await;
    let credential = ada.device.get(&started["options"]).await;
    let proof = json!({ "sessionToken": started["sessionToken"], "credential": credential });
    let refused = export(browser, &proof).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let signed_in = world.browser().prove_passkey(&started, &credential).await;
    signed_in.expect_status(200);

    let asked = browser.ask_for_passkey("export").await;
    let credential = ada.device.get(&asked["options"]).await;
    let refused = world.browser().prove_passkey(&asked, &credential).await;
    refused.expect_problem(400, "INVALID_SESSION");
    // A mailed proof's handle takes no passkey.
    let mailed = browser.mailed_proof(ADA, "export").await;
    let proof = json!({ "sessionToken": mailed["sessionToken"], "credential": credential });
    let refused = export(browser, &proof).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn the_passkey_of_another_guest_and_a_forged_answer_prove_nothing() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let mut eve = world.holder(EVE).await;
    let browser = &mut ada.session.browser;

    let asked = browser.ask_for_passkey("export").await;
    let mut options = asked["options"].clone();
    options["allowCredentials"] = json!([]);
    let foreign = eve.device.get(&options).await;
    let mut proof = json!({ "sessionToken": asked["sessionToken"], "credential": foreign });
    let refused = export(browser, &proof).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    // Under the name of Ada's.
    proof["credential"]["id"] = asked["options"]["allowCredentials"][0]["id"].clone();
    let refused = export(browser, &proof).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    // Eve's whole proof in Ada's session, and the other way round.
    let own = eve
        .session
        .browser
        .passkey_proof("export", &mut eve.device)
        .await;
    let refused = export(browser, &own).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let adas = browser.passkey_proof("export", &mut ada.device).await;
    let refused = export(&mut eve.session.browser, &adas).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");

    for (place, value) in [
        ("/response/signature", json!("MEUCIQDx")),
        (
            "/response/authenticatorData",
            json!("SZYN5YgOjGh0NBcPZHZgW4_krrmihjLHmVzzuoMdl2MFAAAA_w"),
        ),
    ] {
        let mut proof = browser.passkey_proof("export", &mut ada.device).await;
        *proof["credential"].pointer_mut(place).unwrap() = value;
        let refused = export(browser, &proof).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let proof = browser.passkey_proof("export", &mut ada.device).await;
    export(browser, &proof).await.expect_status(200);
}

#[tokio::test]
async fn a_verified_passkey_that_was_shown_with_the_authenticator_is_both_factors() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let mut both = world.device();
    let mut touch = Device::without_verification(&world.origin());
    let browser = &mut guest.session.browser;
    for device in [&mut both, &mut touch] {
        let proofs = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
        browser.add_passkey(proofs, device).await.expect_status(201);
    }
    let proof = browser.passkey_proof("export", &mut both).await;
    export(browser, &proof).await.expect_status(200);

    // A wrong code counts against it, even where none is needed.
    let proof = browser.passkey_proof("export", &mut both).await;
    let beside = json!({ "proof": proof, "mfaCode": "404170" });
    let refused = browser.post(EXPORT, beside).await;
    refused.expect_problem(401, "INVALID_OTP");

    // Without the device's word, the passkey is one factor. The refusal uses nothing up.
    for device in [&mut touch, &mut both.touched()] {
        let proof = browser.passkey_proof("export", device).await;
        let refused = export(browser, &proof).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "mfaCode");
        let beside = json!({ "proof": proof, "mfaCode": guest.app.next_code() });
        let exported = browser.post(EXPORT, beside).await;
        exported.expect_status(200);
    }
    // Removing the authenticator takes a code of it in any case.
    let proof = browser.passkey_proof("authenticator", &mut touch).await;
    let alone = json!({ "proof": proof });
    let refused = browser.post("/auth/mfa/disable", alone).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    let beside = json!({ "proof": proof, "code": guest.app.next_code() });
    let disabled = browser.post("/auth/mfa/disable", beside).await;
    disabled.expect_status(204);
}

#[tokio::test]
async fn a_touch_is_no_proof_where_verification_is_demanded() {
    let world = TestWorld::with_settings(&USER_VERIFICATION_REQUIRED).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let asked = browser.ask_for_passkey("export").await;
    let mut options = asked["options"].clone();
    assert_eq!(options["userVerification"], "required");
    options["userVerification"] = json!("discouraged");
    let touch = ada.device.touched().get(&options).await;
    let proof = json!({ "sessionToken": asked["sessionToken"], "credential": touch });
    let refused = export(browser, &proof).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let proof = browser.passkey_proof("export", &mut ada.device).await;
    export(browser, &proof).await.expect_status(200);
}

#[tokio::test]
async fn a_passkey_that_is_older_than_the_authenticator_is_one_factor() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let proof = browser
        .passkey_proof("authenticator", &mut ada.device)
        .await;
    let set_up = browser.set_up(json!({ "proof": proof })).await;
    let app = App::new(&world, &set_up.text("secret"));
    browser.confirm_set_up(&app.code()).await.expect_status(200);
    let proof = browser.passkey_proof("export", &mut ada.device).await;
    let refused = export(browser, &proof).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    let beside = json!({ "proof": proof, "mfaCode": app.next_code() });
    let exported = browser.post(EXPORT, beside).await;
    exported.expect_status(200);
}

#[tokio::test]
async fn a_challenge_ends_after_five_minutes_and_a_guest_has_five_in_fifteen() {
    let world = TestWorld::stopped(&[]).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let proof = browser.passkey_proof("export", &mut ada.device).await;
    world.advance(300);
    let late = export(browser, &proof).await;
    late.expect_problem(410, "OTP_EXPIRED");
    for _ in 0..4 {
        browser.ask_for_passkey("export").await;
    }
    let body = json!({ "purpose": "export", "method": "passkey" });
    let refused = browser.post("/me/proof", body).await;
    refused.expect_problem(429, "RATE_LIMITED");
    // Codes have a budget of their own.
    let mailed = browser.mailed_proof(ADA, "export").await;
    export(browser, &mailed).await.expect_status(200);
}

#[tokio::test]
async fn a_guest_without_a_passkey_is_not_asked_for_one() {
    let world = TestWorld::start().await;
    let mut eve = world.sign_in(EVE).await;
    eve.browser.bearer(&eve.access_token);
    let before = world.last_call();
    let body = json!({ "purpose": "export", "method": "passkey" });
    let refused = eve.browser.post("/me/proof", body).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(refused["errors"][0]["field"], "method");
    assert_eq!(refused["errors"][0]["code"], "unavailable");
    assert!(world.cognito_actions_since(before).is_empty());
    let unheard = json!({ "purpose": "export", "method": "tea" });
    let refused = eve.browser.post("/me/proof", unheard).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    let both = json!({ "proof": { "sessionToken": "x", "code": "1", "credential": {} } });
    let refused = eve.browser.post(EXPORT, both).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
}

#[tokio::test]
async fn a_sign_in_that_waits_for_a_set_up_has_no_proof_by_passkey() {
    let world = TestWorld::with_settings(&SECOND_FACTOR_REQUIRED).await;
    let waiting = world.browser().sign_in(ADA).await;
    let token = &waiting["sessionToken"];
    let part = "AAAA";
    let response = json!({
        "clientDataJSON": part, "authenticatorData": part, "signature": part,
    });
    let credential = json!({ "id": part, "response": response });
    let proof = json!({ "sessionToken": token, "credential": credential });
    let body = json!({ "sessionToken": token, "proof": proof });
    let refused = world.browser().post("/me/passkeys", body).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

#[tokio::test]
async fn the_tokens_of_a_proof_open_nothing() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    let browser = &mut ada.session.browser;
    let proof = browser.passkey_proof("password", &mut ada.device).await;
    let before = world.last_call();
    let change = json!({ "proof": proof, "newPassword": OTHER_PASSWORD });
    browser
        .post("/me/password", change)
        .await
        .expect_status(204);
    let actions = world.cognito_actions_since(before);
    assert_eq!(
        actions[..2],
        ["AdminRespondToAuthChallenge", "RevokeToken"],
        "the session that Cognito began is over"
    );
    let listed = browser.get("/me/sessions").await;
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
    assert!(opens(&world, &ada.session.access_token).await);
    let signed_in = world.browser().login(ADA, OTHER_PASSWORD).await;
    signed_in.expect_status(200);
    let wiped = browser.send(Method::DELETE, "/me/sessions", &[], Vec::new());
    wiped.await.expect_status(204);
}
