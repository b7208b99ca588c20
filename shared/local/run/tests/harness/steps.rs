//! The steps of a sign-in, and an operator's steps on AWS's side of a world.

use std::time::Duration;

use auth_local::World;
use serde_json::{Value, json};

use crate::harness::people::ADA;
use crate::harness::{Answer, Browser, TestWorld};

/// The secret that the operations read.
const SECRETS_ID: &str = "latchkey-local/secrets";

/// Eight digits that a mail contains once in a hundred million.
pub(crate) const WRONG_CODE: &str = "40417093";

/// The roomiest mailboxes that settings allow, for tests that send more mails than a stranger may.
/// `rules::admission` tests the defaults.
pub(crate) const ROOMY_MAILBOXES: [(&str, &str); 3] = [
    ("CODE_MAILS_PER_HOUR", "20"),
    ("CODE_MAILS_PER_DAY_STRANGERS", "100"),
    ("CODE_MAILS_PER_DAY", "200"),
];

/// As many starts of one address, and mails to it, as a test of something else likes.
pub(crate) const MANY_STARTS: [(&str, &str); 4] = [
    ("OTP_STARTS_PER_EMAIL", "50"),
    ROOMY_MAILBOXES[0],
    ROOMY_MAILBOXES[1],
    ROOMY_MAILBOXES[2],
];

/// A world in which a passkey counts only where its device has verified its user.
pub(crate) const USER_VERIFICATION_REQUIRED: [(&str, &str); 1] =
    [("PASSKEY_USER_VERIFICATION", "required")];

/// A world whose sign-ins all require a second factor.
pub(crate) const SECOND_FACTOR_REQUIRED: [(&str, &str); 5] = [
    ("SECOND_FACTOR", "required"),
    MANY_STARTS[0],
    MANY_STARTS[1],
    MANY_STARTS[2],
    MANY_STARTS[3],
];

/// Answers to everything at the same moment, in the order of the questions.
pub(crate) use futures_util::future::join_all as at_once;

impl Browser<'_> {
    /// Asks for a code.
    pub(crate) async fn start(&mut self, email: &str) -> Answer {
        self.post("/auth/otp/initiate", json!({ "email": email }))
            .await
    }

    /// Asks for a code, which must succeed; returns the session token.
    pub(crate) async fn started(&mut self, email: &str) -> String {
        let started = self.start(email).await;
        started.expect_status(200);
        started.text("sessionToken")
    }

    /// Asks for another code of the same sign-in.
    pub(crate) async fn resend(&mut self, session_token: &str) -> Answer {
        self.post("/auth/otp/resend", json!({ "sessionToken": session_token }))
            .await
    }

    /// Shows a code.
    pub(crate) async fn verify(&mut self, email: &str, code: &str, session_token: &str) -> Answer {
        let proof = json!({ "email": email, "code": code, "sessionToken": session_token });
        self.post("/auth/otp/verify", proof).await
    }
}

impl TestWorld {
    /// A world whose clock only changes when it is moved, so a test can reach the exact edge of a
    /// limit.
    pub(crate) async fn stopped(settings: &[(&str, &str)]) -> Self {
        let world = Self::with_settings(settings).await;
        world.clock().stop();
        world
    }

    /// Stops the clock at the start of a second.
    pub(crate) fn stop_at_a_second(&self) {
        self.clock().stop();
        let past = self.clock().now().as_millis().rem_euclid(1000);
        self.advance_millis(u64::try_from(1000 - past).expect("less than a second"));
    }

    /// Moves time forward by less than seconds.
    pub(crate) fn advance_millis(&self, millis: u64) {
        let advanced = World::advance(self, Duration::from_millis(millis));
        advanced.expect("the clock moves");
    }

    /// The calls of Cognito after a call's id.
    pub(crate) fn cognito_actions_since(&self, since: u64) -> Vec<String> {
        let calls = self.calls(since).into_iter();
        calls
            .filter(|call| call.service == "cognito-idp")
            .map(|call| call.action)
            .collect()
    }

