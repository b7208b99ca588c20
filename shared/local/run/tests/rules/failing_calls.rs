//! Every AWS call of every operation, refused and lost: what the person is told, what it takes to
//! go on, and what is left behind.
//!
//! No list names the calls: a healthy run shows them, and each is then broken in its own world. So
//! a new call is covered at once, and fails here until a case says its outcome, unless the plain
//! rule holds for it: a single failure heals within the request, and after a lasting one the same
//! request succeeds as soon as AWS does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::harness::backstage::{Item, items, set_token_trigger, users};
use crate::harness::cases::{Case, PASSWORD, Stage};
use crate::harness::people::ADA;
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::harness::{Answer, TestWorld};

/// How often the SDK sends a call at most.
const TRIES: u32 = 3;

/// Worlds at a time. Most of a case's time are the SDK's waits between its tries.
const WORLDS: usize = 6;

/// A call of a healthy run: the nth one of that action.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    service: &'static str,
    action: String,
    resource: String,
    nth: u32,
}

/// The harm to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    /// Once, and the SDK tries again.
    Once(FaultKind),
    /// At each try of the SDK.
    Lasting(FaultKind),
}

impl Harm {
    /// A refusal for want of a grant is not tried again, so once is for good.
    const ALL: [Self; 7] = [
        Self::Once(FaultKind::Throttle),
        Self::Once(FaultKind::Internal),
        Self::Once(FaultKind::Lost),
        Self::Lasting(FaultKind::Denied),
        Self::Lasting(FaultKind::Throttle),
        Self::Lasting(FaultKind::Internal),
        Self::Lasting(FaultKind::Lost),
    ];

    fn fault(self, operation: &str, call: &Call) -> Fault {
        let (kind, times) = match self {
            Self::Once(kind) => (kind, 1),
            Self::Lasting(FaultKind::Denied) => (FaultKind::Denied, 1),
            Self::Lasting(kind) => (kind, TRIES),
        };
        Fault::new(kind, call.service, &call.action)
            .of(operation)
            .nth(call.nth)
            .times(times)
    }
}

/// The way to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// Nothing: the answer was the healthy one.
    Nothing,
    /// The same request again, at once.
    SameAgain,
    /// The same request again, after the time that its refusal names.
    SameAgainLater,
    /// Nothing more can be done, nor needs to be: what was asked for has happened.
    Done,
    /// Another mail of the same sign-in.
    Resend,
    /// A new sign-in.
    FreshStart,
}

/// The outcome of a harmed call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Outcome {
    /// The status, and the problem's code where there is one.
    answer: String,
    then: Then,
    /// Attempts that the harmed request cost a sign-in that goes on.
    attempts: usize,
}

impl Outcome {
    fn new(answer: &str, then: Then, attempts: usize) -> Self {
        Self {
            answer: answer.to_owned(),
            then,
            attempts,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            answer,
            then,
            attempts,
        } = self;
        write!(
            formatter,
            "{answer}, then {then:?}, {attempts} attempts spent"
        )
    }
}

/// What should come of a harmed call: the plain rule, and the exceptions to it, each with its
/// reason.
fn expected(case: Case, call: &Call, harm: Harm) -> Outcome {
    exception(case, call, harm).unwrap_or_else(|| match harm {
        Harm::Once(_) => healthy(case),
        Harm::Lasting(FaultKind::Denied) => Outcome::new("500 INTERNAL", Then::SameAgain, 0),
        Harm::Lasting(_) => Outcome::new("503 SERVICE_UNAVAILABLE", Then::SameAgain, 0),
    })
}

fn healthy(case: Case) -> Outcome {
    if matches!(case, Case::WrongProof | Case::WrongConfirmation) {
        Outcome::new("401 INVALID_OTP", Then::Nothing, 1)
    } else if case == Case::WrongReset {
        Outcome::new("401 INVALID_OTP", Then::Nothing, 0)
    } else if matches!(case, Case::WrongLogin | Case::LoginOfUnconfirmedGuest) {
        Outcome::new("401 INVALID_CREDENTIALS", Then::Nothing, 0)
    } else {
        Outcome::new(&case.healthy_status().to_string(), Then::Nothing, 0)
    }
}

