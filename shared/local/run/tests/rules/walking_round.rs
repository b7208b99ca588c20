//! No token or secret that a browser receives is of use at Cognito's own endpoint, so no client can
//! bypass Latchkey (RFC 9700 §2.3: a token is valid only for its purpose; ASVS 5.0 10.4.11: a
//! client has no more than it needs).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use auth_local::{ObservedExchange, Options};
use serde_json::{Value, json};

use crate::harness::people::ADA;
use crate::harness::requests::{Sample, claims, expect_refused_refresh, refresh};
use crate::harness::{Answer, TestWorld};

/// A password that satisfies every rule of the pool.
const PASSWORD: &str = "Correct-horse-battery-staple-9!";

/// A header that the stand-in accepts as Signature Version 4, since it has no keys. With it the
/// tests read the pool as an operator.
const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=LOCAL/20261121/eu-west-1/cognito-idp/aws4_request, SignedHeaders=host, Signature=00";

/// Texts of every answer that passed the gateway: bodies, headers, cookies, and the claims within
/// tokens.
#[derive(Clone, Default)]
struct Received(Arc<Mutex<BTreeSet<String>>>);

impl Received {
    fn watch(&self, options: &mut Options) {
        let received = self.clone();
        options.watchers.observer = Some(Arc::new(move |exchange| received.add(exchange)));
    }

    fn add(&self, exchange: &ObservedExchange) {
        let mut texts = self.0.lock().unwrap();
        let body: Value = serde_json::from_slice(&exchange.response_body).unwrap_or_default();
        gather(&body, &mut texts);
        for value in exchange.response_headers.values() {
            let value = value.to_str().unwrap();
            texts.insert(value.to_owned());
            let cookie = value.split(';').next().unwrap_or_default();
            texts.extend(cookie.split_once('=').map(|(_, value)| value.to_owned()));
        }
        texts.retain(|text| !text.is_empty());
    }

    fn texts(&self) -> BTreeSet<String> {
        self.0.lock().unwrap().clone()
    }
}

