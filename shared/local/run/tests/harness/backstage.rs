//! Reads and changes the tables and the user pool directly.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::TestWorld;

/// A DynamoDB item without its types: text and numbers as text, sets and lists as arrays.
pub(crate) type Item = BTreeMap<String, Value>;

/// Everything in a table.
pub(crate) async fn items(world: &TestWorld, table: &str) -> Vec<Item> {
    let answer = dynamodb(world, "Scan", &json!({ "TableName": table })).await;
    let items = answer["Items"].as_array().expect("items");
    items
        .iter()
        .map(|item| {
            let attributes = item.as_object().expect("an item").iter();
            attributes
                .map(|(name, value)| (name.clone(), plain(value)))
                .collect()
        })
        .collect()
}

/// Deletes every session's record, as if all sessions were older than records.
pub(crate) async fn forget_sessions(world: &TestWorld) {
    let table = &world.ready().tables["user-sessions"];
    for record in items(world, table).await {
        let key =
            json!({ "sub": { "S": record["sub"] }, "sessionId": { "S": record["sessionId"] } });
        let delete = json!({ "TableName": table, "Key": key });
        dynamodb(world, "DeleteItem", &delete).await;
    }
}

/// A value without its type.
fn plain(typed: &Value) -> Value {
    let (_, value) = typed
        .as_object()
        .and_then(|typed| typed.iter().next())
        .expect("a type and a value");
    match value.as_array() {
        Some(several) if several.iter().any(Value::is_object) => {
            several.iter().map(plain).collect()
        }
        Some(_) | None => value.clone(),
    }
}

/// Makes a guest with an address and no user, as an import does.
pub(crate) async fn plant_guest(world: &TestWorld, email: &str, guest_id: &str) {
    plant(world, email, guest_id, false).await;
}

/// The same where the source has proved the address.
pub(crate) async fn plant_proved_guest(world: &TestWorld, email: &str, guest_id: &str) {
    plant(world, email, guest_id, true).await;
}

async fn plant(world: &TestWorld, email: &str, guest_id: &str, is_proved: bool) {
    let guest = json!({
        "pk": { "S": format!("address#{email}") },
        "email": { "S": email },
        "guestId": { "S": guest_id },
        "emailVerified": { "BOOL": is_proved },
        "createdAt": { "S": "2026-01-01T00:00:00Z" },
        "updatedAt": { "S": "2026-01-01T00:00:00Z" },
    });
    let reservation = json!({
        "pk": { "S": format!("guestId#{guest_id}") },
        "email": { "S": email },
    });
    for item in [guest, reservation] {
        put_guest_item(world, &item).await;
    }
}

/// Binds an authorization to its browser at this very moment, as if the consent came from an
/// earlier sign-in than the requested one.
pub(crate) async fn bind_later(world: &TestWorld, session: &str) {
    let now = world.clock().system_time();
    let now = now
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after the epoch");
    let change = json!({
        "TableName": world.ready().tables["sessions"],
        "Key": { "sessionId": { "S": session } },
        "UpdateExpression": "SET boundAt = :now",
        "ExpressionAttributeValues": { ":now": { "N": now.as_millis().to_string() } },
    });
    dynamodb(world, "UpdateItem", &change).await;
}

/// Gives a guest an authenticator whose secret is lost: the guest's sign-ins stay held.
pub(crate) async fn plant_authenticator(world: &TestWorld, email: &str) {
    let change = json!({
        "TableName": world.ready().tables["guests"],
        "Key": guest_key(world, email).await,
        "UpdateExpression": "SET authenticatorKeys = :keys, authenticatorLastStep = :step",
        "ExpressionAttributeValues": { ":keys": { "B": "c2VhbGVk" }, ":step": { "N": "0" } },
    });
    dynamodb(world, "UpdateItem", &change).await;
}

/// Takes an authenticator out of a guest's record again.
pub(crate) async fn take_authenticator(world: &TestWorld, email: &str) {
    let change = json!({
        "TableName": world.ready().tables["guests"],
        "Key": guest_key(world, email).await,
        "UpdateExpression": "REMOVE authenticatorKeys, authenticatorLastStep",
    });
    dynamodb(world, "UpdateItem", &change).await;
}

/// A guest's sealed keys, in base64.
pub(crate) async fn authenticator_keys(world: &TestWorld, email: &str) -> String {
    let guest = bound_guest(world, email).await;
    let keys = &guest["authenticatorKeys"];
    keys.as_str().expect("an authenticator").to_owned()
}

/// Puts sealed keys into a guest's record, with or without an authenticator.
pub(crate) async fn set_authenticator_keys(world: &TestWorld, email: &str, keys: &str) {
    let change = json!({
        "TableName": world.ready().tables["guests"],
        "Key": guest_key(world, email).await,
        "UpdateExpression": "SET authenticatorKeys = :keys, authenticatorLastStep = if_not_exists(authenticatorLastStep, :step)",
        "ExpressionAttributeValues": { ":keys": { "B": keys }, ":step": { "N": "0" } },
    });
    dynamodb(world, "UpdateItem", &change).await;
}

