//! `change-email`: a code to the address that is to be the guest's, and one answer for every
//! address.

use serde_json::json;

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, BOB, ELSEWHERE, EVE};
use crate::harness::requests::named_fields;
use crate::harness::stage::Stage;
use crate::harness::steps::{MANY_STARTS, WRONG_CODE};
use crate::harness::{Answer, Browser, SignedIn, TestWorld};

pub(crate) const PATH: &str = "/me/email";

/// Where the code of [`PATH`] is proved.
const VERIFY: &str = "/me/email/verify";

/// A guest who has a password, in a session.
pub(crate) async fn signed_in<'world>(world: &'world TestWorld, email: &str) -> SignedIn<'world> {
    world.registered(email, PASSWORD).await;
    let mut guest = world.sign_in(email).await;
    guest.browser.bearer(&guest.access_token);
    guest
}

impl Browser<'_> {
    /// Asks for another address, proved by the password.
    pub(crate) async fn ask_for_address(&mut self, email: &str) -> Answer {
        let input = json!({ "email": email, "password": PASSWORD });
        self.post(PATH, input).await
    }

    /// The same, which must succeed; gives what proves the address.
    pub(crate) async fn asked_for_address(&mut self, email: &str) -> (String, String) {
        let asked = self.ask_for_address(email).await;
        asked.expect_status(200);
        let code = self.world.mail_code(email).await;
        (asked.text("sessionToken"), code)
    }

    /// Proves another address.
    pub(crate) async fn prove_address(&mut self, session_token: &str, code: &str) -> Answer {
        let input = json!({ "sessionToken": session_token, "code": code });
        self.post(VERIFY, input).await
    }
}

#[tokio::test]
async fn nothing_changes_before_the_code_comes_back() {
    let world = TestWorld::start().await;
    let mut ada = signed_in(&world, ADA).await;
    let asked = ada.browser.ask_for_address(ELSEWHERE).await;
    asked.expect_status(200);
    assert_eq!(asked["expiresIn"], 600);
    assert_eq!(ada.browser.get("/me").await["email"], ADA);
    assert_eq!(world.users().await.len(), 1);
    let mail = world.mail(ELSEWHERE).await;
    assert_eq!(mail.subject, "Confirm your address for Latchkey");
    assert_eq!(mail.code.expect("a code").len(), 8);
    // The address is free for everybody until then.
    world.browser().sign_in(ELSEWHERE).await.expect_status(200);
}

#[tokio::test]
async fn the_answer_and_the_calls_are_the_same_for_an_address_that_has_an_account() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(EVE, PASSWORD).await;
    world
        .put_guest_without_user(BOB, "GST-2026-7K3QXB", "Bob")
        .await;
    let mut ada = signed_in(&world, ADA).await;
    let mut seen = Vec::new();
    for email in [ELSEWHERE, EVE, BOB] {
        let since = world.last_call();
        let asked = ada.browser.ask_for_address(email).await;
        asked.expect_status(200);
        let mut actions = world.actions_since(since);
        actions.retain(|action| action != "secretsmanager:GetSecretValue");
        let members: Vec<String> = asked.body.as_object().unwrap().keys().cloned().collect();
        let wrong = ada
            .browser
            .prove_address(&asked.text("sessionToken"), WRONG_CODE)
            .await;
        seen.push((
            members,
            actions,
            wrong.in_short(),
            wrong["attemptsRemaining"].clone(),
        ));
    }
    assert_eq!(seen[0], seen[1]);
    assert_eq!(seen[0], seen[2]);
    for email in [EVE, BOB] {
        let mail = world.mail(email).await;
        assert_eq!(mail.subject, "Somebody asked to use your email address");
        assert_eq!(mail.code, None);
        assert!(!mail.text.contains(ADA));
    }
}

#[tokio::test]
async fn it_takes_the_guests_own_proofs_and_another_address() {
    let world = TestWorld::start().await;
    let mut ada = signed_in(&world, ADA).await;
    for (input, status, problem) in [
        (json!({ "email": ELSEWHERE }), 400, "VALIDATION_FAILED"),
        (
            json!({ "email": ELSEWHERE, "password": "not the password" }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "email": "elsewhere", "password": PASSWORD }),
            400,
            "VALIDATION_FAILED",
        ),
    ] {
        let refused = ada.browser.post(PATH, input).await;
        refused.expect_problem(status, problem);
    }
    let refused = ada.browser.ask_for_address(ADA).await;
    refused.expect_problem(400, "VALIDATION_FAILED");
    assert_eq!(named_fields(&refused.body), ["email"]);
    let proof = ada.browser.mailed_proof(ADA, "password").await;
    let input = json!({ "email": ELSEWHERE, "proof": proof });
    let refused = ada.browser.post(PATH, input).await;
    refused.expect_problem(400, "INVALID_SESSION");
    assert!(world.subjects(ELSEWHERE).is_empty());
}

#[tokio::test]
async fn a_guest_sends_few_mails_to_strangers_and_a_mailbox_gets_few_from_guests() {
    let world = TestWorld::start().await;
    let mut ada = signed_in(&world, ADA).await;
    for stranger in 0..5 {
        let email = format!("stranger{stranger}@example.com");
        ada.browser.ask_for_address(&email).await.expect_status(200);
    }
    let refused = ada.browser.ask_for_address("another@example.com").await;
    refused.expect_problem(429, "RATE_LIMITED");
    assert!(refused.retry_after().is_some_and(|wait| wait <= 3600));

    world.forget();
    let mut refusals = 0;
    for guest in 0..7 {
        let email = format!("guest{guest}@example.com");
        let mut guest = signed_in(&world, &email).await;
        let asked = guest.browser.ask_for_address(ELSEWHERE).await;
        refusals += usize::from(asked.status == 429);
    }
    assert!(refusals > 0, "the mailbox has its own limits");
}

/// What can become of a request.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("change-email", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(is_asked(stage, answer)))
    };
    vec![
        case("proved by password", |world| {
            Box::pin(Stage::proved_by_password(
                world,
                PATH,
                json!({ "email": ELSEWHERE }),
            ))
        }),
        case("proved by mail, with an authenticator", |world| {
            Box::pin(Stage::proved_by_both(
                world,
                PATH,
                json!({ "email": ELSEWHERE }),
            ))
        }),
        case("address of another guest", |world| {
            Box::pin(address_of_eve(world))
        }),
    ]
}

async fn address_of_eve(world: &TestWorld) -> Stage<'_> {
    drop(world.sign_in(EVE).await);
    Stage::proved_by_password(world, PATH, json!({ "email": EVE })).await
}

/// The least that a person must do until a mail is on its way.
async fn is_asked(stage: &mut Stage<'_>, answer: &Answer) -> Then {
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
