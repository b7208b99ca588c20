//! `verify-otp`: a mailed code signs in, once and in time, and finds or makes the guest.

use std::collections::BTreeSet;
use std::time::Duration;

use auth_local::{Fault, FaultKind};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::harness::backstage::{
    make_unverified_user_with_password, plant_authenticator, plant_guest, release_guest,
};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::operators::{RESET_DELAY_SECONDS, ask_for_reset};
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::requests::counted;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::steps::{
    LIFETIME, MANY_STARTS, WRONG_CODE, at_once, attribute, resent, sub_of,
};
use crate::harness::{Answer, Browser, TestWorld};

/// Starts of one address that are admitted one a second, and the largest number of codes.
const ONE_BY_ONE: [(&str, &str); 5] = [
    ("OTP_STARTS_PER_EMAIL", "1"),
    ("OTP_START_WINDOW_SECONDS", "1"),
    ("OTP_FAILURES_PER_EMAIL", "100"),
    ("CODE_MAILS_PER_DAY", "200"),
    ("ATTEMPTS_PER_NETWORK", "1000"),
];

/// Cognito calls the address verified as soon as the code is right. A password of before the proof
/// counts for nobody, whatever fails after that moment.
#[tokio::test]
async fn a_password_of_before_the_proof_is_gone_whatever_fails_after_the_code() {
    for (service, action) in [
        ("cognito-idp", "AdminSetUserPassword"),
        ("dynamodb", "GetItem"),
        ("dynamodb", "TransactWriteItems"),
    ] {
        let world = TestWorld::with_settings(&MANY_STARTS).await;
        make_unverified_user_with_password(&world, ADA, PASSWORD).await;
        let mut stranger = world.browser_at("127.0.0.2");
        let mut owner = world.browser();
        let token = owner.started(ADA).await;
        let code = world.mail_code(ADA).await;
        world.fault(Fault::new(FaultKind::Denied, service, action).of("verify-otp"));
        let failed = owner.verify(ADA, &code, &token).await;
        failed.expect_status(500);
        let refused = stranger.login(ADA, PASSWORD).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
        owner.sign_in(ADA).await.expect_status(200);
        let refused = stranger.login(ADA, PASSWORD).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
    }
}

#[tokio::test]
async fn a_new_address_gets_a_user_and_a_guest() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;

    let user = world.user(ADA).await;
    assert_eq!(user["UserStatus"], "CONFIRMED");
    let guests = world.guests().await;
    assert_eq!(guests.len(), 1);
    assert_eq!(attribute(&guests[0], "email"), ADA);
    assert_eq!(
        attribute(&guests[0], "guestId"),
        guest.user["guestId"].as_str().unwrap()
    );
    assert_eq!(attribute(&guests[0], "cognitoSub"), sub_of(&user));
    assert_eq!(guest.user["cognitoSub"], sub_of(&user));
    assert_eq!(guest.user["email"], ADA);
    assert_eq!(guest.user["emailVerified"], true);
    assert!(guest.user.get("name").is_none());
}

/// The sign-in's last write fails after the guest was made. The guest counts once, and the next try
/// finds the guest.
#[tokio::test]
async fn a_guest_who_is_made_counts_once_whatever_becomes_of_the_sign_in() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    let ending = Fault::new(FaultKind::Denied, "dynamodb", "UpdateItem").of("verify-otp");
    // Claim, network, tries and the user's claim come before it; forgetting the tries leaves beside
    // it.
    world.fault(ending.clone().nth(5));
    world.fault(ending.nth(6));
    let mailed = world.mail_code(ADA).await;
    let unlucky = browser.verify(ADA, &mailed, &session_token).await;
    unlucky.expect_problem(500, "INTERNAL");
    assert_eq!(world.guests().await.len(), 1);
    let made = || (counted(&world, "GuestsCreated"), counted(&world, "SignIns"));
    assert_eq!(made(), (1, 0));

    world.advance(30);
    browser.resend(&session_token).await.expect_status(200);
    let mailed = world.mail_code(ADA).await;
    let lucky = browser.verify(ADA, &mailed, &session_token).await;
    lucky.expect_status(200);
    assert_eq!(made(), (1, 1));
}

