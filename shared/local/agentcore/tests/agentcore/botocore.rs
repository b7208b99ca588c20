//! boto3 as the judge: requests and responses are checked against botocore's own models of both
//! services.

use std::process::Command;

use crate::provider::{CLIENT_ID, CLIENT_SECRET};
use crate::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn boto3_finds_every_answer_in_the_shape_that_its_models_state() {
    // Older models lack an exception of CreateWorkloadIdentity.
    let probe = Command::new("python3")
        .args(["-c", "import boto3; assert boto3.__version__ >= '1.44'"])
        .output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!(
            "SKIPPED: python3 with boto3 1.44 is not at hand, so no answer was held against botocore's models"
        );
        return;
    }
    let world = World::new().await;
    let arguments = [
        world.url.clone(),
        world.provider.discovery_url(),
        world.provider.jwt("nina", 1),
        CLIENT_ID.to_owned(),
        CLIENT_SECRET.to_owned(),
    ];
    // The provider that boto3 makes has its own callback URL, which only boto3 learns.
    world.provider.register_anything();
    let output = tokio::task::spawn_blocking(move || {
        Command::new("python3")
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/agentcore/botocore_walk.py"
            ))
            .args(arguments)
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(
        said.contains("operations held against the models: 15"),
        "{said}"
    );
}
