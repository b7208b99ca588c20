//! `custom-message`: the trigger that words Cognito's mails, and notices in the same words.

use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::case::Case;
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::stage::Stage;

const FUNCTION: &str = "custom-message";

/// An event of Cognito's for a user with these attributes.
fn event(source: &str, attributes: &Value) -> Value {
    json!({
        "version": "1",
        "triggerSource": source,
        "request": { "userAttributes": attributes, "codeParameter": "{####}", "usernameParameter": null },
        "response": { "smsMessage": null, "emailMessage": null, "emailSubject": null },
    })
}

#[tokio::test]
async fn a_code_comes_in_the_language_of_the_browser_that_first_asked_for_one() {
    let world = TestWorld::start().await;
    let mut german = world.browser();
    german.always("accept-language", "de-AT,de;q=0.9,en;q=0.5");
    german.sign_in(ADA).await.expect_status(200);
    let mail = world.mails(ADA).pop().unwrap();
    assert_eq!(mail.subject, "Ihr Code für Latchkey");
    let code = mail.code.unwrap();
    assert_eq!(mail.html.matches(&code).count(), 1, "{}", mail.html);
    assert_eq!(mail.text.lines().filter(|line| *line == code).count(), 1);
    let user = world.user(ADA).await;
    let attributes = user["UserAttributes"].as_array().unwrap();
    assert!(attributes.contains(&json!({ "Name": "locale", "Value": "de-AT" })));

    // A stranger with another browser does not change it.
    let mut english = world.browser_at("127.0.0.2");
    english.always("accept-language", "en");
    english.start(ADA).await.expect_status(200);
    assert_eq!(world.mail(ADA).await.subject, "Ihr Code für Latchkey");

    english.start(EVE).await.expect_status(200);
    assert_eq!(world.mail(EVE).await.subject, "Your Latchkey code");
}

#[tokio::test]
async fn without_a_language_of_ones_own_the_deployment_says_which_and_in_whose_name() {
    let world = TestWorld::with_settings(&[
        ("MAIL_LANGUAGE", "de"),
        ("MAIL_PRODUCT", "Müller & Söhne"),
        ("MAIL_SUPPORT_ADDRESS", "hilfe@example.com"),
        ("MAIL_COLOUR", "#00ff99"),
        ("MAIL_LOGO_URL", "https://example.com/logo.png"),
    ])
    .await;
    world.registered(ADA, PASSWORD).await;
    let mut browser = world.browser();
    let reset = world
        .reset_password(&mut browser, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    let mails = world.mails(ADA);
    let subjects: Vec<&str> = mails.iter().map(|mail| mail.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "Ihr Passwort wurde geändert",
            "Setzen Sie Ihr Passwort für Müller & Söhne zurück",
            "Ihr Code für Müller & Söhne",
        ]
    );
    for mail in &mails {
        assert!(mail.text.contains("hilfe@example.com"), "{}", mail.text);
        assert!(mail.html.contains("https://example.com/logo.png"));
        assert!(mail.html.contains("lang=\"de\"") && !mail.html.contains("<a "));
    }
    assert!(mails[1].html.contains("#00ff99"), "{}", mails[1].html);
}

/// Every mail that Cognito has a trigger source for, and the form that Cognito takes.
#[tokio::test]
async fn each_mail_of_cognitos_has_its_words_and_an_unknown_one_keeps_the_pools_own() {
    let world = TestWorld::start().await;
    for (source, subject) in [
        ("CustomMessage_Authentication", "Your Latchkey code"),
        ("CustomMessage_SignUp", "Confirm your Latchkey account"),
        ("CustomMessage_ResendCode", "Confirm your Latchkey account"),
        (
            "CustomMessage_ForgotPassword",
            "Reset your Latchkey password",
        ),
        (
            "CustomMessage_UpdateUserAttribute",
            "Confirm your address for Latchkey",
        ),
        (
            "CustomMessage_VerifyUserAttribute",
            "Confirm your address for Latchkey",
        ),
    ] {
        for locale in ["en-GB", "ja", "", "\u{202e}"] {
            let event = event(source, &json!({ "locale": locale }));
            let answer = world.invoke(FUNCTION, &event).await;
            let response = &answer["response"];
            assert_eq!(response["emailSubject"], subject, "{source}");
            let message = response["emailMessage"].as_str().unwrap();
            assert_eq!(message.matches("{####}").count(), 1, "{message}");
            assert_eq!(response["smsMessage"], Value::Null);
            assert_eq!(answer["request"], event["request"]);
        }
    }
    for unknown in [
        event("CustomMessage_AdminCreateUser", &json!({})),
        event("CustomMessage_Later", &json!({})),
        json!({ "triggerSource": "CustomMessage_SignUp", "request": {}, "response": {} }),
        json!({ "triggerSource": "CustomMessage_SignUp", "request": { "codeParameter": "" }, "response": {} }),
        json!({ "triggerSource": 7 }),
        json!({}),
    ] {
        let answer = world.invoke(FUNCTION, &unknown).await;
        assert_eq!(answer.body, unknown);
    }
    assert!(world.calls_of(FUNCTION).is_empty());
}

#[tokio::test]
async fn the_local_run_shows_every_mail_in_every_language() {
    let world = TestWorld::start().await;
    let read = async |path: &str| {
        let url = format!("{}/_local/worded-mails{path}", world.ready().gateway);
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    };
    let mails: Vec<Value> = read("").await.json().await.unwrap();
    for language in ["en", "de"] {
        let of_it = mails.iter().filter(|mail| mail["language"] == language);
        assert!(of_it.count() >= 13, "{language}");
    }
    let last = mails.last().unwrap();
    let html = read(&format!("/{}/html", last["id"])).await;
    let policy = html.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("sandbox"), "{policy}");
    assert_eq!(html.text().await.unwrap(), last["html"].as_str().unwrap());
}

/// A mail is worded in one way.
pub(crate) fn cases() -> Vec<Case> {
    vec![Case::of(FUNCTION, "any mail", "200", |world| {
        Box::pin(async move {
            let event = event("CustomMessage_Authentication", &json!({}));
            Stage::invocation(world, FUNCTION, event)
        })
    })]
}