/// RFC 7515, RFC 7517 and RFC 7519, checked by an independent JOSE library; ASVS 5.0 9.1.1 to
/// 9.2.3.
#[tokio::test]
async fn both_tokens_validate_against_the_published_keys() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let issuer = format!("{}/{}", world.ready().cognito, world.ready().user_pool_id);
    let published = reqwest::get(format!("{issuer}/.well-known/jwks.json"));
    let keys: JwkSet = published.await.unwrap().json().await.unwrap();
    let claims_of = |token: &str, validation: &mut Validation| -> (String, Value) {
        let key_id = decode_header(token).unwrap().kid.unwrap();
        let key = DecodingKey::from_jwk(keys.find(&key_id).unwrap()).unwrap();
        validation.set_issuer(&[&issuer]);
        (key_id, decode(token, &key, validation).unwrap().claims)
    };
    let client_id = world.operations_client_id();

    let mut for_id = Validation::new(Algorithm::RS256);
    for_id.set_audience(&[client_id]);
    let (id_key, id) = claims_of(&guest.id_token, &mut for_id);
    assert_eq!(id["token_use"], "id");
    assert_eq!(id["email"], ADA);
    assert_eq!(id["email_verified"], true);
    assert_eq!(id["sub"], guest.user["cognitoSub"]);

    let mut for_access = Validation::new(Algorithm::RS256);
    for_access.validate_aud = false;
    let (access_key, access) = claims_of(&guest.access_token, &mut for_access);
    assert_eq!(access["token_use"], "access");
    assert_eq!(access["client_id"], client_id);
    assert_eq!(access["sub"], guest.user["cognitoSub"]);
    assert_eq!(access["scope"], "latchkey/session");
    assert!(
        access["email"].is_null(),
        "an access token names no address"
    );
    assert_ne!(id_key, access_key, "Cognito signs the two with two keys");

    let (head, signature) = guest.access_token.rsplit_once('.').unwrap();
    let altered: String = signature.chars().rev().collect();
    let key = DecodingKey::from_jwk(keys.find(&access_key).unwrap()).unwrap();
    assert!(decode::<Value>(format!("{head}.{altered}"), &key, &for_access).is_err());
}

#[tokio::test]
async fn a_guest_without_a_user_is_bound_and_keeps_id_and_name() {
    let world = TestWorld::start().await;
    world
        .put_guest_without_user(ADA, "GST-2025-7K3QXB", "Ada Lovelace")
        .await;
    let guest = world.sign_in(ADA).await;
    assert_eq!(guest.user["guestId"], "GST-2025-7K3QXB");
    assert_eq!(guest.user["name"], "Ada Lovelace");
    assert_eq!(guest.user["emailVerified"], true);
    assert_eq!(guest.user["cognitoSub"], sub_of(&world.user(ADA).await));
    assert_eq!(guest.user["createdAt"], "2025-12-24T18:00:00.000Z");
    assert_ne!(guest.user["updatedAt"], guest.user["createdAt"]);

    let again = world.sign_in(ADA).await;
    assert_eq!(again.user, guest.user);
    assert_eq!(world.guests().await.len(), 1);
}

#[tokio::test]
async fn a_guest_of_another_user_is_a_mismatch_and_the_tokens_are_revoked() {
    let world = TestWorld::start().await;
    let before = world.sign_in(ADA).await.user;
    world
        .admin("AdminDeleteUser", json!({ "Username": ADA }))
        .await;
    world.make_user(ADA, None).await;

    let mut browser = world.browser();
    let refused = browser.sign_in(ADA).await;
    refused.expect_problem(403, "USER_MISMATCH");
    assert!(refused.header("set-cookie").is_none());
    let revoked = world.calls_of("verify-otp").into_iter();
    let revoked: Vec<_> = revoked
        .filter(|call| call.action == "RevokeToken")
        .map(|call| call.status)
        .collect();
    assert_eq!(revoked, [Some(200)]);
    let guests = world.guests().await;
    assert_eq!(guests.len(), 1);
    assert_eq!(
        attribute(&guests[0], "cognitoSub"),
        before["cognitoSub"].as_str().unwrap()
    );

    // Until an operator who knows that it is the same person unbinds the guest.
    release_guest(&world, ADA).await;
    let bound = browser.sign_in(ADA).await;
    bound.expect_status(200);
    assert_eq!(bound["user"]["guestId"], before["guestId"]);
}

