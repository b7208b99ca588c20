//! The binding of a session to its beginner: the attack that session binding prevents, replays,
//! races, and the ten minutes.

use futures_util::future::join_all;

use crate::provider::TestProvider;
use crate::world::{
    Browser, SESSION_ENDED, WRONG_USER, World, parameter, refusal, user_id, user_token,
};

#[tokio::test]
async fn a_victim_who_opens_an_attackers_url_gives_the_attacker_nothing() {
    let world = World::new().await;
    let mallory = world.token_for_user_id("mallory").await;
    let begun = world.begin(&mallory).await;

    // Nina opens the link that Mallory sent, and consents. Her browser lands at the application,
    // which knows that it is hers.
    let landed = Browser::of("nina").visit(&begun.url).await;
    assert_eq!(landed.session_id(), begun.session);
    assert_eq!(
        refusal(world.complete(user_id("nina"), &begun.session).await),
        WRONG_USER
    );

    // Mallory tries every way of asking.
    let by_session = world.ask(&mallory).session_uri(&begun.session).send();
    let answer = by_session.await.unwrap();
    assert_eq!(answer.access_token, None);
    assert_eq!(answer.session_status.unwrap().as_str(), "IN_PROGRESS");
    world.begin(&mallory).await;
    world.clock.advance(600);
    let by_session = world.ask(&mallory).session_uri(&begun.session).send();
    let answer = by_session.await.unwrap();
    assert_eq!(answer.access_token, None);
    assert_eq!(answer.session_status.unwrap().as_str(), "FAILED");
    assert_eq!(
        refusal(world.complete(user_id("mallory"), &begun.session).await),
        SESSION_ENDED
    );
}

#[tokio::test]
async fn a_wrong_user_neither_completes_a_session_nor_ends_it() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    for user in ["otto", "Nina", "nina ", "tenant#nina"] {
        assert_eq!(
            refusal(world.complete(user_id(user), &begun.session).await),
            WRONG_USER,
            "{user}"
        );
    }
    let same_subject = world.provider.jwt("nina", 1);
    assert_eq!(
        refusal(
            world
                .complete(user_token(&same_subject), &begun.session)
                .await
        ),
        WRONG_USER
    );
    world
        .complete(user_id("nina"), &begun.session)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_begun_by_a_token_is_completed_by_that_very_token() {
    let world = World::new().await;
    let jwt = world.provider.jwt("nina", 1);
    let workload_token = world.token_for_jwt(&jwt).await;
    let begun = world.begin(&workload_token).await;
    Browser::of("nina").visit(&begun.url).await;
    let fresh = world.provider.jwt("nina", 2);
    for who in [user_token(&fresh), user_id("nina")] {
        assert_eq!(
            refusal(world.complete(who, &begun.session).await),
            WRONG_USER
        );
    }
    let forged = TestProvider::forged(&jwt);
    let outcome = world.complete(user_token(&forged), &begun.session).await;
    assert!(refusal(outcome).starts_with("UnauthorizedException"));
    world
        .complete(user_token(&jwt), &begun.session)
        .await
        .unwrap();
}

#[tokio::test]
async fn another_user_who_knows_the_session_learns_nothing_of_it() {
    let world = World::new().await;
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let otto = world.token_for_user_id("otto").await;
    let outcome = world.ask(&otto).session_uri(&begun.session).send().await;
    assert_eq!(refusal(outcome), WRONG_USER);
}

#[tokio::test]
async fn a_session_that_nobody_began_is_refused() {
    let world = World::new().await;
    let uri = "urn:ietf:params:oauth:request_uri:bm9ib2R5";
    assert_eq!(
        refusal(world.complete(user_id("nina"), uri).await),
        SESSION_ENDED
    );
    let workload_token = world.token_for_user_id("nina").await;
    let outcome = world.ask(&workload_token).session_uri(uri).send().await;
    assert_eq!(refusal(outcome), SESSION_ENDED);
}

