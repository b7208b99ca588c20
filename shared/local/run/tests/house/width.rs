//! Comments and documents fit a hundred columns, so that two files fit side by side on a screen.

use std::{fs, path::Path};

use crate::{files, hold, root};

const WIDEST: usize = 100;

/// Comments that a tool reads as one line.
const FOR_TOOLS: [&str; 3] = ["checkov:skip", "noqa", "zizmor:"];

#[test]
fn no_comment_is_wider_than_a_hundred_columns() {
    let broken: Vec<String> = files(&root(), "")
        .into_iter()
        .filter_map(|path| Some((comment_mark(&path)?, path)))
        .flat_map(|(mark, path)| {
            wide_lines(&path, |line| {
                line.trim_start().starts_with(mark)
                    && !FOR_TOOLS.iter().any(|tool| line.contains(tool))
                    && !is_table_or_code(line)
            })
        })
        .collect();
    hold("Break these comments into several lines.", &broken);
}

#[test]
fn no_document_is_wider_than_a_hundred_columns() {
    let mut broken = Vec::new();
    for path in files(&root(), ".md") {
        let mut in_code = false;
        broken.extend(wide_lines(&path, |line| {
            in_code ^= line.trim_start().starts_with("```");
            !in_code && !line.starts_with('|')
        }));
    }
    hold("Break these lines into several.", &broken);
}

/// The beginning of a comment in a file of this kind. `None` if the file's comments are not
/// checked.
fn comment_mark(path: &Path) -> Option<&'static str> {
    match path.extension().and_then(|end| end.to_str()) {
        Some("rs" | "js" | "mjs" | "ts") => Some("//"),
        Some("hcl" | "py" | "tf" | "tfvars" | "toml" | "yaml" | "yml") => Some("#"),
        // Scripts have no extension, and their first line names the interpreter.
        None => fs::read_to_string(path)
            .is_ok_and(|text| text.starts_with("#!"))
            .then_some("#"),
        Some(_) => None,
    }
}

/// Whether a comment's line belongs to a table or to a code block.
fn is_table_or_code(line: &str) -> bool {
    let words = line.trim_start().trim_start_matches(['/', '!', '#']);
    words.starts_with(" |") || words.starts_with("     ")
}

/// The places of wide lines that `counts` picks. A web address cannot be broken.
fn wide_lines(path: &Path, mut counts: impl FnMut(&str) -> bool) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    let shown = path.strip_prefix(root()).unwrap().display();
    text.lines()
        .enumerate()
        .filter(|(_, line)| counts(line) && line.chars().count() > WIDEST && !line.contains("://"))
        .map(|(index, _)| format!("{shown}:{}", index + 1))
        .collect()
}
