//! Secrets rotate without a deployment: warm functions read the new ones, and the old keys'
//! signatures stay valid.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognito_local::{ClientSpec, RefreshRotation, Secret};
use data_encoding::BASE64;
use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::code;
use crate::harness::people::ADA;
use crate::harness::steps::MANY_STARTS;

/// How long a warm function believes the secrets that it read, in seconds.
const SECRETS_BELIEVED_FOR: u64 = 300;

#[tokio::test]
async fn a_device_cookie_counts_through_one_rotation_of_the_keys() {
    let world = TestWorld::stopped(&[]).await;
    let mut known = world.sign_in(ADA).await.browser;
    // Each round rotates the keys, spends the strangers' budget, and returns with the previous
    // cookie.
    for (round, status) in [(1, 200), (2, 429)] {
        let mut secrets = world.secrets().await;
        secrets["keys"] = json!({
            "current": STANDARD.encode([round; 32]),
            "previous": secrets["keys"]["current"],
        });
        world.put_secrets(&secrets).await;
        world.advance(SECRETS_BELIEVED_FOR);
        let mut stranger = world.browser_at("127.0.0.2");
        while stranger.start(ADA).await.status == 200 {}
        known.start(ADA).await.expect_status(status);
        world.advance(900);
    }
}

/// A session may outlive two rotations.
#[tokio::test]
async fn a_refresh_token_counts_through_any_rotation_that_keeps_its_key() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let token = guest.refresh_token;
    let mut browser = world.browser();
    let mut secrets = world.secrets().await;
    let first = secrets["keys"]["current"].clone();
    for round in 1..4u8 {
        let keys = json!({
            "current": STANDARD.encode([round; 32]),
            "previous": secrets["keys"]["current"],
        });
        secrets["keys"] = keys;
        secrets["earlierKeys"] = json!([{ "key": first, "until": "2027-01-01T00:00:00+00:00" }]);
        world.put_secrets(&secrets).await;
        world.advance(SECRETS_BELIEVED_FOR);
    }
    for (earlier, status) in [(secrets["earlierKeys"].clone(), 200), (json!([]), 401)] {
        secrets["earlierKeys"] = earlier;
        world.put_secrets(&secrets).await;
        world.advance(SECRETS_BELIEVED_FOR);
        let body = json!({ "refreshToken": token });
        let refreshed = browser.post("/auth/refresh", body).await;
        refreshed.expect_status(status);
        if status == 200 {
            // Marked anew: by the key in use.
            let renewed = json!({ "refreshToken": refreshed["refreshToken"] });
            let again = browser.post("/auth/refresh", renewed).await;
            again.expect_status(200);
        }
    }
}

#[tokio::test]
async fn warm_functions_take_up_a_rotated_client_secret() {
    let world = TestWorld::start().await;
    let guest = world.sign_in(ADA).await;
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;

    let client_secret = "rotated".repeat(8);
    let rotated = ClientSpec {
        id: Some(world.operations_client_id().to_owned()),
        secret: Secret::Fixed(client_secret.clone()),
        explicit_auth_flows: vec!["ALLOW_USER_AUTH".to_owned()],
        refresh_rotation: Some(RefreshRotation { grace_seconds: 10 }),
        ..ClientSpec::new("latchkey-local-operations")
    };
    let pool_id = &world.ready().user_pool_id;
    world.cognito().ensure_client(pool_id, rotated).unwrap();
    let mut secrets = world.secrets().await;
    secrets["clientSecret"] = client_secret.into();
    world.put_secrets(&secrets).await;

    let code = world.mail_code(ADA).await;
    let proof = browser.verify(ADA, &code, &session_token).await;
    proof.expect_status(200);
    browser.sign_in(ADA).await.expect_status(200);
    for refresh_token in [guest.refresh_token, proof.text("refreshToken")] {
        let refreshed = browser
            .post("/auth/refresh", json!({ "refreshToken": refresh_token }))
            .await;
        refreshed.expect_status(200);
    }
}

#[tokio::test]
async fn authenticator_and_backup_codes_survive_any_rotation_of_the_keys() {
    let world = TestWorld::with_settings(&MANY_STARTS).await;
    let guest = world.guarded(ADA).await;
    for rotation in 0..3u8 {
        let mut secrets = world.secrets().await;
        secrets["keys"]["previous"] = secrets["keys"]["current"].clone();
        secrets["keys"]["current"] = json!(BASE64.encode(&[rotation; 32]));
        world.put_secrets(&secrets).await;
        world.advance(301);
        for factor in [
            code(&guest.app.next_code()),
            json!({ "backupCode": guest.backup_codes[usize::from(rotation)] }),
        ] {
            let held = world.held(ADA).await;
            let signed_in = world.browser().second_factor(&held, factor).await;
            signed_in.expect_status(200);
        }
    }
}
