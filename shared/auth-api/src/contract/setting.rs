//! The functions' settings: kinds, defaults, bounds.

use serde::Deserialize;

use super::error::{ContractError, contradiction};

/// Something that functions read from their environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// The environment variable.
    pub name: String,
    /// The form of its text.
    pub kind: SettingKind,
    /// The default value, in the form of the environment; `none` if the setting is optional and
    /// off.
    pub default: Option<String>,
    /// The values that it may have.
    pub bounds: Bounds,
    /// Its makers. It cannot be configured there.
    pub made_by: Vec<Maker>,
    /// The unit of a number.
    pub unit: Option<String>,
    /// Its purpose.
    pub meaning: String,
}

/// The form of a setting's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SettingKind {
    /// Non-empty text.
    String,
    /// A whole number, zero or more.
    Integer,
    /// An absolute URL.
    Url,
}

/// The values that a setting may have, beyond its kind. If the default is [`NONE`], that is one
/// more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bounds {
    /// Any of its kind.
    Any,
    /// The whole numbers between these two, and they themselves.
    Between(u64, u64),
    /// One of these words.
    OneOf(Vec<String>),
}

/// A maker of a setting's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Maker {
    /// A deployment.
    Terraform,
    /// `cargo run`.
    Local,
}

/// The value of an optional setting without a value. The variable itself is always set, so a
/// missing one is noticed.
pub const NONE: &str = "none";

/// The reason why a value is invalid for a setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct UnfitValue(String);

impl Setting {
    /// Whether the setting may have this value, in the form of the environment. An error never
    /// repeats the value.
    pub fn check(&self, value: &str) -> Result<(), UnfitValue> {
        let optional = self.default.as_deref() == Some(NONE);
        if optional && value == NONE {
            return Ok(());
        }
        let (fits, mut wanted) = match (&self.bounds, self.kind) {
            (Bounds::OneOf(words), _) => (
                words.iter().any(|word| word == value),
                format!("one of {}", words.join(", ")),
            ),
            (Bounds::Between(least, most), _) => (
                is_plain_number(value)
                    && value
                        .parse()
                        .is_ok_and(|number: u64| (*least..=*most).contains(&number)),
                format!("a whole number from {least} to {most}"),
            ),
            (Bounds::Any, SettingKind::Integer) => {
                (is_plain_number(value), "a whole number".to_owned())
            }
            (Bounds::Any, SettingKind::Url) => (
                value
                    .split_once("://")
                    .is_some_and(|(scheme, rest)| !scheme.is_empty() && !rest.is_empty()),
                "an absolute URL".to_owned(),
            ),
            (Bounds::Any, SettingKind::String) => {
                (!value.is_empty(), "text that is not empty".to_owned())
            }
        };
        if fits {
            return Ok(());
        }
        if optional {
            wanted.push_str(", or none");
        }
        Err(UnfitValue(wanted))
    }
}

/// Only digits: no sign, no space.
fn is_plain_number(value: &str) -> bool {
    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SettingItem {
    #[serde(rename = "type")]
    kind: SettingKind,
    default: Option<SettingDefault>,
    minimum: Option<u64>,
    maximum: Option<u64>,
    #[serde(rename = "enum")]
    words: Option<Vec<String>>,
    #[serde(rename = "madeBy", default)]
    made_by: Vec<Maker>,
    unit: Option<String>,
    meaning: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum SettingDefault {
    Integer(u64),
    Text(String),
}

impl SettingItem {
    pub(super) fn named(self, name: String) -> Result<Setting, ContractError> {
        let bounds = match (self.kind, self.minimum, self.maximum, self.words) {
            (SettingKind::Integer, Some(least), Some(most), None) if least <= most => {
                Bounds::Between(least, most)
            }
            (SettingKind::String, None, None, Some(words)) if !words.is_empty() => {
                Bounds::OneOf(words)
            }
            (SettingKind::String | SettingKind::Url, None, None, None) => Bounds::Any,
            _ => {
                let reason = "a number has a minimum and a maximum, text may have an enum, and nothing else has bounds";
                return Err(contradiction(&name, reason));
            }
        };
        let is_number = matches!(self.default, Some(SettingDefault::Integer(_)));
        let setting = Setting {
            kind: self.kind,
            default: self.default.map(|default| match default {
                SettingDefault::Integer(number) => number.to_string(),
                SettingDefault::Text(text) => text,
            }),
            bounds,
            made_by: self.made_by,
            unit: self.unit,
            meaning: self.meaning,
            name,
        };
        if setting.default.is_none() && setting.made_by.is_empty() {
            let reason = "without a default, somebody must make it";
            return Err(contradiction(&setting.name, reason));
        }
        if let Some(default) = &setting.default {
            let fits = if default == NONE {
                !is_number
            } else {
                is_number == (setting.kind == SettingKind::Integer)
            };
            if !fits {
                return Err(contradiction(
                    &setting.name,
                    "the default is not of its type",
                ));
            }
            if let Err(unfit) = setting.check(default) {
                return Err(contradiction(&setting.name, format!("the default {unfit}")));
            }
        }
        Ok(setting)
    }
}
