//! The three-legged flow: to the provider and back, and the provider's parameters.

use agentcore_local::{CredentialProviderSpec, Discovery, Secret};
use tokio::net::TcpListener;
use url::Url;

use crate::provider::{CLIENT_ID, CLIENT_SECRET, TestProvider};
use crate::world::{
    Browser, PROVIDER, RETURN_URL, SESSION_ENDED, World, parameter, refusal, user_id, user_token,
};

#[tokio::test]
async fn a_person_consents_and_the_application_completes() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world.begin(&workload_token).await;
    let request_uri = begun.session.replace(':', "%3A");
    assert_eq!(
        begun.url,
        format!(
            "{}/identities/oauth2/authorize?request_uri={request_uri}",
            world.url
        )
    );

    let landed = Browser::of("nina").visit(&begun.url).await;
    assert!(landed.url.as_str().starts_with(RETURN_URL));
    assert_eq!(
        landed.added(),
        [("session_id".to_owned(), begun.session.clone())]
    );

    world
        .complete(user_id("nina"), &begun.session)
        .await
        .unwrap();
    let by_session = world.ask(&workload_token).session_uri(&begun.session);
    let answer = by_session.send().await.unwrap();
    assert_eq!(answer.authorization_url, None);
    assert_eq!(answer.session_uri, None);
    let token = answer.access_token.unwrap();
    assert_eq!(
        TestProvider::reads(&token),
        ("nina".to_owned(), "openid mail.read".to_owned())
    );
    let without_session = world.ask(&workload_token).send().await.unwrap();
    assert_eq!(without_session.access_token, Some(token));
}

#[tokio::test]
async fn the_same_by_the_users_token() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    let workload_token = world.token_for_jwt(&jwt).await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    world
        .complete(user_token(&jwt), &begun.session)
        .await
        .unwrap();
    let answer = world.ask(&workload_token).send().await.unwrap();
    assert!(answer.access_token.is_some());

    let later = world.token_for_jwt(&world.provider.jwt("nina", 2)).await;
    let answer = world.ask(&later).send().await.unwrap();
    assert!(
        answer.access_token.is_some(),
        "the vault goes by the subject"
    );
}

#[tokio::test]
async fn the_provider_gets_a_standard_request_and_what_the_application_adds() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world
        .ask(&workload_token)
        .custom_parameters("prompt", "consent")
        .custom_parameters("login_hint", "nina@example.com")
        .custom_parameters("redirect_uri", "https://evil.example")
        .custom_parameters("state", "mine")
        .resources("https://api.example")
        .send()
        .await
        .unwrap();
    let (status, location) = Browser::of("nina")
        .step(&begun.authorization_url.unwrap())
        .await;
    let location = location.unwrap();
    assert_eq!(status, 302);
    let names: Vec<String> = location
        .query_pairs()
        .map(|(name, _)| name.into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "tenant",
            "response_type",
            "client_id",
            "redirect_uri",
            "state",
            "code_challenge",
            "code_challenge_method",
            "scope",
            "resource",
            "login_hint",
            "prompt",
        ]
    );
    let said = |name: &str| parameter(&location, name).unwrap();
    assert_eq!(
        said("tenant"),
        "blue",
        "a query that the endpoint has stays"
    );
    assert_eq!(said("client_id"), CLIENT_ID);
    assert_eq!(said("redirect_uri"), world.registered.callback_url);
    assert_eq!(said("scope"), "openid mail.read");
    assert_eq!(said("code_challenge").len(), 43);
    assert_eq!(said("prompt"), "consent");
    assert_eq!(said("resource"), "https://api.example");
    assert_eq!(said("state").len(), 43);

    let back = Browser::of("nina").visit(location.as_str()).await;
    assert_eq!(back.status, 302);
    let requests = world.provider.look().token_requests.clone();
    assert_eq!(requests.len(), 1);
    assert!(requests[0].contains(&("resource".to_owned(), "https://api.example".to_owned())));
    assert!(requests[0].iter().all(|(name, _)| name != "client_secret"));
}

#[tokio::test]
async fn custom_state_comes_back_and_the_provider_never_sees_it() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let ask = world.ask(&workload_token).custom_state("a&b=c d/ü");
    let begun = ask.send().await.unwrap();
    let landed = Browser::of("nina")
        .visit(&begun.authorization_url.unwrap())
        .await;
    assert_eq!(landed.parameter("state").unwrap(), "a&b=c d/ü");
    assert_eq!(landed.session_id(), begun.session_uri.unwrap());
    let authorizations = world.provider.look().authorizations.clone();
    assert!(
        !authorizations[0]
            .values()
            .any(|value| value.contains("a&b"))
    );
}

#[tokio::test]
async fn a_client_secret_goes_into_the_body_where_the_provider_wants_it_there() {
    let world = World::new().await;
    world.provider.look().wants_post = true;
    world.consent("nina").await;
}

#[tokio::test]
async fn a_return_url_that_is_not_on_the_list_is_refused_and_so_is_none() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    for url in [
        "https://app.example/oauth2/callback",
        "https://app.example/oauth2/callback?tenant=7&more",
        "https://app.example/oauth2/callback/?tenant=7",
        "https://APP.example/oauth2/callback?tenant=7",
        "https://evil.example/?https://app.example/oauth2/callback?tenant=7",
    ] {
        let outcome = world
            .ask(&workload_token)
            .resource_oauth2_return_url(url)
            .send()
            .await;
        assert!(
            refusal(outcome).starts_with("ValidationException: resourceOauth2ReturnUrl is not one"),
            "{url}"
        );
    }
    let outcome = world
        .ask(&workload_token)
        .set_resource_oauth2_return_url(None)
        .send()
        .await;
    assert!(
        refusal(outcome).starts_with("ValidationException: resourceOauth2ReturnUrl is required")
    );
}

