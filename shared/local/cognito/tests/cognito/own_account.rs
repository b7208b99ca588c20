//! Changes by the holder of an access token.

use aws_sdk_cognitoidentityprovider::types::AuthenticationResultType;

use crate::world::{PASSWORD, World, attribute, refusal};

const NINA: &str = "nina@example.com";

async fn signed_in(world: &World) -> AuthenticationResultType {
    world.user_with_password(NINA).await;
    world.sign_in(NINA).await
}

#[tokio::test]
async fn a_password_is_changed_by_who_knows_the_old_one() {
    let world = World::new().await;
    let tokens = signed_in(&world).await;
    let change = |previous: &str| {
        world
            .sdk
            .change_password()
            .access_token(tokens.access_token().unwrap())
            .previous_password(previous)
            .proposed_password("Another-Horse-8")
            .send()
    };
    assert_eq!(
        refusal(change("Wrong-Horse-7").await),
        "NotAuthorizedException: Incorrect username or password."
    );
    change(PASSWORD).await.unwrap();
    world
        .password_sign_in(NINA, "Another-Horse-8")
        .await
        .unwrap();
}

#[tokio::test]
async fn who_has_no_password_sets_one_without_an_old_one() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let tokens = world.sign_in(NINA).await;
    world
        .sdk
        .change_password()
        .access_token(tokens.access_token().unwrap())
        .proposed_password(PASSWORD)
        .send()
        .await
        .unwrap();
    world.password_sign_in(NINA, PASSWORD).await.unwrap();
}

#[tokio::test]
async fn a_new_address_is_unverified_until_its_code_is_shown() {
    let world = World::new().await;
    let tokens = signed_in(&world).await;
    let token = tokens.access_token().unwrap();
    let updated = world
        .sdk
        .update_user_attributes()
        .access_token(token)
        .user_attributes(attribute("email", "nina@example.org"))
        .send()
        .await
        .unwrap();
    assert_eq!(
        updated.code_delivery_details_list()[0]
            .destination
            .as_deref(),
        Some("n***@e***")
    );
    let verified = async || {
        let user = world
            .sdk
            .get_user()
            .access_token(token)
            .send()
            .await
            .unwrap();
        user.user_attributes().iter().any(|attribute| {
            attribute.name() == "email_verified" && attribute.value() == Some("true")
        })
    };
    assert!(!verified().await);
    let verify = |code: &str| {
        world
            .sdk
            .verify_user_attribute()
            .access_token(token)
            .attribute_name("email")
            .code(code)
            .send()
    };
    assert_eq!(
        refusal(verify("none").await),
        "CodeMismatchException: Invalid verification code provided, please try again."
    );
    verify(&world.last_code("nina@example.org")).await.unwrap();
    assert!(verified().await);
}

#[tokio::test]
async fn an_account_ends_when_its_holder_says_so() {
    let world = World::new().await;
    let tokens = signed_in(&world).await;
    let token = tokens.access_token().unwrap();
    world
        .sdk
        .delete_user()
        .access_token(token)
        .send()
        .await
        .unwrap();
    assert_eq!(
        refusal(world.sdk.get_user().access_token(token).send().await),
        "UserNotFoundException: User does not exist."
    );
    assert_eq!(
        refusal(world.password_sign_in(NINA, PASSWORD).await),
        "NotAuthorizedException: Incorrect username or password."
    );
}

#[tokio::test]
async fn a_pool_without_authenticators_says_so() {
    let world = World::new().await;
    let tokens = signed_in(&world).await;
    let outcome = world
        .sdk
        .associate_software_token()
        .access_token(tokens.access_token().unwrap())
        .send()
        .await;
    assert!(refusal(outcome).starts_with("SoftwareTokenMFANotFoundException: "));
}