#[tokio::test]
async fn a_user_whose_address_was_changed_in_cognito_keeps_the_guest() {
    let world = TestWorld::start().await;
    let before = world.sign_in(ADA).await.user;
    world
        .admin(
            "AdminUpdateUserAttributes",
            json!({
                "Username": ADA,
                "UserAttributes": [
                    { "Name": "email", "Value": "countess@example.com" },
                    { "Name": "email_verified", "Value": "true" },
                ],
            }),
        )
        .await;
    let after = world.sign_in("countess@example.com").await.user;
    assert_eq!(after["guestId"], before["guestId"]);
    assert_eq!(after["cognitoSub"], before["cognitoSub"]);
    assert_eq!(world.guests().await.len(), 1);
    assert_eq!(world.users().await.len(), 1);
}

/// Browsers with a code and a session token each, for sign-ins as Ada. An operator has begun them:
/// strangers may not cause so many mails.
async fn begun(world: &TestWorld, sign_ins: usize) -> Vec<(Browser<'_>, String, String)> {
    let mut begun = Vec::new();
    for _ in 0..sign_ins {
        let started = world.invoke("initiate-otp", &json!({ "email": ADA })).await;
        let session_token = started.text("sessionToken");
        begun.push((world.browser(), world.mail_code(ADA).await, session_token));
        world.advance(1);
    }
    begun
}

