//! A notice is in the language that its guest reads, whatever the browser that caused it prefers.

use reqwest::Method;
use serde_json::json;

use crate::harness::authenticator_app::code;
use crate::harness::operators::{ask_for_reset, path_of, with_reason};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, ELSEWHERE, EVE};
use crate::harness::steps::{MANY_STARTS, attribute};
use crate::harness::{Browser, TestWorld};

/// The mails of a life at the first address, and at the second, the newest first.
type Subjects = (&'static [&'static str], &'static [&'static str]);

const IN_ENGLISH: Subjects = (
    &[
        "Your email address was changed",
        "Somebody asked to use your email address",
        "A new device signed in",
        "Your password was changed",
        "Reset your Latchkey password",
        "Your Latchkey code",
    ],
    &["Your account was deleted", "Your email address was changed"],
);

const IN_GERMAN: Subjects = (
    &[
        "Ihre E-Mail-Adresse wurde geändert",
        "Jemand wollte Ihre E-Mail-Adresse verwenden",
        "Ein neues Gerät hat sich angemeldet",
        "Ihr Passwort wurde geändert",
        "Setzen Sie Ihr Passwort für Latchkey zurück",
        "Ihr Code für Latchkey",
    ],
    &[
        "Ihr Konto wurde gelöscht",
        "Ihre E-Mail-Adresse wurde geändert",
    ],
);

/// A browser that prefers a language, at an address of its own.
fn browser<'world>(world: &'world TestWorld, address: &str, language: &str) -> Browser<'world> {
    let mut browser = world.browser_at(address);
    browser.always("accept-language", language);
    browser
}

/// Ada signs in on a browser of `first` language, and then on another of `later` language, where
/// she changes everything and goes.
async fn live(world: &TestWorld, first: &str, later: &str) {
    let signed = browser(world, "127.0.0.2", first).sign_in(ADA).await;
    signed.expect_status(200);
    let mut other = browser(world, "127.0.0.3", later);
    let reset = world.reset_password(&mut other, ADA, PASSWORD).await;
    reset.expect_status(204);
    world.advance(1);
    let logged_in = other.login(ADA, PASSWORD).await;
    other.bearer(&logged_in.text("accessToken"));

    world.registered(EVE, PASSWORD).await;
    let eve = world.sign_in(EVE).await;
    let mut eves = eve.browser;
    eves.bearer(&eve.access_token);
    eves.always("accept-language", later);
    eves.ask_for_address(ADA).await.expect_status(200);

    let (token, code) = other.asked_for_address(ELSEWHERE).await;
    other.prove_address(&token, &code).await.expect_status(200);
    let proofs = json!({ "password": PASSWORD });
    other.post("/me/delete", proofs).await.expect_status(202);
}

#[tokio::test]
async fn a_guest_hears_of_everything_in_the_language_of_the_first_sign_in() {
    for (deployment, first, later, (at_first, at_last)) in [
        ("en", "de-AT,de;q=0.9", "en", IN_GERMAN),
        ("de", "en-GB", "de", IN_ENGLISH),
        // No language, and one without templates: the deployment's.
        ("de", "", "en", IN_GERMAN),
        ("en", "", "de", IN_ENGLISH),
        ("de", "fr-CH", "en", IN_GERMAN),
        ("en", "ja", "de", IN_ENGLISH),
    ] {
        let settings = [&[("MAIL_LANGUAGE", deployment)], &MANY_STARTS[..]].concat();
        let world = TestWorld::stopped(&settings).await;
        live(&world, first, later).await;
        assert_eq!(world.subjects(ADA), at_first, "{deployment} {first:?}");
        let subjects = world.subjects(ELSEWHERE);
        let (code, notices) = subjects.split_last().expect("mails");
        assert_eq!(notices, at_last, "{deployment} {first:?}");
        // The code that proves an address follows the browser where the guest has no language.
        let german = "Bestätigen Sie Ihre Adresse für Latchkey";
        let follows = if first.is_empty() { later } else { "" };
        let is_german = follows == "de" || (follows.is_empty() && at_last == IN_GERMAN.1);
        assert_eq!(code == german, is_german, "{deployment} {first:?}");
    }
}

#[tokio::test]
async fn a_language_that_is_set_at_cognito_counts_from_the_next_sign_in() {
    let world = TestWorld::stopped(&MANY_STARTS).await;
    let mut guest = world.guarded(ADA).await;
    let user = guest.session.user.clone();
    world.change_language(ADA, "de").await;
    let before = world.mails(ADA).len();
    let held = world.held(ADA).await;
    records_say(&world, "de").await;

    for _ in 0..3 {
        let wrong = world.browser().second_factor(&held, code("000000")).await;
        wrong.expect_problem(401, "INVALID_OTP");
    }
    ask_for_reset(&world, &user).await;
    let kept = guest.session.browser.delete("/me/factor-reset").await;
    kept.expect_status(204);
    let path = path_of(&user, "");
    let path = path.trim_end_matches('/');
    let mut operator = world.operator();
    let deleted = operator
        .send_json(Method::DELETE, path, &with_reason())
        .await;
    deleted.expect_status(202);
    let subjects = world.subjects(ADA);
    assert_eq!(
        subjects[..subjects.len() - before],
        [
            "Ihr Konto wurde gelöscht",
            "Ihre zweiten Faktoren bleiben",
            "Ihre zweiten Faktoren werden bald entfernt",
            "Jemand hätte sich fast angemeldet",
            "Ihr Code für Latchkey",
        ]
    );
}

#[tokio::test]
async fn a_language_that_is_set_at_cognito_counts_from_a_sign_in_by_passkey_too() {
    let world = TestWorld::stopped(&MANY_STARTS).await;
    let mut ada = world.holder(ADA).await;
    world.change_language(ADA, "de").await;
    let signed_in = world.browser().passkey_sign_in(ADA, &mut ada.device).await;
    signed_in.expect_status(200);
    records_say(&world, "de").await;
    assert_eq!(
        world.subjects(ADA)[0],
        "Ein neues Gerät hat sich angemeldet"
    );
}

/// The guest's record and the address's name the language.
async fn records_say(world: &TestWorld, language: &str) {
    let items = world.items(&world.ready().tables["guests"]).await;
    for key in ["guest#", "address#"] {
        let item = items
            .iter()
            .find(|item| attribute(item, "pk").starts_with(key));
        assert_eq!(attribute(item.unwrap(), "locale"), language, "{key}");
    }
}