/// Where the plain rule does not hold, and why that is as it should be.
fn exception(case: Case, call: &Call, harm: Harm) -> Option<Outcome> {
    let refused = match harm {
        Harm::Once(_) => "",
        Harm::Lasting(FaultKind::Denied) => "500 INTERNAL",
        Harm::Lasting(_) => "503 SERVICE_UNAVAILABLE",
    };
    let lost = harm == Harm::Lasting(FaultKind::Lost);
    let lasting = matches!(harm, Harm::Lasting(_));
    if case.is_about_passwords() {
        return exception_of_passwords(case, call, harm, refused);
    }
    let outcome = match (case, call.action.as_str(), call.nth) {
        // The guest was signed out, and the next request says so.
        (Case::LogoutEverywhere | Case::Logout, "TransactWriteItems", 1) if lost => {
            Outcome::new(refused, Then::Done, 0)
        }
        // The mail was sent, so the wait between two mails has begun.
        (Case::Resend, "UpdateItem", 4) if lasting => {
            Outcome::new(refused, Then::SameAgainLater, 0)
        }
        // Another try of the SDK finds the user whom the lost one made, and takes it for somebody
        // else's.
        (Case::StartOfGuestWithoutUser, "AdminCreateUser", 1)
            if harm == Harm::Once(FaultKind::Lost) =>
        {
            Outcome::new("200", Then::Resend, 0)
        }
        // Cognito may have looked at the code: the attempt stays counted.
        (Case::WrongProof, "AdminRespondToAuthChallenge", _) if lost => {
            Outcome::new(refused, Then::SameAgain, 1)
        }
        (case, _, _) if is_right_proof(case) => {
            return exception_of_right_proof(case, call, harm, refused);
        }
        _ => return None,
    };
    Some(outcome)
}

fn is_right_proof(case: Case) -> bool {
    matches!(
        case,
        Case::ProofByKnownGuest
            | Case::FirstProof
            | Case::ProofByUnboundGuest
            | Case::ProofFromEarlierMail
            | Case::ProofWithAuthenticator
            | Case::ProofByRegisteredGuest
            | Case::ProofByUnverifiedUser
    )
}

/// Cognito takes a code once. Where the sign-in cannot be settled after that, or nobody hears of
/// it, the tokens are revoked and the sign-in goes on: another mail of it brings another code. Only
/// one that was ended, which nobody heard of, begins anew.
fn exception_of_right_proof(case: Case, call: &Call, harm: Harm, refused: &str) -> Option<Outcome> {
    let lost = harm == Harm::Lasting(FaultKind::Lost);
    let lasting = matches!(harm, Harm::Lasting(_));
    let from_earlier_mail = case == Case::ProofFromEarlierMail;
    let right_session = if from_earlier_mail { 2 } else { 1 };
    // Before a guest is made, the user is claimed.
    let finish = finish_of(case);
    let outcome = match (call.action.as_str(), call.nth) {
        ("AdminRespondToAuthChallenge", nth) => {
            let taken = nth == right_session;
            match harm {
                Harm::Once(FaultKind::Lost) if taken && from_earlier_mail => {
                    Outcome::new("401 INVALID_OTP", Then::Resend, 1)
                }
                Harm::Once(FaultKind::Lost) if taken => {
                    Outcome::new("410 OTP_EXPIRED", Then::Resend, 1)
                }
                Harm::Lasting(FaultKind::Lost) if taken => Outcome::new(refused, Then::Resend, 1),
                // Cognito has looked at the code once, or may have.
                Harm::Lasting(FaultKind::Lost) => Outcome::new(refused, Then::SameAgain, 1),
                Harm::Lasting(_) if nth > 1 => Outcome::new(refused, Then::SameAgain, 1),
                Harm::Once(_) | Harm::Lasting(_) => return None,
            }
        }
        // The count of wrong codes will age out, and a notice is not what the guest came for.
        ("DeleteItem" | "SendEmail", _) => healthy(case),
        ("UpdateItem", nth) if nth > finish => healthy(case),
        ("UpdateItem", nth) if lost && nth == finish => Outcome::new(refused, Then::FreshStart, 0),
        ("UpdateItem", 4..)
        | ("GetItem" | "TransactWriteItems" | "Encrypt" | "PutItem" | "AdminSetUserPassword", _)
            if lasting =>
        {
            Outcome::new(refused, Then::Resend, 1)
        }
        _ => return None,
    };
    Some(outcome)
}

