//! Passkeys: registered and deleted by their holders, and used to sign in.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, ChallengeNameType};
use aws_smithy_types::{Document, Number};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cognito_local::{AllowedCredentials, ClientSpec, PasskeySpec, UnknownUser};
use serde_json::{Value, json};

use crate::device::Device;
use crate::programs::{self, browser, is_at_hand};
use crate::world::{Plan, World, refusal};

const NINA: &str = "nina@example.com";
const OMAR: &str = "omar@example.com";
const NOBODY: &str = "zoe@nowhere.example";
const HOME: &str = "http://localhost:8787";

fn with_passkeys(plan: &mut Plan) {
    plan.pool.passkeys = Some(PasskeySpec {
        relying_party_id: Some("localhost".to_owned()),
        user_verification_required: false,
    });
}

async fn passkey_world() -> World {
    World::with(with_passkeys).await
}

impl World {
    /// The answer of an operation that succeeds.
    async fn call(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.raw(operation, &body).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    /// The exception of an operation that refuses.
    async fn refused(&self, operation: &str, body: Value) -> String {
        let (status, answer) = self.raw(operation, &body).await;
        assert_eq!(status, 400, "{operation}: {answer}");
        answer["__type"].as_str().unwrap().to_owned()
    }

    async fn token_of(&self, email: &str) -> String {
        self.sign_in(email).await.access_token.unwrap()
    }

    async fn start(&self, token: &str) -> Value {
        let started = self
            .call("StartWebAuthnRegistration", json!({"AccessToken": token}))
            .await;
        started["CredentialCreationOptions"].clone()
    }

    async fn register(&self, token: &str, device: &mut Device) {
        let credential = device.create(&self.start(token).await).await;
        let body = json!({"AccessToken": token, "Credential": credential});
        self.call("CompleteWebAuthnRegistration", body).await;
    }

    /// A user with a passkey, the device that holds it, and an access token.
    async fn user_with_passkey(&self, email: &str) -> (Device, String) {
        self.passwordless_user(email).await;
        let token = self.token_of(email).await;
        let mut device = Device::at(HOME);
        self.register(&token, &mut device).await;
        (device, token)
    }

    async fn ask_for_passkey(&self, email: &str) -> Value {
        let body = json!({
            "UserPoolId": self.pool,
            "ClientId": self.client.client_id,
            "AuthFlow": "USER_AUTH",
            "AuthParameters": {"USERNAME": email, "PREFERRED_CHALLENGE": "WEB_AUTHN"},
        });
        self.call("AdminInitiateAuth", body).await
    }

    fn passkey_answer(&self, email: &str, begun: &Value, credential: &Value) -> Value {
        json!({
            "UserPoolId": self.pool,
            "ClientId": self.client.client_id,
            "ChallengeName": "WEB_AUTHN",
            "Session": begun["Session"],
            "ChallengeResponses": {"USERNAME": email, "CREDENTIAL": credential.to_string()},
        })
    }

    async fn refused_answer(&self, email: &str, begun: &Value, credential: &Value) -> String {
        let body = self.passkey_answer(email, begun, credential);
        self.refused("AdminRespondToAuthChallenge", body).await
    }
}

/// The options of a challenge, which are text.
fn request_options(begun: &Value) -> Value {
    let text = &begun["ChallengeParameters"]["CREDENTIAL_REQUEST_OPTIONS"];
    serde_json::from_str(text.as_str().unwrap()).unwrap()
}

/// The credential with other client data, as a program instead of the browser could send it.
fn with_client_data(mut credential: Value, change: impl FnOnce(&mut Value)) -> Value {
    let member = &mut credential["response"]["clientDataJSON"];
    let kept = URL_SAFE_NO_PAD.decode(member.as_str().unwrap()).unwrap();
    let mut data: Value = serde_json::from_slice(&kept).unwrap();
    change(&mut data);
    // The order of the members is the specification's.
    let written = format!(
        r#"{{"type":{},"challenge":{},"origin":{},"crossOrigin":false}}"#,
        data["type"], data["challenge"], data["origin"]
    );
    *member = json!(URL_SAFE_NO_PAD.encode(written));
    credential
}

fn document(value: &Value) -> Document {
    match value {
        Value::Null => Document::Null,
        Value::Bool(flag) => Document::Bool(*flag),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => Document::Number(Number::PosInt(whole)),
            None => number.as_i64().map_or_else(
                || Document::Number(Number::Float(number.as_f64().unwrap())),
                |whole| Document::Number(Number::NegInt(whole)),
            ),
        },
        Value::String(text) => Document::String(text.clone()),
        Value::Array(values) => Document::Array(values.iter().map(document).collect()),
        Value::Object(members) => Document::Object(
            members
                .iter()
                .map(|(name, value)| (name.clone(), document(value)))
                .collect(),
        ),
    }
}

