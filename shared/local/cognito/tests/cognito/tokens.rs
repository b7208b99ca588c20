//! Tokens: claims, signatures, refresh with rotation and grace, revocation.

use aws_sdk_cognitoidentityprovider::types::{AuthFlowType, AuthenticationResultType};
use cognito_local::RefreshRotation;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::Value;

use crate::email_codes::join_all;
use crate::world::{World, refusal};

const NINA: &str = "nina@example.com";
const REVOKED: &str = "NotAuthorizedException: Access Token has been revoked";

/// The claims of a token, checked by a JOSE library against the published keys.
pub(crate) async fn verified(world: &World, token: &str) -> Value {
    let issuer = format!("{}/{}", world.url, world.pool);
    let discovery: Value = reqwest::get(format!("{issuer}/.well-known/openid-configuration"))
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(discovery["issuer"], issuer.as_str());
    let keys: JwkSet = reqwest::get(discovery["jwks_uri"].as_str().unwrap())
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    let header = decode_header(token).unwrap();
    let key = keys.find(&header.kid.unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::RS256);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[&world.client.client_id]);
    validation.set_required_spec_claims(&["exp", "iss", "sub"]);
    decode::<Value>(token, &DecodingKey::from_jwk(key).unwrap(), &validation)
        .unwrap()
        .claims
}

