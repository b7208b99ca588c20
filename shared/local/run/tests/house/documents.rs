//! Links in documents lead to existing targets, and copies of the contract are current.

use std::{fs, path::Path};

use auth_api::Contract;
use auth_local::Settings;

use crate::{files, hold, root};

/// As many lines as a reader takes in ten minutes.
const LONGEST_ARCHITECTURE: usize = 200;

#[test]
fn every_link_leads_somewhere() {
    let mut broken = Vec::new();
    for document in files(&root(), ".md") {
        let text = fs::read_to_string(&document).unwrap();
        let folder = document.parent().unwrap();
        for link in links(&text) {
            if !leads_somewhere(folder, link) {
                let place = document.strip_prefix(root()).unwrap().display();
                broken.push(format!("{place}: {link}"));
            }
        }
    }
    hold("These links lead to no file.", &broken);
}

#[test]
fn the_architecture_is_read_in_ten_minutes() {
    let lines = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let lines = lines.lines().count();
    assert!(
        lines <= LONGEST_ARCHITECTURE,
        "ARCHITECTURE.md has {lines} lines: what is about one part belongs beside that part"
    );
}

#[test]
fn the_local_run_takes_the_example_of_all_settings() {
    let example = Settings::from_file(&root().join(".env.example"));
    assert!(example.is_ok(), "run scripts/generate: {example:?}");
}

/// ASVS 5.0 6.1.1: a document says which limits answer credential stuffing and guessing, how they
/// are set, and what keeps strangers from locking the owner out.
#[test]
fn a_guide_explains_every_limit_as_the_contract_sets_it() {
    let guide = fs::read_to_string(root().join("shared/guides/limits.md")).unwrap();
    let (explained, listed) = guide.split_once("## All limits").unwrap();
    let settings = Contract::embedded().settings();
    let counted = ["attempts", "mails", "requests", "users"];
    let limits = settings.iter().filter(|setting| {
        let unit = setting.unit.as_deref().unwrap_or_default();
        counted.contains(&unit)
    });
    let mut broken = Vec::new();
    for limit in limits {
        let row = listed
            .lines()
            .find(|line| line.starts_with(&format!("| `{}` |", limit.name)));
        let default = limit.default.as_deref().unwrap();
        let says_default =
            row.is_some_and(|row| row.replace(',', "").contains(&format!("| {default} ")));
        if !says_default {
            broken.push(format!(
                "{} is not listed with its default {default}",
                limit.name
            ));
        }
    }
    for name in explained.split('`').skip(1).step_by(2) {
        let is_setting = name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        let is_problem = ["RATE_LIMITED", "MAX_ATTEMPTS_EXCEEDED"].contains(&name);
        if is_setting && !is_problem && !settings.iter().any(|setting| setting.name == name) {
            broken.push(format!("{name} is explained, and no setting"));
        }
    }
    for attack in [
        "credential stuffing",
        "password brute force",
        "code guessing",
    ] {
        let row = explained
            .lines()
            .find(|line| line.starts_with(&format!("| {attack}")));
        let names_a_limit = |row: &str| {
            settings
                .iter()
                .any(|one| row.contains(&format!("`{}`", one.name)))
        };
        if !row.is_some_and(names_a_limit) {
            broken.push(format!("{attack} is answered by no limit"));
        }
    }
    hold(
        "shared/guides/limits.md and the contract differ: run scripts/generate.",
        &broken,
    );
}

/// The targets of links, outside code.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose
        .flat_map(|part| part.split("](").skip(1))
        .filter_map(|rest| rest.split_once(')'))
        .map(|(link, _)| link)
}

fn leads_somewhere(folder: &Path, link: &str) -> bool {
    let file = link.split('#').next().unwrap();
    file.contains("://") || file.is_empty() || folder.join(file).exists()
}
