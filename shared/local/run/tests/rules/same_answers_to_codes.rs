//! Sign-ins by code answer alike for every kind of address: the same bytes, and the same time.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use auth_local::{Fault, FaultKind};
use cognito_local::UnknownUser;
use serde_json::json;

use crate::harness::people::{ADA, EVE};
use crate::harness::steps::{ROOMY_MAILBOXES, WRONG_CODE};
use crate::harness::{Answer, TestWorld};

/// Addresses that Cognito and Latchkey know differently; all mask alike.
async fn people(world: &TestWorld) -> Vec<&'static str> {
    let disable = async |email: &str| {
        world
            .admin("AdminDisableUser", json!({ "Username": email }))
            .await
    };
    for guest in [
        "a.guest@example.com",
        "a.disabled.guest@example.com",
        "a.deleted.guest@example.com",
        "a.reset.guest@example.com",
        "a.guest.with.password@example.com",
    ] {
        world.sign_in(guest).await;
    }
    disable("a.disabled.guest@example.com").await;
    world
        .admin(
            "AdminDeleteUser",
            json!({ "Username": "a.deleted.guest@example.com" }),
        )
        .await;
    world
        .admin(
            "AdminResetUserPassword",
            json!({ "Username": "a.reset.guest@example.com" }),
        )
        .await;
    let password = json!({
        "Username": "a.guest.with.password@example.com",
        "Password": "correct-horse-battery",
        "Permanent": true,
    });
    world.admin("AdminSetUserPassword", password).await;
    world.make_user("a.user@example.com", None).await;
    world
        .make_user(
            "a.temporary.password@example.com",
            Some("correct-horse-battery"),
        )
        .await;
    world.make_user("a.disabled.user@example.com", None).await;
    disable("a.disabled.user@example.com").await;
    world
        .put_guest_without_user("a.unbound.guest@example.com", "GST-2025-7K3QXB", "A. Guest")
        .await;
    // The limits' counts of all this have aged out by then.
    world.advance(3600);
    vec![
        "a.stranger@example.com",
        "a.guest@example.com",
        "a.disabled.guest@example.com",
        "a.deleted.guest@example.com",
        "a.reset.guest@example.com",
        "a.guest.with.password@example.com",
        "a.user@example.com",
        "a.temporary.password@example.com",
        "a.disabled.user@example.com",
        "a.unbound.guest@example.com",
    ]
}

