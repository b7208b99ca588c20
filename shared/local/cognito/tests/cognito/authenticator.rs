//! Second factors: set up, asked for, chosen between, locked, and no authenticator's code accepted
//! twice.

use std::collections::HashMap;

use aws_sdk_cognitoidentityprovider::operation::admin_initiate_auth::AdminInitiateAuthOutput;
use aws_sdk_cognitoidentityprovider::operation::admin_respond_to_auth_challenge::AdminRespondToAuthChallengeOutput;
use aws_sdk_cognitoidentityprovider::types::{
    ChallengeNameType, EmailMfaSettingsType, SoftwareTokenMfaSettingsType,
};
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

/// One answer through the Admin form; the refusal as text.
async fn respond(
    world: &World,
    challenge: &str,
    session: &str,
    responses: &[(&str, &str)],
) -> Result<AdminRespondToAuthChallengeOutput, String> {
    let mut given: HashMap<String, String> = responses
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    given.insert("USERNAME".to_owned(), NINA.to_owned());
    let outcome = world
        .sdk
        .admin_respond_to_auth_challenge()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .challenge_name(challenge.into())
        .session(session)
        .set_challenge_responses(Some(given))
        .send()
        .await;
    outcome.map_err(|refused| refusal(Err::<(), _>(refused)))
}

/// Sets an authenticator up by an access token; returns its secret.
pub(crate) async fn enrol(world: &World, token: &str) -> String {
    let associated = world.sdk.associate_software_token().access_token(token);
    let secret = associated.send().await.unwrap().secret_code.unwrap();
    let verify = world.sdk.verify_software_token().access_token(token);
    verify
        .user_code(totp(&secret, world.clock.now()))
        .friendly_device_name("Nina's phone")
        .send()
        .await
        .unwrap();
    secret
}

/// `AdminSetUserMFAPreference`: each factor's `(enabled, preferred)`.
pub(crate) async fn prefer(
    world: &World,
    token: Option<(bool, bool)>,
    email: Option<(bool, bool)>,
) -> Result<(), String> {
    let outcome = world
        .sdk
        .admin_set_user_mfa_preference()
        .user_pool_id(&world.pool)
        .username(NINA)
        .set_software_token_mfa_settings(token.map(|(enabled, preferred)| {
            SoftwareTokenMfaSettingsType::builder()
                .enabled(enabled)
                .preferred_mfa(preferred)
                .build()
        }))
        .set_email_mfa_settings(email.map(|(enabled, preferred)| {
            EmailMfaSettingsType::builder()
                .enabled(enabled)
                .preferred_mfa(preferred)
                .build()
        }))
        .send()
        .await;
    match outcome {
        Ok(_) => Ok(()),
        refused @ Err(_) => Err(refusal(refused)),
    }
}

async fn by_password(world: &World) -> AdminInitiateAuthOutput {
    world.password_sign_in(NINA, PASSWORD).await.unwrap()
}

fn parameter(begun: &AdminInitiateAuthOutput, name: &str) -> String {
    begun.challenge_parameters().unwrap()[name].clone()
}