/// The answers to browsers that send their codes at the same moment.
async fn proved_at_once(begun: &mut [(Browser<'_>, String, String)]) -> Vec<Answer> {
    let proofs = begun
        .iter_mut()
        .map(|(browser, code, session_token)| browser.verify(ADA, code, session_token));
    at_once(proofs).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_first_sign_ins_at_once_make_or_bind_one_guest() {
    for there in [false, true] {
        let world = TestWorld::stopped(&ONE_BY_ONE).await;
        if there {
            world
                .put_guest_without_user(ADA, "GST-2025-7K3QXB", "Ada Lovelace")
                .await;
        }
        let mut begun = begun(&world, 20).await;
        let mut guest_ids = BTreeSet::new();
        for answer in proved_at_once(&mut begun).await {
            answer.expect_status(200);
            guest_ids.insert(answer["user"]["guestId"].to_string());
        }
        assert_eq!(guest_ids.len(), 1);
        assert_eq!(guest_ids.contains(r#""GST-2025-7K3QXB""#), there);
        assert_eq!(world.guests().await.len(), 1);
        assert_eq!(world.users().await.len(), 1);
        let items = world.items(&world.ready().tables["guests"]).await;
        assert_eq!(items.len(), 3, "the guest, the address and the id");
    }
}

/// On a busy machine a hundred at once exceed the time-outs of SDK and Lambda: a retried write
/// counts twice, a code proved again is used, a function is stopped half-way. A browser that meets
/// one of these (among twenty none does) signs in at the next try, as the same guest.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_first_sign_ins_at_once_make_one_guest() {
    let world = TestWorld::stopped(&ONE_BY_ONE).await;
    let mut begun = begun(&world, 100).await;
    assert!(world.guests().await.is_empty());
    let mut guest_ids = BTreeSet::new();
    let mut kept_out = Vec::new();
    let answers = proved_at_once(&mut begun).await;
    for (answer, (browser, ..)) in answers.into_iter().zip(begun) {
        if answer.status == 200 {
            guest_ids.insert(answer["user"]["guestId"].to_string());
        } else {
            let code = answer["code"].as_str();
            let overload = [
                None,
                Some("OTP_EXPIRED"),
                Some("RATE_LIMITED"),
                Some("SERVICE_UNAVAILABLE"),
            ];
            assert!(overload.contains(&code), "{}", answer.body);
            kept_out.push(browser);
        }
    }
    assert!(!guest_ids.is_empty());
    world.advance(3600);
    for browser in &mut kept_out {
        let signed_in = browser.sign_in(ADA).await;
        signed_in.expect_status(200);
        guest_ids.insert(signed_in["user"]["guestId"].to_string());
        world.advance(1);
    }
    assert_eq!(guest_ids.len(), 1);
    assert_eq!(world.users().await.len(), 1);
    let items = world.items(&world.ready().tables["guests"]).await;
    assert_eq!(items.len(), 3, "the guest, the address and the id");
}

/// NIST SP 800-63B-4 §3.1.3.2 and ASVS 5.0 6.6.3: guesses are limited, and parallel ones cannot
/// outrun the limit.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_wrong_codes_at_once_reach_cognito_three_times() {
    let world = TestWorld::stopped(&[]).await;
    let session_token = world.browser().started(ADA).await;
    let code = world.mail_code(ADA).await;
    let mut strangers: Vec<_> = (0..50).map(|_| world.browser()).collect();
    let guesses = strangers
        .iter_mut()
        .map(|stranger| stranger.verify(ADA, WRONG_CODE, &session_token));

    let mut remaining = Vec::new();
    for answer in at_once(guesses).await {
        if answer.status == 401 {
            answer.expect_problem(401, "INVALID_OTP");
            remaining.push(answer["attemptsRemaining"].as_u64().unwrap());
        } else {
            answer.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
            assert_eq!(answer.retry_after(), Some(LIFETIME));
        }
    }
    remaining.sort_unstable();
    assert_eq!(remaining, [0, 1, 2]);
    assert_eq!(world.count("AdminRespondToAuthChallenge"), 3);

    world.advance(100);
    let right = world.browser().verify(ADA, &code, &session_token).await;
    right.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    assert_eq!(right.retry_after(), Some(LIFETIME - 100));
    assert_eq!(world.count("AdminRespondToAuthChallenge"), 3);
    assert!(world.guests().await.is_empty());
}

/// ASVS 5.0 6.5.5: a code lives for ten minutes at most.
#[tokio::test]
async fn a_code_is_in_time_for_five_minutes_and_not_a_moment_longer() {
    for (after_millis, in_time) in [
        (299_000, true),
        (299_999, true),
        (300_000, false),
        (301_000, false),
    ] {
        let world = TestWorld::stopped(&[]).await;
        let mut browser = world.browser();
        let session_token = browser.started(ADA).await;
        let code = world.mail_code(ADA).await;
        world.advance_millis(after_millis);
        let proof = browser.verify(ADA, &code, &session_token).await;
        if in_time {
            proof.expect_status(200);
        } else {
            proof.expect_problem(410, "OTP_EXPIRED");
            assert_eq!(world.count("AdminRespondToAuthChallenge"), 0);
        }
    }
}

/// ASVS 5.0 6.6.2: a code is bound to the request that it was made for.
#[tokio::test]
async fn somebody_elses_session_token_is_refused_and_costs_nobody_anything() {
    let world = TestWorld::stopped(&[]).await;
    let (mut ada, mut eve) = (world.browser(), world.browser());
    let adas = ada.started(ADA).await;
    let eves = eve.started(EVE).await;
    let (adas_code, eves_code) = (world.mail_code(ADA).await, world.mail_code(EVE).await);
    for _ in 0..12 {
        for (email, code, session_token) in [
            (ADA, &adas_code, &eves),
            (ADA, &eves_code, &eves),
            (EVE, &eves_code, &adas),
        ] {
            let mixed = eve.verify(email, code, session_token).await;
            mixed.expect_problem(400, "INVALID_SESSION");
            assert!(mixed.header("ratelimit").is_none());
        }
    }
    assert_eq!(world.count("AdminRespondToAuthChallenge"), 0);
    for (browser, email, session_token) in [(&mut ada, ADA, &adas), (&mut eve, EVE, &eves)] {
        let wrong = browser.verify(email, WRONG_CODE, session_token).await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], 2);
        let limits = wrong.header("ratelimit").unwrap();
        assert!(limits.ends_with(r#""otp-failure";r=14;t=3600"#), "{limits}");
    }
    ada.verify(ADA, &adas_code, &adas).await.expect_status(200);
    eve.verify(EVE, &eves_code, &eves).await.expect_status(200);
}

#[tokio::test]
async fn a_right_code_whose_answer_got_lost_costs_a_resend() {
    // Lost once, the SDK retries by itself and finds the code used; lost three times, it gives up.
    for (times, status, code) in [(1, 410, "OTP_EXPIRED"), (3, 503, "SERVICE_UNAVAILABLE")] {
        let world = TestWorld::stopped(&[]).await;
        let mut browser = world.browser();
        let session_token = browser.started(ADA).await;
        let lost = Fault::new(
            FaultKind::Lost,
            "cognito-idp",
            "AdminRespondToAuthChallenge",
        );
        world.fault(lost.times(times));
        let mailed = world.mail_code(ADA).await;
        let unlucky = browser.verify(ADA, &mailed, &session_token).await;
        unlucky.expect_problem(status, code);

        world.advance(30);
        browser.resend(&session_token).await.expect_status(200);
        let mailed = world.mail_code(ADA).await;
        let proof = browser.verify(ADA, &mailed, &session_token).await;
        proof.expect_status(200);
        assert_eq!(world.guests().await.len(), 1);
    }
}

/// ASVS 5.0 6.5.1: a code works once.
#[tokio::test]
async fn a_proved_code_is_good_once() {
    let world = TestWorld::stopped(&[]).await;
    let (session_token, codes) = resent(&world).await;
    let mut browser = world.browser();
    let proof = browser.verify(ADA, &codes[0], &session_token).await;
    proof.expect_status(200);
    for code in &codes {
        let again = browser.verify(ADA, code, &session_token).await;
        again.expect_problem(409, "SIGN_IN_COMPLETED");
        let stranger = browser.verify(EVE, code, &session_token).await;
        stranger.expect_problem(400, "INVALID_SESSION");
    }
    world.advance(30);
    let resent = browser.resend(&session_token).await;
    resent.expect_problem(409, "SIGN_IN_COMPLETED");
    assert_eq!(world.mails(ADA).len(), 2);
    world.advance(300);
    let late = browser.verify(ADA, &codes[0], &session_token).await;
    late.expect_problem(409, "SIGN_IN_COMPLETED");
}

/// A button that is pressed twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_right_code_that_is_sent_twice_at_once_signs_in_once_and_is_never_called_expired() {
    for slow in ["AdminRespondToAuthChallenge", "TransactWriteItems"] {
        let world = TestWorld::start().await;
        let mut browser = world.browser();
        let session_token = browser.started(ADA).await;
        let code = world.mail_code(ADA).await;
        let service = match slow {
            "AdminRespondToAuthChallenge" => "cognito-idp",
            _ => "dynamodb",
        };
        let fault = Fault::new(FaultKind::Delay, service, slow);
        world.fault(fault.times(2).lasting(Duration::from_millis(40)));
        let mut browsers = [world.browser(), world.browser()];
        let proofs = browsers
            .iter_mut()
            .map(|browser| browser.verify(ADA, &code, &session_token));
        let mut answers = at_once(proofs).await;
        answers.sort_by_key(|answer| answer.status);
        answers[0].expect_status(200);
        answers[1].expect_problem(409, "SIGN_IN_COMPLETED");
    }
}

#[tokio::test]
async fn a_code_is_taken_however_it_was_typed() {
    let world = TestWorld::with_settings(&[("OTP_STARTS_PER_EMAIL", "50")]).await;
    let spelt: [fn(char) -> String; 6] = [
        |digit| format!("{digit} "),
        |digit| format!("\u{2013}{digit}"),
        |digit| format!("{digit}\u{200b}"),
        |digit| format!("\u{a0}{digit}\u{feff}"),
        |digit| {
            char::from_u32(u32::from(digit) - 0x30 + 0xff10)
                .unwrap()
                .to_string()
        },
        |digit| {
            char::from_u32(u32::from(digit) - 0x30 + 0x660)
                .unwrap()
                .to_string()
        },
    ];
    for (person, spell) in spelt.into_iter().enumerate() {
        let email = format!("typist{person}@example.com");
        let mut browser = world.browser();
        let session_token = browser.started(&email).await;
        let code: String = world.mail_code(&email).await.chars().map(spell).collect();
        let proof = browser.verify(&email, &code, &session_token).await;
        proof.expect_status(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_right_codes_at_once_one_signs_in_and_the_others_tokens_are_revoked() {
    let world = TestWorld::stopped(&[]).await;
    let (session_token, codes) = resent(&world).await;
    // Slow enough that both are on their way to Cognito before either is back.
    let slow = Fault::new(
        FaultKind::Delay,
        "cognito-idp",
        "AdminRespondToAuthChallenge",
    );
    world.fault(slow.times(u32::MAX).lasting(Duration::from_millis(300)));
    let mut browsers = [world.browser(), world.browser()];
    let proofs = browsers
        .iter_mut()
        .zip(&codes)
        .map(|(browser, code)| browser.verify(ADA, code, &session_token));
    let mut answers = at_once(proofs).await;
    answers.sort_by_key(|answer| answer.status);
    answers[0].expect_status(200);
    answers[1].expect_problem(409, "SIGN_IN_COMPLETED");
    assert!(answers[1].header("set-cookie").is_none());

    let answered = |action: &str| {
        let calls = world.calls_of("verify-otp").into_iter();
        calls
            .filter(|call| call.action == action && call.status == Some(200))
            .count()
    };
    assert_eq!(answered("AdminRespondToAuthChallenge"), 2);
    assert_eq!(answered("RevokeToken"), 1);
    let kept = json!({ "refreshToken": answers[0].text("refreshToken") });
    let refreshed = world.browser().post("/auth/refresh", kept).await;
    refreshed.expect_status(200);
    assert_eq!(world.guests().await.len(), 1);
}

#[tokio::test]
async fn sign_ins_of_one_address_in_two_browsers_do_not_mix() {
    let world = TestWorld::stopped(&[]).await;
    let (mut laptop, mut phone) = (world.browser(), world.browser());
    let on_laptop = laptop.started(ADA).await;
    let laptops_code = world.mail_code(ADA).await;
    world.advance(60);
    let on_phone = phone.started(ADA).await;
    let phones_code = world.mail_code(ADA).await;

    let wrong = laptop.verify(ADA, &phones_code, &on_laptop).await;
    assert_eq!(wrong["attemptsRemaining"], 2);
    let wrong = phone.verify(ADA, &laptops_code, &on_phone).await;
    assert_eq!(wrong["attemptsRemaining"], 2);
    let first = laptop.verify(ADA, &laptops_code, &on_laptop).await;
    first.expect_status(200);
    world.advance(LIFETIME - 1);
    let second = phone.verify(ADA, &phones_code, &on_phone).await;
    second.expect_status(200);
    assert_eq!(first["user"]["guestId"], second["user"]["guestId"]);
    assert_ne!(first["refreshToken"], second["refreshToken"]);
}

/// ASVS 5.0 6.5.2: a reader of the table cannot answer for any person.
#[tokio::test]
async fn neither_session_token_nor_code_nor_cookie_stands_in_a_table() {
    let world = TestWorld::stopped(&[]).await;
    let (session_token, codes) = resent(&world).await;
    let mut browser = world.browser();
    browser.verify(ADA, WRONG_CODE, &session_token).await;
    let tables = &world.ready().tables;
    let kept = async || {
        let challenges = world.items(&tables["challenges"]).await;
        let guests = world.items(&tables["guests"]).await;
        assert!(!challenges.is_empty());
        format!("{challenges:?}{guests:?}")
    };
    let mut secrets = vec![session_token.clone()];
    secrets.extend(codes.iter().cloned());
    let under_way = kept().await;

    let proof = browser.verify(ADA, &codes[1], &session_token).await;
    proof.expect_status(200);
    let finished = kept().await;
    secrets.extend(["accessToken", "idToken", "refreshToken"].map(|name| proof.text(name)));
    secrets.extend(browser.cookies.values().cloned());
    assert!(secrets.len() > 6);
    for secret in &secrets {
        assert!(!under_way.contains(secret.as_str()));
        assert!(!finished.contains(secret.as_str()));
    }
}

#[tokio::test]
async fn codes_of_six_to_eight_digits_are_asked_about_and_others_cost_nothing() {
    let world = TestWorld::stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    for bad in [
        "",
        "12345",
        "123456789",
        "1234567x",
        "1234.5678",
        "12 34 5",
        "１２３４５６７８９",
    ] {
        let refused = browser.verify(ADA, bad, &session_token).await;
        refused.expect_problem(400, "VALIDATION_FAILED");
        assert_eq!(refused["errors"][0]["field"], "code");
    }
    for (shaped, remaining) in [("404170", 2), ("4041709", 1), (WRONG_CODE, 0)] {
        let wrong = browser.verify(ADA, shaped, &session_token).await;
        wrong.expect_problem(401, "INVALID_OTP");
        assert_eq!(wrong["attemptsRemaining"], remaining);
    }
    assert_eq!(world.count("AdminRespondToAuthChallenge"), 3);
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| {
        Case::of("verify-otp", name, "200", prepare)
            .then(|_, stage, answer| Box::pin(signs_in(stage, answer)))
    };
    vec![
        case("known device", |world| Box::pin(known_device(world))).not_by_tool(),
        case("known guest", |world| Box::pin(known_guest(world))),
        case("guest with an authenticator", |world| {
            Box::pin(guarded_guest(world))
        }),
        case("first sign-in", |world| Box::pin(Stage::proof(world))),
        case("guest without a user", |world| {
            Box::pin(waiting_guest(world))
        }),
        case("code from the mail before", |world| {
            Box::pin(code_from_before(world))
        }),
        case("user of an older pool, unproved", |world| {
            Box::pin(unproved_user(world))
        }),
        Case::of("verify-otp", "wrong code", "401 INVALID_OTP", |world| {
            Box::pin(wrong_code(world))
        })
        .then(|case, stage, answer| Box::pin(mends_the_code(case, stage, answer))),
        case("registration not confirmed", |world| {
            Box::pin(unconfirmed_guest(world))
        }),
        case("guest with another language", |world| {
            Box::pin(guest_with_a_language(world))
        }),
        case("reset of factors due", |world| {
            Box::pin(guest_with_a_reset(world))
        }),
    ]
}

async fn known_device(world: &TestWorld) -> Stage<'_> {
    let browser = world.sign_in(ADA).await.browser;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::proof_in(browser).await
}

async fn known_guest(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::proof(world).await
}

async fn guest_with_a_language(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    world.change_language(ADA, "de").await;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::proof(world).await
}

async fn guarded_guest(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    plant_authenticator(world, ADA).await;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::proof(world).await
}

async fn waiting_guest(world: &TestWorld) -> Stage<'_> {
    plant_guest(world, ADA, "GST-2026-7K3QXB").await;
    Stage::proof(world).await
}

async fn code_from_before(world: &TestWorld) -> Stage<'_> {
    let mut stage = Stage::second_mail(world).await;
    let code = world.mail_code(ADA).await;
    stage.act().await.expect_status(200);
    stage.becomes_proof(&code);
    stage
}

async fn unproved_user(world: &TestWorld) -> Stage<'_> {
    make_unverified_user_with_password(world, ADA, PASSWORD).await;
    Stage::proof(world).await
}

async fn wrong_code(world: &TestWorld) -> Stage<'_> {
    let mut stage = Stage::proof(world).await;
    stage.spoil_code();
    stage
}

