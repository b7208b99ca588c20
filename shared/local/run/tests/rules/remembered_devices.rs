//! A browser that skips the second factor: its guest, its time, and the events that end it.

use serde_json::{Value, json};

use crate::harness::authenticator_app::{App, Guarded, code};
use crate::harness::passwords::{OTHER_PASSWORD, PASSWORD};
use crate::harness::people::{ADA, EVE};
use crate::harness::steps::ROOMY_MAILBOXES;
use crate::harness::{Browser, TestWorld};

const DAY: u64 = 24 * 3600;

/// A world whose clock stands still, with room for many sign-ins.
async fn world(more: &[(&str, &str)]) -> TestWorld {
    let mut settings = vec![("OTP_STARTS_PER_EMAIL", "100")];
    settings.extend(ROOMY_MAILBOXES);
    settings.extend(more);
    TestWorld::stopped(&settings).await
}

/// Signs in with both factors, and asks that this browser be spared the second.
async fn remember(browser: &mut Browser<'_>, email: &str, app: &App<'_>) {
    let held = browser.sign_in(email).await;
    held.expect_status(200);
    assert_eq!(held["mfaRequired"], true, "{}", held.body);
    let mut factor = code(&app.next_code());
    factor["rememberDevice"] = json!(true);
    let held = held.text("sessionToken");
    let signed_in = browser.second_factor(&held, factor).await;
    signed_in.expect_status(200);
    browser.bearer(&signed_in.text("accessToken"));
}

/// Whether a sign-in of the browser asks for the second factor.
async fn is_asked(browser: &mut Browser<'_>, email: &str) -> bool {
    let answer = browser.sign_in(email).await;
    answer.expect_status(200);
    if answer["mfaRequired"] == true {
        return true;
    }
    assert!(answer["accessToken"].is_string(), "{}", answer.body);
    false
}

async fn remembered<'world>(
    world: &'world TestWorld,
    email: &str,
) -> (Guarded<'world>, Browser<'world>) {
    let guest = world.guarded(email).await;
    let mut browser = world.browser();
    world.advance(60);
    remember(&mut browser, email, &guest.app).await;
    (guest, browser)
}

#[tokio::test]
async fn a_browser_is_spared_the_second_factor_for_thirty_days() {
    let world = world(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let (_, mut browser) = remembered(&world, ADA).await;
    assert!(!is_asked(&mut browser, ADA).await);
    let by_password = browser.login(ADA, PASSWORD).await;
    assert!(by_password["accessToken"].is_string());
    // A sign-in renews the device cookie, but not the thirty days.
    for days in [10, 10, 9] {
        world.advance(days * DAY);
        assert!(!is_asked(&mut browser, ADA).await);
    }
    world.advance(DAY - 1);
    assert!(!is_asked(&mut browser, ADA).await);
    world.advance(1);
    assert!(is_asked(&mut browser, ADA).await);
    assert!(is_asked(&mut world.browser(), ADA).await, "another browser");
}

#[tokio::test]
async fn a_browser_is_asked_where_nobody_wanted_it_spared_or_the_deployment_spares_none() {
    let spares_none = [("REMEMBER_DEVICE_DAYS", "0")];
    for (settings, wish) in [
        (&[][..], json!(false)),
        (&[][..], Value::Null),
        (&spares_none[..], json!(true)),
    ] {
        let world = world(settings).await;
        let guest = world.guarded(ADA).await;
        let mut browser = world.browser();
        let held = browser.sign_in(ADA).await.text("sessionToken");
        let mut factor = code(&guest.app.next_code());
        factor["rememberDevice"] = wish;
        browser
            .second_factor(&held, factor)
            .await
            .expect_status(200);
        assert!(is_asked(&mut browser, ADA).await);
    }
}

#[tokio::test]
async fn sign_outs_and_changes_of_factor_end_it() {
    let world = world(&[]).await;
    world.registered(ADA, PASSWORD).await;
    let (mut guest, mut browser) = remembered(&world, ADA).await;

    let everywhere = json!({ "everywhere": true });
    let ended = browser.post("/auth/logout", everywhere).await;
    ended.expect_status(204);
    world.advance(60);
    assert!(is_asked(&mut browser, ADA).await);

    remember(&mut browser, ADA, &guest.app).await;
    world.advance(60);
    let elsewhere = world.held(ADA).await;
    let elsewhere = world
        .browser()
        .second_factor(&elsewhere, code(&guest.app.next_code()))
        .await;
    guest.session.browser.bearer(&elsewhere.text("accessToken"));
    let others = guest.session.browser.delete("/me/sessions").await;
    others.expect_status(204);
    world.advance(60);
    assert!(is_asked(&mut browser, ADA).await);

    remember(&mut browser, ADA, &guest.app).await;
    world.advance(60);
    let replacing = json!({ "password": PASSWORD, "mfaCode": guest.app.next_code() });
    let set_up = browser.set_up(replacing).await;
    set_up.expect_status(200);
    let new = App::new(&world, &set_up.text("secret"));
    browser
        .confirm_set_up(&new.next_code())
        .await
        .expect_status(200);
    world.advance(60);
    assert!(is_asked(&mut browser, ADA).await);

    remember(&mut browser, ADA, &new).await;
    world.advance(60);
    let reset = world
        .reset_password(&mut browser, ADA, OTHER_PASSWORD)
        .await;
    reset.expect_status(204);
    world.advance(60);
    assert!(is_asked(&mut browser, ADA).await);
}

/// The cookie is the device's. A thief of the cookie still needs the first factor, and the guest
/// ends it by signing out everywhere.
#[tokio::test]
async fn a_copied_cookie_is_worth_what_the_device_is_and_no_more() {
    let world = world(&[]).await;
    let (_, mut browser) = remembered(&world, ADA).await;
    let mut thief = world.browser();
    thief.cookies = browser.cookies.clone();
    assert_eq!(thief.get("/me").await.status, 401, "no first factor");
    assert!(!is_asked(&mut thief, ADA).await);
    let everywhere = json!({ "everywhere": true });
    let ended = browser.post("/auth/logout", everywhere).await;
    ended.expect_status(204);
    world.advance(60);
    assert!(is_asked(&mut thief, ADA).await);
}

#[tokio::test]
async fn a_cookie_of_somebody_else_spares_nothing() {
    let world = world(&[]).await;
    let (_, ada) = remembered(&world, ADA).await;
    let (_, eve) = remembered(&world, EVE).await;
    let one = |browser: &Browser<'_>| {
        let cookie = browser.cookies.iter().next().expect("a device cookie");
        (cookie.0.clone(), cookie.1.clone())
    };
    let ((name, value), (_, others)) = (one(&ada), one(&eve));
    let mut browser = world.browser();
    browser.cookies.insert(name.clone(), others);
    assert!(is_asked(&mut browser, ADA).await);
    // Eve's browser, at which Ada signs in.
    let mut eves = world.browser();
    eves.cookies = eve.cookies.clone();
    assert!(is_asked(&mut eves, ADA).await);
    // A mark that is added to a cookie, or made younger.
    let parts: Vec<&str> = value.split('.').collect();
    for (place, forged) in [(5, "9999999999999"), (5, ""), (1, "9999999999"), (3, "YQ")] {
        let mut parts = parts.clone();
        parts[place] = forged;
        let mut browser = world.browser();
        browser.cookies.insert(name.clone(), parts.join("."));
        assert!(is_asked(&mut browser, ADA).await, "{place}");
    }
}
