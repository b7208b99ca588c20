//! Limits at their edges: the counted subject, the counted event, and the time of the next try.

use serde_json::json;

use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::steps::{
    ORIGIN_SECRET, ORIGIN_SECRET_SHA256, ROOMY_MAILBOXES, WRONG_CODE, at_once,
};
use crate::harness::{Answer, Browser, TestWorld};

/// The window of starts and of re-sends, in seconds.
const WINDOW: u64 = 900;

/// The window of wrong codes, in seconds.
const FAILURE_WINDOW: u64 = 3600;

/// A world with roomy mailboxes whose clock stands still.
async fn stopped(settings: &[(&str, &str)]) -> TestWorld {
    TestWorld::stopped(&[&ROOMY_MAILBOXES, settings].concat()).await
}

/// The rate limit fields: the policies, and the remaining budgets. Those of mailboxes and of a
/// network's attempts are omitted.
fn fields(answer: &Answer) -> (String, String) {
    let own = |name| {
        let policies = answer.header(name).unwrap().split(", ");
        let is_own = |one: &&str| !one.starts_with("\"code-mail-") && !one.contains("-network\"");
        policies.filter(is_own).collect::<Vec<_>>().join(", ")
    };
    (own("ratelimit-policy"), own("ratelimit"))
}

/// Whether the fields are these.
fn has_fields(answer: &Answer, policies: &str, limits: &str) {
    assert_eq!(fields(answer), (policies.to_owned(), limits.to_owned()));
}

/// Fails unless a limit refused with this waiting time in seconds.
fn expect_refused(answer: &Answer, retry_after: u64) {
    answer.expect_problem(429, "RATE_LIMITED");
    assert_eq!(answer.retry_after(), Some(retry_after));
}

/// How many more of the policy's events an answer says are admitted.
fn remaining(answer: &Answer, policy: &str) -> u64 {
    let (_, limits) = fields(answer);
    let limit = limits.split(", ").find_map(|limit| {
        let limit = limit.strip_prefix(&format!("\"{policy}\";r="))?;
        limit.split(';').next()
    });
    limit.unwrap().parse().unwrap()
}

/// Shows a wrong code; returns the answer.
async fn guess(browser: &mut Browser<'_>, email: &str, session_token: &str) -> Answer {
    browser.verify(email, WRONG_CODE, session_token).await
}

/// Spends the strangers' failures of an address: fifteen codes, three to a sign-in.
async fn spend_failures(stranger: &mut Browser<'_>, email: &str) {
    for _ in 0..5 {
        let session_token = stranger.started(email).await;
        for _ in 0..3 {
            let wrong = guess(stranger, email, &session_token).await;
            wrong.expect_problem(401, "INVALID_OTP");
        }
    }
}

/// ASVS 5.0 6.3.1.
#[tokio::test]
async fn five_starts_of_an_address_are_admitted_in_any_fifteen_minutes() {
    let world = stopped(&[]).await;
    let mut browser = world.browser();
    for start in 0..5 {
        let started = browser.start(ADA).await;
        started.expect_status(200);
        let (left, reset) = (4 - start, WINDOW - 60 * start);
        has_fields(
            &started,
            r#""otp-start-ip";q=30;w=900, "otp-start-email";q=5;w=900"#,
            &format!(
                r#""otp-start-ip";r={};t={reset}, "otp-start-email";r={left};t={reset}"#,
                29 - start
            ),
        );
        world.advance(60);
    }
    // The first start was 300 seconds ago.
    let refused = browser.start(ADA).await;
    expect_refused(&refused, WINDOW - 300);
    has_fields(
        &refused,
        r#""otp-start-ip";q=30;w=900, "otp-start-email";q=5;w=900"#,
        r#""otp-start-ip";r=24;t=600, "otp-start-email";r=0;t=600"#,
    );
    assert_eq!(world.count("AdminInitiateAuth"), 5);

    // Each of them falls out of the window by itself, and makes room for one.
    world.advance(WINDOW - 300 - 1);
    expect_refused(&browser.start(ADA).await, 1);
    for _ in 0..4 {
        world.advance(1);
        browser.start(ADA).await.expect_status(200);
        expect_refused(&browser.start(ADA).await, 60);
        world.advance(59);
        expect_refused(&browser.start(ADA).await, 1);
    }
}

