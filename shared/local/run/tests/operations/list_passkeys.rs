//! `list-passkeys`: a guest's own passkeys, the oldest first.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;

#[tokio::test]
async fn a_guest_sees_their_own_passkeys_and_when_they_were_used() {
    let world = TestWorld::start().await;
    let mut ada = world.holder(ADA).await;
    let mut eve = world.sign_in(EVE).await;
    eve.browser.bearer(&eve.access_token);
    let nothing = eve.browser.get("/me/passkeys").await;
    assert_eq!(nothing["passkeys"], json!([]));

    let listed = ada.session.browser.get("/me/passkeys").await;
    listed.expect_status(200);
    assert_eq!(listed["passkeys"], json!([ada.passkey]));
    assert!(ada.passkey["lastUsedAt"].is_null());
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
    let listed = ada.session.browser.get("/me/passkeys").await;
    assert!(listed["passkeys"][0]["lastUsedAt"].is_string());
}

pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("list-passkeys", "listed", "200", |world| {
        Box::pin(async { Stage::get(world.holder(ADA).await.session.browser, "/me/passkeys") })
    })]
}