async fn both_factors() -> (World, String) {
    let world = World::with(|plan| {
        plan.pool.software_token_mfa = true;
        plan.pool.email_mfa = true;
    })
    .await;
    world.user_with_password(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let secret = enrol(&world, tokens.access_token().unwrap()).await;
    (world, secret)
}

#[tokio::test]
async fn of_fifty_right_codes_at_once_one_is_accepted() {
    let (world, secret) = both_factors().await;
    prefer(&world, Some((true, true)), None).await.unwrap();
    world.clock.advance(30);
    let code = totp(&secret, world.clock.now());
    let mut sessions = Vec::new();
    for _ in 0..50 {
        sessions.push(by_password(&world).await.session.unwrap());
    }
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    let answers = sessions
        .iter()
        .map(|session| respond(&world, "SOFTWARE_TOKEN_MFA", session, &responses));
    let answers = crate::email_codes::join_all(answers).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    assert!(
        answers
            .iter()
            .filter_map(|answer| answer.as_ref().err())
            .all(|refused| refused
                == "ExpiredCodeException: Your software token has already been used once.")
    );
}

#[tokio::test]
async fn five_wrong_codes_lock_the_second_factor_for_twice_as_long_each() {
    let (world, secret) = both_factors().await;
    prefer(&world, Some((true, true)), None).await.unwrap();
    world.clock.advance(60);
    let begun = by_password(&world).await;
    assert_eq!(parameter(&begun, "FRIENDLY_DEVICE_NAME"), "Nina's phone");
    let session = begun.session.unwrap();
    let answer = async |code: &str| {
        let responses = [("SOFTWARE_TOKEN_MFA_CODE", code)];
        respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses).await
    };
    let locked = "NotAuthorizedException: Password attempts exceeded";
    for _ in 0..5 {
        assert_eq!(
            answer("no").await.unwrap_err(),
            "CodeMismatchException: Invalid code received for user"
        );
    }
    let right = || totp(&secret, world.clock.now());
    assert_eq!(answer(&right()).await.unwrap_err(), locked);
    let another = by_password(&world).await.session.unwrap();
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", right())];
    let responses = responses
        .each_ref()
        .map(|(name, code)| (*name, code.as_str()));
    assert_eq!(
        respond(&world, "SOFTWARE_TOKEN_MFA", &another, &responses)
            .await
            .unwrap_err(),
        locked,
        "another session is no way round"
    );
    world.clock.advance(1);
    answer("no").await.unwrap_err();
    world.clock.advance(1);
    assert_eq!(answer(&right()).await.unwrap_err(), locked);
    world.clock.advance(1);
    answer(&right()).await.unwrap();
}

#[tokio::test]
async fn an_authenticator_guards_until_the_next_one_has_shown_a_code() {
    let (world, secret) = both_factors().await;
    prefer(&world, Some((true, true)), None).await.unwrap();
    world.clock.advance(30);
    let session = by_password(&world).await.session.unwrap();
    let code = totp(&secret, world.clock.now());
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    let tokens = respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
        .await
        .unwrap()
        .authentication_result
        .unwrap();
    let token = tokens.access_token().unwrap();

    world.clock.advance(30);
    let associate = world.sdk.associate_software_token().access_token(token);
    associate.send().await.unwrap();
    let session = by_password(&world).await.session.unwrap();
    let code = totp(&secret, world.clock.now());
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
        .await
        .unwrap();

    let next = enrol(&world, token).await;
    world.clock.advance(30);
    let session = by_password(&world).await.session.unwrap();
    let code = totp(&secret, world.clock.now());
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
        .await
        .unwrap_err();
    let code = totp(&next, world.clock.now());
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
        .await
        .unwrap();
}

#[tokio::test]
async fn who_has_two_factors_and_prefers_none_chooses() {
    let (world, secret) = both_factors().await;
    assert_eq!(
        prefer(&world, Some((true, true)), Some((true, true)))
            .await
            .unwrap_err(),
        "InvalidParameterException: Only one MFA type can be preferred."
    );
    prefer(&world, Some((true, false)), Some((true, false)))
        .await
        .unwrap();
    let get = world.sdk.admin_get_user().user_pool_id(&world.pool);
    let user = get.username(NINA).send().await.unwrap();
    assert_eq!(
        user.user_mfa_setting_list(),
        ["SOFTWARE_TOKEN_MFA", "EMAIL_OTP"]
    );
    assert_eq!(user.preferred_mfa_setting(), None);
    let begun = by_password(&world).await;
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::SelectMfaType));
    assert_eq!(
        parameter(&begun, "MFAS_CAN_CHOOSE"),
        r#"["SOFTWARE_TOKEN_MFA","EMAIL_OTP"]"#
    );
    let session = begun.session.unwrap();
    assert_eq!(
        respond(
            &world,
            "SELECT_MFA_TYPE",
            &session,
            &[("ANSWER", "SMS_MFA")]
        )
        .await
        .unwrap_err(),
        "InvalidParameterException: SMS_MFA is not one of the MFA types of the user"
    );
    let answer = [("ANSWER", "SOFTWARE_TOKEN_MFA")];
    let chosen = respond(&world, "SELECT_MFA_TYPE", &session, &answer)
        .await
        .unwrap();
    world.clock.advance(30);
    let code = totp(&secret, world.clock.now());
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    let session = chosen.session.unwrap();
    assert!(
        respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
            .await
            .unwrap()
            .authentication_result
            .is_some()
    );

    prefer(&world, None, Some((true, true))).await.unwrap();
    assert_eq!(
        by_password(&world).await.challenge_name,
        Some(ChallengeNameType::EmailOtp)
    );
    prefer(&world, Some((true, true)), None).await.unwrap();
    assert_eq!(
        by_password(&world).await.challenge_name,
        Some(ChallengeNameType::SoftwareTokenMfa)
    );
}

