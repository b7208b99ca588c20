//! Unknown behaviour of AWS, answered both ways.

use std::time::Duration;

use agentcore_local::{
    CodeExchange, Denial, DeniedSession, ErrorClass, Permission, ReturnUrls, WorkloadIdentitySpec,
};

use crate::provider::TestProvider;
use crate::world::{
    Begun, Browser, RETURN_URL, SESSION_ENDED, WORKLOAD, World, refusal, user_id, user_token,
};

const CLASSES: [(ErrorClass, &str); 5] = [
    (ErrorClass::AccessDenied, "AccessDeniedException"),
    (ErrorClass::Conflict, "ConflictException"),
    (ErrorClass::ResourceNotFound, "ResourceNotFoundException"),
    (ErrorClass::Unauthorized, "UnauthorizedException"),
    (ErrorClass::Validation, "ValidationException"),
];

#[tokio::test]
async fn each_refusal_of_unknown_kind_can_be_of_every_kind() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    let forged = TestProvider::forged(&jwt);
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    for (class, name) in CLASSES {
        world.behave(|behaviour| {
            behaviour.ended_workload_token = class;
            behaviour.bad_user_token = class;
            behaviour.wrong_user = class;
            behaviour.ended_session = class;
        });
        let ended_token = world.ask("AgV4forged").send().await;
        assert!(refusal(ended_token).starts_with(name));
        let bad_token = world.complete(user_token(&forged), &begun.session).await;
        assert!(refusal(bad_token).starts_with(name));
        let wrong_user = world.complete(user_id("otto"), &begun.session).await;
        assert!(refusal(wrong_user).starts_with(name));
        let too_early = world.complete(user_id("nina"), &begun.session).await;
        assert_eq!(
            refusal(too_early),
            format!("{name}: Invalid or expired session")
        );
    }
}

#[tokio::test]
async fn workload_tokens_live_as_long_as_they_are_told() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.workload_token_lifetime = Duration::from_secs(5));
    let token = world.token_for_user_id("nina").await;
    world.clock.advance(4);
    world.begin(&token).await;
    world.clock.advance(1);
    assert!(world.ask(&token).send().await.is_err());
}

#[tokio::test]
async fn the_state_comes_back_under_any_name_or_not_at_all() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    for (name, expected) in [
        (Some("custom_state"), vec!["custom_state", "session_id"]),
        (None, vec!["session_id"]),
    ] {
        world.behave(|behaviour| behaviour.state_parameter = name.map(str::to_owned));
        let begun = world
            .ask(&workload_token)
            .custom_state("s1")
            .send()
            .await
            .unwrap();
        let landed = Browser::of("nina")
            .visit(&begun.authorization_url.unwrap())
            .await;
        let mut names: Vec<String> = landed.added().into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, expected);
    }
}

#[tokio::test]
async fn a_colon_in_the_state_is_refused_misleadingly_or_taken() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let ask = || world.ask(&workload_token).custom_state("tenant:7").send();
    assert_eq!(
        refusal(ask().await),
        "ValidationException: 1 validation error detected: Value at 'requestUri' failed to satisfy constraint: Member must \
         satisfy regular expression pattern: urn:ietf:params:oauth:request_uri:[a-zA-Z0-9-._~]+"
    );
    world.behave(|behaviour| behaviour.colon_in_custom_state = Permission::Accepted);
    let begun = ask().await.unwrap();
    let landed = Browser::of("nina")
        .visit(&begun.authorization_url.unwrap())
        .await;
    assert_eq!(landed.parameter("state").unwrap(), "tenant:7");
}

#[tokio::test]
async fn a_denial_reaches_the_return_url_in_four_ways_and_fails_the_session_or_not() {
    let world = World::new().await;
    world.provider.look().denies = true;
    let workload_token = world.token_for_user_id("nina").await;
    for (denial, expected) in [
        (Denial::Error, vec!["error", "error_description", "state"]),
        (
            Denial::ErrorWithSession,
            vec!["session_id", "error", "error_description", "state"],
        ),
        (Denial::Session, vec!["session_id", "state"]),
        (Denial::Nothing, vec!["state"]),
    ] {
        for (denied_session, status) in [
            (DeniedSession::Failed, "FAILED"),
            (DeniedSession::InProgress, "IN_PROGRESS"),
        ] {
            world.behave(|behaviour| {
                behaviour.denial = denial;
                behaviour.denied_session = denied_session;
            });
            let ask = world.ask(&workload_token).custom_state("s1");
            let begun = Begun::from(ask.send().await.unwrap());
            let landed = Browser::of("nina").visit(&begun.url).await;
            let names: Vec<String> = landed.added().into_iter().map(|(name, _)| name).collect();
            assert_eq!(names, expected);
            let poll = world.ask(&workload_token).session_uri(&begun.session);
            let answer = poll.send().await.unwrap();
            assert_eq!(answer.session_status.unwrap().as_str(), status);
        }
    }
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    world.clock.advance(600);
    let poll = world.ask(&workload_token).session_uri(&begun.session);
    let answer = poll.send().await.unwrap();
    assert_eq!(
        answer.session_status.unwrap().as_str(),
        "FAILED",
        "its time is over"
    );
}

