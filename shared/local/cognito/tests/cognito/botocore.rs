//! boto3 as the judge: requests and responses are checked against botocore's own service model.

use std::process::Command;

use cognito_local::PasskeySpec;

use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_every_answer_in_the_shape_that_its_model_states() {
    let probe = Command::new("python3")
        .args(["-c", "import boto3; assert boto3.__version__ >= '1.44'"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!(
            "SKIPPED: python3 with boto3 1.44 is not at hand, so no answer was held against botocore's model"
        );
        return;
    }
    let world = World::with(|plan| {
        plan.pool.software_token_mfa = true;
        plan.pool.passkeys = Some(PasskeySpec {
            relying_party_id: Some("shop.example".to_owned()),
            user_verification_required: false,
        });
    })
    .await;
    let (url, pool, client) = (
        world.url.clone(),
        world.pool.clone(),
        world.client.client_id.clone(),
    );
    let mailbox = crate::botocore::serve_mailbox(&world).await;
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/cognito/botocore_walk.py"
            ))
            .args([url, pool, client, mailbox])
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(
        said.contains("operations held against the model: "),
        "{said}"
    );
}

/// The last code, over HTTP, for a process that cannot look into this one.
async fn serve_mailbox(world: &World) -> String {
    let mails = std::sync::Arc::clone(&world.mails);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = axum::Router::new().route(
        "/",
        axum::routing::get(move || async move {
            let mails = mails.lock().unwrap();
            mails
                .last()
                .map(|mail| mail.code.clone())
                .unwrap_or_default()
        }),
    );
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}
