//! Sign-in by password, the lock, new passwords, and client secrets.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType, MessageActionType};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cognito_local::{EarlyPassword, Secret};
use ring::hmac;

use crate::world::{PASSWORD, World, attribute, refusal};

const NINA: &str = "nina@example.com";
const INCORRECT: &str = "NotAuthorizedException: Incorrect username or password.";

#[tokio::test]
async fn a_right_password_signs_in_through_each_flow_that_is_allowed() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let admin = world.password_sign_in(NINA, PASSWORD).await.unwrap();
    assert!(admin.authentication_result.is_some());
    let public = |flow: AuthFlowType| {
        world
            .sdk
            .initiate_auth()
            .client_id(&world.client.client_id)
            .auth_flow(flow)
            .auth_parameters("USERNAME", NINA)
            .auth_parameters("PASSWORD", PASSWORD)
            .auth_parameters("PREFERRED_CHALLENGE", "PASSWORD")
            .send()
    };
    let direct = public(AuthFlowType::UserPasswordAuth).await.unwrap();
    assert!(direct.authentication_result.is_some());
    let chosen = public(AuthFlowType::UserAuth).await.unwrap();
    assert!(chosen.authentication_result.is_some());
    assert_eq!(
        refusal(public(AuthFlowType::UserSrpAuth).await),
        "InvalidParameterException: USER_SRP_AUTH flow not enabled for this client"
    );
    assert_eq!(
        refusal(public(AuthFlowType::AdminUserPasswordAuth).await),
        "InvalidParameterException: Initiate Auth method not supported."
    );
}

/// Cognito's treatment of a password beside `PREFERRED_CHALLENGE` was not observed on a real pool.
#[tokio::test]
async fn a_password_that_comes_early_may_be_left_aside() {
    for (early, asking, available) in [
        (
            EarlyPassword::AskedForAgain,
            ChallengeNameType::Password,
            &[][..],
        ),
        (
            EarlyPassword::LeftToChoice,
            ChallengeNameType::SelectChallenge,
            &[ChallengeNameType::PasswordSrp, ChallengeNameType::Password][..],
        ),
    ] {
        let world = World::new().await;
        world.user_with_password(NINA).await;
        world.cognito.set_early_password(early);
        for (name, password, right) in [
            (NINA, PASSWORD, true),
            (NINA, "Wrong-Horse-7", false),
            ("zoe@nowhere.example", PASSWORD, false),
        ] {
            let begun = world
                .sdk
                .initiate_auth()
                .client_id(&world.client.client_id)
                .auth_flow(AuthFlowType::UserAuth)
                .auth_parameters("USERNAME", name)
                .auth_parameters("PASSWORD", password)
                .auth_parameters("PREFERRED_CHALLENGE", "PASSWORD")
                .send()
                .await
                .unwrap();
            assert!(begun.authentication_result.is_none());
            assert_eq!(begun.challenge_name.as_ref(), Some(&asking));
            assert!(
                available
                    .iter()
                    .all(|factor| begun.available_challenges().contains(factor))
            );
            let answered = world
                .sdk
                .respond_to_auth_challenge()
                .client_id(&world.client.client_id)
                .challenge_name(asking.clone())
                .set_session(begun.session)
                .challenge_responses("USERNAME", name)
                .challenge_responses("ANSWER", "PASSWORD")
                .challenge_responses("PASSWORD", password)
                .send()
                .await;
            if right {
                assert!(answered.unwrap().authentication_result.is_some());
            } else {
                assert_eq!(refusal(answered), INCORRECT);
            }
        }
    }
}

#[tokio::test]
async fn a_flow_that_the_client_does_not_allow_is_refused() {
    let world = World::with(|plan| {
        plan.client.explicit_auth_flows = vec!["ALLOW_REFRESH_TOKEN_AUTH".to_owned()];
    })
    .await;
    world.user_with_password(NINA).await;
    assert_eq!(
        refusal(world.begin(NINA).await),
        "InvalidParameterException: USER_AUTH flow not enabled for this client"
    );
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        "InvalidParameterException: ADMIN_USER_PASSWORD_AUTH flow not enabled for this client"
    );
    let direct = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserPasswordAuth)
        .auth_parameters("USERNAME", NINA)
        .auth_parameters("PASSWORD", PASSWORD)
        .send()
        .await;
    assert_eq!(
        refusal(direct),
        "InvalidParameterException: USER_PASSWORD_AUTH flow not enabled for this client"
    );
}

