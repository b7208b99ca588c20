//! Documents lead to what there is, and repeat the contract as it stands.

use std::{fs, path::Path};

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
