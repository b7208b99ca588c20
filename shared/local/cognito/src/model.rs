//! What AWS's own service model demands of a request: members, types, lengths, patterns and enumerations.
//!
//! `model.json` is taken from botocore's description of the service by `tools/extract_model.py`, so the constraints and
//! the words in which a breach is reported are not this crate's opinion.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::{LazyLock, OnceLock};

use regex::Regex;
use serde::Deserialize;
use serde_json::Value;

use crate::refusal::{Exception, Refusal};

static MODEL: LazyLock<Model> = LazyLock::new(|| {
    #[expect(
        clippy::expect_used,
        reason = "the file is part of the program, and every test reads it"
    )]
    serde_json::from_str(include_str!("model.json")).expect("model.json is the service model")
});

#[derive(Deserialize)]
struct Model {
    operations: HashMap<String, String>,
    shapes: HashMap<String, Shape>,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(rename = "type")]
    kind: Kind,
    #[serde(default)]
    members: BTreeMap<String, String>,
    #[serde(default)]
    required: Vec<String>,
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
    Long,
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

/// Whether the operation is one of those that this stand-in serves.
pub(crate) fn knows(operation: &str) -> bool {
    MODEL.operations.contains_key(operation)
}

/// Holds the body of a call of `operation` against the model: first the types, then the constraints, all of them.
pub(crate) fn check(operation: &str, body: &Value) -> Result<(), Refusal> {
    let Some(shape) = MODEL.operations.get(operation) else {
        return Err(Refusal::new(Exception::UnknownOperation, ""));
    };
    check_types(shape, body)?;
    let mut breaches = Vec::new();
    check_constraints(shape, body, "", &mut breaches);
    if breaches.is_empty() {
        return Ok(());
    }
    let plural = if breaches.len() == 1 { "" } else { "s" };
    Err(Refusal::invalid(format!(
        "{} validation error{plural} detected: {}",
        breaches.len(),
        breaches.join("; ")
    )))
}

/// The serializer in front of the service reads a body by its types and knows nothing of constraints.
fn check_types(shape: &str, value: &Value) -> Result<(), Refusal> {
    let Some(shape) = MODEL.shapes.get(shape) else {
        return Ok(());
    };
    if value.is_null() {
        return Ok(());
    }
    match shape.kind {
        Kind::Structure => {
            let object = value.as_object().ok_or_else(|| unexpected(value))?;
            for (name, target) in &shape.members {
                if let Some(member) = object.get(name) {
                    check_types(target, member)?;
                }
            }
        }
        Kind::Map => {
            let object = value.as_object().ok_or_else(|| unexpected(value))?;
            if let Some(target) = &shape.value {
                for entry in object.values() {
                    check_types(target, entry)?;
                }
            }
        }
        Kind::List => {
            let list = value.as_array().ok_or_else(|| unexpected(value))?;
            if let Some(target) = &shape.member {
                for entry in list {
                    check_types(target, entry)?;
                }
            }
        }
        Kind::String if value.is_string() => {}
        Kind::String => return Err(cannot_become(value, "String")),
        Kind::Boolean if value.is_boolean() => {}
        Kind::Boolean => return Err(cannot_become(value, "Boolean")),
        Kind::Integer if value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()) => {}
        Kind::Integer => return Err(cannot_become(value, "Integer")),
        Kind::Long if value.is_i64() => {}
        Kind::Long => return Err(cannot_become(value, "Long")),
    }
    Ok(())
}

fn unexpected(value: &Value) -> Refusal {
    if value.is_object() || value.is_array() {
        return cannot_become(value, "");
    }
    Refusal::new(Exception::Serialization, "Unexpected field type")
}