#[tokio::test]
async fn the_password_can_be_given_in_its_own_step() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let begun = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", NINA)
        .send()
        .await
        .unwrap();
    let chosen = world
        .sdk
        .respond_to_auth_challenge()
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::SelectChallenge)
        .session(begun.session.unwrap())
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("ANSWER", "PASSWORD")
        .send()
        .await
        .unwrap();
    assert_eq!(chosen.challenge_name, Some(ChallengeNameType::Password));
    let session = chosen.session.unwrap();
    let answer = |password: &str| {
        world
            .sdk
            .respond_to_auth_challenge()
            .client_id(&world.client.client_id)
            .challenge_name(ChallengeNameType::Password)
            .session(&session)
            .challenge_responses("USERNAME", NINA)
            .challenge_responses("PASSWORD", password)
            .send()
    };
    assert_eq!(refusal(answer("Wrong-Horse-7").await), INCORRECT);
    let signed_in = answer(PASSWORD).await.unwrap();
    assert!(signed_in.authentication_result.is_some());
    assert_eq!(
        refusal(answer(PASSWORD).await),
        "NotAuthorizedException: Invalid session for the user, session can only be used once."
    );
}

#[tokio::test]
async fn from_the_fifth_wrong_password_on_each_locks_twice_as_long() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let locked = "NotAuthorizedException: Password attempts exceeded";
    for _ in 0..5 {
        assert_eq!(
            refusal(world.password_sign_in(NINA, "Wrong-Horse-7").await),
            INCORRECT
        );
    }
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        locked
    );
    world.clock.advance(1);
    assert_eq!(
        refusal(world.password_sign_in(NINA, "Wrong-Horse-7").await),
        INCORRECT
    );
    world.clock.advance(1);
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        locked
    );
    world.clock.advance(1);
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
    assert_eq!(
        refusal(world.password_sign_in(NINA, "Wrong-Horse-7").await),
        INCORRECT
    );
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn twenty_wrong_passwords_at_once_do_not_outrun_the_lock() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let guesses = (0..20).map(|_| world.password_sign_in(NINA, "Wrong-Horse-7"));
    let refusals: Vec<String> = crate::email_codes::join_all(guesses)
        .await
        .into_iter()
        .map(refusal)
        .collect();
    let tried = refusals.iter().filter(|text| *text == INCORRECT).count();
    assert_eq!(tried, 5);
}

