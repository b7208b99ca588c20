//! `find-guest`: an operator sees a guest, and the audit table says so.

use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::backstage::{delete_user, plant_guest};
use crate::harness::case::Case;
use crate::harness::operators::recorded;
use crate::harness::people::ADA;
use crate::harness::requests::session_of;
use crate::harness::stage::Stage;
use crate::operations::note_bounce::bounce;

const PATH: &str = "/admin/guests/find";

async fn found(world: &TestWorld, wanted: Value) -> Value {
    let answer = world.operator().post(PATH, wanted).await;
    answer.expect_status(200);
    answer.body
}

#[tokio::test]
async fn a_guest_is_found_by_address_by_id_and_by_sub() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let by_address = found(&world, json!({ "email": "Ada@Example.com" })).await;
    assert_eq!(by_address["user"], guest.user);
    assert_eq!(by_address["status"], "active");
    assert_eq!(
        by_address["factors"],
        json!({ "password": false, "authenticator": false, "backupCodes": 0, "passkeys": 0 })
    );
    let sessions = by_address["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["sessionId"], session_of(&guest.access_token));
    assert_eq!(sessions[0]["method"], "code");

    for wanted in [
        json!({ "guestId": guest.user["guestId"] }),
        json!({ "sub": guest.user["cognitoSub"] }),
    ] {
        let again = found(&world, wanted).await;
        // The seconds until limits are reset go by meanwhile.
        for part in ["user", "status", "factors", "sessions"] {
            assert_eq!(again[part], by_address[part]);
        }
    }
}

#[tokio::test]
async fn an_operator_sees_the_factors_and_what_the_limits_have_counted() {
    let world = TestWorld::start().await;
    world.guarded(ADA).await;
    let mut browser = world.browser();
    let token = browser.started(ADA).await;
    browser.verify(ADA, "000000", &token).await;
    let seen = found(&world, json!({ "email": ADA })).await;
    assert_eq!(seen["factors"]["authenticator"], true);
    assert_eq!(seen["factors"]["backupCodes"], 10);
    let limits = seen["limits"].as_array().unwrap();
    let left = |policy: &str| {
        let limit = limits.iter().find(|limit| limit["policy"] == policy);
        let limit = limit.unwrap_or_else(|| panic!("no {policy} in {seen}"));
        limit["quota"].as_u64().unwrap() - limit["remaining"].as_u64().unwrap()
    };
    assert_eq!(left("otp-failure"), 1);
    assert!(left("code-mail-hour") >= 1);
    assert!(left("code-mail-total") >= 1);
    assert_eq!(left("login-failure"), 0);
    assert_eq!(left("second-factor-failure"), 0);
}

#[tokio::test]
async fn a_guest_who_waits_and_one_whose_user_has_gone_are_told_apart() {
    let world = TestWorld::start().await;
    let guest_id = "GST-2026-7K3QXB";
    plant_guest(&world, ADA, guest_id).await;
    let waiting = found(&world, json!({ "email": ADA })).await;
    assert_eq!(waiting["status"], "waiting");
    assert_eq!(waiting["user"]["guestId"], guest_id);
    assert!(waiting["user"]["cognitoSub"].is_null());

    let bob = "bob@example.com";
    world.sign_in(bob).await;
    delete_user(&world, bob).await;
    let missing = found(&world, json!({ "email": bob })).await;
    assert_eq!(missing["status"], "user-missing");
}

#[tokio::test]
async fn an_operator_sees_that_mails_do_not_reach_the_guest() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let reached = found(&world, json!({ "email": ADA })).await;
    assert!(reached.get("undeliverable").is_none());
    bounce(&world, ADA, "complaint").await;
    for wanted in [
        json!({ "email": ADA }),
        json!({ "guestId": guest.user["guestId"] }),
        json!({ "sub": guest.user["cognitoSub"] }),
    ] {
        let refused = found(&world, wanted).await;
        assert_eq!(refused["undeliverable"]["why"], "complained");
        assert!(refused["undeliverable"]["at"].is_string());
    }
}

#[tokio::test]
async fn a_search_in_vain_is_recorded_without_the_address() {
    let world = TestWorld::start().await;
    let mut operator = world.operator();
    for wanted in [
        json!({ "email": ADA }),
        json!({ "guestId": "GST-2026-7K3QXB" }),
        json!({ "sub": "7d8f2a54-3b1c-4e6a-9f0d-2c5b8e1a4d77" }),
    ] {
        let refused = operator.post(PATH, wanted).await;
        refused.expect_problem(404, "NOT_FOUND");
    }
    let recorded = recorded(&world).await;
    assert_eq!(recorded.len(), 6, "{recorded:?}");
    let outcomes = recorded.iter().filter_map(|item| item.get("outcome"));
    assert!(outcomes.eq(&[json!("NOT_FOUND"), json!("NOT_FOUND"), json!("NOT_FOUND")]));
    assert!(!json!(recorded).to_string().contains(ADA), "{recorded:?}");
}

#[tokio::test]
async fn exactly_one_name_is_taken() {
    let world = TestWorld::start().await;
    let mut operator = world.operator();
    let none = operator.post(PATH, json!({})).await;
    none.expect_problem(400, "VALIDATION_FAILED");
    let both = json!({ "email": ADA, "guestId": "GST-2026-7K3QXB" });
    let refused = operator.post(PATH, both).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(recorded(&world).await, []);
}

#[tokio::test]
async fn nothing_is_shown_before_it_is_recorded_who_looks() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    found(&world, json!({ "email": ADA })).await;
    let acts = recorded(&world).await;
    assert_eq!(acts.len(), 2, "{acts:?}");
    assert_eq!(acts[0]["act"], "find");
    assert_eq!(acts[0]["guestId"], guest.user["guestId"]);
    assert!(!acts[0].contains_key("outcome"));
    assert_eq!(acts[1]["outcome"], "OK");
    let principal = "arn:aws:iam::000000000000:user/latchkey-local";
    assert_eq!(acts[0]["principal"], principal);
    assert_eq!(acts[0]["requestId"], acts[1]["requestId"]);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("find-guest", "by address", "200", |world| {
            Box::pin(looking(world, |_| json!({ "email": ADA })))
        }),
        Case::of("find-guest", "by guest id", "200", |world| {
            let by_id = |user: &Value| json!({ "guestId": user["guestId"] });
            Box::pin(looking(world, by_id))
        }),
        Case::of("find-guest", "by sub", "200", |world| {
            let by_sub = |user: &Value| json!({ "sub": user["cognitoSub"] });
            Box::pin(looking(world, by_sub))
        }),
        Case::of("find-guest", "guest without a user", "200", |world| {
            Box::pin(async {
                plant_guest(world, ADA, "GST-2026-7K3QXB").await;
                Stage::agent(world, PATH, json!({ "email": ADA }))
            })
        }),
        Case::of("find-guest", "no guest", "404 NOT_FOUND", |world| {
            Box::pin(async { Stage::agent(world, PATH, json!({ "email": ADA })) })
        }),
    ]
}

/// An operator is about to look for ADA, who is signed in.
async fn looking(world: &TestWorld, wanted: fn(&Value) -> Value) -> Stage<'_> {
    let guest = world.sign_in(ADA).await;
    Stage::agent(world, PATH, wanted(&guest.user))
}