/// A confirmation is a proof of a code too, and so is a reset, at whose end there is a password and
/// no session. A registration that fails is rolled back, so the plain rule holds for it.
#[expect(
    clippy::match_same_arms,
    reason = "what comes out alike is so for different reasons"
)]
fn exception_of_passwords(case: Case, call: &Call, harm: Harm, refused: &str) -> Option<Outcome> {
    let lost = harm == Harm::Lasting(FaultKind::Lost);
    let lasting = matches!(harm, Harm::Lasting(_));
    let outcome = match (case, call.action.as_str(), call.nth) {
        // What was counted will age out, what nobody holds will end, and a notice is not what the
        // guest came for.
        (_, "DeleteItem" | "SendEmail" | "RevokeToken", _) => healthy(case),
        // The mail was sent, so the wait between two mails has begun.
        (Case::ConfirmationMail, "UpdateItem", 4) if lasting => {
            Outcome::new(refused, Then::SameAgainLater, 0)
        }
        (
            Case::Confirmation
            | Case::ConfirmationOfUnboundGuest
            | Case::ConfirmationWithAuthenticator,
            action,
            nth,
        ) => {
            return exception_of_confirmation(case, action, nth, harm, refused);
        }
        (Case::WrongConfirmation, "AdminRespondToAuthChallenge", _) if lost => {
            Outcome::new(refused, Then::SameAgain, 1)
        }
        (Case::Reset | Case::ResetOfUserWithoutGuest, "ConfirmForgotPassword", _) => match harm {
            Harm::Once(FaultKind::Lost) => Outcome::new("401 INVALID_OTP", Then::Resend, 0),
            Harm::Lasting(FaultKind::Lost) => Outcome::new(refused, Then::Resend, 0),
            Harm::Once(_) | Harm::Lasting(_) => return None,
        },
        (Case::Reset | Case::ResetOfUserWithoutGuest, "UpdateItem", 1) => return None,
        // A reset of a guest's own claims no user before the code is taken, and forgets failures
        // after it.
        (Case::Reset, "UpdateItem", 2) => return None,
        (Case::Reset, "UpdateItem", 3) => healthy(case),
        (Case::Reset | Case::ResetOfUserWithoutGuest, action, _)
            if lasting && action != "GetSecretValue" =>
        {
            Outcome::new(refused, Then::Resend, 0)
        }
        _ => return None,
    };
    Some(outcome)
}

/// From the proof of the code on, the registration goes on with another mail: also where it has
/// made its guest, or set the password. One that was ended, which nobody heard of, has set a
/// password that signs in.
fn exception_of_confirmation(
    case: Case,
    action: &str,
    nth: u32,
    harm: Harm,
    refused: &str,
) -> Option<Outcome> {
    let lost = harm == Harm::Lasting(FaultKind::Lost);
    let lasting = matches!(harm, Harm::Lasting(_));
    let finish = finish_of(case);
    let goes_on = case == Case::ConfirmationWithAuthenticator;
    let spent = usize::from(goes_on) + 1;
    let outcome = match (action, nth) {
        ("AdminRespondToAuthChallenge", _) => match harm {
            Harm::Once(FaultKind::Lost) => Outcome::new("410 OTP_EXPIRED", Then::Resend, spent),
            Harm::Lasting(FaultKind::Lost) => Outcome::new(refused, Then::Resend, spent),
            Harm::Once(_) | Harm::Lasting(_) => return None,
        },
        // The attempt that failed half-way before stays counted; this one is given back, unless
        // Cognito has looked at its code.
        ("GetItem", 2) if goes_on && lasting => Outcome::new(refused, Then::SameAgain, 1),
        ("GetItem", 3) if goes_on && lasting => Outcome::new(refused, Then::Resend, spent),
        ("UpdateItem", nth) if nth > finish => healthy(case),
        ("UpdateItem", nth) if lost && nth == finish => Outcome::new(refused, Then::Done, 0),
        ("UpdateItem", 4..)
        | (
            "Decrypt"
            | "TransactWriteItems"
            | "AdminSetUserPassword"
            | "AdminInitiateAuth"
            | "Encrypt"
            | "PutItem",
            _,
        ) if lasting => Outcome::new(refused, Then::Resend, spent),
        _ => return None,
    };
    Some(outcome)
}

/// Which `UpdateItem` ends a sign-in: the attempt, network and address are counted before, the user
/// is claimed where no guest is known yet.
fn finish_of(case: Case) -> u32 {
    if matches!(
        case,
        Case::ProofWithAuthenticator
            | Case::ConfirmationWithAuthenticator
            | Case::ProofByKnownGuest
    ) {
        4
    } else {
        5
    }
}

