//! An operation's input, field by field, with every broken field named at once.

use std::{fmt::Display, str::FromStr};

use auth_domain::{Email, FieldProblem, NewPassword, Problem};
use serde_json::{Map, Value};

use crate::strict_json::{self, Malformed};

/// The fields of an input. Those that nobody asks for are ignored, as the contract promises.
pub struct Fields {
    fields: Map<String, Value>,
    problems: Vec<FieldProblem>,
}

/// What a patch does to one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Patch<T> {
    /// It was absent: the field stays as it is.
    Keep,
    /// It was null: the field goes.
    Clear,
    /// It had a value.
    Set(T),
}

/// Reads the text of a JSON object into fields.
pub fn parse_object(text: &str) -> Result<Fields, Problem> {
    let (code, message) = match strict_json::parse_object(text) {
        Ok(object) => return Ok(Fields::new(object)),
        Err(Malformed::NotAnObject) => (
            "type",
            "must be one JSON object, nested no deeper than 16 levels",
        ),
        Err(Malformed::DuplicateKey) => ("duplicate", "must not name a key twice"),
    };
    Err(Problem::ValidationFailed(vec![FieldProblem {
        field: "body".to_owned(),
        code,
        message: message.to_owned(),
    }]))
}

impl Fields {
    /// The fields of an object.
    #[must_use]
    pub fn new(fields: Map<String, Value>) -> Self {
        Self {
            fields,
            problems: Vec::new(),
        }
    }

    /// A field that must be there, as text that parses. `None` only where [`Fields::finish`] will refuse.
    pub fn required<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        let value = self.optional(name);
        let named = self.problems.iter().any(|problem| problem.field == name);
        if value.is_none() && !named {
            self.problem(name, "required", "must be given".to_owned());
        }
        value
    }

    /// A field that may be absent or null, as text that parses.
    pub fn optional<T>(&mut self, name: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        match self.fields.get(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => match text.parse() {
                Ok(value) => Some(value),
                Err(error) => {
                    self.problem(name, "invalid", T::Err::to_string(&error));
                    None
                }
            },
            Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.problem(name, "type", "must be a string".to_owned());
                None
            }
        }
    }

    /// A field that must be there, as a password that is to be `email`'s. Every rule that it breaks is named.
    pub fn new_password(&mut self, name: &str, email: Option<&Email>) -> Option<NewPassword> {
        let text: String = self.required(name)?;
        match NewPassword::parse(&text, email) {
            Ok(password) => Some(password),
            Err(broken) => {
                for rule in broken {
                    self.problem(name, rule.code(), rule.to_string());
                }
                None
            }
        }
    }

    /// A field of a patch, where absent, null and a value mean three things.
    pub fn patch<T>(&mut self, name: &str) -> Patch<T>
    where
        T: FromStr,
        T::Err: Display,
    {
        if self.fields.contains_key(name) {
            self.optional(name).map_or(Patch::Clear, Patch::Set)
        } else {
            Patch::Keep
        }
    }

    /// A switch, off unless given.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.fields.get(name) {
            None | Some(Value::Null) => false,
            Some(Value::Bool(value)) => *value,
            Some(Value::String(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                self.problem(name, "type", "must be true or false".to_owned());
                false
            }
        }
    }

    /// Names a field as broken by a rule that its own type cannot know.
    pub fn problem(&mut self, field: &str, code: &'static str, message: String) {
        self.problems.push(FieldProblem {
            field: field.to_owned(),
            code,
            message,
        });
    }

    /// The problem of a field that one way of calling needs, and that did not come.
    #[must_use]
    pub fn missing(name: &str) -> Problem {
        Problem::ValidationFailed(vec![FieldProblem {
            field: name.to_owned(),
            code: "required",
            message: "must be given".to_owned(),
        }])
    }

    /// Refuses the input if any field was broken.
    pub fn finish(&mut self) -> Result<(), Problem> {
        let problems = std::mem::take(&mut self.problems);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Problem::ValidationFailed(problems))
        }
    }

    /// Like [`Fields::finish`], with the value that only a clean parse produced.
    pub fn finish_with<T>(&mut self, value: Option<T>) -> Result<T, Problem> {
        self.finish()?;
        value.ok_or_else(|| Problem::ValidationFailed(Vec::new()))
    }

    pub(crate) fn set(&mut self, name: &str, value: Value) {
        self.fields.insert(name.to_owned(), value);
    }

    pub(crate) fn take(&mut self, name: &str) -> Option<Value> {
        self.fields.remove(name)
    }
}
