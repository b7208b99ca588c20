//! `get-profile`: the guest's own record. `update_profile.rs` and `rules/` test its content.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::case::{Case, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{API, Outside, public_records};
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, Browser, TestWorld};

/// The members that say how the guest can prove themselves.
async fn proofs(browser: &mut Browser<'_>) -> Value {
    let profile = browser.get("/me").await;
    profile.expect_status(200);
    let mut members = profile.body.as_object().expect("an object").clone();
    members.retain(|name, _| {
        ["hasPassword", "hasAuthenticator", "backupCodesLeft"].contains(&name.as_str())
    });
    members.into()
}

#[tokio::test]
async fn a_guest_reads_whether_they_have_a_password_and_an_authenticator() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut guest = world.sign_in(ADA).await;
    let browser = &mut guest.browser;
    browser.bearer(&guest.access_token);
    let neither = json!({ "hasPassword": false, "hasAuthenticator": false });
    assert_eq!(proofs(browser).await, neither);

    let proof = browser.mailed_proof(ADA, "password").await;
    let change = json!({ "proof": proof, "newPassword": PASSWORD });
    let changed = browser.post("/me/password", change).await;
    changed.expect_status(204);
    let password = json!({ "hasPassword": true, "hasAuthenticator": false });
    assert_eq!(proofs(browser).await, password);

    let mut guarded = world.guarded_by_password(ADA, PASSWORD).await;
    let browser = &mut guarded.session.browser;
    let both = |left: u8| json!({ "hasPassword": true, "hasAuthenticator": true, "backupCodesLeft": left });
    assert_eq!(proofs(browser).await, both(10));

    for left in [9, 8] {
        let held = world.held(ADA).await;
        let factor = json!({ "backupCode": guarded.backup_codes[usize::from(left)] });
        let signed_in = world.browser().second_factor(&held, factor).await;
        signed_in.expect_status(200);
        assert_eq!(proofs(browser).await, both(left));
    }

    let off = json!({ "password": PASSWORD, "code": guarded.app.next_code() });
    browser.disable(off).await.expect_status(204);
    assert_eq!(proofs(browser).await, password);
}

/// An agent that has a guest's consent reads who they are, and not how they sign in.
#[tokio::test]
async fn no_other_answer_tells_how_the_guest_signs_in() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let guest = world.sign_in(ADA).await;
    assert!(guest.user["hasPassword"].is_null());
    let asked = json!({ "authToken": guest.access_token });
    let found = world.invoke("get-authenticated-guest", &asked).await;
    assert_eq!(found["user"]["email"], ADA);
    assert!(found["user"]["hasPassword"].is_null());
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let first_call = Case::of(
        "get-profile",
        "first call of the public client",
        "200",
        |world| Box::pin(first_call(world, "/me")),
    );
    vec![
        Case::of("get-profile", "signed in", "200", |world| {
            Box::pin(signed_in(world))
        }),
        first_call
            .with(&API)
            .then(|case, stage, answer| Box::pin(is_recorded(case, stage, answer))),
    ]
}

async fn signed_in(world: &TestWorld) -> Stage<'_> {
    Stage::signed_in(world.sign_in(ADA).await, Method::GET, "/me", Value::Null)
}

pub(crate) async fn first_call<'world>(world: &'world TestWorld, path: &str) -> Stage<'world> {
    world.registered(ADA, PASSWORD).await;
    let session = Outside::of(world).session(ADA, PASSWORD).await;
    Stage::signed_in(session, Method::GET, path, Value::Null)
}

/// The session has a record, at the latest after the next call.
pub(crate) async fn is_recorded(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    if public_records(stage.world).await.len() == 1 {
        return then;
    }
    stage.act().await.expect_status(200);
    assert_eq!(public_records(stage.world).await.len(), 1);
    Then::SameAgain
}