fn value(document: &Document) -> Value {
    match document {
        Document::Null => Value::Null,
        Document::Bool(flag) => json!(flag),
        Document::Number(Number::PosInt(whole)) => json!(whole),
        Document::Number(Number::NegInt(whole)) => json!(whole),
        Document::Number(Number::Float(number)) => json!(number),
        Document::String(text) => json!(text),
        Document::Array(values) => values.iter().map(value).collect(),
        Document::Object(members) => members
            .iter()
            .map(|(name, member)| (name.clone(), value(member)))
            .collect(),
    }
}

#[tokio::test]
async fn a_passkey_is_registered_as_a_document_and_signs_in_as_text() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let token = tokens.access_token().unwrap();
    let started = world
        .sdk
        .start_web_authn_registration()
        .access_token(token)
        .send()
        .await
        .unwrap();
    let options = value(started.credential_creation_options());
    assert_eq!(options["rp"]["id"], "localhost");
    assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(options["challenge"].as_str().unwrap().len(), 22);
    let mut device = Device::at(HOME);
    let credential = device.create(&options).await;
    world
        .sdk
        .complete_web_authn_registration()
        .access_token(token)
        .credential(document(&credential))
        .send()
        .await
        .unwrap();

    let begun = world
        .sdk
        .admin_initiate_auth()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", NINA)
        .auth_parameters("PREFERRED_CHALLENGE", "WEB_AUTHN")
        .send()
        .await
        .unwrap();
    assert_eq!(begun.challenge_name, Some(ChallengeNameType::WebAuthn));
    let text = &begun.challenge_parameters().unwrap()["CREDENTIAL_REQUEST_OPTIONS"];
    let options: Value = serde_json::from_str(text).unwrap();
    assert_eq!(options["rpId"], "localhost");
    assert_eq!(options["timeout"], 180_000);
    assert_eq!(options["allowCredentials"][0]["id"], credential["id"]);
    let answered = world
        .sdk
        .admin_respond_to_auth_challenge()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .challenge_name(ChallengeNameType::WebAuthn)
        .session(begun.session().unwrap())
        .challenge_responses("USERNAME", NINA)
        .challenge_responses("CREDENTIAL", device.get(&options).await.to_string())
        .send()
        .await
        .unwrap();
    assert!(
        answered
            .authentication_result
            .unwrap()
            .access_token
            .is_some()
    );
}

/// A pool of its own: Latchkey's tokens lack the scope that Amplify's calls need.
#[tokio::test(flavor = "multi_thread")]
async fn amplify_registers_a_passkey_in_a_browser_and_signs_in_by_it() {
    let needed =
        "for (const name of ['aws-amplify/auth', 'esbuild', 'playwright-core']) require(name)";
    if !is_at_hand("node", &["-e", needed]) || browser().is_none() {
        println!(
            "SKIPPED: node with aws-amplify, esbuild, playwright-core and a browser is not at hand"
        );
        return;
    }
    let world = passkey_world().await;
    world.user_with_password(NINA).await;
    programs::signs_in(&world, "node", "passkeys_amplify.cjs", NINA).await;
}

#[tokio::test]
async fn the_public_form_takes_a_passkey_after_a_choice() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    let client = &world.client.client_id;
    let parameters = json!({"USERNAME": NINA});
    let begun = world
        .call(
            "InitiateAuth",
            json!({"ClientId": client, "AuthFlow": "USER_AUTH", "AuthParameters": parameters}),
        )
        .await;
    assert_eq!(begun["ChallengeName"], "SELECT_CHALLENGE");
    assert_eq!(
        begun["AvailableChallenges"],
        json!(["EMAIL_OTP", "WEB_AUTHN"])
    );
    let chosen = world
        .call(
            "RespondToAuthChallenge",
            json!({
                "ClientId": client,
                "ChallengeName": "SELECT_CHALLENGE",
                "Session": begun["Session"],
                "ChallengeResponses": {"USERNAME": NINA, "ANSWER": "WEB_AUTHN"},
            }),
        )
        .await;
    assert_eq!(chosen["ChallengeName"], "WEB_AUTHN");
    let credential = device.get(&request_options(&chosen)).await;
    let done = world
        .call(
            "RespondToAuthChallenge",
            json!({
                "ClientId": client,
                "ChallengeName": "WEB_AUTHN",
                "Session": chosen["Session"],
                "ChallengeResponses": {"USERNAME": NINA, "CREDENTIAL": credential.to_string()},
            }),
        )
        .await;
    assert!(done["AuthenticationResult"]["AccessToken"].is_string());
}