#[tokio::test]
async fn thirty_starts_from_an_ip_are_admitted_in_any_fifteen_minutes() {
    let world = stopped(&[]).await;
    let mut browser = world.browser_at("127.0.0.7");
    for start in 0..30 {
        let started = browser.start(&format!("guest.{start}@example.com")).await;
        started.expect_status(200);
        assert_eq!(remaining(&started, "otp-start-ip"), 29 - start);
        world.advance(1);
    }
    let refused = browser.start(ADA).await;
    expect_refused(&refused, WINDOW - 30);
    has_fields(
        &refused,
        r#""otp-start-ip";q=30;w=900"#,
        r#""otp-start-ip";r=0;t=870"#,
    );
    let elsewhere = world.browser_at("127.0.0.8").start(ADA).await;
    elsewhere.expect_status(200);

    world.advance(WINDOW - 30 - 1);
    expect_refused(&browser.start(ADA).await, 1);
    world.advance(1);
    browser.start(ADA).await.expect_status(200);
    expect_refused(&browser.start(ADA).await, 1);
}

/// Starts of one address that come together are counted one by one.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_starts_at_once_are_five() {
    let world = stopped(&[]).await;
    let mut browsers: Vec<_> = (0..20).map(|_| world.browser()).collect();
    let starts = browsers.iter_mut().map(|browser| browser.start(ADA));
    let (admitted, refused): (Vec<_>, Vec<_>) = at_once(starts)
        .await
        .into_iter()
        .partition(|answer| answer.status == 200);
    assert_eq!(admitted.len(), 5);
    for answer in &refused {
        expect_refused(answer, WINDOW);
    }
    assert_eq!(world.mails(ADA).len(), 5);
}

#[tokio::test]
async fn the_mails_of_the_whole_pool_are_counted_by_the_minute() {
    let world = stopped(&[("OTP_STARTS_PER_MINUTE", "4")]).await;
    // At the edge of a minute, so that the next steps are within one.
    let into_minute = world.clock().now().as_millis().rem_euclid(60_000);
    world.advance_millis(60_000 - u64::try_from(into_minute).unwrap());

    let mut browser = world.browser();
    let session_token = browser.started("guest.0@example.com").await;
    for guest in ["guest.1@example.com", "guest.2@example.com"] {
        browser.started(guest).await;
    }
    world.advance(30);
    // A re-send is a mail as well.
    browser.resend(&session_token).await.expect_status(200);
    let refused = browser.start(ADA).await;
    expect_refused(&refused, 30);
    assert_eq!(world.mails(ADA).len(), 0);
    world.advance_millis(29_999);
    expect_refused(&browser.start(ADA).await, 1);
    expect_refused(&browser.resend(&session_token).await, 1);
    world.advance_millis(1);
    browser.start(ADA).await.expect_status(200);
}