#[tokio::test]
async fn a_completed_session_can_be_completed_again_where_that_is_accepted() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.second_completion = Permission::Accepted);
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    Browser::of("nina").visit(&begun.url).await;
    for _ in 0..2 {
        world
            .complete(user_id("nina"), &begun.session)
            .await
            .unwrap();
    }
    let other = world.complete(user_id("otto"), &begun.session).await;
    assert!(refusal(other).starts_with("AccessDeniedException"));
}

#[tokio::test]
async fn an_authorization_url_can_be_opened_again_where_that_is_accepted() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.second_visit = Permission::Accepted);
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let browser = Browser::of("nina");
    let (_, first) = browser.step(&begun.url).await;
    let landed = browser.visit(&begun.url).await;
    assert_eq!(landed.session_id(), begun.session);
    let overtaken = browser.visit(first.unwrap().as_str()).await;
    assert_eq!(overtaken.status, 400, "only the last visit comes back");
    assert_eq!(
        browser.step(&begun.url).await,
        (400, None),
        "not after the consent"
    );
}

#[tokio::test]
async fn a_fresh_token_of_the_same_user_completes_where_that_is_accepted() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.fresh_user_token = Permission::Accepted);
    let workload_token = world.token_for_jwt(&world.provider.jwt("nina", 1)).await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    for who in [user_token(&world.provider.jwt("otto", 1)), user_id("nina")] {
        assert!(world.complete(who, &begun.session).await.is_err());
    }
    let fresh = world.provider.jwt("nina", 2);
    world
        .complete(user_token(&fresh), &begun.session)
        .await
        .unwrap();
}

#[tokio::test]
async fn return_urls_are_compared_without_their_query_where_that_is_the_rule() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.return_urls = ReturnUrls::WithoutQuery);
    let workload_token = world.token_for_user_id("nina").await;
    for (url, allowed) in [
        ("https://app.example/oauth2/callback", true),
        ("https://APP.example:443/oauth2/callback/?other=1", true),
        ("https://app.example/oauth2/callback2", false),
        ("https://app.example.evil.example/oauth2/callback", false),
        ("http://app.example/oauth2/callback", false),
    ] {
        let outcome = world
            .ask(&workload_token)
            .resource_oauth2_return_url(url)
            .send()
            .await;
        assert_eq!(outcome.is_ok(), allowed, "{url}");
    }
}

#[tokio::test]
async fn a_code_is_exchanged_at_completion_where_that_is_the_moment() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.code_exchange = CodeExchange::AtCompletion);
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    assert!(world.provider.look().token_requests.is_empty());
    assert!(
        world
            .complete(user_id("otto"), &begun.session)
            .await
            .is_err()
    );
    assert!(world.provider.look().token_requests.is_empty());
    world
        .complete(user_id("nina"), &begun.session)
        .await
        .unwrap();
    let token = world
        .ask(&workload_token)
        .send()
        .await
        .unwrap()
        .access_token
        .unwrap();
    assert_eq!(TestProvider::reads(&token).0, "nina");

    let otto = world.token_for_user_id("otto").await;
    let begun = world.begin(&otto).await;
    Browser::of("otto").visit(&begun.url).await;
    world.provider.look().token_failure = Some(400);
    let late = world.complete(user_id("otto"), &begun.session).await;
    assert_eq!(
        refusal(late),
        SESSION_ENDED,
        "the code has ended before the session"
    );
}

#[tokio::test]
async fn custom_parameters_tell_consents_apart_or_not() {
    let world = World::new().await;
    world.behave(|behaviour| behaviour.other_custom_parameters = Permission::Accepted);
    let token = world.consent("nina").await;
    let workload_token = world.token_for_user_id("nina").await;
    let ask = world
        .ask(&workload_token)
        .custom_parameters("prompt", "login");
    assert_eq!(ask.send().await.unwrap().access_token, Some(token));
}

#[tokio::test]
async fn a_taken_name_is_a_conflict_or_invalid() {
    let world = World::new().await;
    for (class, status, name) in [
        (ErrorClass::Conflict, 409, "ConflictException"),
        (ErrorClass::Validation, 400, "ValidationException"),
    ] {
        world.behave(|behaviour| behaviour.taken_name = class);
        let body = serde_json::json!({"name": WORKLOAD});
        let answer = crate::wire::post(&world, "/identities/CreateWorkloadIdentity", &body).await;
        assert_eq!((answer.status, answer.error.as_str()), (status, name));
    }
    let spec = WorkloadIdentitySpec {
        name: WORKLOAD.to_owned(),
        allowed_return_urls: vec![RETURN_URL.to_owned()],
    };
    world.agentcore.ensure_workload_identity(spec).unwrap();
}