/// What else may come of a harmed call. A sign-in's end and the forgetting of failures leave side
/// by side, so a fault may meet either where the other was counted first.
fn also(case: Case, call: &Call, harm: Harm) -> Outcome {
    let ends = is_right_proof(case)
        || matches!(
            case,
            Case::Confirmation
                | Case::ConfirmationOfUnboundGuest
                | Case::ConfirmationWithAuthenticator
        );
    let other = |nth| {
        let call = Call {
            nth,
            ..call.clone()
        };
        expected(case, &call, harm)
    };
    let finish = finish_of(case);
    if ends && call.action == "UpdateItem" && call.nth == finish {
        other(finish + 1)
    } else if ends && call.action == "UpdateItem" && call.nth == finish + 1 {
        other(finish)
    } else {
        expected(case, call, harm)
    }
}

/// Breaks every call of an operation's cases in every way.
async fn assert_survives(operation: &str) {
    let worlds = Arc::new(Semaphore::new(WORLDS));
    let mut running = JoinSet::new();
    let mut broken = Vec::new();
    let mut cases = Case::ALL.map(|case| (!case.is_common(), case));
    cases.sort();
    let cases = cases
        .into_iter()
        .filter(|(_, case)| case.operation() == operation);
    for (rare, case) in cases {
        for call in healthy_calls(case).await {
            if rare && broken.contains(&call) {
                continue;
            }
            broken.push(call.clone());
            for harm in Harm::ALL {
                let (worlds, call) = (worlds.clone(), call.clone());
                running.spawn(async move {
                    let _turn = worlds.acquire_owned().await.expect("open");
                    let outcome = harmed(case, &call, harm).await;
                    let expected = expected(case, &call, harm);
                    let as_it_should = [&expected, &also(case, &call, harm)].contains(&&outcome);
                    (!as_it_should).then(|| {
                        format!(
                            "{case:?}, {} {} ({}), {harm:?}:\n  expected {expected}\n  saw      {outcome}",
                            call.service, call.action, call.nth
                        )
                    })
                });
            }
        }
    }
    let ran = running.len();
    let mut differences: Vec<String> = running.join_all().await.into_iter().flatten().collect();
    differences.sort();
    assert!(ran > 0, "{operation} calls something");
    assert!(
        differences.is_empty(),
        "{} of {ran}:\n{}",
        differences.len(),
        differences.join("\n")
    );
}

/// The calls of a case in which nothing goes wrong.
async fn healthy_calls(case: Case) -> Vec<Call> {
    let world = TestWorld::with_settings(&ROOMY_MAILBOXES).await;
    let mut stage = case.prepare(&world).await;
    let since = world.last_call();
    stage.act().await.expect_status(case.healthy_status());
    let mut seen: BTreeMap<String, u32> = BTreeMap::new();
    let calls = world.calls(since).into_iter();
    calls
        .filter(|call| call.function == case.operation())
        .map(|call| {
            let nth = seen.entry(call.action.clone()).or_default();
            *nth += 1;
            Call {
                service: call.service,
                action: call.action,
                resource: match call.service {
                    "dynamodb" => call.resource,
                    // Every world has a pool of its own.
                    _ => String::new(),
                },
                nth: *nth,
            }
        })
        .collect()
}

/// Harms one call of a case, then does what a person would, until what was wanted is reached.
async fn harmed(case: Case, call: &Call, harm: Harm) -> Outcome {
    let world = TestWorld::with_settings(&ROOMY_MAILBOXES).await;
    let mut stage = case.prepare(&world).await;
    let since = world.last_call();
    world.fault(harm.fault(case.operation(), call));
    let answer = stage.act().await;
    world.clear_faults();
    assert_tried_as_often_as_it_should(&world, since, call, harm);
    assert_clear(&answer);
    assert_no_session_is_forgotten(&world, since, &answer);
    let attempts = attempts(&world).await;
    let then = recover(case, &mut stage, &answer).await;
    assert_nothing_is_left_over(case, &world, call).await;
    Outcome {
        answer: in_short(&answer),
        then,
        attempts,
    }
}

fn in_short(answer: &Answer) -> String {
    match answer["code"].as_str() {
        Some(code) => format!("{} {code}", answer.status),
        None => answer.status.to_string(),
    }
}

