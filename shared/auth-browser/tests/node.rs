//! Runs the modules' own tests if Node is installed, so that the one test command covers them.
use std::process::Command;

#[test]
fn the_modules_pass_their_tests_in_node() {
    if Command::new("node").arg("--version").output().is_err() {
        println!("node is not on the PATH: the browser modules' tests were not run");
        return;
    }
    let tests = ["client", "latchkey", "proof-of-work", "server", "streams"];
    let run = Command::new("node")
        .arg("--test")
        .args(tests.map(|name| format!("tests/{name}.test.mjs")))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stdout)
    );
}