#[tokio::test]
async fn nothing_is_completed_before_the_person_came_back() {
    let world = World::new().await;
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let complete = || world.complete(user_id("nina"), &begun.session);
    assert_eq!(refusal(complete().await), SESSION_ENDED);
    let browser = Browser::of("nina");
    let (_, to_provider) = browser.step(&begun.url).await;
    assert_eq!(refusal(complete().await), SESSION_ENDED);
    let (_, back) = browser.step(to_provider.unwrap().as_str()).await;
    assert_eq!(refusal(complete().await), SESSION_ENDED);
    browser.step(back.unwrap().as_str()).await;
    complete().await.unwrap();
}

#[tokio::test]
async fn an_authorization_url_opens_once_and_looking_at_it_is_not_opening() {
    let world = World::new().await;
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let client = reqwest::Client::new();
    let head = client.head(&begun.url).send().await.unwrap();
    assert_eq!(head.status(), 405);

    let browser = Browser::of("nina");
    let (status, to_provider) = browser.step(&begun.url).await;
    assert_eq!(status, 302);
    assert_eq!(
        browser.step(&begun.url).await,
        (400, None),
        "a link preview burns it"
    );
    let landed = browser.visit(to_provider.unwrap().as_str()).await;
    assert_eq!(landed.session_id(), begun.session, "who opened it goes on");
    assert_eq!(browser.step(&begun.url).await, (400, None));
}

#[tokio::test]
async fn a_providers_redirect_counts_once_and_at_its_own_address() {
    let world = World::new().await;
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    let browser = Browser::of("nina");
    let (_, to_provider) = browser.step(&begun.url).await;
    let (_, back) = browser.step(to_provider.unwrap().as_str()).await;
    let back = back.unwrap();

    let mut elsewhere = back.clone();
    elsewhere.set_path("/identities/oauth2/callback/4dbc5d5b-6dd6-4f2a-a4b3-5e5f0e0f8a11");
    assert_eq!(browser.step(elsewhere.as_str()).await, (400, None));
    let twice = format!("{back}&state=other");
    assert_eq!(browser.step(&twice).await, (400, None));
    let stateless = back.as_str().replace("state=", "no-state=");
    assert_eq!(browser.step(&stateless).await, (400, None));

    assert_eq!(browser.step(back.as_str()).await.0, 302);
    assert_eq!(browser.step(back.as_str()).await, (400, None));
    assert_eq!(world.provider.look().token_requests.len(), 1);
    world
        .complete(user_id("nina"), &begun.session)
        .await
        .unwrap();
    let again = world.complete(user_id("nina"), &begun.session).await;
    assert_eq!(refusal(again), SESSION_ENDED);
}

#[tokio::test]
async fn a_code_from_another_browser_does_not_fit() {
    let world = World::new().await;
    let back_of = async |person: &str| {
        let begun = world.begin(&world.token_for_user_id(person).await).await;
        let browser = Browser::of(person);
        let (_, to_provider) = browser.step(&begun.url).await;
        let (_, back) = browser.step(to_provider.unwrap().as_str()).await;
        back.unwrap()
    };
    let mallorys = parameter(&back_of("mallory").await, "code").unwrap();
    let mut ninas = back_of("nina").await;
    let state = parameter(&ninas, "state").unwrap();
    ninas
        .query_pairs_mut()
        .clear()
        .append_pair("state", &state)
        .append_pair("code", &mallorys);
    let landed = Browser::of("nina").visit(ninas.as_str()).await;
    assert_eq!(landed.parameter("error").unwrap(), "server_error");
}

#[tokio::test]
async fn ten_redirects_and_ten_completions_at_once_count_once_each() {
    let world = World::new().await;
    let workload_token = world.token_for_user_id("nina").await;
    let begun = world.begin(&workload_token).await;
    let browser = Browser::of("nina");
    let opened = join_all((0..10).map(|_| browser.step(&begun.url))).await;
    let mut opened = opened.into_iter().filter_map(|(_, location)| location);
    let to_provider = opened.next().unwrap();
    assert_eq!(opened.next(), None);

    let (_, back) = browser.step(to_provider.as_str()).await;
    let back = back.unwrap();
    let returned = join_all((0..10).map(|_| browser.step(back.as_str()))).await;
    let returned = returned.iter().filter(|(status, _)| *status == 302);
    assert_eq!(returned.count(), 1);

    let completions = (0..10).map(|_| world.complete(user_id("nina"), &begun.session));
    let completed = join_all(completions).await;
    assert_eq!(
        completed.iter().filter(|outcome| outcome.is_ok()).count(),
        1
    );
    assert_eq!(world.provider.look().token_requests.len(), 1);
}

