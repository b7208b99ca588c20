//! `export-account`: all stored data of a guest, and no other person's.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::Answer;
use crate::harness::TestWorld;
use crate::harness::backstage::items;
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::public_client::{Outside, open_world};
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::operations::verify_email_change::half_done;

const PATH: &str = "/me/export";

/// Each `attribute` of each item, as the table has it and as the export does.
fn attributes(items: &Value) -> BTreeSet<String> {
    let items = items.as_array().unwrap().iter();
    items
        .flat_map(|item| item.as_object().unwrap().keys().cloned())
        .collect()
}

#[tokio::test]
async fn every_attribute_of_every_item_of_the_guest_is_there() {
    let world = open_world().await;
    world.registered(ADA, PASSWORD).await;
    let mut phone = Outside::of(&world).session(ADA, PASSWORD).await;
    phone.browser.get("/me").await.expect_status(200);
    world.holder(ADA).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let other = world.sign_in(EVE).await;
    let browser = &mut guest.session.browser;
    browser
        .set_up(json!({ "password": PASSWORD, "backupCode": guest.backup_codes[0] }))
        .await;
    let proofs = json!({ "password": PASSWORD, "backupCode": guest.backup_codes[1] });
    let exported = browser.post(PATH, proofs).await;
    exported.expect_status(200);
    assert_eq!(exported["user"]["email"], ADA);
    let records = &exported["records"];

    let sub = exported["user"]["cognitoSub"].as_str().unwrap();
    for (table, kind, key) in [
        ("guests", "guest", "pk"),
        ("user-sessions", "sessions", "sessionId"),
        ("activity", "activity", "eventId"),
    ] {
        let mut stored = items(&world, &world.ready().tables[table]).await;
        stored.retain(|item| {
            let owner = [&item.get("sub"), &item.get("cognitoSub")];
            owner
                .iter()
                .any(|owner| owner.is_some_and(|owner| owner == sub))
        });
        // The export itself is an event.
        stored.retain(|item| item.get("type") != Some(&json!("account-exported")));
        assert_eq!(
            records[kind].as_array().unwrap().len(),
            stored.len(),
            "{table}"
        );
        for item in &stored {
            let shown = records[kind].as_array().unwrap().iter();
            let shown: Vec<&Value> = shown.filter(|shown| shown[key] == item[key]).collect();
            assert_eq!(shown.len(), 1, "{table}: {item:?}");
            for (name, value) in item {
                let shown = &shown[0][name];
                assert!(!shown.is_null(), "{table}: {name} is missing");
                if shown != "withheld" && !value.is_object() && !value.is_array() {
                    let text = |value: &Value| value.to_string().replace('"', "");
                    assert_eq!(text(shown), text(value), "{table}: {name}");
                }
            }
        }
    }
    assert!(attributes(&records["guest"]).contains("authenticatorKeys"));
    assert!(attributes(&records["sessions"]).contains("publicClient"));
    assert_eq!(records["directory"]["email"], ADA);

    let text = exported.body.to_string();
    for foreign in [EVE, &other.refresh_token] {
        assert!(!text.contains(foreign));
    }
    let secrets = records["guest"].as_array().unwrap().iter();
    for item in secrets {
        for name in ["authenticatorKeys", "backupCodes", "secondFactorUsed"] {
            assert!(item[name].is_null() || item[name] == "withheld", "{name}");
        }
    }
    let listed = browser.get("/me/activity?limit=1").await;
    assert_eq!(listed["events"][0]["type"], "account-exported");
}

/// The guest has both addresses until the change is done.
#[tokio::test]
async fn during_a_change_of_address_every_item_of_the_guest_is_there() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut stage = half_done(&world).await;
    let exported = stage
        .browser
        .post(PATH, json!({ "password": PASSWORD }))
        .await;
    exported.expect_status(200);
    let keys = |items: &[Value]| -> BTreeSet<String> {
        let keys = items.iter().map(|item| item["pk"].as_str().unwrap());
        keys.map(str::to_owned).collect()
    };
    let shown = keys(exported["records"]["guest"].as_array().unwrap());
    let stored = items(&world, &world.ready().tables["guests"]).await;
    let stored: Vec<Value> = stored.into_iter().map(|item| json!(item)).collect();
    assert_eq!(shown, keys(&stored));
    for email in [ADA, ELSEWHERE] {
        assert!(shown.contains(&format!("address#{email}")), "{shown:?}");
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("export-account", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_exported(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(world, PATH, json!({})))
        }),
        case("proved by mail, with an authenticator", |world| {
            Box::pin(Stage::proved_by_both(world, PATH, json!({})))
        }),
        Case::of(
            "export-account",
            "last wrong factor",
            "401 INVALID_OTP",
            |world| Box::pin(Stage::proved_with_wrong_code(world, PATH)),
        )
        .with(&[("MFA_FAILURES_PER_USER", "1")]),
    ]
}

/// The least that a person must do until they have the export.
async fn is_exported(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    stage.renew_proofs().await;
    stage.act().await.expect_status(200);
    Then::AnotherCode
}
