//! The budgets of one address, one mailbox, one network and the whole pool, and a person's price
//! after strangers have spent them.

use altcha::{Challenge, Payload, Solution, SolveChallengeOptions, solve_challenge};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::passwords::{OTHER_PASSWORD as OTHER, PASSWORD, WRONG_RESET_CODE};
use crate::harness::people::{ADA, EVE};
use crate::harness::steps::{WRONG_CODE, at_once};
use crate::harness::{Answer, Browser, TestWorld};

const HOUR: u64 = 3600;
const DAY: u64 = 24 * HOUR;

/// The challenge of a refusal.
fn challenge(refused: &Answer) -> Challenge {
    refused.expect_problem(429, "RATE_LIMITED");
    serde_json::from_value(refused["challenge"].clone()).expect("a challenge")
}

fn solve(challenge: &Challenge) -> Solution {
    let solved = solve_challenge(SolveChallengeOptions::new(challenge));
    solved.unwrap().expect("a solution")
}

fn payload(challenge: &Challenge, solution: &Solution) -> String {
    let payload = Payload {
        challenge: challenge.clone(),
        solution: solution.clone(),
    };
    STANDARD.encode(serde_json::to_vec(&payload).unwrap())
}

/// The refusal's challenge, solved by ALTCHA's own crate.
fn solved(refused: &Answer) -> String {
    let challenge = challenge(refused);
    payload(&challenge, &solve(&challenge))
}

impl Browser<'_> {
    async fn start_with(&mut self, email: &str, proof_of_work: &str) -> Answer {
        let body = json!({ "email": email, "proofOfWork": proof_of_work });
        self.post("/auth/otp/initiate", body).await
    }
}

/// Has strangers spend an address's mails of an hour.
async fn spend_mails(world: &TestWorld, email: &str) {
    for host in 40..45 {
        let mut stranger = world.browser_at(&format!("127.0.0.{host}"));
        stranger.started(email).await;
    }
}

/// Mails with a code, over everything that sends some, and over the sub-addresses of a mailbox.
#[tokio::test]
async fn strangers_cause_five_mails_an_hour_to_a_mailbox_over_all_operations() {
    let world = TestWorld::stopped(&[]).await;
    let mut stranger = world.browser();
    let session_token = stranger.started("ada+1@example.com").await;
    world.advance(60);
    stranger.resend(&session_token).await.expect_status(200);
    let registration = json!({ "email": "ada+2@example.com", "password": PASSWORD });
    let registered = stranger.post("/auth/register", registration.clone()).await;
    registered.expect_status(201);
    let reset = json!({ "email": "ada+3@example.com" });
    let asked = stranger.post("/auth/password/reset", reset.clone()).await;
    asked.expect_status(202);
    stranger.started(ADA).await;

    let registration = json!({ "email": "ada+4@example.com", "password": PASSWORD });
    for (path, body) in [
        (
            "/auth/otp/initiate",
            json!({ "email": "ada+5@example.com" }),
        ),
        ("/auth/otp/initiate", json!({ "email": ADA })),
        ("/auth/register", registration),
        ("/auth/password/reset", reset),
    ] {
        let refused = stranger.post(path, body).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert_eq!(refused.retry_after(), Some(HOUR - 60), "{path}");
        challenge(&refused);
    }
    stranger.started(EVE).await;
    world.advance(HOUR - 60 - 1);
    stranger
        .start(ADA)
        .await
        .expect_problem(429, "RATE_LIMITED");
    world.advance(1);
    stranger.started(ADA).await;
}

