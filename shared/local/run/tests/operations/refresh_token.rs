//! `refresh-token`: a session continues with new tokens, within its limits.

use auth_local::{Fault, FaultKind};
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::backstage::{forget_sessions, items};
use crate::harness::case::{Case, Then};
use crate::harness::people::ADA;
use crate::harness::requests::{
    assert_refused_everywhere, claims, counted, expect_refused_refresh, opens, refresh, session_of,
};
use crate::harness::stage::Stage;
use crate::harness::{Answer, SignedIn, TestWorld};

const DAY: u64 = 24 * 60 * 60;

/// RFC 9700 §4.14.2.
#[tokio::test]
async fn a_refresh_gives_new_tokens_of_the_same_session() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    world.advance(120);
    let refreshed = refresh(&mut guest.browser, &guest.refresh_token).await;
    refreshed.expect_status(200);
    assert_eq!(refreshed["tokenType"], "Bearer");
    assert_eq!(refreshed["expiresIn"], 3600);
    assert_ne!(refreshed["refreshToken"], guest.refresh_token.as_str());
    assert_ne!(refreshed["accessToken"], guest.access_token.as_str());
    assert_ne!(refreshed["idToken"], guest.id_token.as_str());

    let (before, after) = (
        claims(&guest.access_token),
        claims(&refreshed.text("accessToken")),
    );
    for same in ["sub", "client_id", "origin_jti", "auth_time"] {
        assert!(!after[same].is_null(), "{same}");
        assert_eq!(before[same], after[same], "{same}");
    }
    assert_ne!(before["jti"], after["jti"]);
    assert_eq!(after["scope"], "latchkey/session");
    assert!(after["email"].is_null(), "an access token names no address");
    let second = |claims: &Value| claims["iat"].as_i64().expect("an issue time");
    assert!(second(&after) >= second(&before) + 120);
    // The exact time is the sign-in's: a session does not begin again with a refresh.
    let millis = before["latchkey_iat_ms"].as_str().expect("an issue time");
    assert_eq!(millis.parse::<i64>().unwrap() / 1000, second(&before));
    assert!(after["latchkey_iat_ms"].is_null());
    assert!(opens(&world, &refreshed.text("accessToken")).await);
}

/// RFC 9700 §4.14.2. The grace is 60 seconds, Cognito's most.
#[tokio::test]
async fn a_rotated_token_works_through_its_grace_and_not_after() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let old = guest.refresh_token.clone();
    let renewed = refresh(&mut guest.browser, &old).await;
    renewed.expect_status(200);
    assert_eq!(renewed["user"], guest.user);
    world.advance(59);
    refresh(&mut guest.browser, &old).await.expect_status(200);
    assert!(!warned_of_reuse(&world));
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);

    world.advance(1);
    let refused = refresh(&mut guest.browser, &old).await;
    expect_refused_refresh(&refused, "reused");
    // A client that lost an answer and slept looks the same.
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
    let logs = world.logs();
    let warnings: Vec<_> = logs
        .iter()
        .filter(|line| line.contains("came back after its grace period"))
        .collect();
    assert_eq!(warnings.len(), 1);
    assert!(warnings[0].contains(r#""level":"WARN""#), "{}", warnings[0]);
    assert!(
        warnings[0].contains(&refused.text("requestId")) || warnings[0].contains("requestId"),
        "{}",
        warnings[0]
    );
}

/// A use within the grace does not lengthen it.
#[tokio::test]
async fn the_grace_counts_from_the_first_use() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let old = guest.refresh_token.clone();
    for _ in 0..2 {
        refresh(&mut guest.browser, &old).await.expect_status(200);
        world.advance(31);
    }
    expect_refused_refresh(&refresh(&mut guest.browser, &old).await, "reused");
}

/// The module gives an answer up, and comes again with the token that it has.
#[tokio::test]
async fn a_client_that_lost_the_answer_gets_another_and_nobody_is_warned() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let lost = refresh(&mut guest.browser, &guest.refresh_token).await;
    lost.expect_status(200);
    world.advance(45);
    let again = refresh(&mut guest.browser, &guest.refresh_token).await;
    again.expect_status(200);
    world.advance(120);
    let next = refresh(&mut guest.browser, &again.text("refreshToken")).await;
    next.expect_status(200);
    assert!(opens(&world, &next.text("accessToken")).await);
    assert!(!warned_of_reuse(&world));
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
}

