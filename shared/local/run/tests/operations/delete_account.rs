//! `delete-account`: no data of a guest remains, at whatever call it is interrupted.

use auth_local::{AwsCall, Fault, FaultKind};
use serde_json::json;

use crate::harness::backstage::{items, users};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::{opens, refresh};
use crate::harness::stage::Stage;
use crate::harness::steps::at_once;
use crate::harness::{Answer, SignedIn, TestWorld};

const PATH: &str = "/me/delete";

/// Ada, with a password and a session or two.
async fn ada(world: &TestWorld) -> SignedIn<'_> {
    world.registered(ADA, PASSWORD).await;
    let mut ada = world.sign_in(ADA).await;
    ada.browser.bearer(&ada.access_token);
    ada
}

async fn delete(ada: &mut SignedIn<'_>) -> Answer {
    let proofs = json!({ "password": PASSWORD });
    ada.browser.post(PATH, proofs).await
}

/// The text of every remaining item of a sub, in any table.
async fn left_of(world: &TestWorld, sub: &str) -> Vec<String> {
    let mut left = Vec::new();
    for table in [
        "guests",
        "challenges",
        "sessions",
        "user-sessions",
        "activity",
    ] {
        for item in items(world, &world.ready().tables[table]).await {
            let text = json!(item).to_string();
            // Finished sign-ins are found by their tokens alone, and end by themselves.
            let is_sign_in = item
                .get("pk")
                .is_some_and(|key| key.to_string().contains("sign-in#"));
            if text.contains(sub) && !is_sign_in {
                left.push(format!("{table}: {text}"));
            }
        }
    }
    left
}

async fn sub_of(ada: &mut SignedIn<'_>) -> (String, String) {
    let profile = ada.browser.get("/me").await;
    (profile.text("cognitoSub"), profile.text("guestId"))
}