    /// How often the functions have called this.
    pub(crate) fn count(&self, action: &str) -> usize {
        let calls = self.calls(0);
        calls.iter().filter(|call| call.action == action).count()
    }

    /// Calls a service as an operator does. The signature has only the right form: the stand-ins
    /// have no credentials to verify one.
    async fn aws(&self, service: &str, action: &str, input: &Value) -> Value {
        let ready = self.ready();
        let (endpoint, prefix, version) = match service {
            "cognito-idp" => (&ready.cognito, "AWSCognitoIdentityProviderService", "1.1"),
            "dynamodb" => (&ready.dynamodb, "DynamoDB_20120810", "1.0"),
            "secretsmanager" => (&ready.secretsmanager, "secretsmanager", "1.1"),
            "kms" => (&ready.kms, "TrentService", "1.1"),
            other => panic!("no endpoint of {other}"),
        };
        let region = &ready.region;
        let answer = reqwest::Client::new()
            .post(endpoint)
            .header("content-type", format!("application/x-amz-json-{version}"))
            .header("x-amz-target", format!("{prefix}.{action}"))
            .header("x-amz-date", "20260101T000000Z")
            .header(
                "authorization",
                format!(
                    "AWS4-HMAC-SHA256 Credential=LOCAL/20260101/{region}/{service}/aws4_request, SignedHeaders=host, Signature=00"
                ),
            )
            .body(input.to_string())
            .send()
            .await
            .expect("the service answers");
        let status = answer.status();
        let body = answer.text().await.expect("a body");
        assert!(status.is_success(), "{action}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// An operation of the user pool's administrator.
    pub(crate) async fn admin(&self, action: &str, mut input: Value) -> Value {
        input["UserPoolId"] = self.ready().user_pool_id.as_str().into();
        self.aws("cognito-idp", action, &input).await
    }

    /// Sets the language that a user reads, as an operator does at Cognito.
    pub(crate) async fn change_language(&self, email: &str, language: &str) {
        let locale = json!([{ "Name": "locale", "Value": language }]);
        let change = json!({ "Username": email, "UserAttributes": locale });
        self.admin("AdminUpdateUserAttributes", change).await;
    }

    /// An operation of the key service.
    pub(crate) async fn kms(&self, action: &str, input: Value) -> Value {
        self.aws("kms", action, &input).await
    }

    /// Makes a user as a tool without knowledge of Latchkey does, without a mail.
    pub(crate) async fn make_user(&self, email: &str, temporary_password: Option<&str>) {
        let mut user = json!({
            "Username": email,
            "MessageAction": "SUPPRESS",
            "UserAttributes": [
                { "Name": "email", "Value": email },
                { "Name": "email_verified", "Value": "true" },
            ],
        });
        if let Some(password) = temporary_password {
            user["TemporaryPassword"] = password.into();
        }
        self.admin("AdminCreateUser", user).await;
    }

    /// All users of the pool.
    pub(crate) async fn users(&self) -> Vec<Value> {
        let mut listed = self.admin("ListUsers", json!({})).await;
        serde_json::from_value(listed["Users"].take()).expect("a list")
    }

    /// The user of an address, who must exist.
    pub(crate) async fn user(&self, email: &str) -> Value {
        self.admin("AdminGetUser", json!({ "Username": email }))
            .await
    }

    /// All items of a table, as DynamoDB writes them.
    pub(crate) async fn items(&self, table: &str) -> Vec<Value> {
        let scan = json!({ "TableName": table, "ConsistentRead": true });
        let mut scanned = self.aws("dynamodb", "Scan", &scan).await;
        serde_json::from_value(scanned["Items"].take()).expect("a list")
    }

    /// All guests' records. If a guest has a user, the address and the id name the user.
    pub(crate) async fn guests(&self) -> Vec<Value> {
        let items = self.items(&self.ready().tables["guests"]).await;
        let of_kind = |kind: &str| -> Vec<&Value> {
            let mut items: Vec<_> = items.iter().collect();
            items.retain(|item| attribute(item, "pk").starts_with(kind));
            items
        };
        let (bound, addresses, ids) = (of_kind("guest#"), of_kind("address#"), of_kind("guestId#"));
        for guest in &bound {
            let names_the_user =
                |item: &&&Value| attribute(item, "sub") == attribute(guest, "cognitoSub");
            assert_eq!(
                addresses.iter().filter(names_the_user).count(),
                1,
                "an address"
            );
            assert_eq!(ids.iter().filter(names_the_user).count(), 1, "an id");
        }
        let waiting = addresses
            .into_iter()
            .filter(|address| attribute(address, "sub").is_empty());
        let guests: Vec<Value> = bound.into_iter().chain(waiting).cloned().collect();
        assert!(ids.len() <= guests.len(), "an id without a guest");
        guests
    }

    /// Puts a guest into the table who has never signed in, as an import does.
    pub(crate) async fn put_guest_without_user(&self, email: &str, guest_id: &str, name: &str) {
        let text = |value: &str| json!({ "S": value });
        let item = json!({
            "pk": text(&format!("address#{email}")),
            "email": text(email),
            "guestId": text(guest_id),
            "name": text(name),
            "emailVerified": { "BOOL": false },
            "createdAt": text("2025-12-24T18:00:00.000Z"),
            "updatedAt": text("2025-12-24T18:00:00.000Z"),
        });
        let put = json!({ "TableName": self.ready().tables["guests"], "Item": item });
        self.aws("dynamodb", "PutItem", &put).await;
    }

    /// The operations' secret in Secrets Manager.
    pub(crate) async fn secrets(&self) -> Value {
        let wanted = json!({ "SecretId": SECRETS_ID });
        let read = self.aws("secretsmanager", "GetSecretValue", &wanted).await;
        serde_json::from_str(read["SecretString"].as_str().expect("text")).expect("JSON")
    }

    /// Rotates it.
    pub(crate) async fn put_secrets(&self, secrets: &Value) {
        let put = json!({ "SecretId": SECRETS_ID, "SecretString": secrets.to_string() });
        self.aws("secretsmanager", "PutSecretValue", &put).await;
    }
}

/// A text attribute of an item; empty without one.
pub(crate) fn attribute<'item>(item: &'item Value, name: &str) -> &'item str {
    item[name]["S"].as_str().unwrap_or_default()
}

