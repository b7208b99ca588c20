//! Programs of other languages, with what CI has installed for them.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::world::{PASSWORD, World};

/// The search path for Node's clients: `NODE_PATH`, and CI's installation.
fn node_path() -> String {
    let installed = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../target/ci/node/node_modules"
    );
    match env::var("NODE_PATH") {
        Ok(path) => format!("{path}:{installed}"),
        Err(_) => installed.to_owned(),
    }
}

pub(crate) fn is_at_hand(program: &str, probe: &[&str]) -> bool {
    let probed = Command::new(program)
        .args(probe)
        .env("NODE_PATH", node_path())
        .output();
    probed.is_ok_and(|output| output.status.success())
}

/// The browser that tests drive.
pub(crate) fn browser() -> Option<PathBuf> {
    if let Some(named) = env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let path = env::var_os("PATH")?;
    let names = ["chromium", "google-chrome"];
    let mut files = env::split_paths(&path).flat_map(|folder| names.map(|name| folder.join(name)));
    files.find(|file| file.is_file())
}

/// Runs a client that signs a user in, whose password is [`PASSWORD`].
pub(crate) async fn signs_in(world: &World, program: &'static str, script: &str, user: &str) {
    let arguments = [
        format!("{}/tests/cognito/{script}", env!("CARGO_MANIFEST_DIR")),
        world.url.clone(),
        world.pool.clone(),
        world.client.client_id.clone(),
        user.to_owned(),
        PASSWORD.to_owned(),
    ];
    let output = tokio::task::spawn_blocking(move || {
        Command::new(program)
            .args(arguments)
            .env("NODE_PATH", node_path())
            .envs(browser().map(|path| ("CHROMIUM", path)))
            .output()
            .unwrap()
    })
    .await
    .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
    assert!(said.contains("signed in"), "{said}");
}