fn gather(value: &Value, texts: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => {
            texts.insert(text.clone());
            if text.starts_with("eyJ") && text.split('.').count() == 3 {
                gather(&claims(text), texts);
            }
        }
        Value::Array(several) => several.iter().for_each(|one| gather(one, texts)),
        Value::Object(members) => members.values().for_each(|one| gather(one, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A call of Cognito's endpoint as an operator makes it.
async fn as_operator(world: &TestWorld, action: &str, mut input: Value) -> Value {
    input["UserPoolId"] = world.ready().user_pool_id.as_str().into();
    let answer = reqwest::Client::new()
        .post(&world.ready().cognito)
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "x-amz-target",
            format!("AWSCognitoIdentityProviderService.{action}"),
        )
        .header("authorization", SIGNATURE)
        .body(input.to_string());
    answer.send().await.unwrap().json().await.unwrap()
}

/// All that the pool knows of its users.
async fn directory(world: &TestWorld) -> Value {
    let user = as_operator(world, "AdminGetUser", json!({ "Username": ADA })).await;
    assert_eq!(user["UserStatus"], "CONFIRMED", "{user}");
    json!([user, as_operator(world, "ListUsers", json!({})).await])
}

/// Cognito's endpoint, which is public.
struct Outsider {
    http: reqwest::Client,
    endpoint: String,
}

impl Outsider {
    fn of(world: &TestWorld) -> Self {
        Self {
            http: reqwest::Client::new(),
            endpoint: world.ready().cognito.clone(),
        }
    }

    /// Makes an unsigned call, fails the test unless it is refused and returns nothing, and returns
    /// the refusal.
    async fn expect_refusal(&self, action: &str, input: &Value) -> Value {
        let request = self
            .http
            .post(&self.endpoint)
            .header("content-type", "application/x-amz-json-1.1")
            .header(
                "x-amz-target",
                format!("AWSCognitoIdentityProviderService.{action}"),
            )
            .body(input.to_string());
        let response = request.send().await.unwrap();
        let status = response.status();
        let refusal: Value = response.json().await.unwrap();
        assert_eq!(status, 400, "{action} {input} was answered {refusal}");
        let members: Vec<&String> = refusal.as_object().unwrap().keys().collect();
        assert!(
            members == ["__type"] || members == ["__type", "message"],
            "{action} {input} was answered {refusal}"
        );
        refusal
    }
}

/// Every call that Cognito takes unsigned, with `text` wherever something has to be proved.
fn unsigned_calls(client: &str, text: &str) -> Vec<(&'static str, Value)> {
    let mut calls = calls_of_a_client(client, text);
    calls.extend(flows(client, text));
    calls.extend(answers(client, text));
    calls.extend(calls_on_ones_own_account(text));
    calls
}

/// Sign-up, recovery, and the use of tokens.
fn calls_of_a_client(client: &str, text: &str) -> Vec<(&'static str, Value)> {
    vec![
        (
            "SignUp",
            json!({ "ClientId": client, "Username": "mallory@example.com", "Password": PASSWORD, "SecretHash": text }),
        ),
        (
            "SignUp",
            json!({ "ClientId": client, "Username": "mallory@example.com", "UserAttributes": [{ "Name": "email", "Value": "mallory@example.com" }] }),
        ),
        (
            "ConfirmSignUp",
            json!({ "ClientId": client, "Username": ADA, "ConfirmationCode": text, "SecretHash": text }),
        ),
        (
            "ConfirmSignUp",
            json!({ "ClientId": client, "Username": ADA, "ConfirmationCode": text }),
        ),
        (
            "ResendConfirmationCode",
            json!({ "ClientId": client, "Username": ADA, "SecretHash": text }),
        ),
        (
            "ResendConfirmationCode",
            json!({ "ClientId": client, "Username": ADA }),
        ),
        (
            "ForgotPassword",
            json!({ "ClientId": client, "Username": ADA, "SecretHash": text }),
        ),
        (
            "ForgotPassword",
            json!({ "ClientId": client, "Username": ADA }),
        ),
        (
            "ConfirmForgotPassword",
            json!({ "ClientId": client, "Username": ADA, "ConfirmationCode": text, "Password": PASSWORD, "SecretHash": text }),
        ),
        (
            "ConfirmForgotPassword",
            json!({ "ClientId": client, "Username": ADA, "ConfirmationCode": text, "Password": PASSWORD }),
        ),
        (
            "GetTokensFromRefreshToken",
            json!({ "ClientId": client, "RefreshToken": text }),
        ),
        (
            "GetTokensFromRefreshToken",
            json!({ "ClientId": client, "RefreshToken": text, "ClientSecret": text }),
        ),
        ("RevokeToken", json!({ "ClientId": client, "Token": text })),
        (
            "RevokeToken",
            json!({ "ClientId": client, "Token": text, "ClientSecret": text }),
        ),
        ("AssociateSoftwareToken", json!({ "Session": text })),
        (
            "VerifySoftwareToken",
            json!({ "Session": text, "UserCode": "123456" }),
        ),
    ]
}

/// The ways to begin a sign-in.
fn flows(client: &str, text: &str) -> Vec<(&'static str, Value)> {
    let flow = |flow: &str, parameters: Value| {
        (
            "InitiateAuth",
            json!({ "ClientId": client, "AuthFlow": flow, "AuthParameters": parameters }),
        )
    };
    vec![
        flow("USER_AUTH", json!({ "USERNAME": ADA })),
        flow("USER_AUTH", json!({ "USERNAME": ADA, "SECRET_HASH": text })),
        flow(
            "USER_AUTH",
            json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "PASSWORD", "PASSWORD": text }),
        ),
        flow(
            "USER_AUTH",
            json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "PASSWORD_SRP", "SRP_A": "ff" }),
        ),
        flow(
            "USER_AUTH",
            json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" }),
        ),
        flow(
            "USER_AUTH",
            json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP", "SECRET_HASH": text }),
        ),
        flow(
            "USER_AUTH",
            json!({ "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP", "ACCESS_TOKEN": text }),
        ),
        flow(
            "USER_PASSWORD_AUTH",
            json!({ "USERNAME": ADA, "PASSWORD": text }),
        ),
        flow(
            "USER_PASSWORD_AUTH",
            json!({ "USERNAME": ADA, "PASSWORD": text, "SECRET_HASH": text }),
        ),
        flow(
            "USER_SRP_AUTH",
            json!({ "USERNAME": ADA, "SRP_A": "ff", "SECRET_HASH": text }),
        ),
        flow(
            "CUSTOM_AUTH",
            json!({ "USERNAME": ADA, "SECRET_HASH": text }),
        ),
        flow(
            "ADMIN_USER_PASSWORD_AUTH",
            json!({ "USERNAME": ADA, "PASSWORD": text }),
        ),
        flow(
            "ADMIN_NO_SRP_AUTH",
            json!({ "USERNAME": ADA, "PASSWORD": text }),
        ),
        flow("REFRESH_TOKEN_AUTH", json!({ "REFRESH_TOKEN": text })),
        flow(
            "REFRESH_TOKEN_AUTH",
            json!({ "REFRESH_TOKEN": text, "SECRET_HASH": text }),
        ),
        flow("REFRESH_TOKEN", json!({ "REFRESH_TOKEN": text })),
    ]
}

