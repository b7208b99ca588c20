//! Concurrent requests are decided once.

use std::time::Duration;

use auth_local::{Fault, FaultKind};
use futures_util::future::join_all;
use serde_json::json;
use tokio::join;

use crate::harness::aftermath::assert_counted;
use crate::harness::backstage::{items, users};
use crate::harness::operators::path_of;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::ADA;
use crate::harness::requests::{assert_refused_everywhere, session_of};
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, TestWorld};
use crate::operations::{logout_user, refresh_token};

/// Long beside a call, so that it decides an order.
const SLOW: Duration = Duration::from_millis(700);

/// NIST SP 800-63B-4 §3.2.2: rate limiting holds however the requests arrive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_starts_at_once_are_five() {
    let world = TestWorld::start().await;
    let statuses = fifty_starts(&world).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 5);
    assert_eq!(statuses.iter().filter(|status| **status == 429).count(), 45);
    assert_eq!(world.mails(ADA).len(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_starts_at_once_are_never_more_than_five_when_answers_get_lost() {
    let world = TestWorld::start().await;
    let lost = Fault::new(FaultKind::Lost, "dynamodb", "UpdateItem");
    for nth in [3, 30, 60, 70, 90] {
        world.fault(lost.clone().of("initiate-otp").nth(nth));
    }
    let statuses = fifty_starts(&world).await;
    assert!(
        statuses.iter().all(|status| [200, 429].contains(status)),
        "{statuses:?}"
    );
    let mails = world.mails(ADA).len();
    assert!((1..=5).contains(&mails), "{mails} mails");
}

/// From two addresses, because thirty starts are all that one has.
async fn fifty_starts(world: &TestWorld) -> Vec<u16> {
    let starts = (0..50).map(|number| async move {
        let mut browser = world.browser_at(if number % 2 == 0 {
            "127.0.0.1"
        } else {
            "127.0.0.2"
        });
        let start = json!({ "email": ADA });
        browser.post("/auth/otp/initiate", start).await.status
    });
    join_all(starts).await
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay_signed_in() {
    let world = TestWorld::start().await;
    let mut stage = refresh_token::exchange(&world).await;
    let mut other = world.browser();
    let body = stage.body.clone();
    let (one, two) = tokio::join!(stage.act(), other.post("/auth/refresh", body));
    for answer in [one, two] {
        answer.expect_status(200);
        let next = json!({ "refreshToken": answer["refreshToken"] });
        other.post("/auth/refresh", next).await.expect_status(200);
    }
}

/// ASVS 5.0 7.4.1: in any order, after the sign-out no token of before it works, nor one
/// made from one meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_that_races_a_sign_out_everywhere_does_not_survive_it() {
    let world = TestWorld::start().await;
    for _ in 0..5 {
        let mut stage = logout_user::everywhere(&world).await;
        let mut rivals: Vec<_> = (0..4).map(|_| world.browser()).collect();
        let token = json!({ "refreshToken": stage.refresh_token });
        let exchanges = rivals
            .iter_mut()
            .map(|one| one.post("/auth/refresh", token.clone()));
        let (ended, answers) = tokio::join!(stage.act(), join_all(exchanges));
        ended.expect_status(204);
        assert_worthless(&world, &answers).await;
    }
}

/// None of these answers is a failure of ours, and no token in them works any more.
async fn assert_worthless(world: &TestWorld, answers: &[Answer]) {
    let mut browser = world.browser();
    for answer in answers {
        assert!(answer.status < 500, "{}", answer.body);
        if answer["accessToken"].is_null() {
            continue;
        }
        browser.bearer(&answer.text("accessToken"));
        browser
            .get("/me")
            .await
            .expect_problem(401, "AUTH_REQUIRED");
        let next = json!({ "refreshToken": answer["refreshToken"] });
        let refused = browser.post("/auth/refresh", next).await;
        refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    }
}

/// In either order, a session that ends the others at the same moment does not outlive the sign-out
/// of its guest: neither where its write comes first, nor where it comes last.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_session_outlives_a_sign_out_by_ending_the_others() {
    let deciding = ["logout-user", "sign-out-guest", "disable-guest"]
        .into_iter()
        .flat_map(|by| [false, true].map(|comes_last| outlives_no_sign_out(by, comes_last)));
    join_all(deciding).await;
}

async fn outlives_no_sign_out(by: &str, comes_last: bool) {
    let world = TestWorld::start().await;
    let slow = |action: &str, function: &str, times: u32| {
        let slow = Fault::new(FaultKind::Delay, "dynamodb", action).of(function);
        world.fault(slow.lasting(times * SLOW));
    };
    let mut owner = world.sign_in(ADA).await;
    let mut thief = world.sign_in(ADA).await;
    owner.browser.bearer(&owner.access_token);
    thief.browser.bearer(&thief.access_token);
    slow("TransactWriteItems", by, 2);
    if comes_last {
        slow("TransactWriteItems", "end-other-sessions", 4);
    }
    let mut operator = world.operator();
    let path = |act: &str| path_of(&owner.user, act);
    let signing_out = async {
        match by {
            "logout-user" => {
                let everywhere = json!({ "everywhere": true });
                owner.browser.post("/auth/logout", everywhere).await
            }
            "sign-out-guest" => operator.post(&path("sign-out"), json!({})).await,
            _ => operator.post(&path("disable"), json!({})).await,
        }
    };
    // The thief's request reads the guest after the sign-out has taken its time, and before the
    // sign-out is written.
    let ending = async {
        has_called(&world, by, last_before(by)).await;
        thief.browser.delete("/me/sessions").await
    };
    let (done, ended) = join!(signing_out, ending);
    done.expect_status(204);
    assert!([204, 401].contains(&ended.status), "{by}: {}", ended.body);
    assert_refused_everywhere(&world, &thief.access_token).await;
    assert_refused_everywhere(&world, &owner.access_token).await;
    let noted = match by {
        "disable-guest" => "account-disabled",
        _ => "all-sessions-ended",
    };
    assert_eq!(activity(&world, noted).await, 1, "{by}");
}

/// The call after which a function takes its time and writes.
fn last_before(function: &str) -> &'static str {
    match function {
        "disable-guest" => "AdminDisableUser",
        _ => "AdminUserGlobalSignOut",
    }
}

