//! `pre-authentication`: the trigger that guards sign-ins past the operations.

use serde_json::json;

use crate::harness::TestWorld;
use crate::harness::authenticator_app::code;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;

/// The public client signs in at Cognito's own endpoint, which knows nothing of the authenticator.
#[tokio::test]
async fn the_public_client_is_refused_for_guests_who_have_an_authenticator() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    let sign_in = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" },
    });
    let before = world.cognito_call("InitiateAuth", sign_in.clone()).await;
    before.expect_status(200);
    let guest = world.guarded_by_password(ADA, PASSWORD).await;
    let by_code = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" },
    });
    for refused in [sign_in, by_code] {
        let refused = world.cognito_call("InitiateAuth", refused).await;
        refused.expect_status(400);
        assert_eq!(
            refused["__type"], "UserLambdaValidationException",
            "{}",
            refused.body
        );
    }
    // Nor do tokens from before go on.
    let refresh = json!({
        "ClientId": world.ready().client_id,
        "RefreshToken": before["AuthenticationResult"]["RefreshToken"],
    });
    let refused = world
        .cognito_call("GetTokensFromRefreshToken", refresh)
        .await;
    refused.expect_status(400);
    let held = world.held(ADA).await;
    let signed_in = world
        .browser()
        .second_factor(&held, code(&guest.app.next_code()))
        .await;
    signed_in.expect_status(200);
}
