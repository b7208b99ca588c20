//! Administrators' operations on users.

use aws_sdk_cognitoidentityprovider::types::{AttributeType, MessageActionType};
use serde_json::json;

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
    for (filter, found) in [
        (r#"email = "nina@example.com""#, 1),
        (r#"email="nina@example.com""#, 1),
        (r#" "email"  =  "nina@example.com" "#, 1),
        (r#"email ^= "guest""#, 7),
        (r#"email^="guest""#, 7),
        (r#"email ^= """#, 8),
        (r#"email = "Nina@example.com""#, 0),
        (r#"email = "ni=na^=@example.com""#, 0),
        (r#"name = "quoted \"name\" and \\""#, 0),
        (r#"status = "Enabled""#, 8),
        (r#"status = "enabled""#, 0),
        (r#"status = "Disabled""#, 0),
        (r#"cognito:user_status = "CONFIRMED""#, 8),
        (r#"cognito:user_status = "confirmed""#, 8),
        (r#"phone_number ^= "+44""#, 0),
        ("", 8),
        (" ", 8),
    ] {
        assert_eq!(filtered(filter).await.unwrap(), found, "{filter}");
    }
    for unknown in ["shoe_size", "custom:size", "Email", "enabled", "birthdate"] {
        assert_eq!(
            refusal(filtered(&format!(r#"{unknown} = "44""#)).await),
            format!("InvalidParameterException: Invalid search attribute: {unknown}")
        );
    }
    for broken in [
        "email",
        "email =",
        "email = nina@example.com",
        "email = 'nina@example.com'",
        r#"email = "nina@example.com"#,
        r#"email = "nina"@example.com""#,
        r#"email = "nina\"#,
        r#"email == "nina@example.com""#,
        r#"email ^ = "nina""#,
        r#"email != "nina""#,
        r#"email = "nina" and name = "Nina""#,
        r#"= "nina""#,
    ] {
        assert_eq!(
            refusal(filtered(broken).await),
            "InvalidParameterException: Error while parsing filter expression.",
            "{broken}"
        );
    }
}

#[tokio::test]
async fn a_list_shows_the_attributes_that_are_asked_for_where_everybody_has_them() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let listed = async |names: &[&str]| {
        let list = world.sdk.list_users().user_pool_id(&world.pool);
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        list.set_attributes_to_get(Some(names)).send().await
    };
    let page = listed(&["email", "sub"]).await.unwrap();
    let attributes = page.users()[0].attributes();
    let mut names: Vec<&str> = attributes.iter().map(AttributeType::name).collect();
    names.sort_unstable();
    assert_eq!(names, ["email", "sub"]);
    assert_eq!(
        refusal(listed(&["email", "name"]).await),
        "InvalidParameterException: One or more requested attributes do not exist."
    );
}

/// The developer guide, "Working with user attributes", and the schema of a pool.
#[tokio::test]
async fn an_attribute_has_its_form() {
    let world = World::new().await;
    let described = json!({
        "PoolName": "forms",
        "Schema": [
            {"Name": "age", "AttributeDataType": "Number", "NumberAttributeConstraints": {"MinValue": "0", "MaxValue": "150"}},
            {"Name": "size", "AttributeDataType": "String", "StringAttributeConstraints": {"MinLength": "1", "MaxLength": "3"}},
            {"Name": "member", "AttributeDataType": "Boolean"},
            {"Name": "plain"},
        ],
    });
    let pool = world
        .cognito
        .ensure_described_pool(described, None)
        .unwrap();
    let user = world.sdk.admin_create_user().user_pool_id(&pool);
    user.username("nina").send().await.unwrap();
    let update = async |name: &str, value: &str| {
        let update = world.sdk.admin_update_user_attributes();
        let update = update.user_pool_id(&pool).username("nina");
        update.user_attributes(attribute(name, value)).send().await
    };
    let longest = "x".repeat(2048);
    for (name, value) in [
        ("phone_number", "+14155552671"),
        ("phone_number", ""),
        ("birthdate", "2024-02-29"),
        ("birthdate", "0000-01-01"),
        ("updated_at", "1795239650"),
        ("email_verified", "true"),
        ("custom:age", "0"),
        ("custom:age", "150"),
        ("custom:age", "7.5"),
        ("custom:size", "XXL"),
        ("custom:member", "false"),
        ("custom:plain", longest.as_str()),
        ("nickname", "\u{1f600}"),
    ] {
        assert!(update(name, value).await.is_ok(), "{name} {value}");
    }
    for (name, value) in [
        ("phone_number", "4155552671"),
        ("phone_number", "+1 415 555 2671"),
        ("phone_number", "+0155552671"),
        ("phone_number", "+1234567890123456"),
        ("phone_number", "+"),
        ("phone_number", "+\u{ff11}4155552671"),
        ("birthdate", "2023-02-29"),
        ("birthdate", "29.02.2024"),
        ("birthdate", "2024-2-29"),
        ("birthdate", "2024-13-01"),
        ("birthdate", "+024-02-29"),
        ("updated_at", "yesterday"),
        ("email_verified", "yes"),
        ("custom:age", "-1"),
        ("custom:age", "151"),
        ("custom:age", "old"),
        ("custom:age", "1e2"),
        ("custom:age", "NaN"),
        ("custom:age", "1."),
        ("custom:size", "extra large"),
        ("custom:member", "1"),
        ("custom:other", "x"),
        ("age", "7"),
        ("shoe_size", "44"),
    ] {
        let refused = refusal(update(name, value).await);
        assert!(
            refused.starts_with("InvalidParameterException: "),
            "{name} {value}: {refused}"
        );
    }
}

#[tokio::test]
async fn groups_providers_and_resource_servers_are_lists_of_nothing() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let (sdk, pool) = (&world.sdk, &world.pool);
    let groups = sdk.list_groups().user_pool_id(pool).send().await.unwrap();
    assert!(groups.groups().is_empty() && groups.next_token().is_none());
    let of_user = sdk.admin_list_groups_for_user().user_pool_id(pool);
    let of_user = of_user.username(NINA).send().await.unwrap();
    assert!(of_user.groups().is_empty());
    let providers = sdk
        .list_identity_providers()
        .user_pool_id(pool)
        .max_results(60);
    assert!(providers.send().await.unwrap().providers().is_empty());
    let servers = sdk
        .list_resource_servers()
        .user_pool_id(pool)
        .max_results(50);
    assert!(servers.send().await.unwrap().resource_servers().is_empty());

    let nobody = sdk.admin_list_groups_for_user().user_pool_id(pool);
    let nobody = nobody.username("nobody@example.com").send().await;
    assert_eq!(
        refusal(nobody),
        "UserNotFoundException: User does not exist."
    );
    let page = sdk.list_groups().user_pool_id(pool).next_token("x").send();
    assert!(refusal(page.await).starts_with("InvalidParameterException"));
    let elsewhere = sdk.list_groups().user_pool_id("eu-west-1_Nowhere1");
    assert!(refusal(elsewhere.send().await).starts_with("ResourceNotFoundException"));
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