/// The possible answers to a challenge, with `text` as its session.
fn answers(client: &str, text: &str) -> Vec<(&'static str, Value)> {
    let answer = |challenge: &str, responses: Value| {
        (
            "RespondToAuthChallenge",
            json!({ "ClientId": client, "ChallengeName": challenge, "Session": text, "ChallengeResponses": responses }),
        )
    };
    vec![
        answer(
            "EMAIL_OTP",
            json!({ "USERNAME": ADA, "EMAIL_OTP_CODE": "12345678" }),
        ),
        answer(
            "EMAIL_OTP",
            json!({ "USERNAME": ADA, "EMAIL_OTP_CODE": "12345678", "SECRET_HASH": text }),
        ),
        answer(
            "SELECT_CHALLENGE",
            json!({ "USERNAME": ADA, "ANSWER": "EMAIL_OTP" }),
        ),
        answer(
            "SELECT_CHALLENGE",
            json!({ "USERNAME": ADA, "ANSWER": "EMAIL_OTP", "SECRET_HASH": text }),
        ),
        answer(
            "NEW_PASSWORD_REQUIRED",
            json!({ "USERNAME": ADA, "NEW_PASSWORD": PASSWORD }),
        ),
        answer("PASSWORD", json!({ "USERNAME": ADA, "PASSWORD": text })),
        answer("MFA_SETUP", json!({ "USERNAME": ADA })),
    ]
}

/// Every call that an access token authorizes.
fn calls_on_ones_own_account(token: &str) -> Vec<(&'static str, Value)> {
    let authenticator = json!({ "Enabled": true, "PreferredMfa": true });
    [
        ("AssociateSoftwareToken", json!({})),
        (
            "ChangePassword",
            json!({ "PreviousPassword": PASSWORD, "ProposedPassword": PASSWORD }),
        ),
        ("ChangePassword", json!({ "ProposedPassword": PASSWORD })),
        ("CompleteWebAuthnRegistration", json!({ "Credential": {} })),
        (
            "ConfirmDevice",
            json!({ "DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000" }),
        ),
        ("DeleteUser", json!({})),
        (
            "DeleteUserAttributes",
            json!({ "UserAttributeNames": ["name"] }),
        ),
        ("DeleteWebAuthnCredential", json!({ "CredentialId": "x" })),
        (
            "ForgetDevice",
            json!({ "DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000" }),
        ),
        (
            "GetDevice",
            json!({ "DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000" }),
        ),
        ("GetUser", json!({})),
        (
            "GetUserAttributeVerificationCode",
            json!({ "AttributeName": "email" }),
        ),
        ("GetUserAuthFactors", json!({})),
        ("GlobalSignOut", json!({})),
        ("ListDevices", json!({})),
        ("ListWebAuthnCredentials", json!({})),
        (
            "SetUserMFAPreference",
            json!({ "SoftwareTokenMfaSettings": authenticator }),
        ),
        (
            "SetUserMFAPreference",
            json!({ "EmailMfaSettings": authenticator }),
        ),
        ("SetUserSettings", json!({ "MFAOptions": [] })),
        ("StartWebAuthnRegistration", json!({})),
        (
            "UpdateDeviceStatus",
            json!({ "DeviceKey": "eu-west-1_00000000-0000-4000-8000-000000000000" }),
        ),
        (
            "UpdateUserAttributes",
            json!({ "UserAttributes": [{ "Name": "email", "Value": "mallory@example.com" }] }),
        ),
        ("VerifySoftwareToken", json!({ "UserCode": "123456" })),
        (
            "VerifyUserAttribute",
            json!({ "AttributeName": "email", "Code": "123456" }),
        ),
    ]
    .map(|(action, mut input)| {
        input["AccessToken"] = token.into();
        (action, input)
    })
    .into()
}

