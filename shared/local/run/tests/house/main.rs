//! The house's rules, checked on `cargo metadata` and the files. Each failure says what to do.

#![expect(clippy::unwrap_used, reason = "a failure here is a failed test")]

mod circles;
mod contract;
mod documents;
mod edge;
mod files;
mod imports;
mod manifests;
mod tables;
mod user_pool;
mod width;

use std::{
    fs,
    path::{Path, PathBuf},
};

use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Cargo's view of the workspace, without its dependencies.
fn workspace() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .exec()
        .unwrap()
}

fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..");
    root.canonicalize().unwrap()
}

/// The folder of a package below the root, such as `crates/verify-otp`.
fn folder(package: &Package) -> String {
    let folder = package.manifest_path.as_std_path().parent().unwrap();
    let folder = folder.strip_prefix(root()).unwrap();
    folder.to_str().unwrap().to_owned()
}

fn is_function(package: &Package) -> bool {
    folder(package).starts_with("crates/")
}

/// The names of a folder's entries, in order.
fn entries(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// Every file below a folder whose name ends with `end`, except Git's own, built and installed
/// ones.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in entries(folder) {
        let path = folder.join(&name);
        if path.is_dir() && ![".git", "node_modules", "target"].contains(&name.as_str()) {
            found.extend(files(&path, end));
        } else if path.is_file() && name.ends_with(end) {
            found.push(path);
        }
    }
    found
}

/// Fails with every broken rule at once.
fn hold(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}\n", broken.join("\n  "));
}
