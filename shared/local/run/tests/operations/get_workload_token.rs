//! `get-workload-token`: the agent's own token, alone or for a user.

use std::collections::BTreeSet;
use std::time::Duration;

use agentcore_local::Behaviour;
use serde_json::{Value, json};

use crate::harness::TestWorld;
use crate::harness::authorizations::{GUEST, asked_of_agentcore, consented, path_of, session_of};
use crate::harness::case::Case;
use crate::harness::people::{ADA, BOB};
use crate::harness::stage::Stage;

#[tokio::test]
async fn a_workload_token_is_kept_for_each_apart_and_renewed_before_it_ends() {
    let world = TestWorld::stopped(&[]).await;
    let ada = world.sign_in(ADA).await.access_token;
    let bob = world.sign_in(BOB).await.access_token;
    let tokens = |wanted: serde_json::Value| {
        let world = &world;
        async move {
            let answer = world.invoke("get-workload-token", &wanted).await;
            assert_eq!(
                answer["workloadName"], "latchkey-local-agent",
                "{}",
                answer.body
            );
            assert_eq!(answer["userId"], wanted["userId"], "{}", answer.body);
            answer.text("accessToken")
        }
    };
    let everybody = [
        json!({}),
        json!({ "userId": "tenant#ada" }),
        json!({ "userId": "tenant#bob" }),
        json!({ "userToken": ada }),
        json!({ "userToken": bob }),
    ];
    let mut first = Vec::new();
    for wanted in &everybody {
        first.push(tokens(wanted.clone()).await);
    }
    assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), everybody.len());
    let since = world.last_call();
    world.advance(269);
    for (wanted, token) in everybody.iter().zip(&first) {
        assert_eq!(tokens(wanted.clone()).await, *token);
    }
    assert_eq!(asked_of_agentcore(&world, "get-workload-token", since), 0);
    world.advance(1);
    for (wanted, token) in everybody.iter().zip(&first) {
        assert_ne!(
            tokens(wanted.clone()).await,
            *token,
            "thirty seconds before its end"
        );
    }
    // An agent acts for a person only until the person's token ends: it was issued 270 s ago, and
    // lives an hour.
    world.advance(3600 - 270 - 100);
    let held = json!({ "userToken": ada });
    let last = tokens(held.clone()).await;
    world.advance(69);
    assert_eq!(tokens(held.clone()).await, last);
    let since = world.last_call();
    world.advance(1);
    assert_ne!(tokens(held.clone()).await, last);
    assert_eq!(asked_of_agentcore(&world, "get-workload-token", since), 1);
    world.advance(30);
    let over = world.invoke("get-workload-token", &held).await;
    assert_eq!(over["error"]["code"], "VALIDATION_FAILED", "{}", over.body);

    let both = json!({ "userId": "a", "userToken": ada });
    let refused = world.invoke("get-workload-token", &both).await;
    assert_eq!(refused["error"]["code"], "VALIDATION_FAILED");
    let bad = world
        .invoke("get-workload-token", &json!({ "userToken": "a.b.c" }))
        .await;
    assert_eq!(bad["error"]["code"], "VALIDATION_FAILED", "{}", bad.body);
}

#[tokio::test]
async fn a_workload_token_that_ends_early_is_got_anew_once() {
    let world = TestWorld::start().await;
    world.agentcore().set_behaviour(Behaviour {
        workload_token_lifetime: Duration::from_mins(1),
        ..Behaviour::default()
    });
    let (mut browser, back) = consented(&world, ADA).await;
    browser.get(&path_of(&back)).await.expect_status(302);
    let asked = json!({ "sessionId": session_of(&back) });
    for _ in 0..2 {
        let found = world.invoke(GUEST, &asked).await;
        assert_eq!(found["user"]["email"], ADA, "{}", found.body);
        world.advance(61);
    }
}

/// The function's cases.
pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::of("get-workload-token", "for itself", "200", |world| {
            Box::pin(async { ready(world, json!({})) })
        }),
        Case::of("get-workload-token", "for a user", "200", |world| {
            Box::pin(async { ready(world, json!({ "userId": "tenant#nina" })) })
        }),
        Case::of(
            "get-workload-token",
            "for a token's holder",
            "200",
            |world| Box::pin(for_a_holder(world)),
        ),
    ]
}

fn ready(world: &TestWorld, body: Value) -> Stage<'_> {
    Stage::agent(world, "/agent/workload-token", body)
}

async fn for_a_holder(world: &TestWorld) -> Stage<'_> {
    let token = world.sign_in(ADA).await.access_token;
    ready(world, json!({ "userToken": token }))
}