/// A sign-in with all that belongs to it, in body mode and in cookie mode; the tokens of the first,
/// and the cookie of the second.
async fn live_a_session(world: &TestWorld) -> (Answer, String) {
    let mut browser = world.browser();
    let started = browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    world.advance(31);
    let resent = browser
        .post(
            "/auth/otp/resend",
            json!({ "sessionToken": started["sessionToken"] }),
        )
        .await;
    resent.expect_status(200);
    let wrong =
        json!({ "email": ADA, "code": "13572468", "sessionToken": started["sessionToken"] });
    browser
        .post("/auth/otp/verify", wrong)
        .await
        .expect_status(401);
    let right = json!({ "email": ADA, "code": world.mail_code(ADA).await, "sessionToken": started["sessionToken"] });
    let signed_in = browser.post("/auth/otp/verify", right).await;
    signed_in.expect_status(200);
    let tokens = browser
        .post(
            "/auth/refresh",
            json!({ "refreshToken": signed_in["refreshToken"] }),
        )
        .await;
    tokens.expect_status(200);
    browser.bearer(&tokens.text("accessToken"));
    browser
        .patch("/me", json!({ "name": "Ada Lovelace" }))
        .await
        .expect_status(200);
    browser.get("/me").await.expect_status(200);
    browser
        .post("/auth/logout", json!({ "refreshToken": 7 }))
        .await
        .expect_status(400);

    let mut other = world.browser();
    let by_cookie = other
        .sign_in_with(ADA, json!({ "tokenDelivery": "cookie" }))
        .await;
    by_cookie.expect_status(200);
    let unfinished = other
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    unfinished.expect_status(200);
    (tokens, other.cookies["__Host-latchkey-refresh"].clone())
}

/// Cognito's refresh token in a marked one.
fn without_mark(refresh_token: &str) -> &str {
    refresh_token.rsplit('~').next().unwrap_or(refresh_token)
}

#[tokio::test]
async fn all_that_a_browser_ever_received_is_useless_at_cognitos_own_endpoint() {
    let received = Received::default();
    let world = TestWorld::start_with(|options| {
        options.settings = options
            .settings
            .clone()
            .with("PUBLIC_CLIENT", "off")
            .unwrap();
        received.watch(options);
    })
    .await;
    assert!(world.ready().client_id.is_none());
    let (tokens, cookie) = live_a_session(&world).await;
    let outsider = Outsider::of(&world);

    // A browser learns the client's id from its tokens: that must not help.
    let client = world.operations_client_id().to_owned();
    let mut texts = received.texts();
    for known in [client.as_str(), &cookie, &tokens.text("refreshToken"), ADA] {
        assert!(texts.contains(known));
    }
    texts.insert(world.mail_code(ADA).await);
    // Anyone can remove the mark of a refresh token.
    for marked in [&cookie, &tokens.text("refreshToken")] {
        texts.insert(without_mark(marked).to_owned());
    }
    assert!(texts.len() > 40, "{}", texts.len());

    let (before, mails) = (directory(&world).await, world.mails(ADA).len());
    for (index, text) in texts.iter().enumerate() {
        let quoted = json!(text).to_string();
        for (action, input) in unsigned_calls(&client, text) {
            // A call that does not depend on the text is tried once.
            if index == 0 || input.to_string().contains(&quoted) {
                outsider.expect_refusal(action, &input).await;
            }
        }
        outsider.expect_refusal("InitiateAuth", &json!({ "ClientId": text, "AuthFlow": "USER_AUTH", "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" } })).await;
    }
    assert_eq!(directory(&world).await, before);
    assert_eq!(world.mails(ADA).len(), mails);
    assert!(world.mails("mallory@example.com").is_empty());

    let mut browser = world.browser();
    browser.bearer(&tokens.text("accessToken"));
    assert_eq!(browser.get("/me").await["name"], "Ada Lovelace");
    for token in [&tokens.text("refreshToken"), &cookie] {
        browser
            .post("/auth/refresh", json!({ "refreshToken": token }))
            .await
            .expect_status(200);
    }
    browser.sign_in(ADA).await.expect_status(200);
}

