//! TOTP: set up, asked for, never accepted twice.

use aws_sdk_cognitoidentityprovider::types::{ChallengeNameType, SoftwareTokenMfaSettingsType};
use data_encoding::BASE32_NOPAD;
use ring::hmac;

use crate::world::{PASSWORD, World, refusal};

const NINA: &str = "nina@example.com";

/// RFC 6238, made here a second time.
fn totp(secret: &str, seconds: u64) -> String {
    let key = hmac::Key::new(
        hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        &BASE32_NOPAD.decode(secret.as_bytes()).unwrap(),
    );
    let tag = hmac::sign(&key, &(seconds / 30).to_be_bytes());
    let bytes = tag.as_ref();
    let offset = usize::from(bytes[19] % 16);
    let word: [u8; 4] = bytes[offset..offset + 4].try_into().unwrap();
    format!(
        "{:06}",
        (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000
    )
}

#[tokio::test]
async fn an_authenticator_is_set_up_asked_for_and_no_code_works_twice() {
    let world = World::with(|plan| plan.pool.software_token_mfa = true).await;
    world.user_with_password(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let token = tokens.access_token().unwrap();
    let prefer = || {
        world
            .sdk
            .set_user_mfa_preference()
            .access_token(token)
            .software_token_mfa_settings(
                SoftwareTokenMfaSettingsType::builder()
                    .enabled(true)
                    .preferred_mfa(true)
                    .build(),
            )
            .send()
    };
    let secret = world
        .sdk
        .associate_software_token()
        .access_token(token)
        .send()
        .await
        .unwrap()
        .secret_code
        .unwrap();
    assert_eq!(
        refusal(prefer().await),
        "InvalidParameterException: User has not verified software token mfa"
    );
    let verify = |code: String| {
        world
            .sdk
            .verify_software_token()
            .access_token(token)
            .user_code(code)
            .send()
    };
    let right = totp(&secret, world.clock.now());
    let wrong = format!("{:06}", (right.parse::<u32>().unwrap() + 1) % 1_000_000);
    assert_eq!(
        refusal(verify(wrong.clone()).await),
        "EnableSoftwareTokenMFAException: Code mismatch and fail enable Software Token MFA"
    );
    verify(right.clone()).await.unwrap();
    prefer().await.unwrap();

    let begun = world.begin(NINA).await.unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::SelectChallenge)
    );
    assert_eq!(
        begun.available_challenges(),
        [ChallengeNameType::PasswordSrp, ChallengeNameType::Password],
        "an authenticator cannot be walked round by email"
    );
    let challenged = world.password_sign_in(NINA, PASSWORD).await.unwrap();
    assert_eq!(
        challenged.challenge_name,
        Some(ChallengeNameType::SoftwareTokenMfa)
    );
    let session = challenged.session.unwrap();
    let answer = |code: String| {
        world
            .sdk
            .admin_respond_to_auth_challenge()
            .user_pool_id(&world.pool)
            .client_id(&world.client.client_id)
            .challenge_name(ChallengeNameType::SoftwareTokenMfa)
            .session(&session)
            .challenge_responses("USERNAME", NINA)
            .challenge_responses("SOFTWARE_TOKEN_MFA_CODE", code)
            .send()
    };
    assert_eq!(
        refusal(answer(wrong).await),
        "CodeMismatchException: Invalid code received for user"
    );
    assert_eq!(
        refusal(answer(right).await),
        "ExpiredCodeException: Your software token has already been used once."
    );
    world.clock.advance(30);
    let next = totp(&secret, world.clock.now());
    assert!(answer(next).await.unwrap().authentication_result.is_some());
}
