//! `disable-guest`: no factor signs in as the guest any more.

use auth_local::{Fault, FaultKind};
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::operators::{act_on_ada, assert_recorded, path_of, recorded, with_reason};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::requests::{
    assert_refused_everywhere, expect_refused_refresh, form, opens, refresh,
};

#[tokio::test]
async fn every_session_of_a_disabled_guest_has_ended_and_none_begins() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.sign_in(ADA).await;
    let mut operator = world.operator();
    let path = path_of(&guest.user, "disable");
    for _ in 0..2 {
        let done = operator.post(&path, with_reason()).await;
        done.expect_status(204);
        assert_recorded(&world, &guest, "disable").await;
    }
    assert_refused_everywhere(&world, &guest.access_token).await;
    let refused = refresh(&mut guest.browser, &guest.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");

    world.advance(3600);
    let mut browser = world.browser();
    let password = json!({ "email": ADA, "password": PASSWORD });
    let refused = browser.post("/auth/login", password).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let mailed = world.mails(ADA).len();
    let known = browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    let unknown = world
        .browser()
        .post("/auth/otp/initiate", json!({ "email": "eve@example.com" }))
        .await;
    assert_eq!(form(&known).0, form(&unknown).0);
    assert_eq!(world.mails(ADA).len(), mailed, "no code is mailed");
}

#[tokio::test]
async fn a_sign_in_that_waits_for_its_second_factor_gives_no_session() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let held = world.held(ADA).await;
    let disabled = world
        .operator()
        .post(&path_of(&guest.session.user, "disable"), json!({}))
        .await;
    disabled.expect_status(204);
    let code = crate::harness::authenticator_app::code(&guest.app.next_code());
    let answer = world.browser().second_factor(&held, code).await;
    if answer.status == 200 {
        assert!(!opens(&world, &answer.text("accessToken")).await);
        let mut browser = world.browser();
        let refused = refresh(&mut browser, &answer.text("refreshToken")).await;
        refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
}

#[tokio::test]
async fn who_does_not_sign_changes_nothing_and_an_unknown_guest_is_recorded() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let path = path_of(&guest.user, "disable");
    let mut browser = world.browser();
    browser.bearer(&guest.access_token);
    browser.post(&path, json!({})).await.expect_status(403);
    assert_eq!(recorded(&world).await, []);
    assert!(opens(&world, &guest.access_token).await);

    let event = json!({ "guestId": guest.user["guestId"] });
    let direct = world.invoke("disable-guest", &event).await;
    assert_eq!(direct["error"]["code"], "AUTH_REQUIRED", "nobody is named");
    assert_eq!(recorded(&world).await, []);

    let mut operator = world.operator();
    let unknown = "/admin/guests/GST-2026-7K3QXB/disable";
    let refused = operator.post(unknown, json!({})).await;
    refused.expect_problem(404, "NOT_FOUND");
    let acts = recorded(&world).await;
    assert_eq!(acts.len(), 2);
    assert_eq!(acts[1]["outcome"], "NOT_FOUND");
    for (path, field) in [
        ("/admin/guests/ada/disable".to_owned(), "guestId"),
        (path, "reason"),
    ] {
        let refused = operator.post(&path, json!({ "reason": "\n" })).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn an_act_that_cannot_be_recorded_does_not_happen() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let path = path_of(&guest.user, "disable");
    let mut operator = world.operator();
    let unrecorded = Fault::new(FaultKind::Denied, "dynamodb", "PutItem");
    world.fault(unrecorded.of("disable-guest"));
    let refused = operator.post(&path, json!({})).await;
    refused.expect_problem(500, "INTERNAL");
    assert_eq!(recorded(&world).await, []);
    assert!(opens(&world, &guest.access_token).await);

    // An interrupted act has only its first record.
    let lost = Fault::new(FaultKind::Denied, "cognito-idp", "AdminDisableUser");
    world.fault(lost.of("disable-guest"));
    let second = Fault::new(FaultKind::Denied, "dynamodb", "PutItem");
    world.fault(second.of("disable-guest").nth(2));
    let refused = operator.post(&path, json!({})).await;
    refused.expect_problem(500, "INTERNAL");
    let acts = recorded(&world).await;
    assert_eq!(acts.len(), 1);
    assert!(!acts[0].contains_key("outcome"));
    assert!(opens(&world, &guest.access_token).await);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("disable-guest", "disabled", "204", |world| {
        Box::pin(act_on_ada(world, "disable"))
    })]
}