async fn refresh(world: &World, token: &str) -> Result<AuthenticationResultType, String> {
    let outcome = world
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(&world.client.client_id)
        .refresh_token(token)
        .send()
        .await;
    match outcome {
        Ok(output) => Ok(output.authentication_result.unwrap()),
        refused @ Err(_) => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn the_claims_are_those_of_the_real_service() {
    let world = World::new().await;
    let user = world.passwordless_user(NINA).await.user.unwrap();
    let username = user.username.unwrap();
    let tokens = world.sign_in(NINA).await;
    let now = world.clock.now();
    let id = verified(&world, tokens.id_token().unwrap()).await;
    let access = verified(&world, tokens.access_token().unwrap()).await;
    let names = |claims: &Value| {
        let mut names: Vec<String> = claims.as_object().unwrap().keys().cloned().collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(
        names(&id),
        "aud auth_time cognito:username email email_verified event_id exp iat iss jti origin_jti sub token_use"
    );
    assert_eq!(
        names(&access),
        "auth_time client_id event_id exp iat iss jti origin_jti scope sub token_use username"
    );
    assert_eq!(id["token_use"], "id");
    assert_eq!(id["aud"], world.client.client_id.as_str());
    assert_eq!(id["email"], NINA);
    assert_eq!(id["email_verified"], true);
    assert_eq!(id["cognito:username"], username.as_str());
    assert_eq!(access["token_use"], "access");
    assert_eq!(access["client_id"], world.client.client_id.as_str());
    assert_eq!(access["username"], username.as_str());
    assert_eq!(access["scope"], "aws.cognito.signin.user.admin");
    for claims in [&id, &access] {
        assert_eq!(claims["sub"], username.as_str());
        assert_eq!(claims["iat"], now);
        assert_eq!(claims["auth_time"], now);
        assert_eq!(claims["exp"], now + 3_600);
    }
    assert_eq!(id["origin_jti"], access["origin_jti"]);
    assert_eq!(id["event_id"], access["event_id"]);
    assert_ne!(id["jti"], access["jti"]);
    let kid = |token: &str| decode_header(token).unwrap().kid.unwrap();
    assert_ne!(
        kid(tokens.id_token().unwrap()),
        kid(tokens.access_token().unwrap())
    );
}

#[tokio::test]
async fn a_refresh_keeps_the_sign_in_and_its_time() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let first = world.sign_in(NINA).await;
    let before = verified(&world, first.access_token().unwrap()).await;
    world.clock.advance(3_000);
    let second = refresh(&world, first.refresh_token().unwrap())
        .await
        .unwrap();
    assert_eq!(second.refresh_token, None, "nothing rotates here");
    let after = verified(&world, second.access_token().unwrap()).await;
    for kept in ["sub", "auth_time", "origin_jti"] {
        assert_eq!(before[kept], after[kept]);
    }
    for new in ["jti", "iat", "exp", "event_id"] {
        assert_ne!(before[new], after[new]);
    }
    let old_way = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::RefreshTokenAuth)
        .auth_parameters("REFRESH_TOKEN", first.refresh_token().unwrap())
        .send()
        .await
        .unwrap();
    let result = old_way.authentication_result.unwrap();
    assert!(result.access_token.is_some() && result.id_token.is_some());
    assert_eq!(result.refresh_token, None);
}

fn rotating(grace_seconds: u8) -> impl FnOnce(&mut crate::world::Plan) {
    move |plan| {
        plan.client.explicit_auth_flows = vec!["ALLOW_USER_AUTH".to_owned()];
        plan.client.refresh_rotation = Some(RefreshRotation { grace_seconds });
    }
}

const REUSED: &str = "RefreshTokenReuseException: ";

#[tokio::test]
async fn a_rotated_token_works_within_the_grace_period_and_not_after() {
    let world = World::with(rotating(10)).await;
    world.passwordless_user(NINA).await;
    let old = world.sign_in(NINA).await.refresh_token.unwrap();
    let (one, other) = tokio::join!(refresh(&world, &old), refresh(&world, &old));
    let (one, other) = (one.unwrap(), other.unwrap());
    assert_ne!(one.refresh_token, other.refresh_token);
    world.clock.advance(9);
    refresh(&world, &old).await.unwrap();
    world.clock.advance(1);
    assert!(refresh(&world, &old).await.unwrap_err().starts_with(REUSED));
    for next in [one, other] {
        refresh(&world, next.refresh_token().unwrap())
            .await
            .unwrap();
    }
    let flow = world
        .sdk
        .initiate_auth()
        .client_id(&world.client.client_id)
        .auth_flow(AuthFlowType::RefreshTokenAuth)
        .auth_parameters("REFRESH_TOKEN", &old)
        .send()
        .await;
    assert_eq!(
        refusal(flow),
        "InvalidParameterException: REFRESH_TOKEN_AUTH flow not enabled for this client"
    );
}

#[tokio::test]
async fn without_a_grace_period_one_of_twenty_refreshes_at_once_succeeds() {
    let world = World::with(rotating(0)).await;
    world.passwordless_user(NINA).await;
    let old = world.sign_in(NINA).await.refresh_token.unwrap();
    let outcomes = join_all((0..20).map(|_| refresh(&world, &old))).await;
    let (done, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!(done.len(), 1);
    assert!(
        refused
            .into_iter()
            .all(|error| error.unwrap_err().starts_with(REUSED))
    );
}

#[tokio::test]
async fn a_rotated_token_inherits_the_end_of_the_first() {
    let world = World::with(|plan| {
        rotating(0)(plan);
        plan.client.refresh_token_seconds = 3_600;
    })
    .await;
    world.passwordless_user(NINA).await;
    let first = world.sign_in(NINA).await.refresh_token.unwrap();
    world.clock.advance(3_599);
    let second = refresh(&world, &first)
        .await
        .unwrap()
        .refresh_token
        .unwrap();
    world.clock.advance(1);
    assert_eq!(
        refresh(&world, &second).await.unwrap_err(),
        "NotAuthorizedException: Refresh Token has expired"
    );
}

#[tokio::test]
async fn garbage_and_other_clients_tokens_do_not_refresh() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let token = world.sign_in(NINA).await.refresh_token.unwrap();
    let invalid = "NotAuthorizedException: Invalid Refresh Token";
    assert_eq!(refresh(&world, "garbage").await.unwrap_err(), invalid);
    let other = world
        .cognito
        .ensure_client(&world.pool, cognito_local::ClientSpec::new("another"))
        .unwrap();
    let outcome = world
        .sdk
        .get_tokens_from_refresh_token()
        .client_id(other.client_id)
        .refresh_token(token)
        .send()
        .await;
    assert_eq!(refusal(outcome), invalid);
}

async fn get_user(world: &World, access_token: &str) -> Result<String, String> {
    let outcome = world.sdk.get_user().access_token(access_token).send().await;
    match outcome {
        Ok(output) => Ok(output.username),
        refused @ Err(_) => Err(refusal(refused)),
    }
}

#[tokio::test]
async fn revoking_ends_one_sign_in_with_all_its_tokens() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let here = world.sign_in(NINA).await;
    let there = world.sign_in(NINA).await;
    let revoke = |token: &str| {
        world
            .sdk
            .revoke_token()
            .client_id(&world.client.client_id)
            .token(token)
            .send()
    };
    assert!(
        refusal(revoke(here.access_token().unwrap()).await)
            .starts_with("UnsupportedTokenTypeException")
    );
    get_user(&world, here.access_token().unwrap())
        .await
        .unwrap();
    revoke(here.refresh_token().unwrap()).await.unwrap();
    revoke(here.refresh_token().unwrap()).await.unwrap();
    revoke("unknown").await.unwrap();
    assert_eq!(
        get_user(&world, here.access_token().unwrap())
            .await
            .unwrap_err(),
        REVOKED
    );
    assert_eq!(
        refresh(&world, here.refresh_token().unwrap())
            .await
            .unwrap_err(),
        "NotAuthorizedException: Refresh Token has been revoked"
    );
    get_user(&world, there.access_token().unwrap())
        .await
        .unwrap();
    refresh(&world, there.refresh_token().unwrap())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_global_sign_out_ends_all_of_them_and_a_new_sign_in_works() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let here = world.sign_in(NINA).await;
    let there = world.sign_in(NINA).await;
    world
        .sdk
        .global_sign_out()
        .access_token(here.access_token().unwrap())
        .send()
        .await
        .unwrap();
    for tokens in [&here, &there] {
        assert_eq!(
            get_user(&world, tokens.access_token().unwrap())
                .await
                .unwrap_err(),
            REVOKED
        );
    }
    let again = world.sign_in(NINA).await;
    get_user(&world, again.access_token().unwrap())
        .await
        .unwrap();
    world
        .sdk
        .admin_user_global_sign_out()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    assert_eq!(
        get_user(&world, again.access_token().unwrap())
            .await
            .unwrap_err(),
        REVOKED
    );
    assert_eq!(
        refresh(&world, again.refresh_token().unwrap())
            .await
            .unwrap_err(),
        "NotAuthorizedException: Refresh Token has been revoked"
    );
}

