//! `verify-email-change`: the code of the new address makes it the guest's, whatever happens at the
//! same time or in between.

use std::collections::BTreeMap;
use std::time::Duration;

use auth_local::{AwsCall, Fault, FaultKind};
use cognito_local::AddressClash;
use futures_util::future::join;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::backstage::items;
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::requests::{opens, refresh};
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, WRONG_CODE, at_once, sub_of};
use crate::harness::{Answer, SignedIn, TestWorld};
use crate::operations::change_email::signed_in;

const PATH: &str = "/me/email/verify";
const CHANGED: &str = "Your email address was changed";
const CLASHES: [AddressClash; 2] = [AddressClash::Refused, AddressClash::Moved];

/// Ada, and what proves the address that she asked for.
async fn asked(world: &TestWorld) -> (SignedIn<'_>, (String, String)) {
    let mut ada = signed_in(world, ADA).await;
    let proof = ada.browser.asked_for_address(ELSEWHERE).await;
    (ada, proof)
}

/// The items of guests whose key begins with `kind`, by the rest of it.
async fn of_kind(world: &TestWorld, kind: &str) -> BTreeMap<String, Value> {
    let items = items(world, &world.ready().tables["guests"]).await;
    let items = items.into_iter().map(|item| json!(item));
    let named = items.filter_map(|item| {
        let name = item["pk"].as_str()?.strip_prefix(kind)?.to_owned();
        Some((name, item))
    });
    named.collect()
}

async fn claims(world: &TestWorld) -> BTreeMap<String, Value> {
    of_kind(world, "address#").await
}

/// One guest an address, one claim a guest, and Cognito finds the same user by it.
async fn assert_each_address_has_one_guest(world: &TestWorld, step: &str) {
    let (guests, claims) = (of_kind(world, "guest#").await, claims(world).await);
    assert_eq!(guests.len(), claims.len(), "{step}: {claims:?}");
    for (sub, guest) in &guests {
        let email = guest["email"].as_str().expect("an address");
        assert_eq!(claims[email]["sub"], sub.as_str(), "{step}");
        assert_eq!(sub_of(&world.user(email).await), *sub, "{step}");
        assert!(guest["changingTo"].is_null(), "{step}");
    }
}

#[tokio::test]
async fn the_address_is_the_guests_sessions_go_on_and_the_old_one_is_free() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let (mut ada, (token, code)) = asked(&world).await;
    let mut other = world.sign_in(ADA).await;
    let before = ada.browser.get("/me").await;
    let changed = ada.browser.prove_address(&token, &code).await;
    changed.expect_status(200);
    assert_eq!(changed["email"], ELSEWHERE);
    assert_eq!(changed["guestId"], before["guestId"]);
    assert_eq!(ada.browser.get("/me").await["email"], ELSEWHERE);
    assert!(opens(&world, &other.access_token).await);
    let refreshed = refresh(&mut other.browser, &other.refresh_token).await;
    refreshed.expect_status(200);
    for email in [ADA, ELSEWHERE] {
        assert_eq!(world.subjects(email)[0], CHANGED);
    }
    let listed = ada.browser.get("/me/activity?limit=1").await;
    assert_eq!(listed["events"][0]["type"], "address-changed");
    assert_each_address_has_one_guest(&world, "changed").await;

    let mut browser = world.browser();
    let signed_in = browser.login(ELSEWHERE, PASSWORD).await;
    signed_in.expect_status(200);
    assert_eq!(signed_in["user"]["guestId"], before["guestId"]);
    let refused = browser.login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
    let next = world.browser().sign_in(ADA).await;
    next.expect_status(200);
    assert_ne!(next["user"]["guestId"], before["guestId"]);
    assert_each_address_has_one_guest(&world, "another guest").await;

    // The answer may have been lost: the same code says the same again.
    let again = ada.browser.prove_address(&token, &code).await;
    again.expect_status(200);
    let exported = json!({ "password": PASSWORD });
    let exported = ada.browser.post("/me/export", exported).await;
    assert!(exported.body.to_string().contains("addressChangedAt"));
}