#[tokio::test]
async fn who_has_no_passkey_chooses_among_the_rest() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let begun = world.ask_for_passkey(NINA).await;
    assert_eq!(begun["ChallengeName"], "SELECT_CHALLENGE");
    assert_eq!(begun["AvailableChallenges"], json!(["EMAIL_OTP"]));
}

#[tokio::test]
async fn both_forms_list_the_factors_that_a_user_has() {
    let world = passkey_world().await;
    world.user_with_password(NINA).await;
    let token = world.token_of(NINA).await;
    let factors = async || {
        let own = world
            .call("GetUserAuthFactors", json!({"AccessToken": token}))
            .await;
        let seen = json!({"UserPoolId": world.pool, "Username": NINA});
        let admins = world.call("AdminGetUserAuthFactors", seen).await;
        assert_eq!(own, admins);
        own["ConfiguredUserAuthFactors"].clone()
    };
    assert_eq!(factors().await, json!(["PASSWORD", "EMAIL_OTP"]));
    world.register(&token, &mut Device::at(HOME)).await;
    assert_eq!(
        factors().await,
        json!(["PASSWORD", "EMAIL_OTP", "WEB_AUTHN"])
    );
}

#[tokio::test]
async fn passkeys_are_listed_in_pages_and_deleted_by_their_ids() {
    let world = passkey_world().await;
    let (mut first, token) = world.user_with_passkey(NINA).await;
    world.register(&token, &mut Device::at(HOME)).await;
    let list = |extra: Value| {
        let mut body = json!({"AccessToken": token, "MaxResults": 1});
        body.as_object_mut()
            .unwrap()
            .extend(extra.as_object().unwrap().clone());
        world.call("ListWebAuthnCredentials", body)
    };
    let page = list(json!({})).await;
    let next = page["NextToken"].clone();
    let shown = &page["Credentials"][0];
    assert_eq!(shown["RelyingPartyId"], "localhost");
    assert_eq!(
        shown["AuthenticatorTransports"],
        json!(["internal", "hybrid"])
    );
    let page = list(json!({"NextToken": next})).await;
    assert!(page["NextToken"].is_null());
    assert_ne!(
        page["Credentials"][0]["CredentialId"],
        shown["CredentialId"]
    );

    let begun = world.ask_for_passkey(NINA).await;
    let body = json!({"AccessToken": token, "CredentialId": shown["CredentialId"]});
    world.call("DeleteWebAuthnCredential", body.clone()).await;
    assert_eq!(
        world.refused("DeleteWebAuthnCredential", body).await,
        "ResourceNotFoundException"
    );
    let credential = first.get(&request_options(&begun)).await;
    assert_eq!(
        world.refused_answer(NINA, &begun, &credential).await,
        "NotAuthorizedException"
    );
}

#[tokio::test]
async fn the_twentieth_passkey_is_the_last() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let token = world.token_of(NINA).await;
    for _ in 0..20 {
        world.register(&token, &mut Device::at(HOME)).await;
    }
    let body = json!({"AccessToken": token});
    assert_eq!(
        world.refused("StartWebAuthnRegistration", body).await,
        "LimitExceededException"
    );
}

