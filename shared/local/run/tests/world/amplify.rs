//! Amplify, unchanged, with the public client in position `api`.

use std::process::Command;

use crate::harness::TestWorld;
use crate::harness::backstage::make_user_with_password;
use crate::harness::passwords::PASSWORD;
use crate::harness::people::ADA;

/// The search path for Node's client: `NODE_PATH`, and CI's installation.
fn node_path() -> String {
    let installed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../target/ci/node/node_modules"
    );
    match std::env::var("NODE_PATH") {
        Ok(path) => format!("{path}:{installed}"),
        Err(_) => installed.to_owned(),
    }
}

/// A new person: the first sign-in makes the guest.
#[tokio::test(flavor = "multi_thread")]
async fn amplify_signs_in_as_its_defaults_are_and_its_tokens_open_the_guests_record() {
    let mut node = Command::new("node");
    node.env("NODE_PATH", node_path());
    let probe = node.args(["-e", "require('aws-amplify/auth')"]).output();
    if !probe.is_ok_and(|output| output.status.success()) {
        println!("SKIPPED: node with aws-amplify is not at hand");
        return;
    }
    let world = TestWorld::with_settings(&[("PUBLIC_CLIENT", "api")]).await;
    make_user_with_password(&world, ADA, PASSWORD).await;
    let ready = world.ready();
    let arguments = [
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/world/amplify.cjs").to_owned(),
        ready.cognito.clone(),
        ready.user_pool_id.clone(),
        ready.client_id.clone().expect("there is a public client"),
        ready.gateway.clone(),
        ADA.to_owned(),
        PASSWORD.to_owned(),
    ];
    let run = tokio::task::spawn_blocking(move || {
        let mut node = Command::new("node");
        node.args(arguments).env("NODE_PATH", node_path()).output()
    });
    let output = run.await.unwrap().expect("node runs");
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("signed in"), "{said}");
    assert_eq!(world.guests().await.len(), 1);
}