#[tokio::test]
async fn a_code_of_six_digits_by_email_is_a_second_factor() {
    let world = World::with(|plan| plan.pool.email_mfa = true).await;
    world.user_with_password(NINA).await;
    prefer(&world, None, Some((true, false))).await.unwrap();
    let begun = by_password(&world).await;
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::EmailOtp));
    assert_eq!(parameter(&begun, "CODE_DELIVERY_DESTINATION"), "n***@e***");
    assert_eq!(parameter(&begun, "CODE_DELIVERY_DELIVERY_MEDIUM"), "EMAIL");
    let session = begun.session().unwrap();
    let username = parameter(&begun, "USER_ID_FOR_SRP");
    let code = world.last_code(NINA);
    assert_eq!(code.len(), 6);
    for _ in 0..5 {
        assert_eq!(
            respond(&world, "EMAIL_OTP", session, &[("EMAIL_OTP_CODE", "no")])
                .await
                .unwrap_err(),
            "CodeMismatchException: Invalid code or auth state for the user."
        );
    }
    let right = [("EMAIL_OTP_CODE", code.as_str())];
    assert_eq!(
        respond(&world, "EMAIL_OTP", session, &right)
            .await
            .unwrap_err(),
        "NotAuthorizedException: Password attempts exceeded"
    );
    world.clock.advance(1);
    let answered = world
        .sdk
        .admin_respond_to_auth_challenge()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::EmailOtp)
        .session(session)
        .challenge_responses("USERNAME", username)
        .challenge_responses("EMAIL_OTP_CODE", &code)
        .send()
        .await
        .unwrap();
    assert!(answered.authentication_result.is_some());
    assert_eq!(
        respond(&world, "EMAIL_OTP", session, &right)
            .await
            .unwrap_err(),
        "NotAuthorizedException: Invalid session for the user, session can only be used once."
    );
    let begun = world.begin(NINA).await.unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::SelectChallenge),
        "one mailbox is not both factors"
    );
}