#[tokio::test]
async fn one_registration_is_under_way_and_any_answer_ends_it() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let token = world.token_of(NINA).await;
    let complete = |credential: &Value| {
        let body = json!({"AccessToken": token, "Credential": credential});
        world.refused("CompleteWebAuthnRegistration", body)
    };
    let gone = "WebAuthnChallengeNotFoundException";
    let earlier = Device::at(HOME).create(&world.start(&token).await).await;
    assert_eq!(complete(&json!({})).await, "InvalidParameterException");
    assert_eq!(complete(&earlier).await, gone, "it was used up");

    world.start(&token).await;
    assert_eq!(complete(&earlier).await, gone, "a newer one replaced it");

    let late = Device::at(HOME).create(&world.start(&token).await).await;
    world.clock.advance(300);
    assert_eq!(complete(&late).await, gone, "it is too late");

    world.register(&token, &mut Device::at(HOME)).await;
    let excluded = world.start(&token).await["excludeCredentials"].clone();
    assert_eq!(excluded.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_registration_ends_at_the_app_client_where_it_began() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let token = world.token_of(NINA).await;
    let other = world
        .cognito
        .ensure_client(&world.pool, ClientSpec::new("other"))
        .unwrap();
    let begun = world
        .call(
            "InitiateAuth",
            json!({
                "ClientId": other.client_id,
                "AuthFlow": "USER_AUTH",
                "AuthParameters": {"USERNAME": NINA, "PREFERRED_CHALLENGE": "EMAIL_OTP"},
            }),
        )
        .await;
    let done = world
        .call(
            "RespondToAuthChallenge",
            json!({
                "ClientId": other.client_id,
                "ChallengeName": "EMAIL_OTP",
                "Session": begun["Session"],
                "ChallengeResponses":
                    {"USERNAME": NINA, "EMAIL_OTP_CODE": world.last_code(NINA)},
            }),
        )
        .await;
    let credential = Device::at(HOME).create(&world.start(&token).await).await;
    let body = json!({
        "AccessToken": done["AuthenticationResult"]["AccessToken"],
        "Credential": credential,
    });
    assert_eq!(
        world.refused("CompleteWebAuthnRegistration", body).await,
        "WebAuthnClientMismatchException"
    );
}

#[tokio::test]
async fn a_credential_of_another_place_is_refused_by_name() {
    let world = passkey_world().await;
    world.passwordless_user(NINA).await;
    let token = world.token_of(NINA).await;
    let complete = |credential: Value| {
        let body = json!({"AccessToken": token, "Credential": credential});
        world.refused("CompleteWebAuthnRegistration", body)
    };
    for origin in [
        "https://evil.example",
        "https://evillocalhost",
        "http://example.com",
    ] {
        let credential = Device::at(HOME).create(&world.start(&token).await).await;
        let moved = with_client_data(credential, |data| data["origin"] = json!(origin));
        assert_eq!(
            complete(moved).await,
            "WebAuthnOriginNotAllowedException",
            "{origin}"
        );
    }
    let mut options = world.start(&token).await;
    options["rp"]["id"] = json!("shop.example");
    let credential = Device::at("https://shop.example").create(&options).await;
    let moved = with_client_data(credential, |data| data["origin"] = json!(HOME));
    assert_eq!(
        complete(moved).await,
        "WebAuthnRelyingPartyMismatchException"
    );
    let credential = Device::at(HOME).create(&world.start(&token).await).await;
    let other = with_client_data(credential, |data| {
        data["challenge"] = json!("AAAAAAAAAAAAAAAAAAAAAA");
    });
    assert_eq!(complete(other).await, "WebAuthnChallengeNotFoundException");
}

#[tokio::test]
async fn a_pool_that_requires_verification_refuses_a_touch() {
    let world = World::with(|plan| {
        plan.pool.passkeys = Some(PasskeySpec {
            relying_party_id: Some("localhost".to_owned()),
            user_verification_required: true,
        });
    })
    .await;
    world.passwordless_user(NINA).await;
    let token = world.token_of(NINA).await;
    let mut options = world.start(&token).await;
    assert_eq!(
        options["authenticatorSelection"]["userVerification"],
        "required"
    );
    options["authenticatorSelection"]["userVerification"] = json!("discouraged");
    let credential = Device::without_verification(HOME).create(&options).await;
    let body = json!({"AccessToken": token, "Credential": credential});
    assert_eq!(
        world.refused("CompleteWebAuthnRegistration", body).await,
        "WebAuthnCredentialNotSupportedException"
    );

    let mut device = Device::at(HOME);
    world.register(&token, &mut device).await;
    let begun = world.ask_for_passkey(NINA).await;
    let mut options = request_options(&begun);
    assert_eq!(options["userVerification"], "required");
    options["userVerification"] = json!("discouraged");
    let touch = device.touched().get(&options).await;
    assert_eq!(
        world.refused_answer(NINA, &begun, &touch).await,
        "NotAuthorizedException"
    );
}

#[tokio::test]
async fn a_pool_without_passkeys_or_without_a_name_for_them_says_so() {
    for (passkeys, exception) in [
        (None, "WebAuthnNotEnabledException"),
        (
            Some(PasskeySpec {
                relying_party_id: None,
                user_verification_required: false,
            }),
            "WebAuthnConfigurationMissingException",
        ),
    ] {
        let world = World::with(|plan| plan.pool.passkeys = passkeys).await;
        world.passwordless_user(NINA).await;
        let token = world.token_of(NINA).await;
        let body = json!({"AccessToken": token});
        let said = world.refused("StartWebAuthnRegistration", body).await;
        assert_eq!(said, exception);
    }
}