/// Waits until a function has made a call.
async fn has_called(world: &TestWorld, function: &str, action: &str) {
    let is_made = || {
        let calls = world.calls_of(function);
        calls.iter().any(|call| call.action == action)
    };
    while !is_made() {
        tokio::task::yield_now().await;
    }
}

/// How often an event stands in the activity of all guests.
async fn activity(world: &TestWorld, kind: &str) -> usize {
    let events = items(world, &world.ready().tables["activity"]).await;
    let kind = json!(kind);
    events
        .iter()
        .filter(|event| event.get("type") == Some(&kind))
        .count()
}

/// The change counts, and its session ends with all others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_account_keeps_no_session_that_has_signed_out_meanwhile() {
    join_all(["change-password", "disable-mfa"].map(keeps_nothing)).await;
}

async fn keeps_nothing(by: &str) {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let mut guarded = world.guarded_by_password(ADA, PASSWORD).await;
    let code = guarded.app.next_code();
    let thief = &mut guarded.session;
    let slow = Fault::new(FaultKind::Delay, "dynamodb", "TransactWriteItems").of(by);
    world.fault(slow.lasting(2 * SLOW));
    let mut operator = world.operator();
    let sign_out = path_of(&thief.user, "sign-out");
    let changing = async {
        if by == "change-password" {
            let change =
                json!({ "password": PASSWORD, "newPassword": OTHER_PASSWORD, "mfaCode": code });
            thief.browser.post("/me/password", change).await
        } else {
            let proofs = json!({ "password": PASSWORD, "code": code });
            thief.browser.disable(proofs).await
        }
    };
    let signing_out = async {
        has_called(&world, by, last_before(by)).await;
        operator.post(&sign_out, json!({})).await
    };
    let (changed, done) = join!(changing, signing_out);
    done.expect_status(204);
    changed.expect_status(204);
    assert_refused_everywhere(&world, &thief.access_token).await;
}

/// Fifty concurrent refreshes, ends and sign-outs of one session: in any order, no token of it
/// survives.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_token_of_a_session_survives_a_crowd_that_ends_it() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for _ in 0..3 {
        let guest = world.sign_in(ADA).await;
        let mut ender = world.sign_in(ADA).await;
        ender.browser.bearer(&ender.access_token);
        let path = format!("/me/sessions/{}", session_of(&guest.access_token));
        let mut rivals: Vec<_> = (0..49).map(|_| world.browser()).collect();
        let crowd = rivals.iter_mut().enumerate().map(|(number, browser)| {
            let (path, access_token) = (&path, &guest.access_token);
            let token = json!({ "refreshToken": guest.refresh_token });
            async move {
                if number % 10 == 3 {
                    browser.bearer(access_token);
                    browser.post("/auth/logout", json!({})).await
                } else if number % 10 == 7 {
                    browser.bearer(access_token);
                    browser.delete(path).await
                } else {
                    browser.post("/auth/refresh", token).await
                }
            }
        });
        let (done, answers) = tokio::join!(ender.browser.delete(&path), join_all(crowd));
        done.expect_status(204);
        assert_worthless(&world, &answers).await;
        ender.browser.get("/me").await.expect_status(200);
    }
}

#[tokio::test]
async fn one_right_code_sent_twice_at_once_signs_in_once_and_makes_one_guest() {
    let world = TestWorld::start().await;
    let mut stage = Stage::proof(&world).await;
    let mut other = world.browser();
    let body = stage.body.clone();
    let (one, two) = tokio::join!(stage.act(), other.post("/auth/otp/verify", body));
    let signed_in = [&one, &two]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert_eq!(signed_in, 1, "{} {}", one.body, two.body);
    assert_eq!(world.guests().await.len(), 1, "one guest");
    assert_eq!(users(&world).await.len(), 1, "one user");
    assert_counted(&world, false).await;
}