#[tokio::test]
async fn a_code_counts_in_its_session_and_its_time_and_a_few_times() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let (mut ada, (token, code)) = asked(&world).await;
    let other = world.sign_in(ADA).await;
    let mut browser = world.browser();
    browser.bearer(&other.access_token);
    let refused = browser.prove_address(&token, &code).await;
    refused.expect_problem(400, "INVALID_SESSION");
    for left in [2, 1, 0] {
        let refused = ada.browser.prove_address(&token, WRONG_CODE).await;
        refused.expect_problem(401, "INVALID_OTP");
        assert_eq!(refused["attemptsRemaining"], left);
    }
    let refused = ada.browser.prove_address(&token, &code).await;
    refused.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    let (token, code) = ada.browser.asked_for_address(ELSEWHERE).await;
    world.advance(600);
    let refused = ada.browser.prove_address(&token, &code).await;
    refused.expect_problem(410, "OTP_EXPIRED");
    assert_eq!(ada.browser.get("/me").await["email"], ADA);
}

#[tokio::test]
async fn codes_that_were_begun_at_the_old_address_are_worth_nothing() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let (mut ada, (token, code)) = asked(&world).await;
    let mut browser = world.browser();
    let sign_in = browser.started(ADA).await;
    let sign_in_code = world.mail_code(ADA).await;
    let proof = ada.browser.mailed_proof(ADA, "password").await;
    let second = ada.browser.asked_for_address("third@example.com").await;

    let changed = ada.browser.prove_address(&token, &code).await;
    changed.expect_status(200);
    let refused = browser.verify(ADA, &sign_in_code, &sign_in).await;
    assert_eq!(refused.status / 100, 4, "{}", refused.body);
    let change = json!({ "proof": proof, "newPassword": OTHER_PASSWORD });
    let refused = ada.browser.post("/me/password", change).await;
    refused.expect_problem(400, "INVALID_SESSION");
    let refused = ada.browser.prove_address(&second.0, &second.1).await;
    refused.expect_problem(400, "INVALID_SESSION");
}

/// The start of every later sign-in finishes the change.
#[tokio::test]
async fn a_code_from_before_is_worth_nothing_once_a_change_is_half_done() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let ada = signed_in(&world, ADA).await;
    let mut browser = world.browser();
    let started = browser.started(ADA).await;
    let code = world.mail_code(ADA).await;
    half_done_by(ada).await;
    let refused = browser.verify(ADA, &code, &started).await;
    refused.expect_problem(400, "INVALID_SESSION");
    browser.sign_in(ELSEWHERE).await.expect_status(200);
    let claimed: Vec<String> = claims(&world).await.into_keys().collect();
    assert_eq!(claimed, [ELSEWHERE]);
    assert_each_address_has_one_guest(&world, "half done").await;
}

#[tokio::test]
async fn a_new_password_takes_a_code_that_was_asked_for_at_the_new_address() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let (mut ada, (token, code)) = asked(&world).await;
    let mut browser = world.browser();
    browser.request_reset(ADA).await.expect_status(202);
    let before = world.mail_code(ADA).await;
    let changed = ada.browser.prove_address(&token, &code).await;
    changed.expect_status(200);
    for email in [ADA, ELSEWHERE] {
        let refused = browser.confirm_reset(email, &before, OTHER_PASSWORD).await;
        refused.expect_problem(401, "INVALID_OTP");
    }
    browser.login(ELSEWHERE, PASSWORD).await.expect_status(200);
    let reset = world
        .reset_password(&mut browser, ELSEWHERE, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    assert_each_address_has_one_guest(&world, "reset").await;
}

