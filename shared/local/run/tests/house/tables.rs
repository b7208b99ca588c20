//! The tables contain the items of the contract's description, and no others.

use std::{collections::BTreeSet, fs};

use auth_api::Contract;

use crate::{files, hold, root};

#[test]
fn every_kind_of_item_is_described() {
    // A key is an attribute made of its kind, a `#` and its own part.
    let key = "text(format!(\"";
    let mut written = BTreeSet::new();
    for source in files(&root().join("shared/auth-aws/src"), ".rs") {
        let source = fs::read_to_string(source).unwrap();
        let keys = source.split(key).skip(1).filter_map(kind);
        written.extend(keys.map(str::to_owned));
    }
    let described: BTreeSet<String> = Contract::embedded()
        .tables()
        .flat_map(|(_, table)| table.items.keys())
        .filter_map(|key| kind(key))
        .map(str::to_owned)
        .collect();
    let broken: Vec<String> = written
        .symmetric_difference(&described)
        .map(|kind| format!("{kind}# is on one side only"))
        .collect();
    hold(
        "`items` under x-latchkey-resources of the contract describe the keys that shared/auth-aws writes.",
        &broken,
    );
}

fn kind(key: &str) -> Option<&str> {
    let (kind, _) = key.split_once('#')?;
    let is_word = kind
        .chars()
        .all(|one| one.is_ascii_alphanumeric() || one == '-');
    is_word.then_some(kind)
}