fn warned_of_reuse(world: &TestWorld) -> bool {
    let logs = world.logs();
    logs.iter()
        .any(|line| line.contains("came back after its grace period"))
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_both_stay_signed_in() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let (mut one, mut other) = (world.browser(), world.browser());
    let (first, second) = tokio::join!(
        refresh(&mut one, &guest.refresh_token),
        refresh(&mut other, &guest.refresh_token),
    );
    for answer in [&first, &second] {
        answer.expect_status(200);
        assert!(opens(&world, &answer.text("accessToken")).await);
    }
    assert_ne!(first["refreshToken"], second["refreshToken"]);

    let mut tabs = [first.text("refreshToken"), second.text("refreshToken")];
    for _ in 0..3 {
        world.advance(3000);
        for token in &mut tabs {
            let answer = refresh(&mut one, token).await;
            answer.expect_status(200);
            assert!(opens(&world, &answer.text("accessToken")).await);
            *token = answer.text("refreshToken");
        }
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
}

/// ASVS 5.0 7.3.2: rotation does not lengthen a session beyond its thirty days.
#[tokio::test]
async fn a_session_ends_after_thirty_days_however_often_it_was_refreshed() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    world.advance(29 * DAY);
    let refreshed = refresh(&mut guest.browser, &guest.refresh_token).await;
    refreshed.expect_status(200);
    let latest = refreshed.text("refreshToken");
    world.advance(DAY);
    expect_refused_refresh(&refresh(&mut guest.browser, &latest).await, "expired");
}

/// ASVS 5.0 7.4.1.
#[tokio::test]
async fn a_revoked_token_is_refused_as_revoked() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in("ada@example.com").await;
    let rotated = refresh(&mut guest.browser, &guest.refresh_token).await;
    guest.browser.bearer(&guest.access_token);
    let goodbye = json!({ "refreshToken": rotated["refreshToken"] });
    guest
        .browser
        .post("/auth/logout", goodbye.clone())
        .await
        .expect_status(204);
    let successor = rotated.text("refreshToken");
    for token in [&guest.refresh_token, &successor] {
        expect_refused_refresh(&refresh(&mut guest.browser, token).await, "revoked");
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);

    // The session has ended, and its access token with it.
    let again = guest.browser.post("/auth/logout", goodbye).await;
    again.expect_problem(401, "AUTH_REQUIRED");
}

#[tokio::test]
async fn whatever_is_no_refresh_token_of_ours_is_refused_as_invalid() {
    let world = TestWorld::start().await;
    let guest = world.sign_in("ada@example.com").await;
    let token = &guest.refresh_token;
    let swapped = if token.ends_with('A') { "B" } else { "A" };
    let invented = [
        "garbage".to_owned(),
        "!".to_owned(),
        "a.b.c.d.e".to_owned(),
        "x".repeat(4096),
        guest.access_token.clone(),
        guest.id_token.clone(),
        token[..token.len() - 1].to_owned(),
        format!("{}{swapped}", &token[..token.len() - 1]),
        format!("{token}A"),
        format!("{token}."),
        token.to_uppercase(),
    ];
    let mut browser = world.browser();
    for token in invented {
        let refused = refresh(&mut browser, &token).await;
        expect_refused_refresh(&refused, "invalid");
        assert!(refused.header("set-cookie").is_none());
    }
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
    refresh(&mut browser, token).await.expect_status(200);
}

/// ASVS 5.0 7.2.3 and 7.2.4.
#[tokio::test]
async fn every_sign_in_has_tokens_of_its_own() {
    let world = TestWorld::start().await;
    let (one, other) = (
        world.sign_in("ada@example.com").await,
        world.sign_in("ada@example.com").await,
    );
    assert_ne!(one.access_token, other.access_token);
    assert_ne!(one.refresh_token, other.refresh_token);
    let (one, other) = (claims(&one.access_token), claims(&other.access_token));
    assert_ne!(one["origin_jti"], other["origin_jti"]);
    assert_ne!(one["jti"], other["jti"]);
    assert_eq!(one["sub"], other["sub"]);
}