#[tokio::test]
async fn a_session_lives_until_nine_minutes_fifty_nine() {
    // The point in the flow at which the time passes: before the link is opened, at the provider,
    // and before completion.
    for pause in 0..3 {
        for (seconds, lives) in [(599, true), (600, false), (601, false)] {
            let world = World::new().await;
            let workload_token = world.token_for_user_id("nina").await;
            let begun = world.begin(&workload_token).await;
            let browser = Browser::of("nina");
            let wait = |at: u64| world.clock.advance(if pause == at { seconds } else { 0 });
            wait(0);
            let mut location = browser.step(&begun.url).await.1;
            if let Some(to_provider) = location {
                location = browser.step(to_provider.as_str()).await.1;
                wait(1);
            }
            if let Some(back) = location {
                location = browser.step(back.as_str()).await.1;
                wait(2);
            }
            assert_eq!(
                location.is_some(),
                lives || pause == 2,
                "{pause}: {seconds}"
            );
            let outcome = world.complete(user_id("nina"), &begun.session).await;
            assert_eq!(outcome.is_ok(), lives, "{pause}: {seconds}");
            let poll = world.ask(&workload_token).session_uri(&begun.session);
            let answer = poll.send().await.unwrap();
            let status = answer
                .session_status
                .map(|status| status.as_str().to_owned());
            let expected = (!lives).then(|| "FAILED".to_owned());
            assert_eq!(status, expected, "{pause}: {seconds}");
        }
    }
}

#[tokio::test]
async fn a_session_that_ended_long_ago_is_forgotten() {
    let world = World::new().await;
    let begun = world.begin(&world.token_for_user_id("nina").await).await;
    world.clock.advance(600 + 24 * 3_600);
    let workload_token = world.token_for_user_id("nina").await;
    let outcome = world
        .ask(&workload_token)
        .session_uri(&begun.session)
        .send()
        .await;
    assert_eq!(refusal(outcome), SESSION_ENDED);
}

#[tokio::test]
async fn a_hundred_flows_of_two_people_interleave_without_confusion() {
    let world = World::new().await;
    let people = ["nina", "otto"];
    let mut tokens = Vec::new();
    for person in people {
        tokens.push(world.token_for_user_id(person).await);
    }
    // Each flow has its own scopes, so that each must find its own consent.
    let ask = |flow: usize| {
        let ask = world.ask(&tokens[flow % 2]);
        ask.set_scopes(Some(vec![format!("flow-{flow}")]))
    };
    let flows = 0..100_usize;
    let begun = join_all(flows.clone().map(|flow| async move {
        let answer = ask(flow)
            .custom_state(flow.to_string())
            .send()
            .await
            .unwrap();
        (
            answer.authorization_url.unwrap(),
            answer.session_uri.unwrap(),
        )
    }))
    .await;
    let landed = join_all(flows.clone().map(|flow| {
        let url = begun[flow].0.clone();
        async move { Browser::of(people[flow % 2]).visit(&url).await }
    }))
    .await;
    for flow in flows.clone() {
        assert_eq!(landed[flow].session_id(), begun[flow].1);
        assert_eq!(landed[flow].parameter("state").unwrap(), flow.to_string());
    }
    let crossed = join_all(
        flows
            .clone()
            .map(|flow| world.complete(user_id(people[(flow + 1) % 2]), &begun[flow].1)),
    )
    .await;
    assert!(crossed.iter().all(Result::is_err));
    let completed = join_all(
        flows
            .clone()
            .map(|flow| world.complete(user_id(people[flow % 2]), &begun[flow].1)),
    )
    .await;
    assert!(completed.iter().all(Result::is_ok));
    let answers = join_all(flows.clone().map(|flow| ask(flow).send())).await;
    for (flow, answer) in answers.into_iter().enumerate() {
        let token = answer.unwrap().access_token.unwrap();
        let expected = (people[flow % 2].to_owned(), format!("flow-{flow}"));
        assert_eq!(TestProvider::reads(&token), expected);
    }
}