/// Unbinds a guest from the user. The guest then waits under the address.
pub(crate) async fn release_guest(world: &TestWorld, email: &str) {
    let guest = bound_guest(world, email).await;
    let guest_id = guest["guestId"].as_str().expect("an id");
    let gone = json!({
        "TableName": world.ready().tables["guests"],
        "Key": { "pk": { "S": guest["pk"] } },
    });
    dynamodb(world, "DeleteItem", &gone).await;
    plant_guest(world, email, guest_id).await;
}

/// The record of a guest who has a user.
async fn bound_guest(world: &TestWorld, email: &str) -> Item {
    let guests = items(world, &world.ready().tables["guests"]).await;
    let guest = guests.into_iter().find(|item| {
        let key = item["pk"].as_str().expect("a key");
        key.starts_with("guest#") && item["email"] == email
    });
    guest.expect("a guest")
}

async fn guest_key(world: &TestWorld, email: &str) -> Value {
    json!({ "pk": { "S": bound_guest(world, email).await["pk"] } })
}

async fn put_guest_item(world: &TestWorld, item: &Value) {
    let table = &world.ready().tables["guests"];
    dynamodb(
        world,
        "PutItem",
        &json!({ "TableName": table, "Item": item }),
    )
    .await;
}

/// Every user in the pool.
pub(crate) async fn users(world: &TestWorld) -> Vec<Value> {
    let answer = cognito(world, "ListUsers", json!({})).await;
    answer["Users"].as_array().expect("users").clone()
}

/// Deletes a user as an administrator does.
pub(crate) async fn delete_user(world: &TestWorld, email: &str) {
    cognito(world, "AdminDeleteUser", json!({ "Username": email })).await;
}

/// Makes a user as in an older pool, with a password and a verified address.
pub(crate) async fn make_user_with_password(world: &TestWorld, email: &str, password: &str) {
    make_user(world, email, password, "true").await;
}

/// Makes a user as in an older pool, with a password and an address that was never proved.
pub(crate) async fn make_unverified_user_with_password(
    world: &TestWorld,
    email: &str,
    password: &str,
) {
    make_user(world, email, password, "false").await;
}

async fn make_user(world: &TestWorld, email: &str, password: &str, verified: &str) {
    let user = json!({
        "Username": email,
        "MessageAction": "SUPPRESS",
        "UserAttributes": [
            { "Name": "email", "Value": email },
            { "Name": "email_verified", "Value": verified },
        ],
    });
    cognito(world, "AdminCreateUser", user).await;
    let set = json!({ "Username": email, "Password": password, "Permanent": true });
    cognito(world, "AdminSetUserPassword", set).await;
}

/// Makes the user pool ask a function for the words of its mails that is not there.
pub(crate) async fn lose_words_of_mails(world: &TestWorld) {
    let arn = "arn:aws:lambda:eu-west-1:000000000000:function:latchkey-local-no-longer-there";
    let change = json!({
        "Policies": { "SignInPolicy": { "AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"] } },
        "AutoVerifiedAttributes": ["email"],
        "EmailConfiguration": {
            "EmailSendingAccount": "DEVELOPER",
            "From": "no-reply@latchkey.example",
            "SourceArn": "arn:aws:ses:eu-west-1:000000000000:identity/latchkey.example",
        },
        "LambdaConfig": { "CustomMessage": arn },
    });
    cognito(world, "UpdateUserPool", change).await;
}

/// Makes the user pool call another function before it issues tokens.
pub(crate) async fn set_token_trigger(world: &TestWorld, function: &str) {
    let arn = format!("arn:aws:lambda:eu-west-1:000000000000:function:latchkey-local-{function}");
    let change = json!({
        "Policies": { "SignInPolicy": { "AllowedFirstAuthFactors": ["PASSWORD", "EMAIL_OTP"] } },
        "AutoVerifiedAttributes": ["email"],
        "LambdaConfig": { "PreTokenGenerationConfig": { "LambdaVersion": "V2_0", "LambdaArn": arn } },
    });
    cognito(world, "UpdateUserPool", change).await;
}

/// A call of the pool's administration, with the stand-in's form of a signature.
async fn cognito(world: &TestWorld, action: &str, mut input: Value) -> Value {
    input["UserPoolId"] = json!(world.ready().user_pool_id);
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    call(&world.ready().cognito, "cognito-idp", &target, &input).await
}

async fn dynamodb(world: &TestWorld, action: &str, input: &Value) -> Value {
    let target = format!("DynamoDB_20120810.{action}");
    call(&world.ready().dynamodb, "dynamodb", &target, input).await
}

async fn call(endpoint: &str, service: &str, target: &str, input: &Value) -> Value {
    let protocol = if service == "dynamodb" { "1.0" } else { "1.1" };
    let scope = format!("LOCAL/20260312/eu-west-1/{service}/aws4_request");
    let answer = reqwest::Client::new()
        .post(endpoint)
        .header("content-type", format!("application/x-amz-json-{protocol}"))
        .header("x-amz-target", target)
        .header("x-amz-date", "20260312T190358Z")
        .header(
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
        )
        .body(input.to_string())
        .send()
        .await
        .expect("the service answers");
    let status = answer.status();
    let body = answer.text().await.expect("a body");
    assert_eq!(status, StatusCode::OK, "{target}: {body}");
    serde_json::from_str(&body).unwrap_or_default()
}