#[tokio::test]
async fn an_unknown_provider_is_not_found() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let outcome = world
        .ask(&workload_token)
        .resource_credential_provider_name("calendar")
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        "ResourceNotFoundException: OAuth2 credential provider 'calendar' does not exist"
    );
}

#[tokio::test]
async fn a_refused_consent_is_told_to_the_return_url_and_fails_the_session() {
    let world = World::new().await;
    world.provider.look().denies = true;
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world.begin(&workload_token).await;
    let landed = Browser::of("nina").visit(&begun.url).await;
    let told = [
        ("error", "access_denied"),
        ("error_description", "the person said no"),
    ];
    assert_eq!(
        landed.added(),
        told.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
    let poll = world.ask(&workload_token).session_uri(&begun.session);
    let answer = poll.send().await.unwrap();
    assert_eq!(answer.session_status.unwrap().as_str(), "FAILED");
    assert_eq!(
        (answer.access_token, answer.authorization_url),
        (None, None)
    );
    assert_eq!(
        refusal(world.complete(user_id("nina"), &begun.session).await),
        SESSION_ENDED
    );
}

#[tokio::test]
async fn a_code_that_the_provider_does_not_exchange_fails_the_session() {
    for status in [400, 503] {
        let world = World::new().await;
        world.provider.look().token_failure = Some(status);
        let workload_token = world.token_for_user_id("nina").await;
        let begun = world.begin(&workload_token).await;
        let landed = Browser::of("nina").visit(&begun.url).await;
        assert_eq!(landed.parameter("error").unwrap(), "server_error");
        let poll = world.ask(&workload_token).session_uri(&begun.session);
        let answer = poll.send().await.unwrap();
        assert_eq!(answer.session_status.unwrap().as_str(), "FAILED");
    }
}

#[tokio::test]
async fn an_answer_of_another_issuer_is_no_consent() {
    let world = World::new().await;
    world.provider.look().names_itself = Some("https://evil.example".to_owned());
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let landed = Browser::of("nina").visit(&begun.url).await;
    assert_eq!(landed.parameter("error").unwrap(), "server_error");
    assert!(world.provider.look().token_requests.is_empty());

    let issuer = world.provider.issuer.clone();
    world.provider.look().names_itself = Some(issuer);
    world.consent("otto").await;
}

#[tokio::test]
async fn a_workloads_own_token_needs_no_person() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let ask = || {
        world
            .sdk
            .get_resource_oauth2_token()
            .workload_identity_token(&workload_token)
            .resource_credential_provider_name(PROVIDER)
            .scopes("reports")
            .oauth2_flow("M2M".into())
    };
    let token = ask().send().await.unwrap().access_token.unwrap();
    assert_eq!(
        TestProvider::reads(&token),
        ("nobody".to_owned(), "reports".to_owned())
    );
    assert_eq!(ask().send().await.unwrap().access_token.unwrap(), token);
    world.clock.advance(3_600);
    let workload_token = world.token_for_user_id("otto").await;
    let renewed = ask()
        .workload_identity_token(workload_token)
        .send()
        .await
        .unwrap();
    assert_ne!(renewed.access_token.unwrap(), token);
}

#[tokio::test]
async fn a_client_that_the_provider_refuses_gets_no_token_of_its_own() {
    let world = World::new().await;
    let outcome = world
        .sdk
        .get_resource_oauth2_token()
        .workload_identity_token(world.token_for_user_id("nina").await)
        .resource_credential_provider_name(PROVIDER)
        .scopes("forbidden")
        .oauth2_flow("M2M".into())
        .send()
        .await;
    assert_eq!(
        refusal(outcome),
        "AccessDeniedException: the credential provider refused the client: invalid_scope"
    );
}

#[tokio::test]
async fn a_flow_that_is_not_served_is_refused() {
    let world = World::new().await;
    let outcome = world
        .ask(&world.token_for_user_id("nina").await)
        .oauth2_flow("ON_BEHALF_OF_TOKEN_EXCHANGE".into())
        .send()
        .await;
    assert!(refusal(outcome).starts_with("ValidationException: ON_BEHALF_OF_TOKEN_EXCHANGE"));
}

#[tokio::test]
async fn an_authorization_url_waits_for_a_provider_that_is_not_there_yet() {
    let world = World::new().await;
    let absent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = absent.local_addr().unwrap();
    drop(absent);
    let spec = |url: String| CredentialProviderSpec {
        name: PROVIDER.to_owned(),
        vendor: "CustomOauth2".to_owned(),
        discovery: Discovery::Url(url),
        client_id: CLIENT_ID.to_owned(),
        client_secret: Secret::new(CLIENT_SECRET),
        client_authentication: None,
    };
    let nowhere = format!("http://{address}/.well-known/openid-configuration");
    let provider = world
        .agentcore
        .ensure_credential_provider(spec(nowhere))
        .unwrap();
    assert_eq!(
        provider.callback_url, world.registered.callback_url,
        "it stays"
    );

    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let landed = Browser::of("nina").visit(&begun.url).await;
    assert_eq!(
        (landed.status, landed.url),
        (400, Url::parse(&begun.url).unwrap())
    );
    world
        .agentcore
        .ensure_credential_provider(spec(world.provider.discovery_url()))
        .unwrap();
    let landed = Browser::of("nina").visit(&begun.url).await;
    assert_eq!(landed.session_id(), begun.session);
}