/// The same with the best input for each call, so that it fails for the right reason.
#[tokio::test]
async fn each_call_fails_for_want_of_what_a_browser_never_gets() {
    let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", "off")]).await;
    let (tokens, _) = live_a_session(&world).await;
    let outsider = Outsider::of(&world);
    let client = world.operations_client_id().to_owned();
    let (access_token, refresh_token) = (tokens.text("accessToken"), tokens.text("refreshToken"));
    let refresh_token = without_mark(&refresh_token);
    for call in calls_on_ones_own_account(&access_token) {
        let answer = outsider.expect_refusal(call.0, &call.1).await;
        if answer["__type"] != "UnknownOperationException" {
            assert_eq!(
                answer["__type"], "NotAuthorizedException",
                "{call:?} {answer}"
            );
            assert_eq!(
                answer["message"], "Access Token does not have required scopes",
                "{call:?}"
            );
        }
    }
    for (call, refusal) in [
        (
            (
                "GetTokensFromRefreshToken",
                json!({ "ClientId": client, "RefreshToken": refresh_token }),
            ),
            "NotAuthorizedException",
        ),
        (
            (
                "RevokeToken",
                json!({ "ClientId": client, "Token": refresh_token }),
            ),
            "UnauthorizedException",
        ),
        (
            (
                "SignUp",
                json!({ "ClientId": client, "Username": "mallory@example.com", "Password": PASSWORD }),
            ),
            "NotAuthorizedException",
        ),
        (
            (
                "ForgotPassword",
                json!({ "ClientId": client, "Username": ADA }),
            ),
            "NotAuthorizedException",
        ),
        (
            (
                "InitiateAuth",
                json!({ "ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": { "USERNAME": ADA } }),
            ),
            "NotAuthorizedException",
        ),
        (
            (
                "InitiateAuth",
                json!({ "ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" } }),
            ),
            "NotAuthorizedException",
        ),
        (
            (
                "InitiateAuth",
                json!({ "ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH", "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD } }),
            ),
            "InvalidParameterException",
        ),
        (
            (
                "InitiateAuth",
                json!({ "ClientId": client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": { "REFRESH_TOKEN": refresh_token } }),
            ),
            "InvalidParameterException",
        ),
    ] {
        let answer = outsider.expect_refusal(call.0, &call.1).await;
        assert_eq!(answer["__type"], refusal, "{call:?} {answer}");
    }
}

#[tokio::test]
async fn nothing_of_an_operators_is_answered_without_a_signature() {
    let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", "off")]).await;
    live_a_session(&world).await;
    let outsider = Outsider::of(&world);
    let (pool, client) = (
        world.ready().user_pool_id.clone(),
        world.operations_client_id().to_owned(),
    );
    let before = directory(&world).await;
    for action in [
        "AdminAddUserToGroup",
        "AdminConfirmSignUp",
        "AdminCreateUser",
        "AdminDeleteUser",
        "AdminDeleteUserAttributes",
        "AdminDisableProviderForUser",
        "AdminDisableUser",
        "AdminEnableUser",
        "AdminForgetDevice",
        "AdminGetDevice",
        "AdminGetUser",
        "AdminInitiateAuth",
        "AdminLinkProviderForUser",
        "AdminListDevices",
        "AdminListGroupsForUser",
        "AdminListUserAuthEvents",
        "AdminRemoveUserFromGroup",
        "AdminResetUserPassword",
        "AdminRespondToAuthChallenge",
        "AdminSetUserMFAPreference",
        "AdminSetUserPassword",
        "AdminSetUserSettings",
        "AdminUpdateAuthEventFeedback",
        "AdminUpdateDeviceStatus",
        "AdminUpdateUserAttributes",
        "AdminUserGlobalSignOut",
        "CreateUserPoolClient",
        "DeleteUserPool",
        "DeleteUserPoolClient",
        "DescribeUserPool",
        "DescribeUserPoolClient",
        "ListUserPoolClients",
        "ListUserPools",
        "ListUsers",
        "SetUserPoolMfaConfig",
        "UpdateUserPool",
        "UpdateUserPoolClient",
    ] {
        let input = json!({
            "UserPoolId": pool, "ClientId": client, "Username": ADA, "Password": PASSWORD, "Permanent": true, "AuthFlow": "USER_AUTH",
            "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" }, "MaxResults": 10,
        });
        let call = (action, input);
        let answer = outsider.expect_refusal(call.0, &call.1).await;
        let refusal = answer["__type"].as_str().unwrap();
        assert!(
            [
                "MissingAuthenticationTokenException",
                "UnknownOperationException"
            ]
            .contains(&refusal),
            "{action} {refusal}"
        );
        if action.starts_with("AdminGetUser")
            || action.starts_with("DescribeUserPool")
            || action.ends_with("Auth")
        {
            assert_eq!(refusal, "MissingAuthenticationTokenException", "{action}");
        }
    }
    assert_eq!(directory(&world).await, before);
}

/// ASVS 5.0 13.3.1, local-run: the secret of the operations' client appears nowhere.
#[tokio::test]
async fn the_clients_secret_leaves_by_no_door() {
    let received = Received::default();
    let world = TestWorld::start_with(|options| received.watch(options)).await;
    live_a_session(&world).await;
    let input = json!({ "ClientId": world.operations_client_id() });
    let described = as_operator(&world, "DescribeUserPoolClient", input).await;
    let secret = described["UserPoolClient"]["ClientSecret"]
        .as_str()
        .expect("a confidential client")
        .to_owned();
    assert!(secret.len() > 40);
    assert!(received.texts().iter().all(|text| !text.contains(&secret)));
    assert!(world.logs().iter().all(|line| !line.contains(&secret)));
    let ready = world.ready();
    assert!(!serde_json::to_string(ready).unwrap().contains(&secret));
    for path in [
        "/",
        "/_local/calls",
        "/_local/logs",
        "/_local/mailbox",
        "/_local/faults",
        "/_local/ready",
    ] {
        let answer = reqwest::get(format!("{}{path}", ready.gateway))
            .await
            .unwrap();
        assert!(!answer.text().await.unwrap().contains(&secret), "{path}");
    }
}

/// Signs in through the public client, as Amplify does; returns its `AuthenticationResult`.
async fn sign_in_through(world: &TestWorld, client: &str) -> Value {
    let begun = json!({ "ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": { "USERNAME": ADA, "PREFERRED_CHALLENGE": "EMAIL_OTP" } });
    let begun = world.cognito_call("InitiateAuth", begun).await;
    begun.expect_status(200);
    let proof = json!({
        "ClientId": client, "ChallengeName": "EMAIL_OTP", "Session": begun["Session"],
        "ChallengeResponses": { "USERNAME": ADA, "EMAIL_OTP_CODE": world.mail_code(ADA).await },
    });
    let signed_in = world.cognito_call("RespondToAuthChallenge", proof).await;
    signed_in.expect_status(200);
    signed_in["AuthenticationResult"].clone()
}

/// The public client, which is for Amplify and the like: switched on here, off in a deployment.
fn public_client(world: &TestWorld) -> String {
    let client = world.ready().client_id.clone().expect("switched on here");
    assert_ne!(client, world.operations_client_id());
    client
}

/// ASVS 5.0 9.2.3 and 10.4.11. The public client signs people in by their proofs at Cognito, and
/// keeps and ends its own sessions. Latchkey does not accept its tokens, and they cannot change an
/// account at Cognito either.
#[tokio::test]
async fn the_public_client_signs_in_and_its_tokens_open_nothing_here() {
    let world = TestWorld::start().await;
    live_a_session(&world).await;
    let (outsider, client) = (Outsider::of(&world), public_client(&world));
    let before = directory(&world).await;

    let signed_in = sign_in_through(&world, &client).await;
    let refresh_token = signed_in["RefreshToken"].as_str().unwrap();
    let again = json!({ "ClientId": client, "RefreshToken": refresh_token });
    let refreshed = world
        .cognito_call("GetTokensFromRefreshToken", again.clone())
        .await;
    refreshed.expect_status(200);

    let mut browser = world.browser();
    for tokens in [&signed_in, &refreshed["AuthenticationResult"]] {
        let access_token = tokens["AccessToken"].as_str().unwrap();
        assert_eq!(claims(access_token)["scope"], "latchkey/session");
        assert_eq!(claims(access_token)["client_id"], client.as_str());
        for (action, input) in calls_on_ones_own_account(access_token) {
            outsider.expect_refusal(action, &input).await;
        }
        for token in ["AccessToken", "IdToken"] {
            browser.bearer(tokens[token].as_str().unwrap());
            for sample in Sample::behind_the_authorizer() {
                let refused = sample.send(&mut browser).await;
                assert_eq!(refused.status, 401, "{} {}", sample.name(), refused.body);
            }
        }
    }
    browser.always("authorization", "");
    expect_refused_refresh(&refresh(&mut browser, refresh_token).await, "invalid");

    let revoked = json!({ "ClientId": client, "Token": refresh_token });
    let revoked = world.cognito_call("RevokeToken", revoked).await;
    revoked.expect_status(200);
    outsider
        .expect_refusal("GetTokensFromRefreshToken", &again)
        .await;
    assert_eq!(directory(&world).await, before);
}

#[tokio::test]
async fn the_public_client_makes_nothing_of_what_latchkey_gave_a_browser() {
    let world = TestWorld::start().await;
    let (tokens, _) = live_a_session(&world).await;
    let (outsider, client) = (Outsider::of(&world), public_client(&world));
    let before = directory(&world).await;
    let mut browser = world.browser();
    let unfinished = browser
        .post("/auth/otp/initiate", json!({ "email": ADA }))
        .await;
    let code = world.mail_code(ADA).await;
    for (action, input) in [
        (
            "GetTokensFromRefreshToken",
            json!({ "ClientId": client, "RefreshToken": without_mark(&tokens.text("refreshToken")) }),
        ),
        (
            "InitiateAuth",
            json!({ "ClientId": client, "AuthFlow": "REFRESH_TOKEN_AUTH", "AuthParameters": { "REFRESH_TOKEN": without_mark(&tokens.text("refreshToken")) } }),
        ),
        (
            "RespondToAuthChallenge",
            json!({
                "ClientId": client, "ChallengeName": "EMAIL_OTP", "Session": unfinished["sessionToken"],
                "ChallengeResponses": { "USERNAME": ADA, "EMAIL_OTP_CODE": code },
            }),
        ),
        (
            "SignUp",
            json!({ "ClientId": client, "Username": "mallory@example.com", "Password": PASSWORD }),
        ),
    ] {
        outsider.expect_refusal(action, &input).await;
    }
    // Cognito does not report that it did not revoke a token.
    let revoked =
        json!({ "ClientId": client, "Token": without_mark(&tokens.text("refreshToken")) });
    let revoked = world.cognito_call("RevokeToken", revoked).await;
    revoked.expect_status(200);
    let goes_on = refresh(&mut browser, &tokens.text("refreshToken")).await;
    goes_on.expect_status(200);
    assert_eq!(directory(&world).await, before);
}