#[tokio::test]
async fn a_user_whose_password_must_be_reset_changes_no_passkeys() {
    let world = passkey_world().await;
    world.user_with_password(NINA).await;
    let token = world.token_of(NINA).await;
    let who = json!({"UserPoolId": world.pool, "Username": NINA});
    world.call("AdminResetUserPassword", who).await;
    for operation in ["StartWebAuthnRegistration", "ListWebAuthnCredentials"] {
        let said = world
            .refused(operation, json!({"AccessToken": token}))
            .await;
        assert_eq!(said, "PasswordResetRequiredException");
    }
}

#[tokio::test]
async fn an_assertion_counts_once_and_for_its_own_challenge() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    let begun = world.ask_for_passkey(NINA).await;
    let credential = device.get(&request_options(&begun)).await;
    let answer = world.passkey_answer(NINA, &begun, &credential);
    world
        .call("AdminRespondToAuthChallenge", answer.clone())
        .await;
    let again = world.raw("AdminRespondToAuthChallenge", &answer).await.1;
    assert_eq!(
        again["message"],
        "Invalid session for the user, session can only be used once."
    );
    let next = world.ask_for_passkey(NINA).await;
    assert_eq!(
        world.refused_answer(NINA, &next, &credential).await,
        "NotAuthorizedException",
        "another challenge's"
    );
}

#[tokio::test]
async fn an_assertion_that_another_origin_was_given_proves_nothing() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    for origin in ["https://evil.example", "https://evillocalhost"] {
        let begun = world.ask_for_passkey(NINA).await;
        let relayed = device.get_at(origin, &request_options(&begun)).await;
        assert_eq!(
            world.refused_answer(NINA, &begun, &relayed).await,
            "NotAuthorizedException",
            "{origin}"
        );
    }
    let begun = world.ask_for_passkey(NINA).await;
    let own = device.get_at(HOME, &request_options(&begun)).await;
    let answer = world.passkey_answer(NINA, &begun, &own);
    world.call("AdminRespondToAuthChallenge", answer).await;
}

#[tokio::test]
async fn an_assertion_that_proves_nothing_uses_the_session_up() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    let (mut other, _) = world.user_with_passkey(OMAR).await;

    let begun = world.ask_for_passkey(NINA).await;
    let mut options = request_options(&begun);
    options["allowCredentials"] = json!([]);
    let foreign = other.get(&options).await;
    let right = device.get(&request_options(&begun)).await;
    assert_eq!(
        world.refused_answer(NINA, &begun, &foreign).await,
        "NotAuthorizedException"
    );
    let answer = world.passkey_answer(NINA, &begun, &right);
    let spent = world.raw("AdminRespondToAuthChallenge", &answer).await.1;
    assert_eq!(
        spent["message"],
        "Invalid session for the user, session can only be used once."
    );

    let begun = world.ask_for_passkey(NINA).await;
    let credential = device.get(&request_options(&begun)).await;
    let moved = with_client_data(credential, |data| {
        data["origin"] = json!("https://evil.example");
    });
    assert_eq!(
        world.refused_answer(NINA, &begun, &moved).await,
        "NotAuthorizedException",
        "another origin's, and the signature does not fit either"
    );

    let begun = world.ask_for_passkey(NINA).await;
    let mut credential = device.get(&request_options(&begun)).await;
    credential["response"]["signature"] = foreign["response"]["signature"].clone();
    assert_eq!(
        world.refused_answer(NINA, &begun, &credential).await,
        "NotAuthorizedException",
        "another's signature"
    );
    let begun = world.ask_for_passkey(NINA).await;
    assert_eq!(
        world.refused_answer(NINA, &begun, &json!([])).await,
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn a_counter_that_goes_back_shows_a_copied_authenticator() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    let mut copy = device.clone();
    for _ in 0..2 {
        let begun = world.ask_for_passkey(NINA).await;
        let credential = device.get(&request_options(&begun)).await;
        let answer = world.passkey_answer(NINA, &begun, &credential);
        world.call("AdminRespondToAuthChallenge", answer).await;
    }
    let begun = world.ask_for_passkey(NINA).await;
    let credential = copy.get(&request_options(&begun)).await;
    assert_eq!(
        world.refused_answer(NINA, &begun, &credential).await,
        "NotAuthorizedException"
    );
}

