//! The names of operations and functions.

use super::error::{ContractError, contradiction};

/// The id, if it is in camelCase.
pub(super) fn camel_case(id: String) -> Result<String, ContractError> {
    let well_formed = id.starts_with(|first: char| first.is_ascii_lowercase())
        && id.chars().all(|one| one.is_ascii_alphanumeric());
    if well_formed {
        Ok(id)
    } else {
        Err(contradiction(&id, "an operationId is in camelCase"))
    }
}

/// The one rule that names crates, binaries, zips and functions.
pub(super) fn kebab_case(camel_case: &str) -> String {
    let mut name = String::with_capacity(camel_case.len() + 4);
    for letter in camel_case.chars() {
        if letter.is_ascii_uppercase() {
            name.push('-');
        }
        name.push(letter.to_ascii_lowercase());
    }
    name
}
