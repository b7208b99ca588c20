//! Registration by the people themselves.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};

use crate::world::{PASSWORD, World, attribute, refusal};

const NINA: &str = "nina@example.com";

async fn sign_up(world: &World, password: Option<&str>) -> Result<Option<String>, String> {
    let outcome = world
        .sdk
        .sign_up()
        .client_id(&world.client.client_id)
        .username(NINA)
        .set_password(password.map(str::to_owned))
        .user_attributes(attribute("name", "Nina"))
        .send()
        .await;
    match outcome {
        Ok(output) => {
            assert!(!output.user_confirmed);
            let details = output.code_delivery_details.unwrap();
            assert_eq!(details.destination.as_deref(), Some("n***@e***"));
            Ok(output.session)
        }
        refused @ Err(_) => Err(refusal(refused)),
    }
}

async fn confirm(
    world: &World,
    code: &str,
    session: Option<String>,
) -> Result<Option<String>, String> {
    let outcome = world
        .sdk
        .confirm_sign_up()
        .client_id(&world.client.client_id)
        .username(NINA)
        .confirmation_code(code)
        .set_session(session)
        .send()
        .await;
    match outcome {
        Ok(output) => Ok(output.session),
        refused @ Err(_) => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn a_code_of_six_digits_confirms_and_the_password_works_only_then() {
    let world = World::new().await;
    sign_up(&world, Some(PASSWORD)).await.unwrap();
    assert_eq!(
        sign_up(&world, Some(PASSWORD)).await.unwrap_err(),
        "UsernameExistsException: User already exists"
    );
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        "UserNotConfirmedException: User is not confirmed."
    );
    let code = world.last_code(NINA);
    assert_eq!(code.len(), 6);
    assert_eq!(
        confirm(&world, "none", None).await.unwrap_err(),
        "CodeMismatchException: Invalid verification code provided, please try again."
    );
    confirm(&world, &code, None).await.unwrap();
    assert_eq!(
        confirm(&world, &code, None).await.unwrap_err(),
        "NotAuthorizedException: User cannot be confirmed. Current status is CONFIRMED"
    );
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_resent_code_replaces_the_one_before_and_ends_after_a_day() {
    let world = World::new().await;
    sign_up(&world, Some(PASSWORD)).await.unwrap();
    let resend = || {
        world
            .sdk
            .resend_confirmation_code()
            .client_id(&world.client.client_id)
            .username(NINA)
            .send()
    };
    resend().await.unwrap();
    assert_eq!(world.mails_to(NINA).len(), 2);
    let code = world.last_code(NINA);
    world.clock.advance(86_400);
    assert_eq!(
        confirm(&world, &code, None).await.unwrap_err(),
        "ExpiredCodeException: Invalid code provided, please request a code again."
    );
    resend().await.unwrap();
    confirm(&world, &world.last_code(NINA), None).await.unwrap();
    assert_eq!(
        refusal(resend().await),
        "InvalidParameterException: User is already confirmed."
    );
}

#[tokio::test]
async fn without_a_password_the_sessions_carry_on_to_tokens() {
    let world = World::new().await;
    let session = sign_up(&world, None).await.unwrap();
    let session = confirm(&world, &world.last_code(NINA), session)
        .await
        .unwrap();
    let begin = || {
        world
            .sdk
            .initiate_auth()
            .client_id(&world.client.client_id)
            .auth_flow(AuthFlowType::UserAuth)
            .auth_parameters("USERNAME", NINA)
            .set_session(session.clone())
            .send()
    };
    assert!(begin().await.unwrap().authentication_result.is_some());
    assert_eq!(
        refusal(begin().await),
        "NotAuthorizedException: Invalid session for the user, session can only be used once."
    );
    assert_eq!(world.mails_to(NINA).len(), 1, "no second code");
}

#[tokio::test]
async fn a_sign_in_code_confirms_an_unconfirmed_user() {
    let world = World::new().await;
    sign_up(&world, None).await.unwrap();
    let begun = world.begin(NINA).await.unwrap();
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::EmailOtp));
    let code = world.last_code(NINA);
    world
        .answer(NINA, begun.session().unwrap(), &code)
        .await
        .unwrap();
    let user = world
        .sdk
        .admin_get_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    assert_eq!(user.user_status.unwrap().as_str(), "CONFIRMED");
}

#[tokio::test]
async fn an_administrator_confirms_too_and_can_close_registration() {
    let world = World::new().await;
    sign_up(&world, Some(PASSWORD)).await.unwrap();
    world
        .sdk
        .admin_confirm_sign_up()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
    let closed = World::with(|plan| plan.pool.admins_create_users_only = true).await;
    assert_eq!(
        sign_up(&closed, Some(PASSWORD)).await.unwrap_err(),
        "NotAuthorizedException: SignUp is not permitted for this user pool"
    );
}

#[tokio::test]
async fn nobody_calls_their_own_address_verified() {
    let world = World::new().await;
    let outcome = world
        .sdk
        .sign_up()
        .client_id(&world.client.client_id)
        .username(NINA)
        .user_attributes(attribute("email_verified", "true"))
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        "NotAuthorizedException: A client attempted to write unauthorized attribute"
    );
}
