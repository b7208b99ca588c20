//! The requirements of AWS's own service model for a request: members, types, lengths, patterns and
//! enumerations.
//!
//! `tools/service_model.py` extracts a stand-in's `model.json` from botocore's description of the
//! service. So paths, constraints and the words of a violation are AWS's.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use regex::Regex;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::wire::Protocol;

/// A service's model.
#[derive(Debug)]
pub struct Model {
    protocol: Protocol,
    refuses_unknown_members: bool,
    described: Described,
}

#[derive(Debug, Deserialize)]
struct Described {
    operations: HashMap<String, Operation>,
    shapes: HashMap<String, Shape>,
}

/// An operation of the model.
#[derive(Debug, Deserialize)]
pub struct Operation {
    input: String,
    path: String,
    /// The HTTP status of a success.
    pub status: u16,
}

#[derive(Debug, Deserialize)]
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

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
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

impl Kind {
    fn is_the_type_of(self, value: &Value) -> bool {
        match self {
            Self::Structure | Self::Map => value.is_object(),
            Self::List => value.is_array(),
            Self::String => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Integer => value.as_i64().is_some_and(|n| i32::try_from(n).is_ok()),
            Self::Long => value.is_i64(),
        }
    }
}

impl Shape {
    /// Java's `matches`: it compares the whole value.
    fn matches(&self, text: &str) -> bool {
        let compiled = self.compiled.get_or_init(|| {
            let pattern = in_ascii(self.pattern.as_deref()?);
            Regex::new(&format!(r"\A(?:{pattern})\z")).ok()
        });
        compiled.as_ref().is_none_or(|regex| regex.is_match(text))
    }
}

/// The pattern with Java's meaning of `\w` and `\d`: ASCII alone. Unicode's takes ten times the
/// memory, too. A class within a class is their union.
fn in_ascii(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut rest = pattern.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            written.push(character);
            continue;
        }
        match rest.next() {
            Some('w') => written.push_str("[0-9A-Za-z_]"),
            Some('d') => written.push_str("[0-9]"),
            escaped => written.extend(std::iter::once('\\').chain(escaped)),
        }
    }
    written
}

/// The reason why a body does not fit the operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A member has another type, or is unknown. The service stops at the first one.
    Unreadable(String),
    /// Members break rules of the model: all of them.
    Breached(Vec<Breach>),
}

/// A member that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Its path, such as `userIdentifier.userId`.
    pub member: String,
    /// The rule in AWS's words, the value included unless it is sensitive.
    pub message: String,
}

/// All breaches in one sentence.
#[must_use]
pub fn summary(breaches: &[Breach]) -> String {
    let plural = if breaches.len() == 1 { "" } else { "s" };
    let said: Vec<&str> = breaches
        .iter()
        .map(|breach| breach.message.as_str())
        .collect();
    format!(
        "{} validation error{plural} detected: {}",
        breaches.len(),
        said.join("; ")
    )
}