#[tokio::test]
async fn a_user_whom_a_start_has_left_goes_and_any_other_one_stays() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let (mut ada, (token, code)) = asked(&world).await;
    let mut stranger = world.browser();
    let started = stranger.started(ELSEWHERE).await;
    let strangers_code = world.mail_code(ELSEWHERE).await;
    let changed = ada.browser.prove_address(&token, &code).await;
    changed.expect_status(200);
    let refused = stranger.verify(ELSEWHERE, &strangers_code, &started).await;
    assert_eq!(refused.status / 100, 4, "{}", refused.body);
    assert_eq!(world.users().await.len(), 1);
    assert_each_address_has_one_guest(&world, "start").await;

    let older = "older@example.com";
    let (token, code) = ada.browser.asked_for_address(older).await;
    world.make_user(older, None).await;
    let refused = ada.browser.prove_address(&token, &code).await;
    refused.expect_problem(409, "EMAIL_EXISTS");
    assert_eq!(ada.browser.get("/me").await["email"], ELSEWHERE);
    assert_eq!(world.users().await.len(), 2);
    world.browser().sign_in(older).await.expect_status(200);
    assert_each_address_has_one_guest(&world, "older").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_and_a_change_at_once_leave_the_address_one_guest() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for clash in CLASHES.into_iter().cycle().take(4) {
        world.renew();
        world.cognito().set_address_clash(clash);
        let (mut ada, (token, code)) = asked(&world).await;
        let mut browser = world.browser();
        let registering = browser.registering(ELSEWHERE, OTHER_PASSWORD).await;
        let registered_code = world.mail_code(ELSEWHERE).await;
        let (changed, confirmed) = join(
            ada.browser.prove_address(&token, &code),
            browser.confirm(&registering, &registered_code),
        )
        .await;
        let outcome = (clash, changed.status, confirmed.status);
        let changed = ada.browser.prove_address(&token, &code).await;
        let is_adas = ada.browser.get("/me").await["email"] == ELSEWHERE;
        assert_eq!(is_adas, changed.status == 200, "{outcome:?}");
        assert!(is_adas || changed.status == 409, "{}", changed.body);
        assert!(!is_adas || confirmed.status != 200, "{outcome:?}");
        assert_each_address_has_one_guest(&world, &format!("{outcome:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_and_a_change_at_once_leave_the_address_one_guest() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for clash in CLASHES.into_iter().cycle().take(4) {
        world.renew();
        world.cognito().set_address_clash(clash);
        let (mut ada, (token, code)) = asked(&world).await;
        let mut browser = world.browser();
        let started = browser.started(ELSEWHERE).await;
        let sign_in_code = world.mail_code(ELSEWHERE).await;
        let (changed, signed_in) = join(
            ada.browser.prove_address(&token, &code),
            browser.verify(ELSEWHERE, &sign_in_code, &started),
        )
        .await;
        let outcome = (clash, changed.status, signed_in.status);
        let changed = ada.browser.prove_address(&token, &code).await;
        let is_adas = ada.browser.get("/me").await["email"] == ELSEWHERE;
        assert_eq!(is_adas, changed.status == 200, "{outcome:?}");
        assert!(is_adas || changed.status == 409, "{}", changed.body);
        assert!(!is_adas || signed_in.status != 200, "{outcome:?}");
        assert_each_address_has_one_guest(&world, &format!("{outcome:?}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_changes_to_one_address_one_gets_it() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for clash in CLASHES {
        world.renew();
        world.cognito().set_address_clash(clash);
        let (mut ada, (token, code)) = asked(&world).await;
        let mut eve = signed_in(&world, EVE).await;
        let eves = eve.browser.asked_for_address(ELSEWHERE).await;
        let (one, other) = join(
            ada.browser.prove_address(&token, &code),
            eve.browser.prove_address(&eves.0, &eves.1),
        )
        .await;
        let statuses = [one.status, other.status];
        assert!(statuses.contains(&200), "{clash:?}: {statuses:?}");
        assert!(
            statuses.iter().any(|status| [409, 503].contains(status)),
            "{clash:?}: {statuses:?}"
        );
        assert_each_address_has_one_guest(&world, &format!("{clash:?}")).await;

        let again = (0..4).map(|_| async {
            let mut browser = world.browser();
            browser.bearer(&ada.access_token);
            browser.prove_address(&token, &code).await.status
        });
        let again = at_once(again).await;
        let expected = if one.status == 200 { 200 } else { 409 };
        assert!(
            again.iter().all(|status| [expected, 429].contains(status)),
            "{clash:?}: {again:?}"
        );
    }
}

/// Cognito makes a user at the address after it was looked at, and before it is changed to.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_appears_in_between_is_dealt_with_under_both_answers_of_cognito() {
    for clash in CLASHES {
        let world = TestWorld::with_settings(&MANY_STARTS).await;
        world.cognito().set_address_clash(clash);
        let (mut ada, (token, code)) = asked(&world).await;
        let sub = sub_of(&world.user(ADA).await);
        let late = |action, of, millis| {
            let fault = Fault::new(FaultKind::Delay, "cognito-idp", action).of(of);
            world.fault(fault.lasting(Duration::from_millis(millis)));
        };
        late("AdminCreateUser", "initiate-otp", 400);
        late("AdminUpdateUserAttributes", "verify-email-change", 900);
        let mut stranger = world.browser();
        let (started, changed) = join(
            stranger.start(ELSEWHERE),
            ada.browser.prove_address(&token, &code),
        )
        .await;
        world.clear_faults();
        changed.expect_status(200);
        assert_eq!(sub_of(&world.user(ELSEWHERE).await), sub, "{clash:?}");
        assert_each_address_has_one_guest(&world, &format!("{clash:?}")).await;
        if started.status == 200 {
            let code = world
                .mails(ELSEWHERE)
                .into_iter()
                .find_map(|mail| mail.code);
            let token = started.text("sessionToken");
            let code = code.expect("a code");
            let entered = stranger.verify(ELSEWHERE, &code, &token).await;
            let same = entered["user"]["cognitoSub"] == sub.as_str();
            assert!(entered.status != 200 || same, "{clash:?}: {}", entered.body);
        }
        assert_each_address_has_one_guest(&world, &format!("{clash:?} later")).await;
    }
}

/// The calls of a change, each with how often its action was called before.
async fn calls_of_a_change() -> Vec<(AwsCall, u32)> {
    let world = TestWorld::start().await;
    let (mut ada, (token, code)) = asked(&world).await;
    let since = world.last_call();
    let changed = ada.browser.prove_address(&token, &code).await;
    changed.expect_status(200);
    let mut calls: Vec<(AwsCall, u32)> = Vec::new();
    for call in world.calls(since) {
        let is_notice = call.action == "SendEmail";
        if call.function == "verify-email-change" && call.action != "GetSecretValue" && !is_notice {
            let before = calls.iter().filter(|(made, _)| made.action == call.action);
            let nth = u32::try_from(before.count()).unwrap() + 1;
            calls.push((call, nth));
        }
    }
    calls
}

/// Who goes on with a change that was interrupted.
#[derive(Clone, Copy, Debug)]
enum By {
    SameCode,
    CodeThere,
    CodeHere,
    PasswordThere,
}

/// A change is interrupted at each of its calls, before and after the call has acted. The same code
/// goes on with it, or a sign-in at either address does.
#[tokio::test]
async fn a_change_that_is_interrupted_anywhere_is_finished_by_any_of_them() {
    let calls = calls_of_a_change().await;
    let mut sign_ins = [By::CodeThere, By::CodeHere, By::PasswordThere]
        .into_iter()
        .cycle();
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    for (call, nth) in calls {
        for kind in [FaultKind::Denied, FaultKind::Lost] {
            let sign_in = sign_ins.next().expect("without end");
            for by in [By::SameCode, sign_in] {
                let step = format!("{} {nth}, {kind:?}, {by:?}", call.action);
                world.renew();
                let (mut ada, (token, code)) = asked(&world).await;
                let sub = sub_of(&world.user(ADA).await);
                let fault = Fault::new(kind, call.service, &call.action);
                world.fault(fault.of("verify-email-change").nth(nth).times(9));
                let interrupted = ada.browser.prove_address(&token, &code).await;
                world.clear_faults();
                let was_claimed = claims(&world).await.contains_key(ELSEWHERE);
                let mut browser = world.browser();
                let finished = match by {
                    By::SameCode => ada.browser.prove_address(&token, &code).await,
                    By::CodeThere => browser.sign_in(ELSEWHERE).await,
                    By::CodeHere => browser.sign_in(ADA).await,
                    By::PasswordThere => browser.login(ELSEWHERE, PASSWORD).await,
                };
                let email = ada.browser.get("/me").await.text("email");
                let is_by_code = matches!(by, By::SameCode);
                assert!(
                    interrupted.status >= 500 || interrupted.status == 200,
                    "{step}"
                );
                let knows_of_it = !matches!(by, By::PasswordThere) || finished.status == 200;
                if is_by_code || (was_claimed && knows_of_it) {
                    assert_eq!(email, ELSEWHERE, "{step}: {}", finished.body);
                    let signed_in = browser.login(ELSEWHERE, PASSWORD).await;
                    assert_eq!(signed_in["user"]["cognitoSub"], sub.as_str(), "{step}");
                    assert_each_address_has_one_guest(&world, &step).await;
                } else if was_claimed {
                    // Cognito does not know the new address yet; the old one signs in, and heals.
                    browser.login(ADA, PASSWORD).await.expect_status(200);
                    assert_each_address_has_one_guest(&world, &step).await;
                } else {
                    assert_eq!(email, ADA, "{step}");
                    assert_each_address_has_one_guest(&world, &step).await;
                }
            }
        }
    }
}

#[tokio::test]
async fn a_guest_whose_user_has_gone_keeps_the_address_before() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    half_done(&world).await;
    world
        .admin("AdminDeleteUser", json!({ "Username": ADA }))
        .await;
    world.browser().start(ELSEWHERE).await.expect_status(200);
    let claimed: Vec<String> = claims(&world).await.into_keys().collect();
    assert_eq!(claimed, [ADA]);
}

#[tokio::test]
async fn a_deletion_of_a_half_done_change_frees_both_addresses() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let mut stage = half_done(&world).await;
    let deleted = json!({ "password": PASSWORD });
    let deleted = stage.browser.post("/me/delete", deleted).await;
    deleted.expect_status(202);
    assert!(claims(&world).await.is_empty());
    assert!(world.guests().await.is_empty());
    for email in [ADA, ELSEWHERE] {
        world.browser().sign_in(email).await.expect_status(200);
    }
    assert_each_address_has_one_guest(&world, "deleted").await;
}

