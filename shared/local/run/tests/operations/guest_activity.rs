//! `guest-activity`: an operator sees the events of an account, as the guest does.

use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::operators::{path_of, recorded, with_reason};
use crate::harness::people::ADA;
use crate::harness::stage::Stage;

fn kinds(answer: &Value) -> Vec<&str> {
    let events = answer["events"].as_array().unwrap();
    let kinds = events.iter().map(|event| event["type"].as_str().unwrap());
    kinds.collect()
}

#[tokio::test]
async fn acts_of_operators_stand_in_the_guests_own_activity() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut operator = world.operator();
    for act in ["sign-out", "disable", "enable"] {
        world.advance(1);
        let done = operator
            .post(&path_of(&guest.user, act), with_reason())
            .await;
        done.expect_status(204);
    }
    let path = path_of(&guest.user, "activity");
    let seen = operator.get(&path).await;
    seen.expect_status(200);
    assert_eq!(
        kinds(&seen.body),
        [
            "account-enabled",
            "account-disabled",
            "all-sessions-ended",
            "signed-in",
            "account-created"
        ]
    );
    for event in &seen["events"].as_array().unwrap()[..3] {
        assert_eq!(event["by"], "operator");
        assert!(event["device"].is_null() && event["country"].is_null());
    }
    assert_eq!(recorded(&world).await.last().unwrap()["act"], "activity");

    let page = operator.get(&format!("{path}?limit=1")).await;
    assert_eq!(kinds(&page.body), ["account-enabled"]);
    let before = page.text("before");
    let next = operator
        .get(&format!("{path}?limit=2&before={before}"))
        .await;
    assert_eq!(
        kinds(&next.body),
        ["account-disabled", "all-sessions-ended"]
    );

    world.advance(1);
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let own = guest.browser.get("/me/activity").await;
    assert_eq!(kinds(&own.body)[1..], kinds(&seen.body));
}

#[tokio::test]
async fn an_unknown_guest_and_an_unsigned_request_show_nothing() {
    let world = TestWorld::start().await;
    let path = path_of(&json!({ "guestId": "GST-2026-7K3QXB" }), "activity");
    let refused = world.operator().get(&path).await;
    refused.expect_problem(404, "NOT_FOUND");
    world.browser().get(&path).await.expect_status(403);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of("guest-activity", "listed", "200", |world| {
        Box::pin(async {
            let guest = world.sign_in(ADA).await;
            Stage::get(world.operator(), &path_of(&guest.user, "activity"))
        })
    })]
}