#[tokio::test]
async fn a_simulated_passkey_is_the_same_every_time_and_opens_nothing() {
    let world = passkey_world().await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    world.cognito.set_unknown_user(UnknownUser::Passkey);
    let known = world.ask_for_passkey(NINA).await;
    let begun = world.ask_for_passkey(NOBODY).await;
    assert_eq!(begun["ChallengeName"], "WEB_AUTHN");
    let (pretended, real) = (request_options(&begun), request_options(&known));
    let members = |options: &Value| {
        let names: Vec<String> = options.as_object().unwrap().keys().cloned().collect();
        names
    };
    assert_eq!(members(&pretended), members(&real));
    let again = request_options(&world.ask_for_passkey(NOBODY).await);
    assert_eq!(again["allowCredentials"], pretended["allowCredentials"]);
    assert_ne!(again["challenge"], pretended["challenge"]);
    let mut options = pretended.clone();
    options["allowCredentials"] = real["allowCredentials"].clone();
    let credential = device.get(&options).await;
    assert_eq!(
        world.refused_answer(NOBODY, &begun, &credential).await,
        "NotAuthorizedException"
    );
}

#[tokio::test]
async fn the_list_of_credentials_can_be_left_out_of_the_challenge() {
    let world = World::with(|plan| {
        with_passkeys(plan);
        plan.options.allowed_credentials = AllowedCredentials::LeftOut;
    })
    .await;
    let (mut device, _) = world.user_with_passkey(NINA).await;
    let begun = world.ask_for_passkey(NINA).await;
    let options = request_options(&begun);
    assert!(options["allowCredentials"].is_null());
    let credential = device.get(&options).await;
    let answer = world.passkey_answer(NINA, &begun, &credential);
    world.call("AdminRespondToAuthChallenge", answer).await;
}

#[tokio::test]
async fn the_settings_of_passkeys_are_replaced_as_a_whole_and_held_against_the_others() {
    let world = passkey_world().await;
    let set = |settings: Value| {
        let mut body = json!({"UserPoolId": world.pool});
        body.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        body
    };
    let passkeys = json!({"RelyingPartyId": "example.com", "UserVerification": "required"});
    let shown = world
        .call(
            "SetUserPoolMfaConfig",
            set(json!({"WebAuthnConfiguration": passkeys})),
        )
        .await;
    assert_eq!(shown["MfaConfiguration"], "OFF");
    assert_eq!(shown["WebAuthnConfiguration"], passkeys);
    for refused in [
        json!({
            "MfaConfiguration": "OFF",
            "SoftwareTokenMfaConfiguration": {"Enabled": false},
            "WebAuthnConfiguration": passkeys,
        }),
        json!({"MfaConfiguration": "OPTIONAL", "WebAuthnConfiguration": passkeys}),
        json!({
            "MfaConfiguration": "ON",
            "SoftwareTokenMfaConfiguration": {"Enabled": true},
            "WebAuthnConfiguration": passkeys,
        }),
        json!({"WebAuthnConfiguration": {"RelyingPartyId": "https://example.com"}}),
    ] {
        let said = world.refused("SetUserPoolMfaConfig", set(refused)).await;
        assert_eq!(said, "InvalidParameterException");
    }
    let shown = world.call("SetUserPoolMfaConfig", set(json!({}))).await;
    assert!(shown["WebAuthnConfiguration"].is_null());
}

#[tokio::test]
async fn a_passkey_is_no_pools_only_factor() {
    let world = World::new().await;
    let body = json!({
        "PoolName": "keys",
        "Policies": {"SignInPolicy": {"AllowedFirstAuthFactors": ["WEB_AUTHN"]}},
    });
    assert_eq!(
        world.refused("CreateUserPool", body).await,
        "InvalidParameterException"
    );
}

#[tokio::test]
async fn a_user_who_is_disabled_is_asked_for_no_passkey() {
    let world = passkey_world().await;
    let (_, _) = world.user_with_passkey(NINA).await;
    let disabled = world
        .sdk
        .admin_disable_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send();
    disabled.await.unwrap();
    let begun = world
        .sdk
        .admin_initiate_auth()
        .user_pool_id(&world.pool)
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::UserAuth)
        .auth_parameters("USERNAME", NINA)
        .auth_parameters("PREFERRED_CHALLENGE", "WEB_AUTHN")
        .send();
    assert_eq!(
        refusal(begun.await),
        "NotAuthorizedException: User is disabled."
    );
}