/// The SDK's own budget for retries is not what these tests are about: it must not have run dry.
fn assert_tried_as_often_as_it_should(world: &TestWorld, since: u64, call: &Call, harm: Harm) {
    let failed = world.calls(since).into_iter().filter(|made| {
        made.action == call.action
            && match harm {
                Harm::Once(FaultKind::Lost) | Harm::Lasting(FaultKind::Lost) => {
                    made.status.is_none()
                }
                Harm::Once(_) | Harm::Lasting(_) => made.status.is_some_and(|status| status >= 400),
            }
    });
    let wanted = match harm {
        Harm::Once(_) | Harm::Lasting(FaultKind::Denied) => 1,
        Harm::Lasting(_) => TRIES as usize,
    };
    assert!(
        failed.count() >= wanted,
        "{call:?} {harm:?} was not struck {wanted} times"
    );
}

/// Tokens that Cognito has issued and nobody gets are revoked.
fn assert_no_session_is_forgotten(world: &TestWorld, since: u64, answer: &Answer) {
    let calls = world.calls(since);
    let issued = calls
        .iter()
        .any(|call| call.action == "AdminRespondToAuthChallenge" && call.status == Some(200));
    if issued && answer.status >= 400 {
        assert!(calls.iter().any(|call| call.action == "RevokeToken"));
    }
}

/// A failure is a problem, and says when to come back where that helps. No token leaves beside one.
fn assert_clear(answer: &Answer) {
    if answer.status >= 400 {
        assert!(answer["code"].is_string() && answer["requestId"].is_string());
        assert_eq!(
            answer.retry_after().is_some(),
            matches!(answer.status, 429 | 503)
        );
        assert!(answer["accessToken"].is_null() && answer["sessionToken"].is_null());
    }
}

/// Goes on as a person would, and returns what it took.
#[expect(
    clippy::too_many_lines,
    reason = "one arm a kind of case, and none of them long"
)]
async fn recover(case: Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    match case {
        Case::StartOfKnownGuest
        | Case::StartOfNewAddress
        | Case::StartOfGuestWithoutUser
        | Case::StartOfUnverifiedUser => {
            let (then, again) = go_on(case, stage, answer).await;
            let started = again.as_ref().unwrap_or(answer);
            let proved = stage.prove_newest(&started.text("sessionToken")).await;
            if case != Case::StartOfGuestWithoutUser {
                proved.expect_status(200);
                return then;
            }
            // The guest stays bound to the user who has gone.
            if proved.status == 403 {
                return then;
            }
            proved.expect_problem(401, "INVALID_OTP");
            stage.session_token = started.text("sessionToken");
            stage.resend().await.expect_status(200);
            let proved = stage.prove_newest(&started.text("sessionToken")).await;
            proved.expect_problem(403, "USER_MISMATCH");
            Then::Resend
        }
        Case::Resend => {
            let (then, _) = go_on(case, stage, answer).await;
            let token = stage.session_token.clone();
            stage.prove_newest(&token).await.expect_status(200);
            then
        }
        Case::ProofByKnownGuest
        | Case::FirstProof
        | Case::ProofByUnboundGuest
        | Case::ProofFromEarlierMail
        | Case::ProofWithAuthenticator
        | Case::ProofByRegisteredGuest
        | Case::ProofByUnverifiedUser => prove_after_all(stage, answer).await,
        Case::Registration | Case::RegistrationOfLeftUser => {
            let (then, again) = go_on(case, stage, answer).await;
            stage.session_token = again.as_ref().unwrap_or(answer).text("sessionToken");
            stage.becomes_confirmation(&stage.world.mail_code(ADA).await);
            stage.act().await.expect_status(200);
            let mut login = Stage::login(stage.world, PASSWORD);
            login.act().await.expect_status(200);
            then
        }
        Case::Confirmation
        | Case::ConfirmationOfUnboundGuest
        | Case::ConfirmationWithAuthenticator => confirm_after_all(stage, answer).await,
        Case::WrongConfirmation | Case::WrongReset => {
            let (then, _) = go_on(case, stage, answer).await;
            stage.body["code"] = json!(stage.right_code);
            let right = stage.act().await;
            right.expect_status(if case == Case::WrongReset { 204 } else { 200 });
            then
        }
        Case::ConfirmationMail => {
            let (then, _) = go_on(case, stage, answer).await;
            stage.becomes_confirmation(&stage.world.mail_code(ADA).await);
            stage.act().await.expect_status(200);
            then
        }
        Case::ResetRequest => {
            let (then, _) = go_on(case, stage, answer).await;
            stage.becomes_reset(&stage.world.mail_code(ADA).await);
            stage.act().await.expect_status(204);
            then
        }
        Case::Reset | Case::ResetOfUserWithoutGuest => {
            if answer.status == 204 {
                return Then::Nothing;
            }
            if stage.act().await.status == 204 {
                return Then::SameAgain;
            }
            let mut again = Stage::reset(stage.world).await;
            again.act().await.expect_status(204);
            Then::Resend
        }
        Case::Login
        | Case::FirstLogin
        | Case::LoginOfUnboundGuest
        | Case::LoginWithAuthenticator
        | Case::LoginOfUnconfirmedGuest
        | Case::WrongLogin
        | Case::Refresh
        | Case::Profile
        | Case::Sessions
        | Case::Activity
        | Case::NothingToRename => go_on(case, stage, answer).await.0,
        Case::EndSession | Case::EndOtherSessions => {
            let (then, _) = go_on(case, stage, answer).await;
            let exchange = json!({ "refreshToken": stage.refresh_token });
            let refused = stage.browser.post("/auth/refresh", exchange).await;
            refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
            stage.browser.get("/me").await.expect_status(200);
            then
        }
        Case::WrongProof => {
            let (then, _) = go_on(case, stage, answer).await;
            stage.body["code"] = json!(stage.right_code);
            stage.act().await.expect_status(200);
            then
        }
        Case::Logout => {
            let (then, _) = go_on(case, stage, answer).await;
            let exchange = json!({ "refreshToken": stage.refresh_token });
            let refused = stage.browser.post("/auth/refresh", exchange).await;
            refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
            then
        }
        Case::LogoutEverywhere => {
            let (then, _) = go_on(case, stage, answer).await;
            let exchange = json!({ "refreshToken": stage.refresh_token });
            let refused = stage.browser.post("/auth/refresh", exchange).await;
            refused.expect_problem(401, "INVALID_REFRESH_TOKEN");
            let refused = stage.browser.get("/me").await;
            refused.expect_problem(401, "AUTH_REQUIRED");
            then
        }
        Case::Rename => {
            let (then, _) = go_on(case, stage, answer).await;
            let profile = stage.browser.get("/me").await;
            assert_eq!(profile["name"], "Ada Lovelace", "{}", profile.body);
            then
        }
    }
}