/// What can become of a code.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("verify-email-change", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_changed(stage, answer)))
    };
    vec![
        case("free address", |world| Box::pin(proof(world))),
        case("user left by a start", |world| {
            Box::pin(proof_after_start(world))
        }),
        Case::of(
            "verify-email-change",
            "wrong code",
            "401 INVALID_OTP",
            |world| Box::pin(wrong_proof(world)),
        ),
    ]
}

async fn proof(world: &TestWorld) -> Stage<'_> {
    proof_of(signed_in(world, ADA).await).await
}

async fn proof_of(mut ada: SignedIn<'_>) -> Stage<'_> {
    let (token, code) = ada.browser.asked_for_address(ELSEWHERE).await;
    let body = json!({ "sessionToken": token, "code": code });
    Stage::signed_in(ada, Method::POST, PATH, body)
}

async fn proof_after_start(world: &TestWorld) -> Stage<'_> {
    let stage = proof(world).await;
    world.browser().started(ELSEWHERE).await;
    stage
}

async fn wrong_proof(world: &TestWorld) -> Stage<'_> {
    let mut stage = proof(world).await;
    stage.spoil_code();
    stage
}

/// A change that is done.
pub(crate) async fn changed(world: &TestWorld) {
    proof(world).await.act().await.expect_status(200);
}

/// A change that is claimed. The user whom a start has left at the address is still there.
pub(crate) async fn half_done(world: &TestWorld) -> Stage<'_> {
    half_done_by(signed_in(world, ADA).await).await
}

/// The same by a guest who is signed in.
pub(crate) async fn half_done_by(ada: SignedIn<'_>) -> Stage<'_> {
    let mut stage = proof_of(ada).await;
    stage.world.browser().started(ELSEWHERE).await;
    let denied = Fault::new(FaultKind::Denied, "cognito-idp", "AdminDeleteUser");
    stage.world.fault(denied.of("verify-email-change"));
    stage.act().await.expect_problem(500, "INTERNAL");
    stage
}

/// The least that a person must do until the address is theirs.
async fn is_changed(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 200 {
        then = Then::SameAgain;
        stage.act().await.expect_status(200);
    }
    assert_eq!(stage.browser.get("/me").await["email"], ELSEWHERE);
    assert_each_address_has_one_guest(stage.world, "healed").await;
    then
}
