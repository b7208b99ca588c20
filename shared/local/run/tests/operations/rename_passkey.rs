//! `rename-passkey`: the name of a passkey is the guest's own.

use reqwest::Method;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;

#[tokio::test]
async fn a_guest_renames_their_own_passkey_and_no_other() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let id = ada.passkey["passkeyId"].as_str().unwrap().to_owned();
    let path = format!("/me/passkeys/{id}");
    let renamed = ada
        .session
        .browser
        .patch(&path, json!({ "name": "Phone" }))
        .await;
    renamed.expect_status(200);
    assert_eq!(renamed["name"], "Phone");
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert_eq!(listed["passkeys"], json!([renamed.body]));

    for name in ["", "two\nlines", &"x".repeat(101)] {
        let refused = ada
            .session
            .browser
            .patch(&path, json!({ "name": name }))
            .await;
        refused.expect_problem(400, "VALIDATION_FAILED");
    }
    let mut eve = world.sign_in(EVE).await;
    eve.browser.bearer(&eve.access_token);
    let refused = eve.browser.patch(&path, json!({ "name": "Mine" })).await;
    refused.expect_problem(404, "NOT_FOUND");
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("rename-passkey", "renamed", "200", |world| {
        Box::pin(async {
            let holder = world.holder(ADA).await;
            let body = json!({ "name": "Phone" });
            let path = holder.path();
            Stage::signed_in(holder.session, Method::PATCH, &path, body)
        })
    })]
}