#[tokio::test]
async fn strangers_cause_twelve_mails_a_day_and_everyone_together_twenty() {
    let world = TestWorld::stopped(&[]).await;
    let mut known = world.sign_in(ADA).await.browser;
    let mut sent = 1;
    while sent < 12 {
        world.advance(HOUR);
        for _ in 0..5.min(12 - sent) {
            world.browser().started(ADA).await;
            sent += 1;
        }
    }
    world.advance(HOUR);
    let refused = world.browser().start(ADA).await;
    refused.expect_problem(429, "RATE_LIMITED");
    // The first of the twelve was four hours ago.
    assert_eq!(refused.retry_after(), Some(DAY - 4 * HOUR));
    // Challenges buy all but a fifth of the day's mails. Known devices have that fifth.
    for _ in 0..4 {
        world.advance(1800);
        let refused = world.browser().start(ADA).await;
        let paid = world.browser().start_with(ADA, &solved(&refused)).await;
        paid.expect_status(200);
    }
    let refused = world.browser().start(ADA).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused["challenge"].is_null(), "no challenge buys more");
    for _ in 0..4 {
        world.advance(1800);
        known.started(ADA).await;
    }
    for browser in [&mut known, &mut world.browser()] {
        let refused = browser.start(ADA).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert!(refused["challenge"].is_null(), "no challenge buys more");
    }
    assert_eq!(world.mails(ADA).len(), 20);
    world.advance(DAY - 8 * HOUR);
    known.started(ADA).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thirty_registrations_at_once_mail_no_more_than_five() {
    let world = TestWorld::start().await;
    let registrations = (0..30).map(|number| {
        let world = &world;
        async move {
            let body =
                json!({ "email": format!("ada+{number}@example.com"), "password": PASSWORD });
            world.browser().post("/auth/register", body).await.status
        }
    });
    let statuses = at_once(registrations).await;
    let of = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((of(201), of(429)), (5, 25), "{statuses:?}");
    let mails = (0..30).map(|number| world.mails(&format!("ada+{number}@example.com")).len());
    assert_eq!(mails.sum::<usize>(), 5);
}

