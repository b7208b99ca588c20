//! `disable-mfa`: two proofs remove an authenticator.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::case::{Case, Prepare, Then};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;
use crate::harness::stage::Stage;
use crate::harness::steps::MANY_STARTS;
use crate::harness::{Answer, TestWorld};

/// DECISIONS 35: an attacker may have the first factor, so the guest gets a notice of the last
/// wrong factor, and of the fifth in a day.
#[tokio::test]
async fn wrong_factors_after_a_fresh_proof_are_told() {
    for failures in ["5", "100"] {
        let settings = [&MANY_STARTS[..], &[("MFA_FAILURES_PER_USER", failures)]].concat();
        let world = TestWorld::with_settings(&settings).await;
        world.registered(ADA, PASSWORD).await;
        let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
        let warned = || {
            let subjects = world.subjects(ADA);
            let of_it = |subject: &&String| *subject == "Somebody nearly signed in";
            subjects.iter().filter(of_it).count()
        };
        let wrong = json!({ "password": PASSWORD, "code": "404170" });
        for told in [0, 0, 0, 0, 1] {
            let refused = guest.session.browser.disable(wrong.clone()).await;
            refused.expect_problem(401, "INVALID_OTP");
            assert_eq!(warned(), told);
        }
    }
}

#[tokio::test]
async fn removing_takes_both_proofs() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    world.registered(ADA, PASSWORD).await;
    let mut guest = world.guarded_by_password(ADA, PASSWORD).await;
    let right = guest.app.next_code();
    for (proofs, status, problem) in [
        (json!({ "password": PASSWORD }), 400, "VALIDATION_FAILED"),
        (json!({ "code": right }), 400, "VALIDATION_FAILED"),
        (
            json!({ "password": "not the password", "code": right }),
            401,
            "INVALID_CREDENTIALS",
        ),
        (
            json!({ "password": PASSWORD, "code": "404170" }),
            401,
            "INVALID_OTP",
        ),
    ] {
        let refused = guest.session.browser.disable(proofs).await;
        refused.expect_problem(status, problem);
    }
    let proofs = json!({
        "proof": guest.session.browser.mailed_proof(ADA, "authenticator").await,
        "backupCode": guest.backup_codes[4],
    });
    guest
        .session
        .browser
        .disable(proofs)
        .await
        .expect_status(204);
    world.browser().sign_in(ADA).await.expect_status(200);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("disable-mfa", name, "204", prepare)
            .then(|_, stage, answer| Box::pin(is_removed(stage, answer)))
    };
    vec![
        case("proved by password", |world| Box::pin(by_password(world))),
        case("proved by mail", |world| Box::pin(by_mail(world))),
        Case::of("disable-mfa", "nothing to remove", "204", |world| {
            Box::pin(nothing_to_remove(world))
        }),
    ]
}

async fn by_password(world: &TestWorld) -> Stage<'_> {
    removal(world, json!({ "password": PASSWORD })).await
}

async fn by_mail(world: &TestWorld) -> Stage<'_> {
    let mut stage = removal(world, json!({ "proof": {} })).await;
    stage.renew_proofs().await;
    stage
}

/// A guest has an authenticator, and shows it.
async fn removal(world: &TestWorld, mut body: Value) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    body["code"] = json!(guest.app.next_code());
    let mut stage = Stage::signed_in(guest.session, Method::POST, "/auth/mfa/disable", body);
    stage.app = Some(guest.app);
    stage
}

async fn nothing_to_remove(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    let session = world.sign_in(ADA).await;
    let body = json!({ "password": PASSWORD, "code": "404170" });
    Stage::signed_in(session, Method::POST, "/auth/mfa/disable", body)
}

/// The least that a person must do until no sign-in asks for the authenticator.
async fn is_removed(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let mut then = Then::Nothing;
    if answer.status != 204 {
        then = Then::SameAgain;
        if stage.act().await.status != 204 {
            then = Then::AnotherCode;
            stage.renew_proofs().await;
            stage.act().await.expect_status(204);
        }
    }
    drop(stage.world.sign_in(ADA).await);
    then
}
