//! One dependency table, one set of lints.

use std::{collections::BTreeSet, fs, process::Command};

use crate::{files, folder, hold, root, workspace};

/// The lines of a manifest that declare dependencies, each with its table's name.
fn dependency_lines(manifest: &str) -> Vec<(&str, &str)> {
    let mut table = "";
    let mut lines = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix('[') {
            table = name.trim_end_matches(']');
        } else if table.contains("dependencies") && line.contains('=') && !line.starts_with('#') {
            lines.push((table, line));
        }
    }
    lines
}

#[test]
fn versions_stand_in_one_table_each_with_its_reason() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let broken: Vec<String> = dependency_lines(&manifest)
        .into_iter()
        .filter(|(_, line)| !line.contains("path = ") && !line.contains(" # "))
        .map(|(_, line)| line.to_owned())
        .collect();
    hold(
        "Say behind each of these lines of the root Cargo.toml, after a #, what the crate is here for.",
        &broken,
    );
}

#[test]
fn a_crate_takes_its_dependencies_from_that_table() {
    let mut broken = Vec::new();
    for package in workspace().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        for (table, line) in dependency_lines(&manifest) {
            // `[dependencies.name]` is a table of its own.
            if !table.ends_with("dependencies") || !line.contains("workspace = true") {
                broken.push(format!("{}: {line}", folder(package)));
            }
        }
    }
    hold(
        "Write `name.workspace = true` here, on one line, and version and reason into the root Cargo.toml.",
        &broken,
    );
}

#[test]
fn every_crate_inherits_the_lints_and_the_packages_common_fields() {
    let mut broken = Vec::new();
    for package in workspace().workspace_packages() {
        let manifest = fs::read_to_string(&package.manifest_path).unwrap();
        for line in [
            "[lints]\nworkspace = true",
            "version.workspace = true",
            "edition.workspace = true",
            "rust-version.workspace = true",
            "license.workspace = true",
            "publish.workspace = true",
        ] {
            if !manifest.contains(line) {
                broken.push(format!("{}: {}", folder(package), line.replace('\n', " ")));
            }
        }
    }
    hold("Add these lines to Cargo.toml.", &broken);
}

/// Each target with a harness is one more program to link, and each crate with doctests one more
/// run of rustdoc.
#[test]
fn a_crate_is_built_for_tests_where_it_has_some_and_nowhere_else() {
    let mut broken = Vec::new();
    for package in workspace().workspace_packages() {
        let sources: String = files(&root().join(folder(package)).join("src"), ".rs")
            .iter()
            .map(|path| fs::read_to_string(path).unwrap())
            .collect();
        let has_tests = sources.contains("#[cfg(test)]");
        let has_doctests = sources.lines().any(|line| {
            let line = line.trim_start();
            line.starts_with("//! ```") || line.starts_with("/// ```")
        });
        for target in &package.targets {
            let is_library = target.is_lib();
            if (is_library || target.is_bin()) && target.test != (is_library && has_tests) {
                broken.push(format!("{}: test of {}", folder(package), target.name));
            }
            if is_library && target.doctest != has_doctests {
                broken.push(format!("{}: doctest of {}", folder(package), target.name));
            }
        }
    }
    hold(
        "Set these to false below [lib] or [[bin]] where there are no such tests, and take that away where there are.",
        &broken,
    );
}

/// Cargo compiles a crate again for other features, and every crate above it. `cargo run` and the
/// tests would each compile almost everything, which takes minutes.
#[test]
fn the_tests_compile_no_crate_of_the_run_again() {
    let in_the_run = tree("{p} {f}", &["--package", "auth-local"]);
    let in_the_tests = tree("{p} {f}", &["--workspace", "--edges", "normal,dev"]);
    let broken: Vec<String> = in_the_run.difference(&in_the_tests).cloned().collect();
    assert!(!in_the_run.is_empty());
    hold(
        "Say the features that the tests turn on in shared/local/run/Cargo.toml too.",
        &broken,
    );
}

/// The lines of `cargo tree`, each crate once.
fn tree(format: &str, arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--prefix", "none", "--edges", "normal"])
        .args(["--format", format])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let lines = String::from_utf8(output.stdout).unwrap();
    lines
        .lines()
        .map(|line| line.trim_end_matches(" (*)").to_owned())
        .collect()
}