#[tokio::test]
async fn a_temporary_password_leads_to_a_new_one_and_to_no_code() {
    let world = World::new().await;
    let created = world
        .sdk
        .admin_create_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .temporary_password("Temporary-1!")
        .user_attributes(attribute("email_verified", "true"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        created.user.unwrap().user_status.unwrap().as_str(),
        "FORCE_CHANGE_PASSWORD"
    );
    assert_eq!(world.last_code(NINA), "Temporary-1!");

    let begun = world.begin(NINA).await.unwrap();
    assert_eq!(
        begun.challenge_name,
        Some(ChallengeNameType::SelectChallenge)
    );
    assert_eq!(
        begun.available_challenges(),
        [ChallengeNameType::PasswordSrp, ChallengeNameType::Password]
    );
    assert_eq!(world.mails_to(NINA).len(), 1);

    let challenged = world.password_sign_in(NINA, "Temporary-1!").await.unwrap();
    assert_eq!(
        challenged.challenge_name,
        Some(ChallengeNameType::NewPasswordRequired)
    );
    let parameters = challenged.challenge_parameters.unwrap();
    assert_eq!(parameters["requiredAttributes"], "[]");
    assert!(parameters["userAttributes"].contains(NINA));
    let session = challenged.session.unwrap();
    let renew = |password: &str| {
        world
            .sdk
            .admin_respond_to_auth_challenge()
            .user_pool_id(&world.pool)
            .client_id(&world.client.client_id)
            .challenge_name(ChallengeNameType::NewPasswordRequired)
            .session(&session)
            .challenge_responses("USERNAME", &parameters["USER_ID_FOR_SRP"])
            .challenge_responses("NEW_PASSWORD", password)
            .send()
    };
    assert_eq!(
        refusal(renew("short").await),
        "InvalidPasswordException: Password did not conform with policy: Password not long enough"
    );
    assert!(
        renew(PASSWORD)
            .await
            .unwrap()
            .authentication_result
            .is_some()
    );
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
    world.sign_in(NINA).await;
}

#[tokio::test]
async fn a_temporary_password_ends_after_seven_days_unless_it_is_sent_again() {
    let world = World::new().await;
    let create = |action: Option<MessageActionType>| {
        world
            .sdk
            .admin_create_user()
            .user_pool_id(&world.pool)
            .username(NINA)
            .temporary_password("Temporary-1!")
            .set_message_action(action)
            .send()
    };
    create(None).await.unwrap();
    world.clock.advance(7 * 86_400);
    assert_eq!(
        refusal(world.password_sign_in(NINA, "Temporary-1!").await),
        "NotAuthorizedException: Temporary password has expired and must be reset by an administrator."
    );
    create(Some(MessageActionType::Resend)).await.unwrap();
    assert_eq!(world.mails_to(NINA).len(), 2);
    world.password_sign_in(NINA, "Temporary-1!").await.unwrap();
}

#[tokio::test]
async fn a_forgotten_password_is_replaced_with_a_code_that_works_once_and_for_an_hour() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    let forgot = || {
        world
            .sdk
            .forgot_password()
            .client_id(&world.client.client_id)
            .username(NINA)
            .send()
    };
    let confirm = |code: String, password: &str| {
        world
            .sdk
            .confirm_forgot_password()
            .client_id(&world.client.client_id)
            .username(NINA)
            .confirmation_code(code)
            .password(password)
            .send()
    };
    forgot().await.unwrap();
    let expired = "ExpiredCodeException: Invalid code provided, please request a code again.";
    let old = world.last_code(NINA);
    assert_eq!(old.len(), 6);
    world.clock.advance(3_600);
    assert_eq!(refusal(confirm(old, "Another-Horse-8").await), expired);
    forgot().await.unwrap();
    let code = world.last_code(NINA);
    confirm(code.clone(), "Another-Horse-8").await.unwrap();
    assert_eq!(refusal(confirm(code, "Another-Horse-9").await), expired);
    world
        .password_sign_in(NINA, "Another-Horse-8")
        .await
        .unwrap();
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        INCORRECT
    );
}

#[tokio::test]
async fn an_administrators_reset_asks_for_the_code() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    world
        .sdk
        .admin_reset_user_password()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        "PasswordResetRequiredException: Password reset required for the user"
    );
    world
        .sdk
        .confirm_forgot_password()
        .client_id(&world.client.client_id)
        .username(NINA)
        .confirmation_code(world.last_code(NINA))
        .password("Another-Horse-8")
        .send()
        .await
        .unwrap();
    world
        .password_sign_in(NINA, "Another-Horse-8")
        .await
        .unwrap();
}

#[tokio::test]
async fn the_policy_names_the_rule_that_a_password_breaks() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    for (password, breach) in [
        ("Ab1!", "Password not long enough"),
        ("ABCDEFG1!", "Password must have lowercase characters"),
        ("abcdefg1!", "Password must have uppercase characters"),
        ("Abcdefgh!", "Password must have numeric characters"),
        ("Abcdefg12", "Password must have symbol characters"),
    ] {
        let outcome = world
            .sdk
            .admin_set_user_password()
            .user_pool_id(&world.pool)
            .username(NINA)
            .password(password)
            .permanent(true)
            .send()
            .await;
        assert_eq!(
            refusal(outcome),
            format!("InvalidPasswordException: Password did not conform with policy: {breach}")
        );
    }
}

/// A world whose pool has further settings, made through the public API.
async fn world_with_policy(pool: &serde_json::Value) -> World {
    let mut world = World::new().await;
    let (status, made) = world.raw("CreateUserPool", pool).await;
    assert_eq!(status, 200, "{made}");
    world.pool = made["UserPool"]["Id"].as_str().unwrap().to_owned();
    let (status, made) = world
        .raw(
            "CreateUserPoolClient",
            &serde_json::json!({
                "UserPoolId": world.pool,
                "ClientName": "tests",
                "ExplicitAuthFlows": ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_USER_AUTH"],
                "PreventUserExistenceErrors": "ENABLED",
            }),
        )
        .await;
    assert_eq!(status, 200, "{made}");
    made["UserPoolClient"]["ClientId"]
        .as_str()
        .unwrap()
        .clone_into(&mut world.client.client_id);
    world
}