#[tokio::test]
async fn what_strangers_have_spent_work_buys_once_for_its_operation_and_address() {
    let world = TestWorld::stopped(&[]).await;
    spend_mails(&world, ADA).await;
    spend_mails(&world, EVE).await;
    let mut person = world.browser();
    let refused = person.start(ADA).await;
    let proof = solved(&refused);

    let foreign = person.start_with(EVE, &proof).await;
    foreign.expect_problem(429, "RATE_LIMITED");
    let reset = json!({ "email": ADA, "proofOfWork": proof });
    let elsewhere = person.post("/auth/password/reset", reset).await;
    elsewhere.expect_problem(429, "RATE_LIMITED");

    let paid = person.start_with(ADA, &proof).await;
    paid.expect_status(200);
    let limits = paid.header("ratelimit").unwrap();
    assert!(limits.contains(r#""code-mail-solved";r=4"#), "{limits}");
    let again = person.start_with(ADA, &proof).await;
    again.expect_problem(429, "RATE_LIMITED");
    assert_eq!(world.mails(ADA).len(), 6);
    let code = world.mail_code(ADA).await;
    let signed_in = person.verify(ADA, &code, &paid.text("sessionToken")).await;
    signed_in.expect_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_requests_with_one_solution_one_is_admitted() {
    let world = TestWorld::start().await;
    spend_mails(&world, ADA).await;
    let proof = solved(&world.browser().start(ADA).await);
    let starts = (0..20).map(|_| {
        let (world, proof) = (&world, &proof);
        async move { world.browser().start_with(ADA, proof).await.status }
    });
    let statuses = at_once(starts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(world.mails(ADA).len(), 6);
}

#[tokio::test]
async fn a_solution_counts_for_five_minutes_and_a_forged_or_wrong_one_for_nothing() {
    let world = TestWorld::stopped(&[]).await;
    spend_mails(&world, ADA).await;
    let mut person = world.browser();
    let refused = person.start(ADA).await;
    let asked = challenge(&refused);
    let solution = solve(&asked);
    let mut cheaper = asked.clone();
    cheaper.parameters.key_prefix = "0".to_owned();
    let mut longer = asked.clone();
    longer.parameters.expires_at = longer.parameters.expires_at.map(|at| at + 600);
    let mut unsigned = asked.clone();
    unsigned.signature = None;
    let wrong = Solution {
        counter: solution.counter.wrapping_add(1),
        ..solution.clone()
    };
    for forged in [
        payload(&cheaper, &solve(&cheaper)),
        payload(&longer, &solution),
        payload(&unsigned, &solution),
        payload(&asked, &wrong),
    ] {
        let answer = person.start_with(ADA, &forged).await;
        answer.expect_problem(429, "RATE_LIMITED");
    }
    let nonsense = person.start_with(ADA, "bm9uc2Vuc2U=").await;
    nonsense.expect_problem(429, "RATE_LIMITED");
    let no_text = person.start_with(ADA, "no base64").await;
    no_text.expect_problem(400, "VALIDATION_FAILED");
    world.advance(300);
    let late = person.start_with(ADA, &payload(&asked, &solution)).await;
    late.expect_problem(429, "RATE_LIMITED");
    let fresh = person.start_with(ADA, &solved(&late)).await;
    fresh.expect_status(200);
}

#[tokio::test]
async fn work_rises_with_use_to_its_cap_and_five_mails_are_what_it_buys_in_an_hour() {
    let world = TestWorld::stopped(&[]).await;
    spend_mails(&world, ADA).await;
    for cost in [75, 150, 300, 600, 600] {
        let refused = world.browser().start(ADA).await;
        assert_eq!(challenge(&refused).parameters.cost, cost);
        let paid = world.browser().start_with(ADA, &solved(&refused)).await;
        paid.expect_status(200);
    }
    let refused = world.browser().start(ADA).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused["challenge"].is_null(), "{}", refused.body);
}

/// The price is checked when it is paid, so no stock of first challenges is cheaper than its turn.
#[tokio::test]
async fn of_two_challenges_at_one_price_the_first_solved_counts_and_the_other_is_too_cheap() {
    let world = TestWorld::stopped(&[]).await;
    spend_mails(&world, ADA).await;
    let mut person = world.browser();
    let mut cheap = Vec::new();
    for _ in 0..2 {
        let refused = person.start(ADA).await;
        assert_eq!(challenge(&refused).parameters.cost, 75);
        cheap.push(solved(&refused));
    }
    let paid = person.start_with(ADA, &cheap[0]).await;
    paid.expect_status(200);
    let refused = person.start_with(ADA, &cheap[1]).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert_eq!(refused.retry_after(), Some(1));
    assert_eq!(challenge(&refused).parameters.cost, 150);
    assert_eq!(world.mails(ADA).len(), 6);
    let dear = solved(&refused);
    person.start_with(ADA, &dear).await.expect_status(200);
    // It counts again when the first has left the hour.
    world.advance(HOUR);
    spend_mails(&world, ADA).await;
    let refused = person.start(ADA).await;
    assert_eq!(challenge(&refused).parameters.cost, 75);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_five_solutions_at_one_price_at_once_one_is_admitted() {
    let world = TestWorld::start().await;
    spend_mails(&world, ADA).await;
    let mut proofs = Vec::new();
    for _ in 0..5 {
        proofs.push(solved(&world.browser().start(ADA).await));
    }
    let starts = proofs.iter().map(|proof| {
        let world = &world;
        async move { world.browser().start_with(ADA, proof).await.status }
    });
    let statuses = at_once(starts).await;
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1);
    assert_eq!(world.mails(ADA).len(), 6);
}

/// Known and unknown addresses get the same refusal, with the same kind of challenge.
#[tokio::test]
async fn a_challenge_tells_nothing_of_the_address() {
    let world = TestWorld::stopped(&[]).await;
    world.sign_in(ADA).await;
    world.advance(HOUR);
    let mut shapes = Vec::new();
    for email in [ADA, "nobody@example.com"] {
        spend_mails(&world, email).await;
        let refused = world.browser_at("127.0.0.2").start(email).await;
        let mut shape = refused.body.clone();
        let parameters = &mut shape["challenge"]["parameters"];
        for random in ["nonce", "salt"] {
            parameters[random] = Value::Null;
        }
        assert!(!refused.body.to_string().contains("example.com"));
        parameters["data"]["address"] = Value::Null;
        shape["challenge"]["signature"] = Value::Null;
        shape["requestId"] = Value::Null;
        let fields = ["retry-after", "ratelimit-policy"].map(|name| {
            let value = refused.header(name).unwrap();
            value.to_owned()
        });
        shapes.push((shape, fields));
        world.advance(1);
        world.advance(HOUR);
    }
    assert_eq!(shapes[0].1, shapes[1].1);
    for (shape, _) in &mut shapes {
        shape["challenge"]["parameters"]["expiresAt"] = Value::Null;
    }
    assert_eq!(shapes[0].0, shapes[1].0);
}

/// Strangers have guessed all that an address bears: the owner's right code costs work, and is
/// taken.
#[tokio::test]
async fn a_right_code_that_strangers_have_shut_out_gets_in_by_work() {
    let world = TestWorld::stopped(&[]).await;
    for host in 2..7 {
        let mut stranger = world.browser_at(&format!("127.0.0.{host}"));
        let session_token = stranger.started(ADA).await;
        for _ in 0..3 {
            let wrong = stranger.verify(ADA, WRONG_CODE, &session_token).await;
            wrong.expect_problem(401, "INVALID_OTP");
        }
    }
    let mut owner = world.browser();
    let refused = owner.start(ADA).await;
    let started = owner.start_with(ADA, &solved(&refused)).await;
    let session_token = started.text("sessionToken");
    let code = world.mail_code(ADA).await;
    let mut shown = json!({ "email": ADA, "code": code, "sessionToken": session_token });
    let shut_out = owner.post("/auth/otp/verify", shown.clone()).await;
    shut_out.expect_problem(429, "RATE_LIMITED");
    shown["proofOfWork"] = solved(&shut_out).into();
    owner
        .post("/auth/otp/verify", shown)
        .await
        .expect_status(200);
}

/// The same price holds for tries of codes.
#[tokio::test]
async fn a_try_costs_what_its_turn_costs_when_it_is_made() {
    let settings = [("OTP_FAILURES_PER_EMAIL", "3"), ("OTP_ATTEMPTS", "5")];
    let world = TestWorld::stopped(&settings).await;
    let mut person = world.browser();
    let session_token = person.started(ADA).await;
    for _ in 0..3 {
        let wrong = person.verify(ADA, WRONG_CODE, &session_token).await;
        wrong.expect_problem(401, "INVALID_OTP");
    }
    let code = world.mail_code(ADA).await;
    let shown = |code: &str, proof: Option<&str>| {
        let mut shown = json!({ "email": ADA, "code": code, "sessionToken": session_token });
        if let Some(proof) = proof {
            shown["proofOfWork"] = proof.into();
        }
        shown
    };
    let path = "/auth/otp/verify";
    let mut cheap = Vec::new();
    for _ in 0..2 {
        let refused = person.post(path, shown(WRONG_CODE, None)).await;
        assert_eq!(challenge(&refused).parameters.cost, 75);
        cheap.push(solved(&refused));
    }
    let wrong = person.post(path, shown(WRONG_CODE, Some(&cheap[0]))).await;
    wrong.expect_problem(401, "INVALID_OTP");
    let refused = person.post(path, shown(&code, Some(&cheap[1]))).await;
    assert_eq!(challenge(&refused).parameters.cost, 150);
    assert_eq!(refused.retry_after(), Some(1));
    let dear = solved(&refused);
    let right = person.post(path, shown(&code, Some(&dear))).await;
    right.expect_status(200);
}

/// No work buys a password: Cognito's own lock would be the next limit.
#[tokio::test]
async fn passwords_cannot_be_bought() {
    let world = TestWorld::stopped(&[]).await;
    let body = json!({ "email": ADA, "password": PASSWORD });
    for _ in 0..5 {
        let wrong = world.browser().post("/auth/login", body.clone()).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let refused = world.browser().post("/auth/login", body).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused["challenge"].is_null());
}

#[tokio::test]
async fn a_flood_of_strangers_leaves_the_pools_last_mails_to_known_devices() {
    let world = TestWorld::stopped(&[("OTP_STARTS_PER_MINUTE", "10")]).await;
    let mut known = world.sign_in(ADA).await.browser;
    world.advance(HOUR);
    for guest in 0..8 {
        let mut stranger = world.browser();
        stranger
            .started(&format!("guest.{guest}@example.com"))
            .await;
    }
    let refused = world.browser().start(EVE).await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused["challenge"].is_null(), "no work makes mails");
    known.started(ADA).await;
    known.started(ADA).await;
    known.start(ADA).await.expect_problem(429, "RATE_LIMITED");
    // After the pool's refusal, the mailbox's count was restored.
    world.advance(60);
    for _ in 0..5 {
        world.browser().started(EVE).await;
    }
}

#[tokio::test]
async fn past_a_rate_of_new_users_every_stranger_pays_with_work() {
    let world = TestWorld::stopped(&[("NEW_USERS_PER_MINUTE", "10")]).await;
    let mut known = world.sign_in(ADA).await.browser;
    world.advance(HOUR);
    for guest in 0..10 {
        let mut stranger = world.browser();
        stranger
            .started(&format!("guest.{guest}@example.com"))
            .await;
    }
    // Known and unknown alike; only the device cookie exempts.
    for email in [ADA, EVE] {
        let mut stranger = world.browser();
        let refused = stranger.start(email).await;
        let paid = stranger.start_with(email, &solved(&refused)).await;
        paid.expect_status(200);
    }
    let register = json!({ "email": "new@example.com", "password": PASSWORD });
    let refused = world.browser().post("/auth/register", register).await;
    assert_eq!(
        challenge(&refused).parameters.cost,
        150,
        "dearer than at first"
    );
    known.started(ADA).await;
    world.advance(60);
    world.browser().started("late@example.com").await;
}

#[tokio::test]
async fn a_network_has_so_many_attempts_at_each_operation_and_known_devices_their_own() {
    let world = TestWorld::stopped(&[("ATTEMPTS_PER_NETWORK", "10")]).await;
    let signed_in = world.sign_in(ADA).await;
    let mut known = signed_in.browser;
    // On the edge of a window.
    let into_window = world.clock().now().as_millis().rem_euclid(900_000);
    world.advance_millis(900_000 - u64::try_from(into_window).unwrap());
    let login = |email: &str| json!({ "email": email, "password": PASSWORD });
    let mut spray = world.browser();
    for guest in 0..10 {
        let body = login(&format!("guest.{guest}@example.com"));
        spray.post("/auth/login", body).await.expect_status(401);
    }
    world.advance(300);
    let asked = world.count("AdminInitiateAuth");
    for guest in 10..40 {
        let body = login(&format!("guest.{guest}@example.com"));
        let refused = spray.post("/auth/login", body).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert_eq!(refused.retry_after(), Some(600));
    }
    assert_eq!(world.count("AdminInitiateAuth"), asked);
    // After the network's refusal, the address's count was restored: five tries are left elsewhere.
    for _ in 0..5 {
        let body = login("guest.20@example.com");
        let mut elsewhere = world.browser_at("127.0.0.2");
        elsewhere.post("/auth/login", body).await.expect_status(401);
    }
    known
        .post("/auth/login", login(ADA))
        .await
        .expect_status(401);
    // Each operation counts by itself.
    let session_token = spray.started(EVE).await;
    let wrong = spray.verify(EVE, WRONG_CODE, &session_token).await;
    wrong.expect_problem(401, "INVALID_OTP");
    world.advance(600);
    spray
        .post("/auth/login", login(EVE))
        .await
        .expect_status(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_three_hundred_sprayed_logins_a_hundred_reach_cognito() {
    let world = TestWorld::stopped(&[]).await;
    let logins = (0..300).map(|guest| {
        let world = &world;
        async move {
            let body =
                json!({ "email": format!("guest.{guest}@example.com"), "password": PASSWORD });
            world.browser().post("/auth/login", body).await.status
        }
    });
    let statuses = at_once(logins).await;
    let refused = statuses.iter().filter(|status| **status == 429).count();
    assert!(world.count("AdminInitiateAuth") <= 100);
    assert!(refused >= 200, "{refused}");
}

/// Cognito itself limits a user's recovery to five an hour, over all callers. Strangers leave one
/// of those to a known device, with or without work.
#[tokio::test]
async fn work_buys_one_mail_and_one_try_of_recovery_and_a_known_device_has_the_fifth() {
    let world = TestWorld::stopped(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let mut known = world.browser();
    known.login(ADA, PASSWORD).await.expect_status(200);
    world.advance(HOUR);
    let mut stranger = world.browser_at("127.0.0.2");
    for _ in 0..3 {
        let asked = stranger.request_reset(ADA).await;
        asked.expect_status(202);
        let wrong = stranger.confirm_reset(ADA, WRONG_RESET_CODE, OTHER).await;
        wrong.expect_problem(401, "INVALID_OTP");
    }
    let (path, confirm) = ("/auth/password/reset", "/auth/password/reset/confirm");
    let proof = solved(&stranger.request_reset(ADA).await);
    let reset = json!({ "email": ADA, "proofOfWork": proof });
    let asked = stranger.post(path, reset).await;
    asked.expect_status(202);
    let refused = stranger.confirm_reset(ADA, WRONG_RESET_CODE, OTHER).await;
    let mut wrong = json!({ "email": ADA, "code": WRONG_RESET_CODE, "newPassword": OTHER });
    wrong["proofOfWork"] = solved(&refused).into();
    let wrong = stranger.post(confirm, wrong).await;
    wrong.expect_problem(401, "INVALID_OTP");
    for refused in [
        stranger.request_reset(ADA).await,
        stranger.confirm_reset(ADA, WRONG_RESET_CODE, OTHER).await,
    ] {
        refused.expect_problem(429, "RATE_LIMITED");
        assert!(refused["challenge"].is_null(), "{}", refused.body);
    }
    let before = world.mails(ADA).len();
    known.request_reset(ADA).await.expect_status(202);
    assert_eq!(world.mails(ADA).len(), before + 1);
    let code = world.latest_code_of_reset(ADA);
    let done = known.confirm_reset(ADA, &code, OTHER).await;
    done.expect_status(204);
}

/// A stranger who talks to an agent, in any number of conversations, is no known device.
#[tokio::test]
async fn agents_leave_a_fifth_of_a_mailboxs_day_to_known_devices() {
    let world = TestWorld::stopped(&[]).await;
    let mut known = world.sign_in(ADA).await.browser;
    let input = json!({ "email": ADA });
    let mut sent = 1;
    for conversation in 0..20 {
        let conversation = format!("talk-{conversation}");
        let started = world
            .call_tool_in(
                &conversation,
                "initiate-otp",
                "initiate_cognito_login",
                &input,
            )
            .await;
        sent += usize::from(started["success"] == true);
        world.advance(1800);
    }
    assert_eq!(sent, 16);
    for _ in 0..4 {
        known.started(ADA).await;
    }
}

/// Strangers cannot spend the budget of an agent's guest, and an agent cannot spend the strangers'.
#[tokio::test]
async fn agents_have_budgets_of_their_own() {
    let world = TestWorld::stopped(&[]).await;
    spend_mails(&world, ADA).await;
    let input = json!({ "email": ADA });
    for _ in 0..5 {
        let tool = world
            .call_tool("initiate-otp", "initiate_cognito_login", &input)
            .await;
        assert_eq!(tool["success"], true, "{}", tool.body);
    }
    let tool = world
        .call_tool("initiate-otp", "initiate_cognito_login", &input)
        .await;
    assert_eq!(tool["error_code"], "RATE_LIMITED", "{}", tool.body);
    let direct = world.invoke("initiate-otp", &input).await;
    assert!(direct["sessionToken"].is_string(), "{}", direct.body);
}

/// A direct invocation may name a conversation or session. Each has its own mails, and all of them
/// together have five passwords: the sixth would cause Cognito's own lock.
#[tokio::test]
async fn direct_callers_have_budgets_by_conversation_but_not_for_passwords() {
    let world = TestWorld::stopped(&[("OTP_STARTS_PER_EMAIL", "2")]).await;
    for caller in [
        json!({}),
        json!({ "conversationId": "chat-1" }),
        json!({ "conversationId": "chat-2" }),
        json!({ "sessionId": "session-1" }),
    ] {
        let mut input = caller.clone();
        input["email"] = ADA.into();
        for _ in 0..2 {
            let started = world.invoke("initiate-otp", &input).await;
            assert!(started["sessionToken"].is_string(), "{}", started.body);
        }
        let refused = world.invoke("initiate-otp", &input).await;
        assert_eq!(refused["error"]["code"], "RATE_LIMITED", "{caller}");
    }
    for attempt in 0..6 {
        let conversation = format!("chat-{attempt}");
        let input = json!({ "email": EVE, "password": PASSWORD, "conversationId": conversation });
        let answer = world.invoke("login-user", &input).await;
        let code = ["INVALID_CREDENTIALS", "RATE_LIMITED"][attempt / 5];
        assert_eq!(answer["error"]["code"], code, "{}", answer.body);
    }
}

/// An agent's conversation has its own attempts over all addresses, as a network has.
#[tokio::test]
async fn a_conversation_has_so_many_starts_over_all_addresses() {
    let world = TestWorld::stopped(&[("ATTEMPTS_PER_NETWORK", "10")]).await;
    let start = async |conversation: &str, email: String| {
        let tool = "initiate_cognito_login";
        let input = json!({ "email": email });
        world
            .call_tool_in(conversation, "initiate-otp", tool, &input)
            .await
    };
    for guest in 0..10 {
        let started = start("one", format!("guest.{guest}@example.com")).await;
        assert_eq!(started["success"], true, "{}", started.body);
    }
    let refused = start("one", EVE.to_owned()).await;
    assert_eq!(refused["error_code"], "RATE_LIMITED", "{}", refused.body);
    let started = start("another", EVE.to_owned()).await;
    assert_eq!(started["success"], true, "{}", started.body);
}

/// A gateway that names no conversation cannot tell its chats apart. They share far more starts and
/// tries than one conversation has, so that one chat does not shut the others out.
#[tokio::test]
async fn a_gateway_that_names_no_conversation_has_far_more_attempts_than_a_conversation() {
    let settings = [
        ("ATTEMPTS_PER_NETWORK", "10"),
        ("ATTEMPTS_PER_GATEWAY", "20"),
    ];
    let world = TestWorld::stopped(&settings).await;
    let start = async |gateway: &str, email: &str| {
        let (tool, input) = ("initiate_cognito_login", json!({ "email": email }));
        let started = world.call_tool_through(gateway, "initiate-otp", tool, &input);
        started.await
    };
    let guess = async |gateway: &str, (email, session_token): &(String, String)| {
        let tool = "verify_cognito_otp";
        let input =
            json!({ "email": email, "otp_code": WRONG_CODE, "session_token": session_token });
        let guessed = world.call_tool_through(gateway, "verify-otp", tool, &input);
        guessed.await.text("error_code")
    };
    let mut sign_ins = Vec::new();
    for guest in 0..20 {
        let email = format!("guest.{guest}@example.com");
        let started = start("one", &email).await;
        assert_eq!(started["success"], true, "{}", started.body);
        sign_ins.push((email, started.text("session_token")));
    }
    let refused = start("one", EVE).await;
    assert_eq!(refused["error_code"], "RATE_LIMITED", "{}", refused.body);
    let started = start("another", EVE).await;
    assert_eq!(started["success"], true, "{}", started.body);
    for sign_in in &sign_ins {
        assert_eq!(guess("one", sign_in).await, "INVALID_OTP");
    }
    assert_eq!(guess("one", &sign_ins[0]).await, "RATE_LIMITED");
    assert_eq!(guess("another", &sign_ins[0]).await, "INVALID_OTP");
}
