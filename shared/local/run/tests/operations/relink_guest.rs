//! `relink-guest`: a guest whose user was deleted comes back.

use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::authenticator_app::code;
use crate::harness::backstage::{delete_user, make_user_with_password, users};
use crate::harness::case::Case;
use crate::harness::operators::{path_of, recorded};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::opens;
use crate::harness::stage::Stage;

/// Deletes the user of an address, makes another one who has proved it, and names that one.
async fn proved_anew(world: &TestWorld, email: &str) -> String {
    delete_user(world, email).await;
    make_user_with_password(world, email, PASSWORD).await;
    sub_of(world, email).await
}

async fn sub_of(world: &TestWorld, email: &str) -> String {
    let users = users(world).await;
    let attribute = |user: &Value, name: &str| {
        let attributes = user["Attributes"].as_array().unwrap();
        let found = attributes.iter().find(|one| one["Name"] == name);
        found
            .and_then(|one| one["Value"].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let user = users.iter().find(|user| attribute(user, "email") == email);
    attribute(user.unwrap(), "sub")
}

#[tokio::test]
async fn the_guest_keeps_id_and_authenticator_and_old_tokens_are_refused() {
    let world = TestWorld::start().await;
    let guest = world.guarded(ADA).await;
    let sub = proved_anew(&world, ADA).await;
    let path = path_of(&guest.session.user, "relink");
    let mut operator = world.operator();
    for _ in 0..2 {
        let linked = operator.post(&path, json!({ "sub": sub })).await;
        linked.expect_status(204);
    }
    assert!(!opens(&world, &guest.session.access_token).await);
    world.advance(60);
    let held = world.held(ADA).await;
    let mut browser = world.browser();
    let signed_in = browser
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["guestId"], guest.session.user["guestId"]);
    assert_eq!(signed_in["user"]["cognitoSub"], sub);
    let held = world.held(ADA).await;
    let backup = json!({ "backupCode": guest.backup_codes[0] });
    let signed_in = browser.second_factor(&held, backup).await;
    signed_in.expect_status(200);
    assert_eq!(recorded(&world).await.len(), 4);
}

#[tokio::test]
async fn the_new_user_is_not_swept_away() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let sub = proved_anew(&world, ADA).await;
    let linked = world
        .operator()
        .post(&path_of(&guest.user, "relink"), json!({ "sub": sub }))
        .await;
    linked.expect_status(204);
    world.advance(25 * 3600);
    world.invoke("sweep-unproved-users", &json!({})).await;
    assert_eq!(world.sign_in(ADA).await.user["cognitoSub"], sub);
}

#[tokio::test]
async fn a_guest_moves_to_no_user_who_has_not_proved_the_address() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let eve = world.sign_in(EVE).await;
    make_user_with_password(&world, "bob@example.com", PASSWORD).await;
    let mut operator = world.operator();
    let path = path_of(&guest.user, "relink");
    for sub in [
        eve.user["cognitoSub"].as_str().unwrap(),
        &sub_of(&world, "bob@example.com").await,
        "7d8f2a54-3b1c-4e6a-9f0d-2c5b8e1a4d77",
    ] {
        let refused = operator.post(&path, json!({ "sub": sub })).await;
        refused.expect_problem(403, "USER_MISMATCH");
    }
    assert!(opens(&world, &guest.access_token).await);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("relink-guest", "with an authenticator", "204", |world| {
            Box::pin(async {
                let guest = world.guarded(ADA).await;
                moving(world, &guest.session.user).await
            })
        }),
        Case::of("relink-guest", "without one", "204", |world| {
            Box::pin(async {
                let guest = world.sign_in(ADA).await;
                moving(world, &guest.user).await
            })
        }),
        Case::of(
            "relink-guest",
            "user of another address",
            "403 USER_MISMATCH",
            |world| {
                Box::pin(async {
                    let guest = world.sign_in(ADA).await;
                    let eve = world.sign_in(EVE).await;
                    let body = json!({ "sub": eve.user["cognitoSub"] });
                    Stage::agent(world, &path_of(&guest.user, "relink"), body)
                })
            },
        ),
    ]
}

/// An operator is about to move ADA to her new user, after her old one was deleted.
async fn moving<'world>(world: &'world TestWorld, user: &Value) -> Stage<'world> {
    let sub = proved_anew(world, ADA).await;
    Stage::agent(world, &path_of(user, "relink"), json!({ "sub": sub }))
}
