//! `logout-user`: this session ends, or every one.

use reqwest::Method;
use serde_json::json;

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::public_client::{API, Outside};
use crate::harness::requests::{
    Sample, assert_refused_everywhere, expect_refused_refresh, opens, refresh,
};
use crate::harness::stage::Stage;
use crate::harness::{Answer, Browser, TestWorld};

/// ASVS 5.0 7.4.1: the session ends with its access tokens, with or without its refresh token in
/// the request.
#[tokio::test]
async fn a_logout_ends_its_session_with_and_without_the_refresh_token() {
    let world = TestWorld::start().await;
    let bystander = world.sign_in("ada@example.com").await;
    for with_token in [true, false] {
        let mut guest = world.sign_in("ada@example.com").await;
        let refreshed = refresh(&mut guest.browser, &guest.refresh_token).await;
        refreshed.expect_status(200);
        guest.browser.bearer(&guest.access_token);
        let goodbye = if with_token {
            json!({ "refreshToken": refreshed["refreshToken"] })
        } else {
            json!({})
        };
        let done = guest.browser.post("/auth/logout", goodbye).await;
        done.expect_status(204);
        for token in [&guest.access_token, &refreshed.text("accessToken")] {
            assert_refused_everywhere(&world, token).await;
        }
        for token in [&guest.refresh_token, &refreshed.text("refreshToken")] {
            let refused = refresh(&mut guest.browser, token).await;
            expect_refused_refresh(&refused, "revoked");
        }
        assert!(opens(&world, &bystander.access_token).await);
    }
}

/// The holder of another session's refresh token may end that session too.
#[tokio::test]
async fn a_logout_ends_the_session_of_the_refresh_token_that_it_brings() {
    let world = TestWorld::start().await;
    let mut laptop = world.sign_in("ada@example.com").await;
    let telephone = world.sign_in("ada@example.com").await;
    laptop.browser.bearer(&laptop.access_token);
    let goodbye = json!({ "refreshToken": telephone.refresh_token });
    let done = laptop.browser.post("/auth/logout", goodbye).await;
    done.expect_status(204);
    assert!(!opens(&world, &telephone.access_token).await);
    assert!(!opens(&world, &laptop.access_token).await);
}

#[tokio::test]
async fn a_logout_ends_this_session_only() {
    let world = TestWorld::start().await;
    let (mut laptop, mut telephone) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("ada@example.com").await,
    );
    laptop.browser.bearer(&laptop.access_token);
    let goodbye = json!({ "refreshToken": laptop.refresh_token });
    laptop
        .browser
        .post("/auth/logout", goodbye)
        .await
        .expect_status(204);
    expect_refused_refresh(
        &refresh(&mut laptop.browser, &laptop.refresh_token).await,
        "revoked",
    );
    assert!(opens(&world, &telephone.access_token).await);
    let refreshed = refresh(&mut telephone.browser, &telephone.refresh_token).await;
    refreshed.expect_status(200);
    assert!(opens(&world, &refreshed.text("accessToken")).await);
}

/// ASVS 5.0 7.4.1 and 7.5.2: every operation behind the contract's authorizer refuses all earlier
/// tokens. A new operation is included without a change here.
#[tokio::test]
async fn after_everywhere_every_operation_refuses_every_token_from_before() {
    let world = TestWorld::start().await;
    let mut laptop = world.sign_in("ada@example.com").await;
    let mut telephone = world.sign_in("ada@example.com").await;
    let refreshed = refresh(&mut telephone.browser, &telephone.refresh_token).await;
    let mut tablet = world.browser();
    let by_cookie = json!({ "tokenDelivery": "cookie" });
    let by_cookie = tablet.sign_in_with("ada@example.com", by_cookie).await;
    let bystander = world.sign_in("eve@example.com").await;
    let access_tokens = [
        laptop.access_token.clone(),
        telephone.access_token.clone(),
        refreshed.text("accessToken"),
        by_cookie.text("accessToken"),
    ];
    let mut browser = world.browser();
    for token in &access_tokens {
        for sample in Sample::going_on_behind_the_authorizer() {
            browser.bearer(token);
            let before = sample.send(&mut browser).await;
            // Some want a proof beside the token, and refuse the example's.
            assert_ne!(before["code"], "AUTH_REQUIRED", "{}", sample.name());
        }
    }

    laptop.browser.bearer(&laptop.access_token);
    let done = laptop
        .browser
        .post("/auth/logout", json!({ "everywhere": true }))
        .await;
    done.expect_status(204);
    for token in &access_tokens {
        assert_refused_everywhere(&world, token).await;
    }
    let refresh_tokens = [
        &laptop.refresh_token,
        &telephone.refresh_token,
        &refreshed.text("refreshToken"),
        &tablet.cookies["__Host-latchkey-refresh"],
    ];
    for token in refresh_tokens {
        expect_refused_refresh(&refresh(&mut browser, token).await, "revoked");
    }

    assert!(opens(&world, &bystander.access_token).await);
    refresh(&mut browser, &bystander.refresh_token)
        .await
        .expect_status(200);
}