/// Sends the same request again where the harmed one failed, at once or when the refusal says;
/// returns the answer that counts.
async fn go_on(case: Case, stage: &mut Stage<'_>, answer: &Answer) -> (Then, Option<Answer>) {
    if answer.status == case.healthy_status() {
        return (Then::Nothing, None);
    }
    let again = stage.act().await;
    if again.status == case.healthy_status() {
        return (Then::SameAgain, Some(again));
    }
    if matches!(case, Case::LogoutEverywhere | Case::Logout) {
        again.expect_problem(401, "AUTH_REQUIRED");
        return (Then::Done, Some(again));
    }
    again.expect_status(429);
    stage.world.advance(again.retry_after().expect("a time"));
    let later = stage.act().await;
    later.expect_status(case.healthy_status());
    (Then::SameAgainLater, Some(later))
}

/// The least that a person must do until their registration is confirmed. One that is knows no
/// other mail.
async fn confirm_after_all(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    stage.world.advance(31);
    stage.becomes_confirmation_mail();
    let mailed = stage.act().await;
    let then = if mailed["code"] == "MAX_ATTEMPTS_EXCEEDED" {
        // That was the last attempt of a registration that goes on. The mail that helps is a
        // sign-in's.
        let signed_in = stage.world.browser().sign_in(ADA).await;
        signed_in.expect_status(200);
        return Then::Resend;
    } else if mailed.status == 202 {
        stage.becomes_confirmation(&stage.world.mail_code(ADA).await);
        stage.act().await.expect_status(200);
        Then::Resend
    } else {
        mailed.expect_problem(400, "INVALID_SESSION");
        Then::Done
    };
    let mut login = Stage::login(stage.world, PASSWORD);
    login.act().await.expect_status(200);
    then
}

/// The least that a person must do until a right code has signed them in.
async fn prove_after_all(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    if stage.resend().await.status == 200 {
        let token = stage.session_token.clone();
        stage.prove_newest(&token).await.expect_status(200);
        return Then::Resend;
    }
    stage.browser.sign_in(ADA).await.expect_status(200);
    Then::FreshStart
}