#[tokio::test]
async fn nothing_is_left_and_the_next_sign_in_there_is_another_guest() {
    let world = TestWorld::start().await;
    let mut ada = ada(&world).await;
    let mut other = world.sign_in(ADA).await;
    let eve = world.sign_in(EVE).await;
    let (sub, guest_id) = sub_of(&mut ada).await;
    let deleted = delete(&mut ada).await;
    deleted.expect_status(202);
    assert_eq!(left_of(&world, &sub).await, Vec::<String>::new());
    assert_eq!(left_of(&world, &guest_id).await, Vec::<String>::new());
    assert_eq!(users(&world).await.len(), 1, "Eve's");
    for access_token in [&ada.access_token, &other.access_token] {
        assert!(!opens(&world, access_token).await);
    }
    let refused = refresh(&mut other.browser, &other.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    assert!(opens(&world, &eve.access_token).await);
    let told = "Your account was deleted".to_owned();
    assert_eq!(world.subjects(ADA)[0], told);

    let mut next = world.browser().sign_in(ADA).await;
    next.expect_status(200);
    assert_ne!(next["user"]["guestId"], json!(guest_id));
    assert_ne!(next["user"]["cognitoSub"], json!(sub));
    next = world.browser().login(ADA, PASSWORD).await;
    next.expect_problem(401, "INVALID_CREDENTIALS");
    // The tokens of the deleted account are not accepted for the new one.
    assert!(!opens(&world, &ada.access_token).await);
}

#[tokio::test]
async fn it_takes_the_guests_own_proofs() {
    let world = TestWorld::start().await;
    let mut ada = ada(&world).await;
    for (proofs, status, problem) in [
        (json!({}), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password" }),
            401,
            "INVALID_CREDENTIALS",
        ),
    ] {
        let refused = ada.browser.post(PATH, proofs).await;
        refused.expect_problem(status, problem);
    }
    let proof = ada.browser.mailed_proof(ADA, "export").await;
    let refused = ada.browser.post(PATH, json!({ "proof": proof })).await;
    refused.expect_problem(400, "INVALID_SESSION");
    assert!(opens(&world, &ada.access_token).await);
    let proof = ada.browser.mailed_proof(ADA, "delete").await;
    let deleted = ada.browser.post(PATH, json!({ "proof": proof })).await;
    deleted.expect_status(202);
}

/// The calls of a deletion, each with how often its action was called before.
async fn calls_of_a_deletion() -> Vec<(AwsCall, u32)> {
    let world = TestWorld::start().await;
    let mut ada = ada(&world).await;
    let since = world.last_call();
    delete(&mut ada).await.expect_status(202);
    let mut calls: Vec<(AwsCall, u32)> = Vec::new();
    for call in world.calls(since) {
        if call.function == "delete-account" && call.action != "GetSecretValue" {
            let before = calls.iter().filter(|(made, _)| made.action == call.action);
            let nth = u32::try_from(before.count()).unwrap() + 1;
            calls.push((call, nth));
        }
    }
    calls
}

/// A deletion is interrupted at each of its calls, before and after the call has acted. The same
/// request continues it, or the next sign-in at the address.
#[tokio::test]
async fn a_deletion_that_is_interrupted_anywhere_is_finished_by_either() {
    let world = TestWorld::start().await;
    for (call, nth) in calls_of_a_deletion().await {
        for kind in [FaultKind::Denied, FaultKind::Lost] {
            for by_sign_in in [false, true] {
                let step = format!("{} {nth}, {kind:?}, {by_sign_in}", call.action);
                world.renew();
                let mut ada = ada(&world).await;
                let (sub, guest_id) = sub_of(&mut ada).await;
                let fault = Fault::new(kind, call.service, &call.action);
                world.fault(fault.of("delete-account").nth(nth).times(9));
                let interrupted = delete(&mut ada).await;
                world.clear_faults();
                let finished = if interrupted.status == 202 || by_sign_in {
                    interrupted
                } else {
                    delete(&mut ada).await
                };
                let mut browser = world.browser();
                let signed_in = browser.sign_in(ADA).await;
                signed_in.expect_status(200);
                let is_another = signed_in["user"]["guestId"] != guest_id.as_str();
                if is_another {
                    assert_eq!(left_of(&world, &sub).await, Vec::<String>::new(), "{step}");
                } else {
                    // The proof had failed, so nothing was claimed.
                    assert!(by_sign_in && finished.status >= 500, "{step}");
                    assert!(opens(&world, &ada.access_token).await, "{step}");
                }
                if !by_sign_in {
                    // After the last write, the guest no longer exists.
                    let is_done = [202, 401].contains(&finished.status);
                    assert!(is_done && is_another, "{step}: {}", finished.body);
                }
                let (guests, users) = (world.guests().await, users(&world).await);
                assert_eq!((guests.len(), users.len()), (1, 1), "{step}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_deletions_and_sign_ins_at_once_the_address_has_one_guest() {
    let world = TestWorld::start().await;
    let mut ada = ada(&world).await;
    let (sub, _) = sub_of(&mut ada).await;
    let token = ada.access_token.clone();
    let deletions = (0..4).map(|_| async {
        let mut browser = world.browser();
        browser.bearer(&token);
        let proofs = json!({ "password": PASSWORD });
        browser.post(PATH, proofs).await.status
    });
    let statuses = at_once(deletions).await;
    assert!(statuses.contains(&202), "{statuses:?}");
    assert!(
        statuses
            .iter()
            .all(|status| [202, 401, 503].contains(status)),
        "{statuses:?}"
    );
    let told = world.subjects(ADA).into_iter();
    assert_eq!(
        told.filter(|subject| subject == "Your account was deleted")
            .count(),
        1
    );
    assert_eq!(left_of(&world, &sub).await, Vec::<String>::new());
    world.browser().sign_in(ADA).await.expect_status(200);
    assert_eq!(world.guests().await.len(), 1);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("delete-account", name, "202", prepare)
            .then(|_, stage, answer| Box::pin(is_deleted(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(world, PATH, json!({})))
        }),
        case("proved by mail, with an authenticator", |world| {
            Box::pin(Stage::proved_by_both(world, PATH, json!({})))
        }),
    ]
}

/// A claimed deletion whose user still exists.
pub(crate) async fn half_done(world: &TestWorld) {
    let mut stage = Stage::proved_by_password(world, PATH, json!({})).await;
    let denied = Fault::new(FaultKind::Denied, "cognito-idp", "AdminDeleteUser");
    world.fault(denied.of("delete-account"));
    stage.act().await.expect_problem(500, "INTERNAL");
}

/// The least that a person must do until the guest has gone.
async fn is_deleted(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 202 {
        then = Then::SameAgain;
        let again = stage.act().await;
        if again["code"] == "AUTH_REQUIRED" {
            then = Then::Done;
        } else if again.status != 202 {
            then = Then::AnotherCode;
            stage.renew_proofs().await;
            stage.act().await.expect_status(202);
        }
    }
    let refused = stage.browser.get("/me").await;
    refused.expect_problem(401, "AUTH_REQUIRED");
    drop(stage.world.sign_in(ADA).await);
    then
}