/// Issue times are kept in milliseconds: the clock has not moved, and the second is usually the
/// same.
#[tokio::test]
async fn a_sign_in_right_after_everywhere_works_at_once() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    for _ in 0..3 {
        let stale = guest.access_token.clone();
        guest.browser.bearer(&stale);
        let done = guest
            .browser
            .post("/auth/logout", json!({ "everywhere": true }))
            .await;
        done.expect_status(204);
        guest.browser.always("authorization", "");
        let back = guest.browser.sign_in("ada@example.com").await;
        back.expect_status(200);
        let mut browser = world.browser();
        for sample in Sample::going_on_behind_the_authorizer() {
            browser.bearer(&back.text("accessToken"));
            let answer = sample.send(&mut browser).await;
            assert_ne!(answer["code"], "AUTH_REQUIRED", "{}", sample.name());
        }
        assert!(!opens(&world, &stale).await);
        refresh(&mut browser, &back.text("refreshToken"))
            .await
            .expect_status(200);
        guest.access_token = back.text("accessToken");
    }
}

/// ASVS 5.0 7.4.1: no token of a concurrent refresh outlives the sign-out.
#[tokio::test]
async fn a_refresh_that_races_everywhere_gains_nothing() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    guest.browser.bearer(&guest.access_token);
    let mut tabs: Vec<Browser<'_>> = (0..8).map(|_| world.browser()).collect();
    let race = futures_util::future::join_all(
        tabs.iter_mut()
            .map(|tab| refresh(tab, &guest.refresh_token)),
    );
    let everywhere = json!({ "everywhere": true });
    let (done, answers) = tokio::join!(guest.browser.post("/auth/logout", everywhere), race);
    done.expect_status(204);
    for answer in answers {
        if answer.status == 200 {
            assert!(!opens(&world, &answer.text("accessToken")).await);
            let token = answer.text("refreshToken");
            expect_refused_refresh(&refresh(&mut world.browser(), &token).await, "revoked");
        } else {
            expect_refused_refresh(&answer, "revoked");
        }
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("logout-user", name, "204", prepare)
            .then(|case, stage, answer| Box::pin(is_signed_out(case, stage, answer)))
    };
    vec![
        case("this session", |world| Box::pin(this_session(world))),
        case("this session of the public client", |world| {
            Box::pin(public_session(world))
        })
        .with(&API),
        case("everywhere", |world| Box::pin(everywhere(world))),
    ]
}

async fn this_session(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    let body = json!({ "refreshToken": session.refresh_token });
    Stage::signed_in(session, Method::POST, "/auth/logout", body)
}

async fn public_session(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let session = Outside::of(world).session(ADA, PASSWORD).await;
    Stage::signed_in(session, Method::POST, "/auth/logout", json!({}))
}

pub(crate) async fn everywhere(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    let body = json!({ "everywhere": true });
    Stage::signed_in(session, Method::POST, "/auth/logout", body)
}

/// No token of the session works any more. After a lost answer, the next request shows it.
pub(crate) async fn is_signed_out(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let then = if case.is_healthy(answer) {
        Then::Nothing
    } else {
        let again = stage.act().await;
        if case.is_healthy(&again) {
            Then::SameAgain
        } else {
            again.expect_problem(401, "AUTH_REQUIRED");
            Then::Done
        }
    };
    let refused = refresh(&mut stage.browser, &stage.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    let refused = stage.browser.get("/me").await;
    refused.expect_problem(401, "AUTH_REQUIRED");
    then
}