/// The subject of the mail about a theft.
const COPIED: &str = "A session of your account was copied";

async fn renewed(guest: &mut SignedIn<'_>, token: &str) -> (String, String) {
    let answer = refresh(&mut guest.browser, token).await;
    answer.expect_status(200);
    (answer.text("refreshToken"), answer.text("accessToken"))
}

fn told_of_theft(world: &TestWorld) -> usize {
    let mails = world.mails(ADA);
    mails.iter().filter(|mail| mail.subject == COPIED).count()
}

/// RFC 9700 §4.14.2: reuse ends the family, the newest token of it too, and its access tokens.
#[tokio::test]
async fn a_token_that_comes_again_ends_its_session_with_every_branch() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let other = world.sign_in(ADA).await;
    let stolen = guest.refresh_token.clone();
    let (branch, _) = renewed(&mut guest, &stolen).await;
    let (other_branch, access_token) = renewed(&mut guest, &stolen).await;
    world.advance(61);
    expect_refused_refresh(&refresh(&mut guest.browser, &stolen).await, "reused");
    for token in [&branch, &other_branch] {
        expect_refused_refresh(&refresh(&mut guest.browser, token).await, "revoked");
        // Cognito's new tokens for it were revoked.
        expect_refused_refresh(&refresh(&mut guest.browser, token).await, "revoked");
    }
    assert_refused_everywhere(&world, &access_token).await;
    assert!(opens(&world, &other.access_token).await);
}

/// The thief is first: the owner's token comes again, and the thief has gone on with later ones.
#[tokio::test]
async fn a_theft_is_told_once_where_the_thief_was_first() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let stolen = guest.refresh_token.clone();
    let (next, _) = renewed(&mut guest, &stolen).await;
    world.advance(3000);
    let (after, _) = renewed(&mut guest, &next).await;
    world.advance(3000);
    for _ in 0..2 {
        expect_refused_refresh(&refresh(&mut guest.browser, &stolen).await, "reused");
        assert_eq!(told_of_theft(&world), 1);
        assert_eq!(counted(&world, "RefreshTokenReuse"), 1);
    }
    expect_refused_refresh(&refresh(&mut guest.browser, &after).await, "revoked");
    assert_eq!(told_of_theft(&world), 1);
}

/// The owner refreshes first, and the thief's copy comes again. The owner's newer token then shows
/// that it was a theft, not a lost answer.
#[tokio::test]
async fn a_theft_is_told_once_where_the_owner_was_first() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let stolen = guest.refresh_token.clone();
    let (newer, _) = renewed(&mut guest, &stolen).await;
    world.advance(61);
    expect_refused_refresh(&refresh(&mut guest.browser, &stolen).await, "reused");
    assert_eq!(told_of_theft(&world), 0);
    for _ in 0..2 {
        expect_refused_refresh(&refresh(&mut guest.browser, &newer).await, "revoked");
        assert_eq!(told_of_theft(&world), 1);
        assert_eq!(counted(&world, "RefreshTokenReuse"), 1);
    }
}

/// Within the grace both get tokens that Cognito treats as unused. The generation identifies the
/// abandoned branch.
#[tokio::test]
async fn a_branch_of_the_grace_that_was_left_behind_ends_the_session() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let stolen = guest.refresh_token.clone();
    let (thiefs, _) = renewed(&mut guest, &stolen).await;
    world.advance(30);
    let (owners, _) = renewed(&mut guest, &stolen).await;
    world.advance(3000);
    let (thiefs, _) = renewed(&mut guest, &thiefs).await;
    world.advance(61);
    expect_refused_refresh(&refresh(&mut guest.browser, &owners).await, "reused");
    assert_eq!(told_of_theft(&world), 0);
    expect_refused_refresh(&refresh(&mut guest.browser, &thiefs).await, "revoked");
    assert_eq!(told_of_theft(&world), 1);
}

