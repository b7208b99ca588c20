//! The guest's own record: the allowed changes, and the people who may make them.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::case::{Case, Then};
use crate::harness::people::ADA;
use crate::harness::requests::claims;
use crate::harness::stage::Stage;
use crate::harness::{Answer, TestWorld};

#[tokio::test]
async fn a_guest_sets_changes_and_clears_their_name() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    assert!(guest.user["name"].is_null());
    guest.browser.bearer(&guest.access_token);
    let longest = "\u{1d538}".repeat(100);
    for (sent, kept) in [
        ("Ada", "Ada"),
        ("  Ada Lovelace ", "Ada Lovelace"),
        ("Ame\u{301}lie", "Am\u{e9}lie"),
        ("\u{212b}ngstr\u{f6}m", "\u{c5}ngstr\u{f6}m"),
        (
            "O'Neill <b>\"x\"</b> \\ ${jndi} {{7*7}} '; DROP TABLE guests --",
            "O'Neill <b>\"x\"</b> \\ ${jndi} {{7*7}} '; DROP TABLE guests --",
        ),
        ("\u{5d0}\u{5d3}\u{5d4}", "\u{5d0}\u{5d3}\u{5d4}"),
        (
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
            "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}",
        ),
        (longest.as_str(), longest.as_str()),
    ] {
        world.advance(1);
        let changed = guest.browser.patch("/me", json!({ "name": sent })).await;
        changed.expect_status(200);
        assert_eq!(changed["name"], kept);
        assert_ne!(changed["updatedAt"], guest.user["updatedAt"]);
        for same in [
            "guestId",
            "email",
            "emailVerified",
            "cognitoSub",
            "createdAt",
        ] {
            assert_eq!(changed[same], guest.user[same], "{same}");
        }
        assert_eq!(guest.browser.get("/me").await.body, changed.body);
        let unchanged = guest.browser.patch("/me", json!({})).await;
        assert_eq!(unchanged.body, changed.body);
    }
    for _ in 0..2 {
        let cleared = guest.browser.patch("/me", json!({ "name": null })).await;
        cleared.expect_status(200);
        assert!(cleared.body.get("name").is_none());
        assert!(guest.browser.get("/me").await["name"].is_null());
    }
}

/// ASVS 5.0 1.3.11: mails contain the name, so it must not end a line there.
#[tokio::test]
async fn a_name_that_could_forge_a_header_or_hide_text_is_refused() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    let too_long = "a".repeat(101);
    for name in [
        "Ada\r\nBcc: eve@example.com",
        "Ada\nSubject: x",
        "Ada\rx",
        "Ada\u{0}x",
        "Ada\u{1b}[31m",
        "Ada\u{85}x",
        "Ada\u{2028}x",
        "Ada\u{2029}x",
        "Ada \u{202e}gnp.exe",
        "Ada\u{2066}x",
        "\u{feff}Ada",
        "Ada\u{e0041}",
        "Ada\u{7f}",
        "",
        "   ",
        "\r\n",
        too_long.as_str(),
    ] {
        let refused = guest.browser.patch("/me", json!({ "name": name })).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "name", "{name:?}");
    }
    assert!(guest.browser.get("/me").await["name"].is_null());
}

/// ASVS 5.0 8.2.2 (whose record) and 15.3.3 (which fields): a request chooses neither.
#[tokio::test]
async fn nobody_reaches_another_guests_record_or_a_field_that_is_not_theirs() {
    let world = TestWorld::start().await;
    let (ada, mut eve) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("eve@example.com").await,
    );
    eve.browser.bearer(&eve.access_token);
    let aimed = json!({
        "name": "Eve",
        "email": "ada@example.com",
        "guestId": ada.user["guestId"],
        "cognitoSub": ada.user["cognitoSub"],
        "sub": ada.user["cognitoSub"],
        "emailVerified": false,
        "createdAt": "2020-01-01T00:00:00Z",
        "signedOutAt": 1,
        "claims": claims(&ada.access_token),
        "caller": { "sub": ada.user["cognitoSub"] },
    });
    let changed = eve.browser.patch("/me", aimed).await;
    changed.expect_status(200);
    assert_eq!(changed["name"], "Eve");
    for same in [
        "guestId",
        "email",
        "emailVerified",
        "cognitoSub",
        "createdAt",
    ] {
        assert_eq!(changed[same], eve.user[same], "{same}");
    }
    let (email, sub) = ("ada@example.com", ada.user["cognitoSub"].as_str().unwrap());
    for path in [
        format!("/me?email={email}"),
        format!("/me?cognitoSub={sub}&sub={sub}"),
    ] {
        assert_eq!(eve.browser.get(&path).await["email"], "eve@example.com");
        let changed = eve
            .browser
            .patch(&format!("{path}&name=Mallory"), json!({}))
            .await;
        assert_eq!(changed["name"], "Eve");
    }
    for path in [
        format!("/me/{sub}"),
        "/me/ada@example.com".to_owned(),
        "/guests".to_owned(),
    ] {
        eve.browser.get(&path).await.expect_status(404);
    }
    let mut browser = world.browser();
    browser.bearer(&ada.access_token);
    browser.get("/me").await.expect_members(&ada.user);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("update-profile", "renamed", "200", |world| {
            Box::pin(change(world, json!({ "name": "Ada Lovelace" })))
        })
        .then(|case, stage, answer| Box::pin(keeps_the_name(case, stage, answer))),
        Case::of("update-profile", "nothing to change", "200", |world| {
            Box::pin(change(world, json!({})))
        }),
    ]
}

async fn change(world: &TestWorld, body: Value) -> Stage<'_> {
    Stage::signed_in(world.sign_in(ADA).await, Method::PATCH, "/me", body)
}

async fn keeps_the_name(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    let profile = stage.browser.get("/me").await;
    assert_eq!(profile["name"], "Ada Lovelace", "{}", profile.body);
    then
}