#[tokio::test]
async fn a_password_that_the_history_remembers_is_not_taken_again() {
    let world = world_with_policy(&serde_json::json!({
        "PoolName": "history",
        "UsernameAttributes": ["email"],
        "Policies": {
            "PasswordPolicy": {"MinimumLength": 8, "PasswordHistorySize": 2},
            "SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]},
        },
    }))
    .await;
    world.user_with_password(NINA).await;
    let used = "PasswordHistoryPolicyViolationException: Password has previously been used.";
    assert_eq!(
        refusal(world.set_password(NINA, PASSWORD, true).await),
        used
    );
    world
        .set_password(NINA, "Another-Horse-8", true)
        .await
        .unwrap();
    assert_eq!(
        refusal(world.set_password(NINA, PASSWORD, true).await),
        used
    );
    let forgot = world.sdk.forgot_password();
    let forgot = forgot.client_id(&world.client.client_id).username(NINA);
    forgot.send().await.unwrap();
    let confirm = |password: &str| {
        world
            .sdk
            .confirm_forgot_password()
            .client_id(&world.client.client_id)
            .username(NINA)
            .confirmation_code(world.last_code(NINA))
            .password(password)
            .send()
    };
    assert_eq!(refusal(confirm("Another-Horse-8").await), used);
    confirm("A-Third-Horse-9").await.unwrap();
    world.set_password(NINA, PASSWORD, true).await.unwrap();
    world.set_password(NINA, PASSWORD, false).await.unwrap();
}

#[tokio::test]
async fn a_new_password_comes_with_the_attributes_that_the_pool_requires_and_no_others() {
    let world = world_with_policy(&serde_json::json!({
        "PoolName": "required",
        "UsernameAttributes": ["email"],
        "Schema": [{"Name": "given_name", "AttributeDataType": "String", "Required": true}],
        "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"]}},
    }))
    .await;
    let create = world.sdk.admin_create_user();
    let create = create.user_pool_id(&world.pool).username(NINA);
    create
        .temporary_password("Temporary-1!")
        .send()
        .await
        .unwrap();
    let challenged = world.password_sign_in(NINA, "Temporary-1!").await.unwrap();
    let parameters = challenged.challenge_parameters.unwrap();
    assert_eq!(
        parameters["requiredAttributes"],
        r#"["userAttributes.given_name"]"#
    );
    let session = challenged.session.unwrap();
    let renew = |attribute: Option<(&str, &str)>| {
        let mut call = world
            .sdk
            .admin_respond_to_auth_challenge()
            .user_pool_id(&world.pool)
            .client_id(&world.client.client_id)
            .challenge_name(ChallengeNameType::NewPasswordRequired)
            .session(&session)
            .challenge_responses("USERNAME", NINA)
            .challenge_responses("NEW_PASSWORD", PASSWORD);
        if let Some((name, value)) = attribute {
            call = call.challenge_responses(format!("userAttributes.{name}"), value);
        }
        call.send()
    };
    assert_eq!(
        refusal(renew(None).await),
        "InvalidParameterException: Invalid attributes given, given_name is missing"
    );
    assert_eq!(
        refusal(renew(Some(("email", "other@example.com"))).await),
        "InvalidParameterException: Cannot modify an already provided email"
    );
    assert_eq!(
        refusal(renew(Some(("email_verified", "true"))).await),
        "InvalidParameterException: Invalid attributes given, email_verified is not required"
    );
    let tokens = renew(Some(("given_name", "Nina"))).await.unwrap();
    assert!(tokens.authentication_result.is_some());

    let sign_up = world.sdk.sign_up().client_id(&world.client.client_id);
    let sign_up = sign_up.username("omar@example.com").password(PASSWORD);
    assert_eq!(
        refusal(sign_up.send().await),
        "InvalidParameterException: Attributes did not conform to the schema: given_name: The attribute is required"
    );
}