/// A phone that lost an answer and slept past the grace: signed out, without a notice of a theft.
#[tokio::test]
async fn a_client_that_comes_back_after_the_grace_is_signed_out_and_not_alarmed() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let old = guest.refresh_token.clone();
    renewed(&mut guest, &old).await;
    world.advance(3600);
    for _ in 0..2 {
        expect_refused_refresh(&refresh(&mut guest.browser, &old).await, "reused");
    }
    assert_eq!(told_of_theft(&world), 0);
    assert_eq!(counted(&world, "RefreshTokenReuse"), 0);
}

/// Sessions of before there were records: their tokens have no mark.
#[tokio::test]
async fn a_session_without_a_record_is_adopted_by_its_first_refresh() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let bare = guest.refresh_token.rsplit('~').next().unwrap().to_owned();
    let table = world.ready().tables["user-sessions"].to_owned();
    forget_sessions(&world).await;
    assert!(opens(&world, &guest.access_token).await);

    let (marked, access_token) = renewed(&mut guest, &bare).await;
    assert!(marked.starts_with("lk1~"));
    let records = items(&world, &table).await;
    assert_eq!(records[0]["method"], "unknown");
    assert_eq!(records[0]["generation"], "1");
    world.advance(30);
    let (other, _) = renewed(&mut guest, &bare).await;
    world.advance(31);
    expect_refused_refresh(&refresh(&mut guest.browser, &bare).await, "reused");
    // Without its mark, a token does not reveal its session.
    assert!(opens(&world, &access_token).await);
    renewed(&mut guest, &other).await;
    renewed(&mut guest, &marked).await;
}

/// Removing the mark gains nothing: the token counts as older than the first.
#[tokio::test]
async fn a_token_without_its_mark_ends_a_session_that_has_a_record() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    world.advance(61);
    let bare = guest.refresh_token.rsplit('~').next().unwrap().to_owned();
    expect_refused_refresh(&refresh(&mut guest.browser, &bare).await, "reused");
    assert!(!opens(&world, &guest.access_token).await);
}

/// The write after Cognito's answer fails: no tokens, and the next try heals it, within the grace.
#[tokio::test]
async fn a_refresh_that_could_not_be_counted_works_again_within_the_grace() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let token = guest.refresh_token.clone();
    for kind in [FaultKind::Internal, FaultKind::Lost] {
        let fault = Fault::new(kind, "dynamodb", "UpdateItem").of("refresh-token");
        world.fault(fault.times(3));
        let failed = refresh(&mut guest.browser, &token).await;
        failed.expect_problem(503, "SERVICE_UNAVAILABLE");
        world.advance(20);
    }
    let (next, access_token) = renewed(&mut guest, &token).await;
    assert!(opens(&world, &access_token).await);
    world.advance(3000);
    renewed(&mut guest, &next).await;
}

/// Latchkey hears of it by the next refresh. Until then access tokens count.
#[tokio::test]
async fn a_session_that_cognito_ends_ends_here_with_its_next_refresh() {
    for action in ["AdminDisableUser", "AdminUserGlobalSignOut"] {
        let world = TestWorld::start().await;
        let mut other = world.sign_in(ADA).await;
        let mut guest = world.sign_in(ADA).await;
        other.browser.bearer(&other.access_token);
        world.admin(action, json!({ "Username": ADA })).await;
        assert!(opens(&world, &guest.access_token).await, "{action}");
        for _ in 0..2 {
            let refused = refresh(&mut guest.browser, &guest.refresh_token).await;
            expect_refused_refresh(&refused, "revoked");
        }
        assert_refused_everywhere(&world, &guest.access_token).await;
        let listed = other.browser.get("/me/sessions").await;
        assert_eq!(listed["sessions"].as_array().unwrap().len(), 1);
        let events = other.browser.get("/me/activity").await;
        let ends = events["events"].as_array().unwrap().iter();
        let ends: Vec<_> = ends
            .filter(|event| event["type"] == "session-ended")
            .collect();
        assert_eq!(ends.len(), 1, "{action}");
        assert_eq!(ends[0]["by"], "latchkey");
        assert_eq!(ends[0]["sessionId"], session_of(&guest.access_token));
    }
}