impl Model {
    /// Reads a `model.json`. The protocol decides the words.
    ///
    /// # Panics
    ///
    /// Panics if the text is not a model: the file is part of the program.
    #[must_use]
    pub fn read(text: &str, protocol: Protocol) -> Self {
        #[expect(
            clippy::expect_used,
            reason = "the file is part of the program, and every test reads it"
        )]
        let described = serde_json::from_str(text).expect("model.json is a service model");
        Self {
            protocol,
            refuses_unknown_members: false,
            described,
        }
    }

    /// Refuses members that the model lacks. AWS passes over them, but a newer SDK may send one
    /// that means something, and leaving that out in silence would be worse.
    #[must_use]
    pub fn refusing_unknown_members(mut self) -> Self {
        self.refuses_unknown_members = true;
        self
    }

    /// The operation of this name, with the name as the model keeps it.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<(&str, &Operation)> {
        self.described
            .operations
            .get_key_value(name)
            .map(|(name, operation)| (name.as_str(), operation))
    }

    /// The operation that a path means, with its name.
    #[must_use]
    pub fn operation_at(&self, path: &str) -> Option<(&str, &Operation)> {
        self.described
            .operations
            .iter()
            .find(|(_, operation)| operation.path == path)
            .map(|(name, operation)| (name.as_str(), operation))
    }

    /// Checks the body of a call against the model: first the types, then all constraints.
    pub fn check(&self, operation: &str, body: &Value) -> Result<(), Unfit> {
        let Some((_, operation)) = self.operation(operation) else {
            return Err(Unfit::Unreadable("there is no such operation".to_owned()));
        };
        self.check_types(&operation.input, body, "")
            .map_err(Unfit::Unreadable)?;
        let mut breaches = Vec::new();
        self.check_constraints(&operation.input, body, "", &mut breaches);
        if breaches.is_empty() {
            Ok(())
        } else {
            Err(Unfit::Breached(breaches))
        }
    }

    /// The model's flaws, which a stand-in's test asserts to be empty: unsupported patterns, and
    /// shapes that are named but missing.
    #[must_use]
    pub fn flaws(&self) -> Vec<String> {
        let shapes = &self.described.shapes;
        let mut flaws = Vec::new();
        for (name, shape) in shapes {
            shape.matches("");
            if let Some(pattern) = &shape.pattern
                && shape.compiled.get().is_none_or(Option::is_none)
            {
                flaws.push(format!("{name}: {pattern}"));
            }
            let parts = [&shape.member, &shape.key, &shape.value];
            for target in shape.members.values().chain(parts.into_iter().flatten()) {
                if !shapes.contains_key(target) {
                    flaws.push(format!("{name}: {target}"));
                }
            }
        }
        let inputs = self.described.operations.values();
        flaws.extend(
            inputs
                .filter(|operation| !shapes.contains_key(&operation.input))
                .map(|operation| operation.input.clone()),
        );
        flaws
    }

    fn check_types(&self, shape: &str, value: &Value, path: &str) -> Result<(), String> {
        let Some(shape) = self.described.shapes.get(shape) else {
            return Ok(());
        };
        if value.is_null() {
            return Ok(());
        }
        if !shape.kind.is_the_type_of(value) {
            return Err(self.protocol.mistyped(shape.kind, value, path));
        }
        if let Some(object) = value.as_object() {
            for (name, member) in object {
                let target = match shape.kind {
                    Kind::Map => shape.value.as_ref(),
                    Kind::Structure
                    | Kind::List
                    | Kind::String
                    | Kind::Boolean
                    | Kind::Integer
                    | Kind::Long => shape.members.get(name),
                };
                let path = self.protocol.member(path, name);
                if let Some(target) = target {
                    self.check_types(target, member, &path)?;
                } else if self.refuses_unknown_members {
                    return Err(format!("this stand-in knows no member {path}"));
                }
            }
        } else if let Some(list) = value.as_array()
            && let Some(target) = &shape.member
        {
            for entry in list {
                self.check_types(target, entry, path)?;
            }
        }
        Ok(())
    }

    fn check_constraints(
        &self,
        shape: &str,
        value: &Value,
        path: &str,
        breaches: &mut Vec<Breach>,
    ) {
        let Some(shape) = self.described.shapes.get(shape) else {
            return;
        };
        let mut breach = |rule: &str| {
            let shown = if shape.sensitive {
                String::new()
            } else {
                self.protocol.shown(value)
            };
            breaches.push(Breach::new(path, &shown, rule));
        };
        if let Some(text) = value.as_str() {
            check_length(shape, self.protocol.length(text), &mut breach);
            if !shape.values.is_empty() && !shape.values.iter().any(|allowed| allowed == text) {
                let allowed = shape.values.join(", ");
                breach(&format!("satisfy enum value set: [{allowed}]"));
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
                    self.check_constraints(target, entry, &path, breaches);
                }
            }
        } else if let Some(object) = value.as_object() {
            if shape.kind == Kind::Map {
                check_length(shape, object.len(), &mut breach);
                self.check_entries(shape, object, path, breaches);
            } else {
                self.check_members(shape, object, path, breaches);
            }
        }
    }

    fn check_entries(
        &self,
        shape: &Shape,
        object: &Map<String, Value>,
        path: &str,
        breaches: &mut Vec<Breach>,
    ) {
        for (name, entry) in object {
            if let Some(target) = &shape.key {
                self.check_constraints(target, &Value::from(name.as_str()), path, breaches);
            }
            if let Some(target) = &shape.value {
                self.check_constraints(target, entry, &format!("{path}.{name}"), breaches);
            }
        }
    }

    fn check_members(
        &self,
        shape: &Shape,
        object: &Map<String, Value>,
        path: &str,
        breaches: &mut Vec<Breach>,
    ) {
        for name in &shape.required {
            if object.get(name).is_none_or(Value::is_null) {
                let member = self.protocol.member(path, name);
                breaches.push(Breach::new(&member, " null", "not be null"));
            }
        }
        if shape.union && object.values().filter(|value| !value.is_null()).count() != 1 {
            let members: Vec<&str> = shape.members.keys().map(String::as_str).collect();
            let rule = format!("have exactly one of: {}", members.join(", "));
            breaches.push(Breach::new(path, " null", &rule));
        }
        for (name, target) in &shape.members {
            if let Some(member) = object.get(name) {
                let path = self.protocol.member(path, name);
                self.check_constraints(target, member, &path, breaches);
            }
        }
    }
}