#[tokio::test]
async fn a_pool_that_demands_a_second_factor_has_it_set_up_at_sign_in() {
    let world = World::with(|plan| {
        plan.pool.software_token_mfa = true;
        plan.pool.mfa_required = true;
    })
    .await;
    world.user_with_password(NINA).await;
    assert_eq!(
        world.begin(NINA).await.unwrap().challenge_name,
        Some(ChallengeNameType::SelectChallenge)
    );
    let begun = by_password(&world).await;
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::MfaSetup));
    assert_eq!(
        parameter(&begun, "MFAS_CAN_SETUP"),
        r#"["SOFTWARE_TOKEN_MFA"]"#
    );
    let session = begun.session.unwrap();
    assert_eq!(
        respond(&world, "MFA_SETUP", &session, &[])
            .await
            .unwrap_err(),
        "NotAuthorizedException: Invalid session for the user."
    );
    let associate = world.sdk.associate_software_token().session(&session);
    let associated = associate.send().await.unwrap();
    let secret = associated.secret_code.unwrap();
    let verify = |session: &str, code: String| {
        let verify = world.sdk.verify_software_token().session(session);
        verify.user_code(code).send()
    };
    let session = associated.session.unwrap();
    assert_eq!(
        refusal(verify(&session, "000000".to_owned()).await),
        "EnableSoftwareTokenMFAException: Code mismatch and fail enable Software Token MFA"
    );
    let code = totp(&secret, world.clock.now());
    let verified = verify(&session, code.clone()).await.unwrap();
    let session = verified.session.unwrap();
    let tokens = respond(&world, "MFA_SETUP", &session, &[]).await.unwrap();
    assert!(tokens.authentication_result.is_some());

    prefer(&world, Some((false, false)), None).await.unwrap();
    let begun = by_password(&world).await;
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::SoftwareTokenMfa),
        "switching it off is no way round the pool's demand"
    );
    let session = begun.session.unwrap();
    let responses = [("SOFTWARE_TOKEN_MFA_CODE", code.as_str())];
    assert_eq!(
        respond(&world, "SOFTWARE_TOKEN_MFA", &session, &responses)
            .await
            .unwrap_err(),
        "ExpiredCodeException: Your software token has already been used once.",
        "the code of the set-up is spent"
    );
}

#[tokio::test]
async fn the_pools_mfa_settings_follow_the_rules_of_aws() {
    let world = World::new().await;
    let set = async |settings: serde_json::Value| {
        let mut body = settings;
        body["UserPoolId"] = world.pool.as_str().into();
        let (status, answer) = world.raw("SetUserPoolMfaConfig", &body).await;
        assert_eq!(status == 200, answer["__type"].is_null());
        answer
    };
    let token = serde_json::json!({"Enabled": true});
    for (settings, message) in [
        (
            serde_json::json!({"MfaConfiguration": "OFF", "SoftwareTokenMfaConfiguration": token}),
            "Invalid MFA configuration given, can't turn off MFA and configure an MFA together.",
        ),
        (
            serde_json::json!({"MfaConfiguration": "ON"}),
            "Invalid MFA configuration given, can't disable all MFAs with a required or optional configuration.",
        ),
        (
            serde_json::json!({"MfaConfiguration": "ON", "EmailMfaConfiguration": {}}),
            "Email MFA needs an Amazon SES configuration, with DEVELOPER as EmailSendingAccount.",
        ),
        (
            serde_json::json!({"MfaConfiguration": "OFF", "EmailMfaConfiguration": {"Message": "no place"}}),
            r"1 validation error detected: Value 'no place' at 'emailMfaConfiguration.message' failed to satisfy constraint: Member must satisfy regular expression pattern: [\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*\{####\}[\p{L}\p{M}\p{S}\p{N}\p{P}\s*]*",
        ),
    ] {
        let answer = set(settings).await;
        assert_eq!(answer["__type"], "InvalidParameterException");
        assert_eq!(answer["message"], message);
    }
    let template = serde_json::json!({"Message": "Come in: {####}", "Subject": "Door"});
    let answer =
        set(serde_json::json!({"MfaConfiguration": "OFF", "EmailMfaConfiguration": template}))
            .await;
    assert_eq!(answer["EmailMfaConfiguration"], template);
    world.passwordless_user(NINA).await;
    world.begin(NINA).await.unwrap();
    let mails = world.mails_to(NINA);
    assert_eq!(mails[0].subject, "Door");
    assert_eq!(mails[0].text, format!("Come in: {}", mails[0].code));

    let answer = set(
        serde_json::json!({"MfaConfiguration": "OPTIONAL", "SoftwareTokenMfaConfiguration": token}),
    )
    .await;
    assert_eq!(answer["MfaConfiguration"], "OPTIONAL");
    let (_, refused) = world
        .raw("CreateUserPool", &serde_json::json!({
            "PoolName": "lite",
            "UserPoolTier": "LITE",
            "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
        }))
        .await;
    assert_eq!(refused["__type"], "FeatureUnavailableInTierException");
}