/// Attempts counted for sign-ins that go on.
async fn attempts(world: &TestWorld) -> usize {
    let challenges = items(world, &world.ready().tables["challenges"]).await;
    let going_on = challenges
        .iter()
        .filter(|item| is(item, "sign-in#") && !item.contains_key("finishedBy"));
    going_on
        .filter_map(|item| item.get("attempts")?.as_array())
        .map(Vec::len)
        .sum()
}

fn is(item: &Item, kind: &str) -> bool {
    item["pk"].as_str().is_some_and(|key| key.starts_with(kind))
}

/// One guest, one user, and counters that say what happened: nothing doubled, nothing lost, nothing
/// passed by.
async fn assert_nothing_is_left_over(case: Case, world: &TestWorld, harmed: &Call) {
    let guests = usize::from(case != Case::LoginOfUnconfirmedGuest);
    assert_eq!(world.guests().await.len(), guests, "one guest");
    let items_of_guests = items(world, &world.ready().tables["guests"]).await;
    assert!(
        items_of_guests.len() <= 3,
        "the guest, the address and the id"
    );
    assert_eq!(users(world).await.len(), 1, "one user");

    if case.is_about_passwords() || case == Case::ProofByRegisteredGuest {
        return;
    }
    let challenges = items(world, &world.ready().tables["challenges"]).await;
    let starts = Invocations::of(world, "initiate-otp");
    let resends = Invocations::of(world, "resend-otp");
    let proofs = Invocations::of(world, "verify-otp");
    starts.assert_counted(events(&challenges, "otp-start-ip"));
    starts.assert_counted(events(&challenges, "otp-start-email"));
    resends.assert_counted(events(&challenges, "otp-resend-email"));
    starts
        .and(&resends)
        .assert_counted(events(&challenges, "otp-mail-total"));
    let failures = events(&challenges, "otp-failure");
    // Forgetting failures is a write of its own beside the end of a sign-in. Where it fails, they
    // age.
    let may_remain = ["DeleteItem", "UpdateItem"].contains(&harmed.action.as_str());
    if may_remain || case == Case::StartOfGuestWithoutUser {
        assert!(failures <= proofs.all);
    } else {
        assert_eq!(failures, 0, "who has proved a code has no failures");
    }
}

/// Events that limits of a policy have counted: in items of their own, or in lists of a mailbox's
/// item.
fn events(challenges: &[Item], policy: &str) -> usize {
    let own = format!("limit#{policy}#");
    let list = policy.replace('-', "_");
    challenges
        .iter()
        .filter_map(|item| {
            if is(item, &own) {
                item.get("events")
            } else if is(item, "limit#code-mail#") {
                item.get(&list)
            } else {
                None
            }
        })
        .map(|events| match events.as_array() {
            Some(instants) => instants.len(),
            None => number(events),
        })
        .sum()
}