/// Seconds from the start of a sign-in to its end.
pub(crate) const LIFETIME: u64 = 300;

pub(crate) fn sub_of(user: &Value) -> String {
    let attributes = user["UserAttributes"].as_array().unwrap();
    let sub = attributes
        .iter()
        .find(|attribute| attribute["Name"] == "sub")
        .unwrap();
    sub["Value"].as_str().unwrap().to_owned()
}

/// The header that CloudFront would add to each request to the gateway.
pub(crate) const ORIGIN_SECRET: &str = "what only CloudFront and the functions know";

/// Its hash, as functions are given it.
pub(crate) const ORIGIN_SECRET_SHA256: &str =
    "ac904753992c7a0aaad6a335dc45a6fe28679df75f694e2b8233eda7c3590917";

/// A sign-in with two mails: the session token, and both codes.
pub(crate) async fn resent(world: &TestWorld) -> (String, [String; 2]) {
    let mut browser = world.browser();
    let session_token = browser.started(ADA).await;
    let first = world.mail_code(ADA).await;
    world.advance(30);
    let resent = browser.resend(&session_token).await;
    resent.expect_status(200);
    let second = world.mail_code(ADA).await;
    assert_ne!(first, second);
    assert_eq!(resent["sessionToken"], session_token.as_str());
    assert_eq!(resent["expiresIn"], LIFETIME - 30);
    (session_token, [first, second])
}
