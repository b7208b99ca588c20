//! What administrators do with users.

use aws_sdk_cognitoidentityprovider::types::MessageActionType;

use crate::email_codes::join_all;
use crate::world::{World, attribute, refusal};

const NINA: &str = "nina@example.com";

#[tokio::test]
async fn a_user_without_a_password_is_confirmed_at_once() {
    let world = World::new().await;
    let user = world.passwordless_user(NINA).await.user.unwrap();
    assert_eq!(user.user_status.as_ref().unwrap().as_str(), "CONFIRMED");
    assert!(user.enabled);
    let username = user.username.clone().unwrap();
    assert_eq!(username.len(), 36, "the name is generated");
    let sub = user
        .attributes()
        .iter()
        .find(|attribute| attribute.name() == "sub")
        .unwrap();
    assert_eq!(sub.value(), Some(username.as_str()));
    assert!(world.mails_to(NINA).is_empty());
    assert_eq!(
        user.user_create_date.unwrap().secs(),
        i64::try_from(world.clock.now()).unwrap()
    );
}

#[tokio::test]
async fn of_fifty_creations_of_one_address_at_once_one_succeeds() {
    let world = World::new().await;
    let creations = (0..50).map(|index| {
        let email = if index % 2 == 0 {
            NINA
        } else {
            "Nina@Example.com"
        };
        world
            .sdk
            .admin_create_user()
            .user_pool_id(&world.pool)
            .username(email)
            .message_action(MessageActionType::Suppress)
            .send()
    });
    let outcomes = join_all(creations).await;
    let (made, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(made.len(), 1);
    for outcome in refused {
        assert_eq!(
            refusal(outcome),
            "UsernameExistsException: User account already exists"
        );
    }
    let listed = world
        .sdk
        .list_users()
        .user_pool_id(&world.pool)
        .send()
        .await;
    assert_eq!(listed.unwrap().users().len(), 1);
}

#[tokio::test]
async fn a_name_that_is_no_email_and_attributes_outside_the_schema_are_refused() {
    let world = World::new().await;
    let create = |username: &str, name: &str, value: &str| {
        world
            .sdk
            .admin_create_user()
            .user_pool_id(&world.pool)
            .username(username)
            .user_attributes(attribute(name, value))
            .send()
    };
    assert_eq!(
        refusal(create("nina", "name", "Nina").await),
        "InvalidParameterException: Username should be an email."
    );
    assert_eq!(
        refusal(create(NINA, "custom:colour", "red").await),
        "InvalidParameterException: Attributes did not conform to the schema: custom:colour: Attribute does not exist in the schema."
    );
    assert_eq!(
        refusal(create(NINA, "email", "not an address").await),
        "InvalidParameterException: Invalid email address format."
    );
}

#[tokio::test]
async fn an_address_moves_only_where_nobody_has_it() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    world.passwordless_user("omar@example.com").await;
    let update = |email: &str| {
        world
            .sdk
            .admin_update_user_attributes()
            .user_pool_id(&world.pool)
            .username("omar@example.com")
            .user_attributes(attribute("email", email))
            .send()
    };
    assert_eq!(
        refusal(update(NINA).await),
        "AliasExistsException: An account with the email already exists."
    );
    update("omar@example.org").await.unwrap();
    let get = |email: &str| {
        world
            .sdk
            .admin_get_user()
            .user_pool_id(&world.pool)
            .username(email)
            .send()
    };
    assert!(refusal(get("omar@example.com").await).starts_with("UserNotFoundException"));
    let moved = get("omar@example.org").await.unwrap();
    let verified = moved
        .user_attributes()
        .iter()
        .find(|attribute| attribute.name() == "email_verified")
        .unwrap();
    assert_eq!(
        verified.value(),
        Some("false"),
        "nobody has proved the new one"
    );
}

#[tokio::test]
async fn a_deleted_user_is_gone_with_sessions_and_tokens_and_the_address_is_free() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let session = world.begin_session(NINA).await;
    let code = world.last_code(NINA);
    world
        .sdk
        .admin_delete_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    world.passwordless_user(NINA).await;
    assert_eq!(
        refusal(world.answer(NINA, &session, &code).await),
        "NotAuthorizedException: Invalid session for the user."
    );
    let read = world
        .sdk
        .get_user()
        .access_token(tokens.access_token().unwrap())
        .send()
        .await;
    assert_eq!(refusal(read), "UserNotFoundException: User does not exist.");
    let refresh = world
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(&world.client.client_id)
        .refresh_token(tokens.refresh_token().unwrap())
        .send()
        .await;
    assert_eq!(
        refusal(refresh),
        "NotAuthorizedException: Invalid Refresh Token"
    );
}

#[tokio::test]
async fn users_are_listed_in_pages_and_by_filter() {
    let world = World::new().await;
    for index in 0..7 {
        world
            .passwordless_user(&format!("guest{index}@example.com"))
            .await;
    }
    world.passwordless_user(NINA).await;
    let mut seen = Vec::new();
    let mut token = None;
    let mut pages = 0;
    loop {
        let page = world
            .sdk
            .list_users()
            .user_pool_id(&world.pool)
            .limit(3)
            .set_pagination_token(token)
            .send()
            .await
            .unwrap();
        pages += 1;
        seen.extend(
            page.users()
                .iter()
                .map(|user| user.username.clone().unwrap()),
        );
        token = page.pagination_token;
        if token.is_none() {
            break;
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!((seen.len(), pages), (8, 3));
    let filtered = async |filter: &str| {
        let listed = world
            .sdk
            .list_users()
            .user_pool_id(&world.pool)
            .filter(filter)
            .send()
            .await;
        listed.map(|listed| listed.users().len())
    };
    assert_eq!(filtered(r#"email = "nina@example.com""#).await.unwrap(), 1);
    assert_eq!(filtered(r#"email ^= "guest""#).await.unwrap(), 7);
    assert_eq!(filtered(r#"status = "Disabled""#).await.unwrap(), 0);
    assert_eq!(
        refusal(filtered(r#"shoe_size = "44""#).await),
        "InvalidParameterException: Invalid search attribute: shoe_size"
    );
    assert_eq!(
        refusal(filtered("email").await),
        "InvalidParameterException: Error while parsing filter expression."
    );
}

#[tokio::test]
async fn a_reset_forgets_people_and_keeps_the_pool_and_its_keys() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let keys = format!("{}/{}/.well-known/jwks.json", world.url, world.pool);
    let before = reqwest::get(&keys).await.unwrap().text().await.unwrap();
    world.cognito.reset().unwrap();
    let listed = world
        .sdk
        .list_users()
        .user_pool_id(&world.pool)
        .send()
        .await;
    assert!(listed.unwrap().users().is_empty());
    assert_eq!(
        reqwest::get(&keys).await.unwrap().text().await.unwrap(),
        before
    );
    world.passwordless_user(NINA).await;
    world.sign_in(NINA).await;
}
