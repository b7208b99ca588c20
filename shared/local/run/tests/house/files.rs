//! The places of files, and their beginnings.

use std::fs;

use crate::{entries, files, hold, root};

/// The allowed entries at the top, beside dotfiles.
const AT_THE_TOP: [&str; 14] = [
    "AGENTS.md",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "Cargo.lock",
    "Cargo.toml",
    "DECISIONS.md",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "crates",
    "scripts",
    "shared",
    "target",
    "terraform",
];

#[test]
fn the_top_level_is_a_short_list() {
    let broken: Vec<String> = entries(&root())
        .into_iter()
        .filter(|name| !name.starts_with('.') && !AT_THE_TOP.contains(&name.as_str()))
        .collect();
    hold(
        "These belong into a folder of those that there are, or into a dotfile.",
        &broken,
    );
}

#[test]
fn every_source_file_says_first_what_it_is() {
    let sources = ["crates", "shared"].map(|folder| files(&root().join(folder), ".rs"));
    let broken: Vec<String> = sources
        .into_iter()
        .flatten()
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    hold("Begin these with a sentence after //!.", &broken);
}

#[test]
fn no_test_is_switched_off() {
    // In two parts, or this file would be found too.
    let switched_off = concat!("#[", "ignore");
    let broken: Vec<String> = ["crates", "shared"]
        .map(|folder| files(&root().join(folder), ".rs"))
        .into_iter()
        .flatten()
        .filter(|path| fs::read_to_string(path).unwrap().contains(switched_off))
        .map(|path| path.strip_prefix(root()).unwrap().display().to_string())
        .collect();
    hold("Mend these tests or delete them.", &broken);
}
