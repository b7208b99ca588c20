//! What AWS's own service models demand of a request: members, types, lengths, patterns and enumerations.
//!
//! `model.json` is taken from botocore's description of the services by `tools/extract_model.py`, so paths, constraints
//! and the words in which a breach is reported are not this crate's opinion.

use std::collections::{BTreeMap, HashMap};
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::refusal::{Breach, Refusal};

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and every test reads it"
    )]
    serde_json::from_str(include_str!("model.json")).expect("model.json is the service model")
});

#[derive(Deserialize)]
struct Model {
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
pub(crate) struct Operation {
    input: String,
    path: String,
    /// The HTTP status of a success.
    pub(crate) status: u16,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    union: bool,
    min: Option<i64>,
    max: Option<i64>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    values: Vec<String>,
    #[serde(default)]
    sensitive: bool,
    member: Option<String>,
    key: Option<String>,
    value: Option<String>,
    #[serde(skip)]
    compiled: OnceLock<Option<Regex>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Structure,
    Map,
    List,
    String,
    Boolean,
    Integer,
}

impl Shape {
    /// Java's `matches`: the whole value, not a part of it.
    fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            let pattern = self.pattern.as_deref()?;
            Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
        });
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

/// The operation that a path means, with its name.
pub(crate) fn operation_at(path: &str) -> Option<(&'static str, &'static Operation)> {
    MODEL
        .operations
        .iter()
        .find(|(_, operation)| operation.path == path)
        .map(|(name, operation)| (name.as_str(), operation))
}

/// Holds the body of a call of `operation` against the model: first the types, then the constraints, all of them.
///
/// Members that the model lacks are refused. AWS passes over them, but a newer SDK may send one that means something, and to
/// leave that out in silence would be worse.
pub(crate) fn check(operation: &str, body: &Value) -> Result<(), Refusal> {
    let Some(operation) = MODEL.operations.get(operation) else {
        return Err(Refusal::unreadable("there is no such operation"));
    };
    check_types(&operation.input, body, "")?;
    let mut breaches = Vec::new();
    check_constraints(&operation.input, body, "", &mut breaches);
    if breaches.is_empty() {
        Ok(())
    } else {
        Err(Refusal::breached(breaches))
    }
}

fn check_types(shape: &str, value: &Value, path: &str) -> Result<(), Refusal> {
    let Some(shape) = MODEL.shapes.get(shape) else {
        return Ok(());
    };
    if value.is_null() {
        return Ok(());
    }
    let wrong = |wanted: &str| {
        let place = if path.is_empty() { "the body" } else { path };
        Refusal::unreadable(format!("{place} is not {wanted}"))
    };
    match shape.kind {
        Kind::Structure => {
            let object = value.as_object().ok_or_else(|| wrong("an object"))?;
            for (name, member) in object {
                let path = child(path, name);
                let target = shape.members.get(name).ok_or_else(|| {
                    Refusal::unreadable(format!("this stand-in knows no member {path}"))
                })?;
                check_types(target, member, &path)?;
            }
        }
        Kind::Map => {
            let object = value.as_object().ok_or_else(|| wrong("an object"))?;
            for (name, entry) in object {
                if let Some(target) = &shape.value {
                    check_types(target, entry, &child(path, name))?;
                }
            }
        }
        Kind::List => {
            let list = value.as_array().ok_or_else(|| wrong("a list"))?;
            for entry in list {
                if let Some(target) = &shape.member {
                    check_types(target, entry, path)?;
                }
            }
        }
        Kind::String if value.is_string() => {}
        Kind::String => return Err(wrong("text")),
        Kind::Boolean if value.is_boolean() => {}
        Kind::Boolean => return Err(wrong("true or false")),
        Kind::Integer if value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
        Kind::Integer => return Err(wrong("a whole number")),
    }
    Ok(())
}

