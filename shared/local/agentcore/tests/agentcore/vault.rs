//! The token vault: which user finds which consent, its renewal, and the need for a new one.

use futures_util::future::join_all;

use crate::provider::TestProvider;
use crate::world::{Browser, RETURN_URL, World, refusal, user_id, user_token};

#[tokio::test]
async fn a_consent_is_found_by_the_same_user_and_by_nobody_else() {
    let world = World::new().await;
    let token = world.consent("nina").await;
    assert_eq!(TestProvider::reads(&token).0, "nina");
    let again = world.token_for_user_id("nina").await;
    assert_eq!(
        world.ask(&again).send().await.unwrap().access_token,
        Some(token)
    );

    let otto = world.token_for_user_id("otto").await;
    world.begin(&otto).await;
    let nina_by_jwt = world.token_for_jwt(&world.provider.jwt("nina", 1)).await;
    world.begin(&nina_by_jwt).await;
}

#[tokio::test]
async fn another_workload_scope_provider_or_parameter_needs_a_consent_of_its_own() {
    let world = World::new().await;
    world.consent("nina").await;
    let workload_token = world.token_for_user_id("nina").await;

    let more_scopes = world
        .ask(&workload_token)
        .scopes("mail.send")
        .send()
        .await
        .unwrap();
    assert!(more_scopes.authorization_url.is_some());
    let other_parameters = world
        .ask(&workload_token)
        .custom_parameters("prompt", "consent")
        .send()
        .await
        .unwrap();
    assert!(other_parameters.authorization_url.is_some());
    let other_audience = world
        .ask(&workload_token)
        .audiences("billing")
        .send()
        .await
        .unwrap();
    assert!(other_audience.authorization_url.is_some());

    let spec = agentcore_local::WorkloadIdentitySpec {
        name: "second".to_owned(),
        allowed_return_urls: vec![RETURN_URL.to_owned()],
    };
    world.agentcore.ensure_workload_identity(spec).unwrap();
    let second = world
        .sdk
        .get_workload_access_token_for_user_id()
        .workload_name("second")
        .user_id("nina")
        .send()
        .await
        .unwrap();
    world.begin(&second.workload_access_token).await;

    let scopes = vec!["mail.read".to_owned(), "openid".to_owned()];
    let other_order = world
        .ask(&workload_token)
        .set_scopes(Some(scopes))
        .send()
        .await
        .unwrap();
    assert!(other_order.access_token.is_some(), "scopes are a set");
}

#[tokio::test]
async fn an_ended_access_token_is_renewed_without_the_person() {
    let world = World::new().await;
    let first = world.consent("nina").await;
    world.clock.advance(3_599);
    let workload_token = world.token_for_user_id("nina").await;
    let ask = || world.ask(&workload_token).send();
    assert_eq!(ask().await.unwrap().access_token.as_ref(), Some(&first));

    world.clock.advance(1);
    let renewed = ask().await.unwrap().access_token.unwrap();
    assert_eq!(
        TestProvider::reads(&renewed),
        ("nina".to_owned(), "renewed".to_owned())
    );
    assert_ne!(renewed, first);
    assert_eq!(ask().await.unwrap().access_token.as_ref(), Some(&renewed));
}

#[tokio::test]
async fn twenty_who_ask_at_once_renew_once() {
    let world = World::new().await;
    world.consent("nina").await;
    world.clock.advance(3_600);
    let workload_token = world.token_for_user_id("nina").await;
    let asked = (0..20).map(|_| world.ask(&workload_token).send());
    let answers = join_all(asked).await;
    let tokens: std::collections::HashSet<String> = answers
        .into_iter()
        .map(|answer| answer.unwrap().access_token.unwrap())
        .collect();
    assert_eq!(tokens.len(), 1);
    // The exchange of the code, and one renewal.
    assert_eq!(world.provider.look().token_requests.len(), 2);
}

#[tokio::test]
async fn a_refresh_token_that_the_provider_no_longer_honours_leads_to_a_new_consent() {
    let world = World::new().await;
    world.consent("nina").await;
    world.provider.revoke_everything();
    world.clock.advance(3_600);
    world.begin(&world.token_for_user_id("nina").await).await;
    world.consent("nina").await;
}

#[tokio::test]
async fn a_provider_that_fails_takes_no_consent_away() {
    let world = World::new().await;
    world.consent("nina").await;
    world.clock.advance(3_600);
    let workload_token = world.token_for_user_id("nina").await;
    world.provider.look().token_failure = Some(503);
    let outcome = world.ask(&workload_token).send().await;
    assert!(refusal(outcome).starts_with("InternalServerException"));
    world.provider.look().token_failure = None;
    assert!(
        world
            .ask(&workload_token)
            .send()
            .await
            .unwrap()
            .access_token
            .is_some()
    );
}

#[tokio::test]
async fn without_a_refresh_token_the_person_is_asked_again() {
    let world = World::new().await;
    world.provider.look().issues_no_refresh_token = true;
    world.consent("nina").await;
    world.clock.advance(3_600);
    world.begin(&world.token_for_user_id("nina").await).await;
}

#[tokio::test]
async fn forced_authentication_asks_the_person_whatever_the_vault_holds() {
    let world = World::new().await;
    let kept = world.consent("nina").await;
    let workload_token = world.token_for_user_id("nina").await;
    let forced = world.ask(&workload_token).force_authentication(true);
    let forced = forced.send().await.unwrap();
    let (url, session) = (
        forced.authorization_url.unwrap(),
        forced.session_uri.unwrap(),
    );

    let unforced = world.ask(&workload_token).send().await.unwrap();
    assert_eq!(
        unforced.access_token.as_ref(),
        Some(&kept),
        "until the new one is there"
    );
    let poll = || world.ask(&workload_token).session_uri(&session).send();
    assert_eq!(
        poll().await.unwrap().access_token,
        None,
        "who waits for the new one waits"
    );

    Browser::of("nina").visit(&url).await;
    assert_eq!(poll().await.unwrap().access_token, None);
    world.complete(user_id("nina"), &session).await.unwrap();
    assert_ne!(poll().await.unwrap().access_token.unwrap(), kept);
}

#[tokio::test]
async fn a_user_id_that_reads_like_a_subject_is_another_user() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    let workload_token = world.token_for_jwt(&jwt).await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    world
        .complete(user_token(&jwt), &begun.session)
        .await
        .unwrap();
    for user in [
        "nina",
        &format!("{}nina", world.provider.issuer),
        &format!("[\"userToken\",\"{}\",\"nina\"]", world.provider.issuer),
    ] {
        world.begin(&world.token_for_user_id(user).await).await;
    }
}