/// NIST SP 800-63B-4 §3.1.3.2 and §3.2.2: over all sign-ins, and wherever they come from.
#[tokio::test]
async fn fifteen_wrong_codes_of_an_address_are_admitted_in_any_hour() {
    let world = stopped(&[]).await;
    let mut session_token = String::new();
    for failure in 0..15 {
        // Another network each time, and another sign-in after every third.
        let mut stranger = world.browser_at(&format!("127.0.0.{}", 10 + failure));
        if failure % 3 == 0 {
            session_token = stranger.started(ADA).await;
        }
        let wrong = guess(&mut stranger, ADA, &session_token).await;
        wrong.expect_problem(401, "INVALID_OTP");
        let (policy, limit) = fields(&wrong);
        assert_eq!(policy, r#""otp-failure";q=15;w=3600"#);
        let (left, reset) = (14 - failure, FAILURE_WINDOW - 60 * failure);
        assert_eq!(limit, format!(r#""otp-failure";r={left};t={reset}"#));
        world.advance(60);
    }
    let mut stranger = world.browser();
    let session_token = stranger.started(ADA).await;
    let mailed = world.mail_code(ADA).await;
    let right = stranger.verify(ADA, &mailed, &session_token).await;
    expect_refused(&right, FAILURE_WINDOW - 900);
    has_fields(
        &right,
        r#""otp-failure";q=15;w=3600"#,
        r#""otp-failure";r=0;t=2700"#,
    );
    assert_eq!(world.count("AdminRespondToAuthChallenge"), 15);

    // The failures leave the hour one by one, and each makes room for one.
    world.advance(FAILURE_WINDOW - 900 - 1);
    let session_token = stranger.started(ADA).await;
    expect_refused(&guess(&mut stranger, ADA, &session_token).await, 1);
    for remaining in [2, 1] {
        world.advance(1);
        let wrong = guess(&mut stranger, ADA, &session_token).await;
        wrong.expect_problem(401, "INVALID_OTP");
        // A request that the limit refused was no attempt.
        assert_eq!(wrong["attemptsRemaining"], remaining);
        expect_refused(&guess(&mut stranger, ADA, &session_token).await, 60);
        world.advance(59);
        expect_refused(&guess(&mut stranger, ADA, &session_token).await, 1);
    }
    world.advance(1);
    let mailed = world.mail_code(ADA).await;
    let proof = stranger.verify(ADA, &mailed, &session_token).await;
    proof.expect_status(200);
}

/// NIST SP 800-63B-4 §3.2.2: a successful authentication ends the count.
#[tokio::test]
async fn a_right_code_forgets_the_wrong_ones() {
    let world = stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    for left in [14, 13] {
        let wrong = guess(&mut browser, ADA, &session_token).await;
        assert_eq!(remaining(&wrong, "otp-failure"), left);
    }
    let mailed = world.mail_code(ADA).await;
    let proof = browser.verify(ADA, &mailed, &session_token).await;
    proof.expect_status(200);

    let mut stranger = world.browser();
    let session_token = stranger.started(ADA).await;
    let wrong = guess(&mut stranger, ADA, &session_token).await;
    assert_eq!(remaining(&wrong, "otp-failure"), 14);
}

#[tokio::test]
async fn mails_of_a_sign_in_are_thirty_seconds_apart() {
    let world = stopped(&[]).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    for _ in 0..2 {
        expect_refused(&browser.resend(&session_token).await, 30);
        world.advance(29);
        let refused = browser.resend(&session_token).await;
        expect_refused(&refused, 1);
        has_fields(
            &refused,
            r#""otp-resend-gap";q=1;w=30"#,
            r#""otp-resend-gap";r=0;t=1"#,
        );
        world.advance(1);
        browser.resend(&session_token).await.expect_status(200);
    }
    assert_eq!(world.mails(ADA).len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_resends_at_once_are_one() {
    let world = stopped(&[]).await;
    let session_token = world.browser().started(ADA).await;
    world.advance(30);
    let mut browsers: Vec<_> = (0..20).map(|_| world.browser()).collect();
    let resends = browsers
        .iter_mut()
        .map(|browser| browser.resend(&session_token));
    let (admitted, refused): (Vec<_>, Vec<_>) = at_once(resends)
        .await
        .into_iter()
        .partition(|answer| answer.status == 200);
    assert_eq!(admitted.len(), 1);
    for answer in &refused {
        expect_refused(answer, 30);
    }
    assert_eq!(world.mails(ADA).len(), 2);
}

#[tokio::test]
async fn five_resends_to_an_address_are_admitted_in_any_fifteen_minutes() {
    let world = stopped(&[]).await;
    let mut browser = world.browser();
    // Three in one sign-in, two in another.
    let mut session_token = String::new();
    for before in 0..5 {
        if before % 3 == 0 {
            session_token = browser.started(ADA).await;
        }
        world.advance(30);
        let answer = browser.resend(&session_token).await;
        answer.expect_status(200);
        let (left, reset) = (4 - before, WINDOW - 30 * before);
        has_fields(
            &answer,
            r#""otp-resend-gap";q=1;w=30, "otp-resend-email";q=5;w=900"#,
            &format!(r#""otp-resend-gap";r=0;t=30, "otp-resend-email";r={left};t={reset}"#),
        );
    }
    let mails = world.mails(ADA).len();
    // For any sign-in, and any number of requests: the first re-send was 150 seconds ago.
    let elsewhere = world.browser_at("127.0.0.2").started(ADA).await;
    world.advance(30);
    for token in [&session_token, &elsewhere, &session_token, &elsewhere] {
        expect_refused(&browser.resend(token).await, WINDOW - 150);
    }
    assert_eq!(world.mails(ADA).len(), mails + 1);

    world.advance(WINDOW - 150 - 30);
    let session_token = browser.started(ADA).await;
    world.advance(29);
    expect_refused(&browser.resend(&session_token).await, 1);
    world.advance(1);
    browser.resend(&session_token).await.expect_status(200);
}

#[tokio::test]
async fn whoever_changes_networks_is_held_by_the_address() {
    let world = stopped(&[]).await;
    for host in 2..7 {
        let mut browser = world.browser_at(&format!("127.0.0.{host}"));
        browser.start(ADA).await.expect_status(200);
    }
    for host in 7..12 {
        let mut browser = world.browser_at(&format!("127.0.0.{host}"));
        expect_refused(&browser.start(ADA).await, WINDOW);
    }
    assert_eq!(world.mails(ADA).len(), 5);
}

#[tokio::test]
async fn whoever_changes_the_spelling_is_held_by_the_address() {
    let world = stopped(&[]).await;
    let mut browser = world.browser();
    for spelling in [
        ADA,
        "ADA@example.com",
        "ada@Example.Com",
        "Ada@EXAMPLE.COM",
        "adA@example.com",
    ] {
        browser.start(spelling).await.expect_status(200);
    }
    expect_refused(&browser.start("aDa@example.com").await, WINDOW);
    assert_eq!(world.users().await.len(), 1);
}

#[tokio::test]
async fn whoever_changes_addresses_is_held_by_the_network() {
    let world = stopped(&[]).await;
    for start in 0..40 {
        // A browser of its own each time: only the network is the same.
        let answer = world
            .browser()
            .start(&format!("guest.{start}@example.com"))
            .await;
        if start < 30 {
            answer.expect_status(200);
        } else {
            expect_refused(&answer, WINDOW);
        }
    }
    assert_eq!(world.users().await.len(), 30);
}

/// ASVS 5.0 4.1.3: clients cannot set the fields of an intermediary.
#[tokio::test]
async fn what_a_client_says_about_its_address_changes_nothing() {
    let world = stopped(&[("OTP_STARTS_PER_IP", "10")]).await;
    for (start, headers) in [
        &[("x-forwarded-for", "203.0.113.1")][..],
        &[("x-forwarded-for", "203.0.113.2, 10.0.0.1")],
        &[("forwarded", "for=203.0.113.3")],
        &[("x-real-ip", "203.0.113.4")],
        &[("true-client-ip", "203.0.113.5")],
        &[("cloudfront-viewer-address", "203.0.113.6:443")],
        &[
            ("cloudfront-viewer-address", "203.0.113.7:443"),
            ("x-origin-verify", ""),
        ],
        &[
            ("cloudfront-viewer-address", "203.0.113.8:443"),
            ("x-origin-verify", "a guess"),
        ],
        &[("x-origin-verify", ORIGIN_SECRET)],
        &[],
    ]
    .into_iter()
    .enumerate()
    {
        let mut browser = world.browser();
        for (name, value) in headers {
            browser.always(name, value);
        }
        let answer = browser.start(&format!("guest.{start}@example.com")).await;
        answer.expect_status(200);
        let left = u64::try_from(9 - start).unwrap();
        assert_eq!(remaining(&answer, "otp-start-ip"), left, "{headers:?}");
    }
    let mut browser = world.browser();
    browser.always("x-forwarded-for", "203.0.113.9");
    expect_refused(&browser.start(ADA).await, WINDOW);
}

#[tokio::test]
async fn behind_cloudfront_the_viewer_is_counted() {
    let world = stopped(&[
        ("OTP_STARTS_PER_IP", "3"),
        ("ORIGIN_SECRET_SHA256", ORIGIN_SECRET_SHA256),
    ])
    .await;
    let mut browser = world.browser();
    browser.always("x-origin-verify", ORIGIN_SECRET);
    for (start, (viewer, left)) in [
        ("203.0.113.7:443", 2),
        ("203.0.113.7:50001", 1),
        ("203.0.113.8:443", 2),
        // A host chooses its own address within its /64 (RFC 4291 §2.5.4).
        ("2001:db8:0:1::7:443", 2),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff:443", 1),
        ("2001:db8:0:2::7:443", 2),
        // Nonsense names no sender: the peer counts.
        ("nonsense", 2),
    ]
    .into_iter()
    .enumerate()
    {
        browser.always("cloudfront-viewer-address", viewer);
        let answer = browser.start(&format!("guest.{start}@example.com")).await;
        answer.expect_status(200);
        assert_eq!(remaining(&answer, "otp-start-ip"), left, "{viewer}");
    }
    browser.always("cloudfront-viewer-address", "203.0.113.7:443");
    browser.start(ADA).await.expect_status(200);
    expect_refused(&browser.start(ADA).await, WINDOW);
    browser.always("cloudfront-viewer-address", "203.0.113.8:443");
    browser.start(ADA).await.expect_status(200);
}

#[tokio::test]
async fn a_network_past_its_limit_spends_no_other_budget() {
    let settings = [("OTP_STARTS_PER_IP", "1"), ("OTP_STARTS_PER_MINUTE", "3")];
    let world = stopped(&settings).await;
    let mut flood = world.browser_at("127.0.0.2");
    flood.start(EVE).await.expect_status(200);
    for _ in 0..20 {
        expect_refused(&flood.start(ADA).await, WINDOW);
    }
    assert_eq!(world.cognito_actions_since(0).len(), 2);
    for (host, left) in [(3, 4), (4, 3)] {
        let mut browser = world.browser_at(&format!("127.0.0.{host}"));
        let started = browser.start(ADA).await;
        started.expect_status(200);
        assert_eq!(remaining(&started, "otp-start-email"), left);
    }
}

#[tokio::test]
async fn an_address_past_its_limit_spends_nothing_of_the_pools() {
    let settings = [
        ("OTP_STARTS_PER_EMAIL", "1"),
        ("OTP_STARTS_PER_MINUTE", "2"),
    ];
    let world = stopped(&settings).await;
    let mut browser = world.browser();
    browser.start(EVE).await.expect_status(200);
    for _ in 0..20 {
        expect_refused(&browser.start(EVE).await, WINDOW);
    }
    browser.start(ADA).await.expect_status(200);
}

/// OWASP, "Slow Down Online Guessing Attacks with Device Cookies": no stranger can lock a guest
/// out.
#[tokio::test]
async fn a_strangers_wrong_codes_do_not_keep_a_known_browser_out() {
    let world = stopped(&[]).await;
    let mut known = world.sign_in(ADA).await.browser;
    world.advance(WINDOW);
    let mut stranger = world.browser_at("127.0.0.2");
    spend_failures(&mut stranger, ADA).await;
    expect_refused(&stranger.start(ADA).await, WINDOW);
    world.advance(WINDOW);
    let held = stranger.started(ADA).await;
    let wrong = guess(&mut stranger, ADA, &held).await;
    expect_refused(&wrong, FAILURE_WINDOW - WINDOW);

    let session_token = known.started(ADA).await;
    let mailed = world.mail_code(ADA).await;
    let wrong = guess(&mut known, ADA, &session_token).await;
    wrong.expect_problem(401, "INVALID_OTP");
    assert_eq!(remaining(&wrong, "otp-failure"), 14);
    world.advance(30);
    known.resend(&session_token).await.expect_status(200);
    let proof = known.verify(ADA, &mailed, &session_token).await;
    proof.expect_status(200);

    // The guest's own success does not restore the strangers' budget.
    let mailed = world.mail_code(ADA).await;
    let refused = stranger.verify(ADA, &mailed, &held).await;
    expect_refused(&refused, FAILURE_WINDOW - WINDOW - 30);
}

/// A guest who is signed in in an app, for instance, which keeps no device cookie.
#[tokio::test]
async fn a_strangers_wrong_codes_do_not_keep_a_signed_in_guest_from_a_fresh_proof() {
    let world = stopped(&[]).await;
    let guest = world.sign_in(ADA).await;
    let mut app = world.browser();
    app.bearer(&guest.access_token);
    let mut stranger = world.browser_at("127.0.0.9");
    world.advance(WINDOW);
    spend_failures(&mut stranger, ADA).await;
    world.advance(WINDOW);
    let wrong = stranger.started(ADA).await;
    guess(&mut stranger, ADA, &wrong)
        .await
        .expect_problem(429, "RATE_LIMITED");
    let proof = app.mailed_proof(ADA, "authenticator").await;
    let set_up = app.set_up(json!({ "proof": proof })).await;
    set_up.expect_status(200);
}

/// The route of a fresh proof takes no solved challenge, so its refusals offer none.
#[tokio::test]
async fn a_signed_in_guests_budget_for_fresh_proofs_ends_without_a_challenge() {
    let world = stopped(&[
        ("LOGIN_FAILURES_PER_EMAIL", "2"),
        ("OTP_FAILURES_PER_EMAIL", "3"),
    ])
    .await;
    world.registered(ADA, PASSWORD).await;
    let guest = world.sign_in(ADA).await;
    let mut app = world.browser();
    app.bearer(&guest.access_token);
    for _ in 0..2 {
        let password = json!({ "email": ADA, "password": "not the password" });
        let refused = world.browser().post("/auth/login", password).await;
        refused.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let password = json!({ "email": ADA, "password": PASSWORD });
    let refused = world.browser().post("/auth/login", password).await;
    refused.expect_problem(429, "RATE_LIMITED");
    // Strangers have spent their budget, not the guest's.
    let set_up = app.set_up(json!({ "password": PASSWORD })).await;
    set_up.expect_status(200);
    for _ in 0..2 {
        let wrong = app.set_up(json!({ "password": "not the password" })).await;
        wrong.expect_problem(401, "INVALID_CREDENTIALS");
    }
    let mut proof = app.mailed_proof(ADA, "authenticator").await;
    proof["code"] = WRONG_CODE.into();
    for _ in 0..3 {
        let wrong = app.set_up(json!({ "proof": proof })).await;
        wrong.expect_problem(401, "INVALID_OTP");
    }
    world.advance(WINDOW);
    let proof = app.mailed_proof(ADA, "authenticator").await;
    for proof in [json!({ "password": PASSWORD }), json!({ "proof": proof })] {
        let refused = app.set_up(proof).await;
        refused.expect_problem(429, "RATE_LIMITED");
        assert!(refused["challenge"].is_null(), "{}", refused.body);
    }
}

#[tokio::test]
async fn a_known_browser_has_a_budget_that_ends_too() {
    let world = stopped(&[]).await;
    let mut known = world.sign_in(ADA).await.browser;
    spend_failures(&mut known, ADA).await;
    expect_refused(&known.start(ADA).await, WINDOW);
    world.advance(WINDOW);
    let session_token = known.started(ADA).await;
    expect_refused(
        &guess(&mut known, ADA, &session_token).await,
        FAILURE_WINDOW - WINDOW,
    );
    world.advance(30);
    known.resend(&session_token).await.expect_status(200);

    // And strangers still have theirs.
    let mut stranger = world.browser_at("127.0.0.2");
    let started = stranger.start(ADA).await;
    assert_eq!(remaining(&started, "otp-start-email"), 4);
    let wrong = guess(&mut stranger, ADA, &started.text("sessionToken")).await;
    assert_eq!(remaining(&wrong, "otp-failure"), 14);
}

/// Whether a browser with these cookies may start after strangers have spent their budget.
async fn is_known(world: &TestWorld, email: &str, cookies: &[(&str, &str)]) -> bool {
    let mut browser = world.browser_at("127.0.0.3");
    for (name, value) in cookies {
        browser
            .cookies
            .insert((*name).to_owned(), (*value).to_owned());
    }
    let started = browser.start(email).await;
    if started.status != 200 {
        started.expect_problem(429, "RATE_LIMITED");
    }
    started.status == 200
}

#[tokio::test]
async fn a_forged_or_borrowed_device_cookie_gives_nothing() {
    let world = stopped(&[]).await;
    let adas = world.sign_in(ADA).await.browser.cookies;
    let eves = world.sign_in(EVE).await.browser.cookies;
    let (name, value) = adas.first_key_value().unwrap();
    let (eves_name, eves_value) = eves.first_key_value().unwrap();
    assert_ne!(name, eves_name);
    assert!(name.starts_with("__Host-"));
    let mut stranger = world.browser_at("127.0.0.2");
    while stranger.start(ADA).await.status == 200 {}

    assert!(is_known(&world, ADA, &[(name, value)]).await);
    let (head, tag) = value.rsplit_once('.').unwrap();
    let parts: Vec<_> = value.split('.').collect();
    let later = parts[1].parse::<u64>().unwrap() + 1;
    for forged in [
        "",
        "v1",
        head,
        eves_value,
        &format!("{head}.{}", "0".repeat(tag.len())),
        &format!("{head}.{}", tag.to_uppercase()),
        &format!("{value}.{tag}"),
        &value.replacen(parts[1], &later.to_string(), 1),
        &value.replacen(&format!(".{}.", parts[2]), ".7.", 1),
        &value.replacen(parts[4], &"0".repeat(parts[4].len()), 1),
        &value.replacen("v3", "v2", 1),
    ] {
        assert!(!is_known(&world, ADA, &[(name, forged)]).await, "{forged}");
    }
    assert!(!is_known(&world, ADA, &[(eves_name, value)]).await);
    assert!(!is_known(&world, ADA, &[(eves_name, eves_value)]).await);
    assert!(!is_known(&world, ADA, &[("latchkey-device", value)]).await);
    // One browser may be a known device of several people.
    assert!(is_known(&world, ADA, &[(eves_name, eves_value), (name, value)]).await);
}

#[tokio::test]
async fn a_device_cookie_counts_for_its_days_and_is_renewed_by_each_sign_in() {
    const DAY: u64 = 24 * 3600;
    let world = stopped(&[("DEVICE_COOKIE_DAYS", "10")]).await;
    let mut browser = world.sign_in(ADA).await.browser;
    let first = browser.cookies.clone();
    world.advance(5 * DAY);
    browser.sign_in(ADA).await.expect_status(200);
    let renewed = browser.cookies.clone();
    assert_eq!(first.len(), 1);
    assert_eq!(renewed.len(), 1);
    for (age, first_counts) in [(5 * DAY - 10, true), (10, false)] {
        world.advance(age);
        let mut stranger = world.browser_at("127.0.0.2");
        while stranger.start(ADA).await.status == 200 {}
        let known = async |cookies: &std::collections::BTreeMap<String, String>| {
            let (name, value) = cookies.first_key_value().unwrap();
            is_known(&world, ADA, &[(name, value)]).await
        };
        assert_eq!(known(&first).await, first_counts);
        assert!(known(&renewed).await);
    }
}

#[tokio::test]
async fn limits_are_settings() {
    let world = stopped(&[
        ("OTP_LIFETIME_SECONDS", "120"),
        ("OTP_ATTEMPTS", "2"),
        ("OTP_RESEND_SECONDS", "10"),
        ("OTP_RESENDS_PER_EMAIL", "1"),
        ("OTP_RESEND_WINDOW_SECONDS", "50"),
        ("OTP_STARTS_PER_EMAIL", "2"),
        ("OTP_STARTS_PER_IP", "3"),
        ("OTP_START_WINDOW_SECONDS", "100"),
        ("OTP_FAILURES_PER_EMAIL", "3"),
        ("OTP_FAILURE_WINDOW_SECONDS", "200"),
    ])
    .await;
    let mut browser = world.browser();
    let started = browser.start(ADA).await;
    assert_eq!(started["expiresIn"], 120);
    assert_eq!(started["resendAfter"], 10);
    has_fields(
        &started,
        r#""otp-start-ip";q=3;w=100, "otp-start-email";q=2;w=100"#,
        r#""otp-start-ip";r=2;t=100, "otp-start-email";r=1;t=100"#,
    );
    let session_token = started.text("sessionToken");
    world.advance(9);
    expect_refused(&browser.resend(&session_token).await, 1);
    world.advance(1);
    browser.resend(&session_token).await.expect_status(200);
    world.advance(10);
    expect_refused(&browser.resend(&session_token).await, 40);

    for left in [1, 0] {
        let wrong = guess(&mut browser, ADA, &session_token).await;
        assert_eq!(wrong["attemptsRemaining"], left);
    }
    let spent = guess(&mut browser, ADA, &session_token).await;
    spent.expect_problem(429, "MAX_ATTEMPTS_EXCEEDED");
    assert_eq!(spent.retry_after(), Some(100));

    let session_token = browser.started(ADA).await;
    expect_refused(&browser.start(ADA).await, 80);
    expect_refused(&browser.start(EVE).await, 80);
    guess(&mut browser, ADA, &session_token)
        .await
        .expect_problem(401, "INVALID_OTP");
    expect_refused(&guess(&mut browser, ADA, &session_token).await, 200);

    world.advance(119);
    let session_token = browser.started(EVE).await;
    let mailed = world.mail_code(EVE).await;
    world.advance(120);
    browser
        .verify(EVE, &mailed, &session_token)
        .await
        .expect_problem(410, "OTP_EXPIRED");
}
