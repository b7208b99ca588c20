//! Concurrent requests are decided once.

use auth_local::{Fault, FaultKind};
use futures_util::future::join_all;
use serde_json::json;

use crate::harness::aftermath::assert_counted;
use crate::harness::backstage::users;
use crate::harness::people::ADA;
use crate::harness::requests::session_of;
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, TestWorld};
use crate::operations::{logout_user, refresh_token};

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