impl Breach {
    fn new(member: &str, shown: &str, rule: &str) -> Self {
        Self {
            member: member.to_owned(),
            message: format!(
                "Value{shown} at '{member}' failed to satisfy constraint: Member must {rule}"
            ),
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

/// The differences of the two protocols over the same model.
impl Protocol {
    /// The path of a member. To JSON 1.1, `UserAttributes` of the model is `userAttributes` in a
    /// message.
    fn member(self, path: &str, name: &str) -> String {
        let mut member = String::with_capacity(path.len() + name.len() + 1);
        if !path.is_empty() {
            member.push_str(path);
            member.push('.');
        }
        let mut letters = name.chars();
        if self == Self::Json11 {
            member.extend(letters.next().map(|first| first.to_ascii_lowercase()));
        }
        member.extend(letters);
        member
    }

    /// How long a text is: in Java's characters, or in Unicode's.
    fn length(self, text: &str) -> usize {
        match self {
            Self::Json11 => text.encode_utf16().count(),
            Self::RestJson => text.chars().count(),
        }
    }

    /// A value inside a message: as Java prints it, or only if it is text.
    fn shown(self, value: &Value) -> String {
        match (self, value.as_str()) {
            (_, Some(text)) => format!(" '{text}'"),
            (Self::Json11, None) => format!(" '{}'", printed(value)),
            (Self::RestJson, None) => String::new(),
        }
    }

    fn mistyped(self, wanted: Kind, value: &Value, path: &str) -> String {
        match self {
            Self::Json11 => unconvertible(wanted, value),
            Self::RestJson => {
                let place = if path.is_empty() { "the body" } else { path };
                let wanted = match wanted {
                    Kind::Structure | Kind::Map => "an object",
                    Kind::List => "a list",
                    Kind::String => "text",
                    Kind::Boolean => "true or false",
                    Kind::Integer | Kind::Long => "a whole number",
                };
                format!("{place} is not {wanted}")
            }
        }
    }
}

/// The message of the serializer in front of a JSON 1.1 service.
fn unconvertible(wanted: Kind, value: &Value) -> String {
    let found = if value.is_object() {
        return "Start of structure or map found where not expected.".to_owned();
    } else if value.is_array() {
        return "Start of list found where not expected.".to_owned();
    } else if value.is_string() {
        "STRING_VALUE"
    } else if value.is_number() {
        "NUMBER_VALUE"
    } else if value == &Value::Bool(true) {
        "TRUE_VALUE"
    } else {
        "FALSE_VALUE"
    };
    let wanted = match wanted {
        Kind::Structure | Kind::Map | Kind::List => return "Unexpected field type".to_owned(),
        Kind::String => "String",
        Kind::Boolean => "Boolean",
        Kind::Integer => "Integer",
        Kind::Long => "Long",
    };
    format!("{found} can not be converted to a {wanted}")
}

fn printed(value: &Value) -> String {
    if let Some(text) = value.as_str() {
        return text.to_owned();
    }
    if let Some(list) = value.as_array() {
        let entries: Vec<String> = list.iter().map(printed).collect();
        return format!("[{}]", entries.join(", "));
    }
    value.to_string()
}