#[tokio::test]
async fn recovery_pretends_to_a_disabled_user_where_unknown_ones_are_hidden() {
    for hides in [true, false] {
        let world = World::with(|plan| plan.client.hide_unknown_users = hides).await;
        world.user_with_password(NINA).await;
        let forgot = || {
            let call = world.sdk.forgot_password();
            call.client_id(&world.client.client_id)
                .username(NINA)
                .send()
        };
        forgot().await.unwrap();
        let code = world.last_code(NINA);
        let disable = world.sdk.admin_disable_user();
        let disable = disable.user_pool_id(&world.pool).username(NINA);
        disable.send().await.unwrap();
        let confirm = world.sdk.confirm_forgot_password();
        let confirm = confirm.client_id(&world.client.client_id).username(NINA);
        let confirm = confirm.confirmation_code(code).password("Another-Horse-8");
        let (confirmed, asked) = (refusal(confirm.send().await), forgot().await);
        if hides {
            asked.unwrap();
            assert_eq!(
                confirmed,
                "CodeMismatchException: Invalid verification code provided, please try again."
            );
        } else {
            let disabled = "NotAuthorizedException: User is disabled.";
            assert_eq!(refusal(asked), disabled);
            assert_eq!(confirmed, disabled);
        }
        assert_eq!(world.mails_to(NINA).len(), 1);
    }
}

#[tokio::test]
async fn who_has_to_choose_a_new_password_cannot_have_it_reset() {
    let world = World::new().await;
    world.user_with_password(NINA).await;
    world
        .set_password(NINA, "Temporary-1!", false)
        .await
        .unwrap();
    let cannot = "NotAuthorizedException: User password cannot be reset in the current state.";
    let reset = world.sdk.admin_reset_user_password();
    let reset = reset.user_pool_id(&world.pool).username(NINA);
    assert_eq!(refusal(reset.send().await), cannot);
    let forgot = world.sdk.forgot_password();
    let forgot = forgot.client_id(&world.client.client_id).username(NINA);
    assert_eq!(refusal(forgot.send().await), cannot);
}

/// Base64(HMAC-SHA256(secret, user name + client id)), made here a second time.
fn secret_hash(secret: &str, username: &str, client_id: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    STANDARD.encode(hmac::sign(
        &key,
        format!("{username}{client_id}").as_bytes(),
    ))
}

#[tokio::test]
async fn a_confidential_client_proves_its_secret_at_every_step() {
    let world = World::with(|plan| plan.client.secret = Secret::Generated).await;
    world.passwordless_user(NINA).await;
    let id = &world.client.client_id;
    let secret = world.client.client_secret.clone().unwrap();
    let missing = format!(
        "NotAuthorizedException: Client {id} is configured with secret but SECRET_HASH was not received"
    );
    let wrong = format!("NotAuthorizedException: Unable to verify secret hash for client {id}");
    assert_eq!(refusal(world.begin(NINA).await), missing);
    let begin = |hash: String| {
        world
            .sdk
            .admin_initiate_auth()
            .user_pool_id(&world.pool)
            .client_id(id)
            .auth_flow(AuthFlowType::UserAuth)
            .auth_parameters("USERNAME", NINA)
            .auth_parameters("PREFERRED_CHALLENGE", "EMAIL_OTP")
            .auth_parameters("SECRET_HASH", hash)
            .send()
    };
    assert_eq!(refusal(begin("AAAA".to_owned()).await), wrong);
    let right = secret_hash(&secret, NINA, id);
    let session = begin(right.clone()).await.unwrap().session.unwrap();
    let code = world.last_code(NINA);
    assert_eq!(refusal(world.answer(NINA, &session, &code).await), missing);
    let tokens = world
        .sdk
        .admin_respond_to_auth_challenge()
        .user_pool_id(&world.pool)
        .client_id(id)
        .challenge_name(ChallengeNameType::EmailOtp)
        .session(&session)
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("EMAIL_OTP_CODE", &code)
        .challenge_responses("SECRET_HASH", right)
        .send()
        .await
        .unwrap()
        .authentication_result
        .unwrap();
    let refresh = |secret: Option<String>| {
        world
            .sdk
            .get_tokens_from_refresh_token()
            .client_id(id)
            .refresh_token(tokens.refresh_token().unwrap())
            .set_client_secret(secret)
            .send()
    };
    assert!(refusal(refresh(None).await).starts_with("NotAuthorizedException: "));
    assert!(
        refusal(refresh(Some("wrong".repeat(8))).await).starts_with("NotAuthorizedException: ")
    );
    refresh(Some(secret.clone())).await.unwrap();
    let revoke = |secret: Option<String>| {
        world
            .sdk
            .revoke_token()
            .client_id(id)
            .token(tokens.refresh_token().unwrap())
            .set_client_secret(secret)
            .send()
    };
    assert!(refusal(revoke(None).await).starts_with("UnauthorizedException"));
    revoke(Some(secret)).await.unwrap();
}