/// An answer as bytes, without the parts that name this request or this sign-in.
fn form(answer: &Answer) -> (u16, BTreeMap<String, String>, String) {
    let headers = answer.headers.iter();
    let headers = headers
        .filter(|(name, _)| !["date", "apigw-requestid"].contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect();
    let mut body = String::from_utf8(answer.bytes.clone()).unwrap();
    let challenge = &answer["challenge"];
    let parameters = &challenge["parameters"];
    for (value, form) in [
        (&answer["sessionToken"], "S"),
        (&answer["requestId"], "R"),
        (&challenge["signature"], "C"),
        (&parameters["nonce"], "N"),
        (&parameters["salt"], "T"),
        (&parameters["data"]["address"], "A"),
    ] {
        if let Some(value) = value.as_str() {
            body = body.replace(value, &form.repeat(value.len()));
        }
    }
    (answer.status, headers, body)
}

/// ASVS 5.0 6.3.8: answers do not reveal which people have an account. Here in bytes; below in
/// time.
#[tokio::test]
async fn addresses_of_every_kind_get_the_same_bytes() {
    for unknown in [
        UnknownUser::EmailOtp,
        UnknownUser::AllFactors,
        UnknownUser::Passkey,
        UnknownUser::SelectChallenge,
    ] {
        let world = TestWorld::stopped(&ROOMY_MAILBOXES).await;
        world.cognito().set_unknown_user(unknown);
        let people = people(&world).await;
        // Some of them needed a mailed code for their state.
        world.advance(24 * 3600);
        let mut browsers: Vec<_> = (2..)
            .zip(&people)
            .map(|(host, _)| world.browser_at(&format!("127.0.0.{host}")))
            .collect();
        let mut tokens = vec![String::new(); people.len()];
        // The step, the time since the previous one, and the answer for every address.
        for (step, wait, status) in [
            ("start", 0, 200),
            ("start", 1, 200),
            ("resend", 29, 429),
            ("resend", 1, 200),
            ("wrong", 1, 401),
            ("other", 0, 400),
            ("wrong", 0, 401),
            ("wrong", 0, 401),
            ("wrong", 0, 429),
            ("resend", 30, 429),
            ("wrong", 300, 410),
            ("resend", 0, 410),
            ("start", 0, 200),
            ("start", 0, 200),
            ("start", 0, 200),
            ("start", 0, 429),
        ] {
            world.advance(wait);
            let mut expected = None;
            for ((email, browser), token) in people.iter().zip(&mut browsers).zip(&mut tokens) {
                let answer = match step {
                    "start" => browser.start(email).await,
                    "resend" => browser.resend(token).await,
                    "wrong" => browser.verify(email, WRONG_CODE, token).await,
                    _ => browser.verify(EVE, WRONG_CODE, token).await,
                };
                answer.expect_status(status);
                if let Some(session_token) = answer["sessionToken"].as_str() {
                    session_token.clone_into(token);
                }
                let form = form(&answer);
                assert_eq!(
                    expected.get_or_insert(form.clone()),
                    &form,
                    "{email}, {step}"
                );
            }
        }
    }
}

/// The floor of the two tests below: far more than the work, also on a busy machine.
const FLOOR: Duration = Duration::from_millis(2500);

/// The delay of the one call that differs between two kinds of address.
const HANDICAP: Duration = Duration::from_millis(600);

/// Half the handicap: medians closer than this do not reveal it.
const CLOSE: Duration = Duration::from_millis(300);

/// Rounds of each test.
const ROUNDS: usize = 3;

/// An answer, and its duration.
async fn timed(asked: impl Future<Output = Answer>) -> (Duration, Answer) {
    let began = Instant::now();
    let answer = asked.await;
    (began.elapsed(), answer)
}

fn assert_close(mut one: Vec<Duration>, mut other: Vec<Duration>) {
    for took in one.iter().chain(&other) {
        assert!(*took >= FLOOR, "{took:?}");
    }
    one.sort_unstable();
    other.sort_unstable();
    let (one, other) = (one[ROUNDS / 2], other[ROUNDS / 2]);
    assert!(one.abs_diff(other) < CLOSE, "{one:?} and {other:?}");
}

/// ASVS 5.0 6.3.8. A new address costs one call more than a guest. Even a slow call does not show.
#[tokio::test]
async fn a_new_address_takes_as_long_as_a_guest() {
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::with_settings(&[("OTP_RESPONSE_FLOOR_MS", &floor)]).await;
    world.sign_in(ADA).await;
    world.advance(900);
    let slow = Fault::new(FaultKind::Delay, "cognito-idp", "AdminCreateUser");
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let (mut guest, mut stranger) = (world.browser(), world.browser());
    let (mut known, mut new) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let address = format!("new.{round}@example.com");
        let ((took, one), (took_new, other)) =
            tokio::join!(timed(guest.start(ADA)), timed(stranger.start(&address)));
        one.expect_status(200);
        other.expect_status(200);
        known.push(took);
        new.push(took_new);
    }
    assert_close(known, new);
}

/// ASVS 5.0 6.3.8. A wrong code of a user without a mailed code costs no call of Cognito. The
/// missing call does not show.
#[tokio::test]
async fn a_wrong_code_takes_as_long_where_no_code_was_sent() {
    let floor = FLOOR.as_millis().to_string();
    let world = TestWorld::with_settings(&[("OTP_REFUSAL_FLOOR_MS", &floor)]).await;
    world.make_user(EVE, None).await;
    world
        .admin("AdminDisableUser", json!({ "Username": EVE }))
        .await;
    let slow = Fault::new(
        FaultKind::Delay,
        "cognito-idp",
        "AdminRespondToAuthChallenge",
    );
    world.fault(slow.times(u32::MAX).lasting(HANDICAP));
    let (mut ada, mut eve) = (world.browser(), world.browser());
    let (mut with_code, mut without_code) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let (adas, eves) = (ada.started(ADA).await, eve.started(EVE).await);
        let ((took, one), (took_without, other)) = tokio::join!(
            timed(ada.verify(ADA, WRONG_CODE, &adas)),
            timed(eve.verify(EVE, WRONG_CODE, &eves))
        );
        one.expect_problem(401, "INVALID_OTP");
        other.expect_problem(401, "INVALID_OTP");
        with_code.push(took);
        without_code.push(took_without);
    }
    assert!(world.mails(EVE).is_empty());
    assert_eq!(world.count("AdminRespondToAuthChallenge"), ROUNDS);
    assert_close(with_code, without_code);
}
