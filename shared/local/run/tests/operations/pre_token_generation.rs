//! `pre-token-generation`: the trigger that guards sign-ins past the operations.

use auth_local::{Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::aftermath::{assert_clear, attempts};
use crate::harness::authenticator_app::code;
use crate::harness::authorizations::{location, path_of, start, status};
use crate::harness::backstage::{
    authenticator_keys, delete_user, items, make_unverified_user_with_password,
    make_user_with_password, set_authenticator_keys, set_token_trigger,
};
use crate::harness::case::{Case, Prepare, Then};
use crate::harness::consent::Consenting;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::{ADA, EVE};
use crate::harness::public_client::{Outside, open_world};
use crate::harness::requests::counted;
use crate::harness::stage::{Stage, UNTIL_COLD_SECONDS};
use crate::harness::{Answer, TestWorld};
use crate::operations::{refresh_token, verify_otp};

fn expect_refusal(answer: &Answer, why: &str) {
    answer.expect_status(400);
    assert_eq!(answer["__type"], "UserLambdaValidationException");
    let message = answer["message"].as_str().expect("a message");
    assert!(message.contains(why), "{message}");
    assert!(answer["AuthenticationResult"].is_null());
}

/// The parts of an answer that are the same each time.
fn shape(answer: &Answer) -> (u16, Value, Value) {
    (
        answer.status,
        answer["__type"].clone(),
        answer["ChallengeName"].clone(),
    )
}

/// Cognito's own endpoint does not ask for the authenticator.
#[tokio::test]
async fn guests_who_have_an_authenticator_get_no_tokens_from_the_public_client() {
    for position in ["sign-in", "api"] {
        let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", position)]).await;
        world.registered(ADA, PASSWORD).await;
        let outside = Outside::of(&world);
        outside.by_password(ADA, PASSWORD).await.expect_status(200);
        let guest = world.guarded_by_password(ADA, PASSWORD).await;

        let why = "where your authenticator is asked for";
        expect_refusal(&outside.by_password(ADA, PASSWORD).await, why);
        expect_refusal(&outside.by_code(ADA).await, why);

        let held = world.held(ADA).await;
        let signed_in = world
            .browser()
            .second_factor(&held, code(&guest.app.next_code()))
            .await;
        signed_in.expect_status(200);
    }
}

/// A refusal before the proof would reveal it to everyone.
#[tokio::test]
async fn nothing_tells_before_the_proof_who_has_an_authenticator() {
    let world = TestWorld::start().await;
    world.registered(ADA, PASSWORD).await;
    world.registered(EVE, PASSWORD).await;
    world.guarded_by_password(ADA, PASSWORD).await;
    let outside = Outside::of(&world);
    for (guarded, unguarded) in [
        (
            outside.asks_for_code(ADA).await,
            outside.asks_for_code(EVE).await,
        ),
        (
            outside.by_password(ADA, "not the password").await,
            outside.by_password(EVE, "not the password").await,
        ),
    ] {
        assert_eq!(shape(&guarded), shape(&unguarded));
        assert_ne!(guarded["__type"], "UserLambdaValidationException");
    }
}

/// The pool's own page mails a code as for every user, but issues no token.
#[tokio::test]
async fn a_guest_who_has_an_authenticator_cannot_consent_on_the_pools_own_page() {
    let world = TestWorld::start().await;
    world.guarded(ADA).await;
    let mut browser = world.browser();
    let wish = json!({ "conversationId": "with-an-agent", "email": ADA });
    let started = start(&mut browser, wish).await;
    started.expect_status(200);
    let back = Consenting::new(&world)
        .consent(&started.text("authorizationUrl"), ADA)
        .await;
    let ended = browser.get(&path_of(&back)).await;
    assert!(location(&ended).contains("auth=error"));
    assert_eq!(status(&world, &started.text("sessionId")).await, "FAILED");
}

/// A later authenticator also ends the sessions of other clients, whatever the state of their
/// refresh tokens.
#[tokio::test]
async fn a_refresh_looks_for_an_authenticator_too() {
    let world = TestWorld::start().await;
    world.sign_in(ADA).await;
    let outside = Outside::of(&world);
    let signed_in = outside.by_code(ADA).await;
    signed_in.expect_status(200);
    outside.refresh(&signed_in).await.expect_status(200);

    world.guarded(EVE).await;
    let keys = authenticator_keys(&world, EVE).await;
    set_authenticator_keys(&world, ADA, &keys).await;
    let why = "where your authenticator is asked for";
    expect_refusal(&outside.refresh(&signed_in).await, why);
}

#[tokio::test]
async fn the_first_sign_in_of_the_apis_public_client_makes_the_guest() {
    let world = open_world().await;
    world.make_user(ADA, None).await;
    let outside = Outside::of(&world);
    let signed_in = outside.by_code(ADA).await;
    signed_in.expect_status(200);
    let me = outside.browser(&signed_in).get("/me").await;
    me.expect_status(200);
    assert_eq!(me["email"], ADA);
    assert_eq!(me["emailVerified"], true);

    let refreshed = outside.refresh(&signed_in).await;
    let again = outside.browser(&refreshed).get("/me").await;
    again.expect_status(200);
    assert_eq!(again["guestId"], me["guestId"]);

    // It is the guest that Latchkey's own sign-in finds.
    let guest = world.sign_in(ADA).await;
    assert_eq!(guest.user["guestId"], me["guestId"]);
    assert_eq!(world.guests().await.len(), 1);
    assert_eq!(counted(&world, "GuestsCreated"), 1);
}

#[tokio::test]
async fn first_sign_ins_at_once_make_one_guest() {
    let world = open_world().await;
    make_user_with_password(&world, ADA, PASSWORD).await;
    let outside = Outside::of(&world);
    let (one, two, three) = tokio::join!(
        outside.by_password(ADA, PASSWORD),
        outside.by_password(ADA, PASSWORD),
        outside.by_password(ADA, PASSWORD),
    );
    let mut ids = Vec::new();
    for signed_in in [one, two, three] {
        signed_in.expect_status(200);
        let me = outside.browser(&signed_in).get("/me").await;
        me.expect_status(200);
        ids.push(me.text("guestId"));
    }
    ids.dedup();
    assert_eq!(ids.len(), 1);
    assert_eq!(world.guests().await.len(), 1);
    assert_eq!(counted(&world, "GuestsCreated"), 1);
}

/// Latchkey does not accept its tokens, so it needs no guest.
#[tokio::test]
async fn a_public_client_that_only_signs_in_makes_no_guest() {
    let world = TestWorld::start().await;
    world.make_user(ADA, None).await;
    let outside = Outside::of(&world);
    let signed_in = outside.by_code(ADA).await;
    signed_in.expect_status(200);
    let refused = outside.browser(&signed_in).get("/me").await;
    assert_eq!(refused.status, 401);
    assert!(world.guests().await.is_empty());
}

#[tokio::test]
async fn a_password_at_an_unverified_address_makes_no_guest() {
    let world = open_world().await;
    make_unverified_user_with_password(&world, ADA, PASSWORD).await;
    let outside = Outside::of(&world);
    expect_refusal(
        &outside.by_password(ADA, PASSWORD).await,
        "confirm your address",
    );
    assert!(world.guests().await.is_empty());
    // The code proves it.
    let signed_in = outside.by_code(ADA).await;
    signed_in.expect_status(200);
    outside
        .browser(&signed_in)
        .get("/me")
        .await
        .expect_status(200);
    // That does not make the password the owner's.
    let refused = world.browser().login(ADA, PASSWORD).await;
    refused.expect_problem(401, "INVALID_CREDENTIALS");
}

/// A consent or a session from before the proof would be the owner's after it. So no client gets
/// tokens for such a user, whatever its tokens open.
#[tokio::test]
async fn before_the_proof_of_the_address_no_other_client_gets_tokens() {
    for position in ["sign-in", "api"] {
        let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", position)]).await;
        make_unverified_user_with_password(&world, ADA, PASSWORD).await;
        let sub = world.user(ADA).await["Username"].clone();
        let public = world.ready().client_id.clone().expect("there is one");
        for client in [public.as_str(), "agentcores"] {
            for source in [
                "TokenGeneration_HostedAuth",
                "TokenGeneration_Authentication",
                "TokenGeneration_NewPasswordChallenge",
                "TokenGeneration_RefreshTokens",
            ] {
                for verified in [Some("false"), Some(""), None, Some("true")] {
                    let mut event = json!({
                        "version": "2",
                        "triggerSource": source,
                        "userName": sub,
                        "callerContext": { "clientId": client },
                        "request": { "userAttributes": { "sub": sub, "email": ADA } },
                        "response": {},
                    });
                    if let Some(verified) = verified {
                        event["request"]["userAttributes"]["email_verified"] = verified.into();
                    }
                    if verified == Some("true") && client == public && position == "api" {
                        continue; // it would make the guest
                    }
                    let answer = world.invoke("pre-token-generation", &event).await;
                    let details = &answer["response"]["claimsAndScopeOverrideDetails"];
                    let is_admitted = verified == Some("true");
                    assert_eq!(
                        details.is_object(),
                        is_admitted,
                        "{client} {source} {verified:?}"
                    );
                }
            }
        }
    }
}

/// The address belongs to a guest whose user was deleted. A sub never takes another's guest.
#[tokio::test]
async fn another_sub_at_a_guests_address_gets_no_tokens() {
    let world = open_world().await;
    world.sign_in(ADA).await;
    delete_user(&world, ADA).await;
    world.make_user(ADA, None).await;
    let outside = Outside::of(&world);
    expect_refusal(&outside.by_code(ADA).await, "belongs to another account");
    assert_eq!(world.guests().await.len(), 1);
}

/// An incomplete sign-in leaves no state that hinders the next one.
#[tokio::test]
async fn a_sign_in_whose_guest_cannot_be_read_or_made_gets_no_tokens() {
    for (action, kind) in [
        ("GetItem", FaultKind::Denied),
        ("TransactWriteItems", FaultKind::Denied),
        ("TransactWriteItems", FaultKind::Lost),
    ] {
        let world = open_world().await;
        make_user_with_password(&world, ADA, PASSWORD).await;
        let outside = Outside::of(&world);
        let fault = Fault::new(kind, "dynamodb", action);
        world.fault(fault.of("pre-token-generation").times(u32::MAX));
        expect_refusal(&outside.by_password(ADA, PASSWORD).await, "try again later");
        world.clear_faults();
        let signed_in = outside.by_password(ADA, PASSWORD).await;
        signed_in.expect_status(200);
        outside
            .browser(&signed_in)
            .get("/me")
            .await
            .expect_status(200);
        assert_eq!(world.guests().await.len(), 1);
    }
}

#[tokio::test]
async fn signing_out_everywhere_reaches_the_public_clients_sessions() {
    let world = open_world().await;
    world.sign_in(ADA).await;
    let outside = Outside::of(&world);
    let signed_in = outside.by_code(ADA).await;
    let mut browser = outside.browser(&signed_in);
    let goodbye = json!({ "everywhere": true });
    browser
        .post("/auth/logout", goodbye)
        .await
        .expect_status(204);
    browser
        .get("/me")
        .await
        .expect_problem(401, "AUTH_REQUIRED");
    assert_eq!(outside.refresh(&signed_in).await.status, 400);
}

#[tokio::test]
async fn the_scope_stays_for_one_purpose_at_the_operations_own_client_and_nowhere_else() {
    let world = open_world().await;
    world.registered(ADA, PASSWORD).await;
    let own = world.operations_client_id();
    let public = world.ready().client_id.clone().expect("there is one");
    let sub = world.user(ADA).await["Username"].clone();
    let event = |client: &str, source: &str, purpose: &str| {
        json!({
            "version": "2",
            "triggerSource": source,
            "userName": sub,
            "callerContext": { "clientId": client },
            "request": {
                "userAttributes": { "sub": sub, "email": ADA, "email_verified": "true" },
                "clientMetadata": { "latchkeyPurpose": purpose },
            },
            "response": {},
        })
    };
    let begins = "TokenGeneration_Authentication";
    let kept = world
        .invoke("pre-token-generation", &event(own, begins, "passkeys"))
        .await;
    let details = &kept["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
    assert_eq!(details["scopesToSuppress"], json!([]));
    assert_eq!(
        details["scopesToAdd"],
        json!([]),
        "it opens nothing of ours"
    );
    for (client, source, purpose) in [
        (public.as_str(), begins, "passkeys"),
        (own, "TokenGeneration_RefreshTokens", "passkeys"),
        (own, "TokenGeneration_HostedAuth", "passkeys"),
        (own, "TokenGeneration_NewPasswordChallenge", "passkeys"),
        (own, begins, "passkeys "),
        (own, begins, ""),
    ] {
        let answer = world
            .invoke("pre-token-generation", &event(client, source, purpose))
            .await;
        let details = &answer["response"]["claimsAndScopeOverrideDetails"]["accessTokenGeneration"];
        assert_eq!(
            details["scopesToSuppress"],
            json!(["aws.cognito.signin.user.admin"]),
            "{source} {purpose:?}"
        );
    }
}

/// A client of Cognito's own endpoint may send any metadata.
#[tokio::test]
async fn a_public_client_that_sends_the_purpose_keeps_no_scope() {
    let world = open_world().await;
    world.registered(ADA, PASSWORD).await;
    let outside = Outside::of(&world);
    let begun = outside.asks_for_code(ADA).await;
    let proof = json!({
        "ClientId": outside.client,
        "ChallengeName": "EMAIL_OTP",
        "Session": begun["Session"],
        "ChallengeResponses": {
            "USERNAME": ADA,
            "EMAIL_OTP_CODE": world.mail_code(ADA).await,
        },
        "ClientMetadata": { "latchkeyPurpose": "passkeys" },
    });
    let signed_in = world.cognito_call("RespondToAuthChallenge", proof).await;
    signed_in.expect_status(200);
    let token = &signed_in["AuthenticationResult"]["AccessToken"];
    let begun = world
        .cognito_call("StartWebAuthnRegistration", json!({ "AccessToken": token }))
        .await;
    begun.expect_status(400);
    assert_eq!(begun["__type"], "NotAuthorizedException");
}

/// A profile is no answer to Cognito's event, and no function is called "nothing".
const BROKEN_TRIGGERS: [&str; 2] = ["get-profile", "nothing"];

/// A trigger may be throttled, as ten concurrent functions soon are. That is no fault of Latchkey:
/// the client learns when to try again.
fn assert_not_now(failed: &Answer, function: &str) {
    failed.expect_problem(503, "SERVICE_UNAVAILABLE");
    assert!(failed.retry_after().is_some(), "{function}: no time");
    assert_clear(failed);
}

#[tokio::test]
async fn without_its_trigger_a_password_is_taken_afterwards() {
    for function in BROKEN_TRIGGERS {
        for is_first_login in [false, true] {
            let world = TestWorld::start().await;
            if is_first_login {
                make_user_with_password(&world, ADA, PASSWORD).await;
            } else {
                world.registered(ADA, PASSWORD).await;
            }
            let mut stage = Stage::login(&world, PASSWORD);
            set_token_trigger(&world, function).await;
            let failed = stage.act().await;
            assert_not_now(&failed, function);
            set_token_trigger(&world, "pre-token-generation").await;
            stage.act().await.expect_status(200);
        }
    }
}

/// The trigger gives an invalid answer, or does not exist. Cognito then issues no token, but has
/// accepted the code.
#[tokio::test]
async fn without_its_trigger_cognito_issues_no_token_and_a_resend_signs_in_afterwards() {
    for function in BROKEN_TRIGGERS {
        let world = TestWorld::start().await;
        let mut stage = Stage::proof(&world).await;
        set_token_trigger(&world, function).await;
        let failed = stage.act().await;
        assert_not_now(&failed, function);
        assert_eq!(
            attempts(&world).await,
            0,
            "{function}: the attempt is given back"
        );
        assert!(
            items(&world, &world.ready().tables["guests"])
                .await
                .is_empty()
        );
        set_token_trigger(&world, "pre-token-generation").await;
        let then = verify_otp::signs_in(&mut stage, &failed).await;
        assert_eq!(then, Then::AnotherCode);
    }
}

#[tokio::test]
async fn without_its_trigger_a_refresh_fails_and_the_same_one_succeeds_afterwards() {
    for function in BROKEN_TRIGGERS {
        let world = TestWorld::start().await;
        let mut stage = refresh_token::exchange(&world).await;
        set_token_trigger(&world, function).await;
        let failed = stage.act().await;
        assert_not_now(&failed, function);
        set_token_trigger(&world, "pre-token-generation").await;
        stage.act().await.expect_status(200);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    let case = |name, prepare: Prepare| Case::of("pre-token-generation", name, "200", prepare);
    vec![
        case("operations' client", |world| Box::pin(own_client(world))),
        case("another client", |world| Box::pin(known_guest(world))),
        case("another client, user without a guest", |world| {
            Box::pin(user_without_guest(world))
        }),
        case("the API's public client, first sign-in", |world| {
            Box::pin(user_without_guest(world))
        })
        .with(&[("PUBLIC_CLIENT", "api")]),
        case("the API's public client, a guest who waited", |world| {
            Box::pin(waiting_guest(world))
        })
        .with(&[("PUBLIC_CLIENT", "api")]),
    ]
}

async fn own_client(world: &TestWorld) -> Stage<'_> {
    world.sign_in(ADA).await;
    world.advance(UNTIL_COLD_SECONDS);
    Stage::proof(world).await
}

async fn known_guest(world: &TestWorld) -> Stage<'_> {
    world.registered(ADA, PASSWORD).await;
    by_password(world)
}

async fn user_without_guest(world: &TestWorld) -> Stage<'_> {
    make_user_with_password(world, ADA, PASSWORD).await;
    by_password(world)
}

async fn waiting_guest(world: &TestWorld) -> Stage<'_> {
    world
        .put_guest_without_user(ADA, "GST-2025-7K3QXB", "Ada Lovelace")
        .await;
    user_without_guest(world).await
}

fn by_password(world: &TestWorld) -> Stage<'_> {
    let sign_in = json!({
        "AuthFlow": "USER_AUTH",
        "ClientId": world.ready().client_id,
        "AuthParameters": { "USERNAME": ADA, "PASSWORD": PASSWORD, "PREFERRED_CHALLENGE": "PASSWORD" },
    });
    Stage::cognito(world, "InitiateAuth", sign_in)
}