#[tokio::test]
async fn a_disabled_user_does_not_refresh() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let tokens = world.sign_in(NINA).await;
    world
        .sdk
        .admin_disable_user()
        .user_pool_id(&world.pool)
        .username(NINA)
        .send()
        .await
        .unwrap();
    assert_eq!(
        refresh(&world, tokens.refresh_token().unwrap())
            .await
            .unwrap_err(),
        "NotAuthorizedException: User is disabled."
    );
}

#[tokio::test]
async fn an_access_token_ends_when_it_says_and_nothing_else_passes_for_one() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let tokens = world.sign_in(NINA).await;
    let access = tokens.access_token().unwrap();
    let invalid = "NotAuthorizedException: Invalid Access Token";
    assert_eq!(get_user(&world, "garbage").await.unwrap_err(), invalid);
    assert_eq!(
        get_user(&world, tokens.id_token().unwrap())
            .await
            .unwrap_err(),
        invalid
    );
    let (message, signature) = access.rsplit_once('.').unwrap();
    let forged = format!("{message}.{}", signature.chars().rev().collect::<String>());
    assert_eq!(get_user(&world, &forged).await.unwrap_err(), invalid);
    world.clock.advance(3_599);
    get_user(&world, access).await.unwrap();
    world.clock.advance(1);
    assert_eq!(
        get_user(&world, access).await.unwrap_err(),
        "NotAuthorizedException: Access Token has expired"
    );
}

#[tokio::test]
async fn disabling_a_user_ends_every_token_and_enabling_brings_none_back() {
    let world = World::new().await;
    world.passwordless_user(NINA).await;
    let sign_ins = [world.sign_in(NINA).await, world.sign_in(NINA).await];
    let disabling = world.sdk.admin_disable_user().user_pool_id(&world.pool);
    disabling.username(NINA).send().await.unwrap();
    let listing = world.sdk.list_users().user_pool_id(&world.pool);
    let listed = listing.send().await.unwrap();
    assert!(!listed.users()[0].enabled());
    for tokens in &sign_ins {
        let access = tokens.access_token().unwrap();
        assert_eq!(get_user(&world, access).await.unwrap_err(), REVOKED);
        verified(&world, access).await;
    }
    let enabling = world.sdk.admin_enable_user().user_pool_id(&world.pool);
    enabling.username(NINA).send().await.unwrap();
    for tokens in &sign_ins {
        let access = tokens.access_token().unwrap();
        assert_eq!(get_user(&world, access).await.unwrap_err(), REVOKED);
        assert_eq!(
            refresh(&world, tokens.refresh_token().unwrap())
                .await
                .unwrap_err(),
            "NotAuthorizedException: Refresh Token has been revoked"
        );
    }
    let tokens = world.sign_in(NINA).await;
    get_user(&world, tokens.access_token().unwrap())
        .await
        .unwrap();
}