fn cannot_become(value: &Value, target: &str) -> Refusal {
    let found = if value.is_object() {
        return Refusal::new(
            Exception::Serialization,
            "Start of structure or map found where not expected.",
        );
    } else if value.is_array() {
        return Refusal::new(
            Exception::Serialization,
            "Start of list found where not expected.",
        );
    } else if value.is_string() {
        "STRING_VALUE"
    } else if value.is_number() {
        "NUMBER_VALUE"
    } else if value == &Value::Bool(true) {
        "TRUE_VALUE"
    } else {
        "FALSE_VALUE"
    };
    Refusal::new(
        Exception::Serialization,
        format!("{found} can not be converted to a {target}"),
    )
}

fn check_constraints(shape: &str, value: &Value, path: &str, breaches: &mut Vec<String>) {
    let Some(shape) = MODEL.shapes.get(shape) else {
        return;
    };
    let mut breach = |what: String| {
        let shown = if shape.sensitive {
            String::new()
        } else {
            format!(" '{}'", shown(value))
        };
        breaches.push(format!(
            "Value{shown} at '{path}' failed to satisfy constraint: Member must {what}"
        ));
    };
    if let Some(text) = value.as_str() {
        check_length(shape, text.encode_utf16().count(), &mut breach);
        if !shape.values.is_empty() && !shape.values.iter().any(|allowed| allowed == text) {
            breach(format!(
                "satisfy enum value set: [{}]",
                shape.values.join(", ")
            ));
        }
        if let Some(pattern) = &shape.pattern
            && !shape.matches(text)
        {
            breach(format!("satisfy regular expression pattern: {pattern}"));
        }
    } else if let Some(number) = value.as_i64() {
        if let Some(min) = shape.min.filter(|min| number < *min) {
            breach(format!("have value greater than or equal to {min}"));
        }
        if let Some(max) = shape.max.filter(|max| number > *max) {
            breach(format!("have value less than or equal to {max}"));
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
        for name in &shape.required {
            if object.get(name).is_none_or(Value::is_null) {
                breaches.push(format!(
                    "Value null at '{}' failed to satisfy constraint: Member must not be null",
                    child(path, name)
                ));
            }
        }
        for (name, target) in &shape.members {
            if let Some(member) = object.get(name) {
                check_constraints(target, member, &child(path, name), breaches);
            }
        }
        if shape.kind == Kind::Map {
            for (name, entry) in object {
                if let Some(target) = &shape.key {
                    check_constraints(target, &Value::from(name.as_str()), path, breaches);
                }
                if let Some(target) = &shape.value {
                    check_constraints(target, entry, &format!("{path}.{name}"), breaches);
                }
            }
        }
    }
}

fn check_length(shape: &Shape, length: usize, breach: &mut impl FnMut(String)) {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    if let Some(min) = shape.min.filter(|min| length < *min) {
        breach(format!("have length greater than or equal to {min}"));
    }
    if let Some(max) = shape.max.filter(|max| length > *max) {
        breach(format!("have length less than or equal to {max}"));
    }
}

/// `UserAttributes` of the model is `userAttributes` in a message.
fn child(path: &str, name: &str) -> String {
    let mut child = String::with_capacity(path.len() + name.len() + 1);
    if !path.is_empty() {
        child.push_str(path);
        child.push('.');
    }
    let mut letters = name.chars();
    child.extend(letters.next().map(|first| first.to_ascii_lowercase()));
    child.extend(letters);
    child
}

/// A value as Java prints it inside a message.
fn shown(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    let mut shown = String::new();
    if let Some(list) = value.as_array() {
        shown.push('[');
        for (index, entry) in list.iter().enumerate() {
            let comma = if index == 0 { "" } else { ", " };
            let _ = write!(shown, "{comma}{}", self::shown(entry));
        }
        shown.push(']');
    } else {
        let _ = write!(shown, "{value}");
    }
    shown
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
            let targets = shape.members.values();
            for target in targets.chain(
                [&shape.member, &shape.key, &shape.value]
                    .into_iter()
                    .flatten(),
            ) {
                assert!(MODEL.shapes.contains_key(target), "{name}: {target}");
            }
        }
        for shape in MODEL.operations.values() {
            assert!(MODEL.shapes.contains_key(shape));
        }
    }
}
