//! Workload access tokens: their users, their proofs, and their end.

use agentcore_local::Issuers;
use aws_sdk_bedrockagentcore::types::UserIdentifier;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use crate::world::{Begun, WORKLOAD, World, refusal};

#[tokio::test]
async fn a_token_is_opaque_and_new_each_time() {
    let world = World::new().await;
    let first = world.token_for_user_id("tenant#nina").await;
    let second = world.token_for_user_id("tenant#nina").await;
    assert!(first.starts_with("AgV4"));
    assert_ne!(first, second);
    assert!(!first.contains("nina"));
}

#[tokio::test]
async fn an_unknown_workload_gets_no_token() {
    let world = World::new().await;
    let outcome = world
        .sdk
        .get_workload_access_token()
        .workload_name("stranger")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        "ResourceNotFoundException: Workload identity 'stranger' does not exist"
    );
}

#[tokio::test]
async fn a_workload_alone_cannot_ask_for_a_persons_consent() {
    let world = World::new().await;
    let answer = world
        .sdk
        .get_workload_access_token()
        .workload_name(WORKLOAD)
        .send()
        .await
        .unwrap();
    let outcome = world.ask(&answer.workload_access_token).send().await;
    assert!(refusal(outcome).starts_with("ValidationException: USER_FEDERATION needs"));
}

#[tokio::test]
async fn a_token_ends_when_the_configured_lifetime_is_over() {
    let world = World::new().await;
    let lifetime = world
        .agentcore
        .behaviour()
        .workload_token_lifetime
        .as_secs();
    let token = world.token_for_user_id("nina").await;
    world.clock.advance(lifetime - 1);
    world.begin(&token).await;
    world.clock.advance(1);
    let ended = "UnauthorizedException: Workload access token is invalid or expired";
    assert_eq!(refusal(world.ask(&token).send().await), ended);
    assert_eq!(refusal(world.ask("AgV4forged").send().await), ended);
}

#[tokio::test]
async fn a_jwt_is_taken_when_its_issuer_signed_it_and_it_has_not_ended() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    world.token_for_jwt(&jwt).await;
    world.clock.advance(3_600);
    let outcome = for_jwt(&world, &jwt).await;
    assert_eq!(
        outcome,
        "UnauthorizedException: Invalid user token: it has expired"
    );
}

#[tokio::test]
async fn a_jwt_that_anything_is_wrong_with_is_refused() {
    let world = World::new().await;
    let issuer = &world.provider.issuer;
    let exp = world.clock.now() + 60;
    let good = world.provider.jwt("nina", 1);
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let (header, _) = signed.split_once('.').unwrap();
    let encode = |value: serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());

    let for_another = encode(json!({"iss": issuer, "sub": "otto", "exp": exp}));
    let none = encode(json!({"alg": "none", "kid": "one"}));
    let shared = encode(json!({"alg": "HS256", "kid": "one"}));
    let other_key = encode(json!({"alg": "ES256", "kid": "two"}));
    let elsewhere = json!({"iss": "http://127.0.0.1:9/elsewhere", "sub": "nina", "exp": exp});
    let misnamed = json!({"iss": format!("{issuer}/"), "sub": "nina", "exp": exp});
    let too_early = json!({"iss": issuer, "sub": "nina", "exp": exp, "nbf": exp - 10});
    for (what, token) in [
        (
            "another's claims",
            format!("{header}.{for_another}.{signature}"),
        ),
        ("no signature", format!("{none}.{for_another}.{signature}")),
        (
            "a shared key",
            format!("{shared}.{for_another}.{signature}"),
        ),
        (
            "an unknown key",
            format!("{other_key}.{for_another}.{signature}"),
        ),
        (
            "no subject",
            world.provider.sign(&json!({"iss": issuer, "exp": exp})),
        ),
        (
            "no end",
            world.provider.sign(&json!({"iss": issuer, "sub": "nina"})),
        ),
        (
            "no issuer",
            world.provider.sign(&json!({"sub": "nina", "exp": exp})),
        ),
        (
            "an issuer that is not there",
            world.provider.sign(&elsewhere),
        ),
        (
            "an issuer by another spelling",
            world.provider.sign(&misnamed),
        ),
        ("a beginning to come", world.provider.sign(&too_early)),
    ] {
        let outcome = for_jwt(&world, &token).await;
        assert!(
            outcome.starts_with("UnauthorizedException"),
            "{what}: {outcome}"
        );
        assert!(!outcome.contains("nina"), "{what}: {outcome}");
    }
}

#[tokio::test]
async fn only_issuers_on_the_list_are_asked_for_keys() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    world
        .agentcore
        .set_issuers(Issuers::Only(vec!["https://issuer.example".to_owned()]));
    assert!(for_jwt(&world, &jwt).await.contains("not one of those"));
    world
        .agentcore
        .set_issuers(Issuers::Only(vec![world.provider.issuer.clone()]));
    world.token_for_jwt(&jwt).await;
}

#[tokio::test]
async fn a_reset_forgets_people_and_keeps_what_was_configured() {
    let world = World::new().await;
    let token = world.token_for_user_id("nina").await;
    let begun: Begun = world.begin(&token).await;
    world.agentcore.reset().unwrap();
    let nina = UserIdentifier::UserId("nina".to_owned());
    let forgotten = refusal(world.complete(nina, &begun.session).await);
    assert!(forgotten.starts_with("ValidationException"), "{forgotten}");
    let begun: Begun = world.begin(&token).await;
    assert!(begun.url.starts_with(&world.url));
}

async fn for_jwt(world: &World, jwt: &str) -> String {
    let outcome = world
        .sdk
        .get_workload_access_token_for_jwt()
        .workload_name(WORKLOAD)
        .user_token(jwt)
        .send()
        .await;
    refusal(outcome)
}