fn number(value: &Value) -> usize {
    value
        .as_str()
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

/// How often a function was invoked, and how often it asked Cognito for anything.
struct Invocations {
    all: usize,
    asked_cognito: usize,
}

impl Invocations {
    fn of(world: &TestWorld, function: &str) -> Self {
        let mut all = BTreeSet::new();
        let mut asked_cognito = BTreeSet::new();
        for call in world.calls_of(function) {
            if call.service == "cognito-idp" {
                asked_cognito.insert(call.request_id.clone());
            }
            all.insert(call.request_id);
        }
        Self {
            all: all.len(),
            asked_cognito: asked_cognito.len(),
        }
    }

    fn and(&self, other: &Self) -> Self {
        Self {
            all: self.all + other.all,
            asked_cognito: self.asked_cognito + other.asked_cognito,
        }
    }

    /// Nobody got as far as Cognito without being counted, and nobody was counted twice.
    fn assert_counted(&self, events: usize) {
        assert!(
            (self.asked_cognito..=self.all).contains(&events),
            "{events} events for {} requests, of which {} reached Cognito",
            self.all,
            self.asked_cognito
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn initiate_otp_survives_the_failure_of_each_of_its_calls() {
    assert_survives("initiate-otp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn resend_otp_survives_the_failure_of_each_of_its_calls() {
    assert_survives("resend-otp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn verify_otp_survives_the_failure_of_each_of_its_calls() {
    assert_survives("verify-otp").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn register_user_survives_the_failure_of_each_of_its_calls() {
    assert_survives("register-user").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirm_registration_survives_the_failure_of_each_of_its_calls() {
    assert_survives("confirm-registration").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn login_user_survives_the_failure_of_each_of_its_calls() {
    assert_survives("login-user").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_password_reset_survives_the_failure_of_each_of_its_calls() {
    assert_survives("request-password-reset").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn confirm_password_reset_survives_the_failure_of_each_of_its_calls() {
    assert_survives("confirm-password-reset").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refresh_token_survives_the_failure_of_each_of_its_calls() {
    assert_survives("refresh-token").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logout_user_survives_the_failure_of_each_of_its_calls() {
    assert_survives("logout-user").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn get_profile_survives_the_failure_of_each_of_its_calls() {
    assert_survives("get-profile").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn list_sessions_survives_the_failure_of_each_of_its_calls() {
    assert_survives("list-sessions").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_session_survives_the_failure_of_each_of_its_calls() {
    assert_survives("end-session").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn end_other_sessions_survives_the_failure_of_each_of_its_calls() {
    assert_survives("end-other-sessions").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn update_profile_survives_the_failure_of_each_of_its_calls() {
    assert_survives("update-profile").await;
}

/// The trigger answers nonsense, or is not there. Cognito then issues no token; it has taken the
/// code all the same.
#[tokio::test]
async fn without_its_trigger_cognito_issues_no_token_and_a_resend_signs_in_afterwards() {
    for function in BROKEN_TRIGGERS {
        let world = TestWorld::start().await;
        let mut stage = Case::FirstProof.prepare(&world).await;
        set_token_trigger(&world, function).await;
        let failed = stage.act().await;
        assert_not_now(&failed, function);
        assert_eq!(
            attempts(&world).await,
            0,
            "{function}: the attempt is given back"
        );
        assert!(
            items(&world, &world.ready().tables["guests"])
                .await
                .is_empty()
        );
        set_token_trigger(&world, "pre-token-generation").await;
        assert_eq!(prove_after_all(&mut stage, &failed).await, Then::Resend);
    }
}

/// A profile is no answer to Cognito's event, and nothing is called "nothing".
const BROKEN_TRIGGERS: [&str; 2] = ["get-profile", "nothing"];

/// A trigger that is throttled, as ten functions at once soon are, is no fault of ours: the client
/// is told when to try again.
fn assert_not_now(failed: &Answer, function: &str) {
    failed.expect_problem(503, "SERVICE_UNAVAILABLE");
    assert!(failed.retry_after().is_some(), "{function}: no time");
    assert_clear(failed);
}

#[tokio::test]
async fn without_its_trigger_a_password_is_taken_afterwards() {
    for function in BROKEN_TRIGGERS {
        for case in [Case::Login, Case::FirstLogin] {
            let world = TestWorld::start().await;
            let mut stage = case.prepare(&world).await;
            set_token_trigger(&world, function).await;
            let failed = stage.act().await;
            assert_not_now(&failed, function);
            set_token_trigger(&world, "pre-token-generation").await;
            stage.act().await.expect_status(200);
        }
    }
}

#[tokio::test]
async fn without_its_trigger_a_refresh_fails_and_the_same_one_succeeds_afterwards() {
    for function in BROKEN_TRIGGERS {
        let world = TestWorld::start().await;
        let mut stage = Case::Refresh.prepare(&world).await;
        set_token_trigger(&world, function).await;
        let failed = stage.act().await;
        assert_not_now(&failed, function);
        set_token_trigger(&world, "pre-token-generation").await;
        stage.act().await.expect_status(200);
    }
}

#[tokio::test]
async fn one_right_code_sent_twice_at_once_signs_in_once_and_makes_one_guest() {
    let world = TestWorld::start().await;
    let mut stage = Case::FirstProof.prepare(&world).await;
    let mut other = world.browser();
    let body = stage.body.clone();
    let (one, two) = tokio::join!(stage.act(), other.post("/auth/otp/verify", body));
    let signed_in = [&one, &two]
        .iter()
        .filter(|answer| answer.status == 200)
        .count();
    assert_eq!(signed_in, 1, "{} {}", one.body, two.body);
    let call = Call {
        service: "dynamodb",
        action: "none".to_owned(),
        resource: String::new(),
        nth: 1,
    };
    assert_nothing_is_left_over(Case::FirstProof, &world, &call).await;
}