/// Cognito does not say that such a token is revoked, and a wrong client's is refused alike.
#[tokio::test]
async fn a_user_who_is_deleted_at_cognito_is_refreshed_no_more() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    world
        .admin("AdminDeleteUser", json!({ "Username": ADA }))
        .await;
    let refused = refresh(&mut guest.browser, &guest.refresh_token).await;
    refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
    assert!(opens(&world, &guest.access_token).await);
    world.advance(3600);
    guest.browser.bearer(&guest.access_token);
    guest.browser.get("/me").await.expect_status(401);
}

/// One end is one event.
#[tokio::test]
async fn a_refresh_after_a_sign_out_everywhere_ends_nothing_again() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    let mut other = world.sign_in(ADA).await;
    other.browser.bearer(&other.access_token);
    let everywhere = json!({ "everywhere": true });
    let done = other.browser.post("/auth/logout", everywhere).await;
    done.expect_status(204);
    let refused = refresh(&mut guest.browser, &guest.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    let mut again = world.sign_in(ADA).await;
    again.browser.bearer(&again.access_token);
    let events = again.browser.get("/me/activity").await;
    let mut ends = events["events"].as_array().unwrap().iter();
    assert!(ends.all(|event| event["type"] != "session-ended"));
}

/// The session that a sign-out everywhere has kept can still be ended at Cognito.
#[tokio::test]
async fn a_kept_session_that_cognito_ends_ends_here_too() {
    let world = TestWorld::start().await;
    let mut guest = world.sign_in(ADA).await;
    guest.browser.bearer(&guest.access_token);
    let done = guest.browser.delete("/me/sessions").await;
    done.expect_status(204);
    let sign_out = json!({ "Username": ADA });
    world.admin("AdminUserGlobalSignOut", sign_out).await;
    let refused = refresh(&mut guest.browser, &guest.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    assert!(!opens(&world, &guest.access_token).await);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("refresh-token", "exchanged", "200", |world| {
            Box::pin(exchange(world))
        }),
        Case::of(
            "refresh-token",
            "came again",
            "401 INVALID_REFRESH_TOKEN",
            |world| Box::pin(came_again(world)),
        )
        .then(|case, stage, answer| Box::pin(ends_the_session(case, stage, answer))),
        Case::of(
            "refresh-token",
            "ended at Cognito",
            "401 INVALID_REFRESH_TOKEN",
            |world| Box::pin(ended_at_cognito(world)),
        )
        .then(|case, stage, answer| Box::pin(ends_the_session(case, stage, answer))),
    ]
}

/// A session whose user was signed out by a team's own tool.
async fn ended_at_cognito(world: &TestWorld) -> Stage<'_> {
    let stage = exchange(world).await;
    let sign_out = json!({ "Username": ADA });
    world.admin("AdminUserGlobalSignOut", sign_out).await;
    stage
}

pub(crate) async fn exchange(world: &TestWorld) -> Stage<'_> {
    let session = world.sign_in(ADA).await;
    let body = json!({ "refreshToken": session.refresh_token });
    Stage::signed_in(session, Method::POST, "/auth/refresh", body)
}

/// The first token of a session, after later ones of it have been used.
async fn came_again(world: &TestWorld) -> Stage<'_> {
    let mut guest = world.sign_in(ADA).await;
    let first = guest.refresh_token.clone();
    let (second, _) = renewed(&mut guest, &first).await;
    let (third, _) = renewed(&mut guest, &second).await;
    world.advance(61);
    let body = json!({ "refreshToken": first });
    let mut stage = Stage::signed_in(guest, Method::POST, "/auth/refresh", body);
    stage.refresh_token = third;
    stage
}

/// The newest token of the session is refused too.
async fn ends_the_session(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    let refused = refresh(&mut stage.browser, &stage.refresh_token).await;
    expect_refused_refresh(&refused, "revoked");
    let refused = stage.browser.get("/me").await;
    refused.expect_problem(401, "AUTH_REQUIRED");
    then
}