async fn guest_with_a_reset(world: &TestWorld) -> Stage<'_> {
    let guest = world.sign_in(ADA).await;
    plant_authenticator(world, ADA).await;
    ask_for_reset(world, &guest.user).await;
    world.advance(RESET_DELAY_SECONDS);
    Stage::proof(world).await
}

async fn unconfirmed_guest(world: &TestWorld) -> Stage<'_> {
    Stage::registration(world).act().await.expect_status(201);
    Stage::proof(world).await
}

/// The least that a person must do until a right code has signed them in.
pub(crate) async fn signs_in(stage: &mut Stage<'_>, answer: &Answer) -> Then {
    if answer.status == 200 {
        return Then::Nothing;
    }
    if stage.act().await.status == 200 {
        return Then::SameAgain;
    }
    if stage.resend().await.status == 200 {
        stage.prove_newest().await.expect_status(200);
        return Then::AnotherCode;
    }
    stage.browser.sign_in(ADA).await.expect_status(200);
    Then::FreshStart
}

/// The right code signs in after the wrong one.
async fn mends_the_code(case: &Case, stage: &mut Stage<'_>, answer: &Answer) -> Then {
    let (then, _) = case.reach(stage, answer).await;
    stage.mend_code();
    stage.act().await.expect_status(200);
    then
}