fn check_constraints(shape: &str, value: &Value, path: &str, breaches: &mut Vec<Breach>) {
    let Some(shape) = MODEL.shapes.get(shape) else {
        return;
    };
    let mut breach = |what: &str| {
        let shown = match value.as_str() {
            Some(text) if !shape.sensitive => format!(" '{text}'"),
            Some(_) | None => String::new(),
        };
        breaches.push(Breach {
            member: path.to_owned(),
            message: format!(
                "Value{shown} at '{path}' failed to satisfy constraint: Member must {what}"
            ),
        });
    };
    if let Some(text) = value.as_str() {
        check_length(shape, text.chars().count(), &mut breach);
        if !shape.values.is_empty() && !shape.values.iter().any(|allowed| allowed == text) {
            breach(&format!(
                "satisfy enum value set: [{}]",
                shape.values.join(", ")
            ));
        }
        if let Some(pattern) = &shape.pattern
            && !shape.matches(text)
        {
            breach(&format!("satisfy regular expression pattern: {pattern}"));
        }
    } else if let Some(number) = value.as_i64() {
        if let Some(min) = shape.min.filter(|min| number < *min) {
            breach(&format!("have value greater than or equal to {min}"));
        }
        if let Some(max) = shape.max.filter(|max| number > *max) {
            breach(&format!("have value less than or equal to {max}"));
        }
    } else if let Some(list) = value.as_array() {
        check_length(shape, list.len(), &mut breach);
        if let Some(target) = &shape.member {
            for (index, entry) in list.iter().enumerate() {
                let path = format!("{path}.{}.member", index + 1);
                check_constraints(target, entry, &path, breaches);
            }
        }
    } else if let Some(object) = value.as_object() {
        if shape.kind == Kind::Map {
            check_length(shape, object.len(), &mut breach);
            for (name, entry) in object {
                if let Some(target) = &shape.key {
                    check_constraints(target, &Value::from(name.as_str()), path, breaches);
                }
                if let Some(target) = &shape.value {
                    check_constraints(target, entry, &child(path, name), breaches);
                }
            }
        } else {
            check_members(shape, object, path, breaches);
        }
    }
}

fn check_members(
    shape: &Shape,
    object: &Map<String, Value>,
    path: &str,
    breaches: &mut Vec<Breach>,
) {
    let mut breach = |member: String, what: &str| {
        let message =
            format!("Value null at '{member}' failed to satisfy constraint: Member must {what}");
        breaches.push(Breach { member, message });
    };
    for name in &shape.required {
        if object.get(name).is_none_or(Value::is_null) {
            breach(child(path, name), "not be null");
        }
    }
    if shape.union && object.values().filter(|value| !value.is_null()).count() != 1 {
        let members: Vec<&str> = shape.members.keys().map(String::as_str).collect();
        breach(
            path.to_owned(),
            &format!("have exactly one of: {}", members.join(", ")),
        );
    }
    for (name, target) in &shape.members {
        if let Some(member) = object.get(name) {
            check_constraints(target, member, &child(path, name), breaches);
        }
    }
}

fn check_length(shape: &Shape, length: usize, breach: &mut impl FnMut(&str)) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if let Some(min) = shape.min.filter(|min| length < *min) {
        breach(&format!("have length greater than or equal to {min}"));
    }
    if let Some(max) = shape.max.filter(|max| length > *max) {
        breach(&format!("have length less than or equal to {max}"));
    }
}

fn child(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::MODEL;

    #[test]
    fn every_pattern_of_the_model_is_understood_and_every_shape_is_there() {
        for (name, shape) in &MODEL.shapes {
            if let Some(pattern) = &shape.pattern {
                shape.matches("");
                let compiled = shape.compiled.get().and_then(Option::as_ref);
                assert!(compiled.is_some(), "{name}: {pattern}");
            }
            let parts = [&shape.member, &shape.key, &shape.value];
            for target in shape.members.values().chain(parts.into_iter().flatten()) {
                assert!(MODEL.shapes.contains_key(target), "{name}: {target}");
            }
        }
        for operation in MODEL.operations.values() {
            assert!(MODEL.shapes.contains_key(&operation.input));
        }
    }
}
