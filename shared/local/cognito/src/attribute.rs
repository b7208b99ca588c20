//! Attributes of a request, compared with the pool's schema.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::refusal::Refusal;

/// The attributes that every pool has (`OpenID` Connect Core section 5.1), `sub` aside.
const STANDARD: [(&str, DataType); 19] = [
    ("address", DataType::String),
    ("birthdate", DataType::String),
    ("email", DataType::String),
    ("email_verified", DataType::Boolean),
    ("family_name", DataType::String),
    ("gender", DataType::String),
    ("given_name", DataType::String),
    ("locale", DataType::String),
    ("middle_name", DataType::String),
    ("name", DataType::String),
    ("nickname", DataType::String),
    ("phone_number", DataType::String),
    ("phone_number_verified", DataType::Boolean),
    ("picture", DataType::String),
    ("preferred_username", DataType::String),
    ("profile", DataType::String),
    ("updated_at", DataType::Number),
    ("website", DataType::String),
    ("zoneinfo", DataType::String),
];

/// `{Name, Value}` of a request.
#[derive(Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Attribute {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) value: String,
}

/// An attribute of a pool's schema.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SchemaAttribute {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) required: bool,
    /// A custom attribute without a type is text; a standard one has its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    attribute_data_type: Option<DataType>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    string_attribute_constraints: Option<StringConstraints>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number_attribute_constraints: Option<NumberConstraints>,
    #[serde(flatten)]
    shown_only: Map<String, Value>,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum DataType {
    String,
    Number,
    DateTime,
    Boolean,
}

/// Numbers in text, as the wire has them.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StringConstraints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_length: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_length: Option<String>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NumberConstraints {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_value: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    max_value: Option<String>,
}

impl SchemaAttribute {
    /// Checks a schema's attribute against AWS's rules.
    pub(crate) fn check(&self) -> Result<(), Refusal> {
        if self.required && !is_standard(&self.name) {
            return Err(Refusal::invalid(
                "Required custom attributes are not supported currently.",
            ));
        }
        let strings = self.string_attribute_constraints.as_ref();
        let numbers = self.number_attribute_constraints.as_ref();
        let bounds = [
            strings.and_then(|text| text.min_length.as_deref()),
            strings.and_then(|text| text.max_length.as_deref()),
            numbers.and_then(|number| number.min_value.as_deref()),
            numbers.and_then(|number| number.max_value.as_deref()),
        ];
        if bounds
            .into_iter()
            .flatten()
            .any(|bound| number(bound).is_none())
        {
            return Err(Refusal::invalid(format!(
                "Invalid constraints of the attribute {}: a bound is not a number.",
                self.name
            )));
        }
        Ok(())
    }

    fn is_called(&self, name: &str) -> bool {
        let bare = name.strip_prefix("custom:").unwrap_or(name);
        self.name == name || self.name == bare
    }

    /// The constraint of this attribute that a value breaks.
    fn breach(&self, value: &str, data_type: DataType) -> Option<&'static str> {
        let outside = |value: f64, least: Option<&str>, most: Option<&str>| {
            let least = least.and_then(number);
            let most = most.and_then(number);
            least.is_some_and(|least| value < least) || most.is_some_and(|most| value > most)
        };
        let strings = self.string_attribute_constraints.as_ref();
        let numbers = self.number_attribute_constraints.as_ref();
        match (data_type, strings, numbers, number(value)) {
            (DataType::String, Some(text), _, _) => {
                let length = u32::try_from(value.encode_utf16().count()).unwrap_or(u32::MAX);
                let (least, most) = (text.min_length.as_deref(), text.max_length.as_deref());
                outside(length.into(), least, most).then_some("String length is out of bounds.")
            }
            (DataType::Number, _, Some(bounds), Some(value)) => {
                let (least, most) = (bounds.min_value.as_deref(), bounds.max_value.as_deref());
                outside(value, least, most).then_some("Number is out of bounds.")
            }
            (DataType::String, None, _, _)
            | (DataType::Number | DataType::DateTime | DataType::Boolean, _, _, _) => None,
        }
    }
}

/// Whether every pool has this attribute.
pub(crate) fn is_standard(name: &str) -> bool {
    name == "sub" || standard_type(name).is_some()
}

fn standard_type(name: &str) -> Option<DataType> {
    let found = STANDARD.iter().find(|(standard, _)| *standard == name);
    found.map(|(_, data_type)| *data_type)
}

/// Checks new attributes against the pool's schema. An empty value removes an attribute, and has no
/// form.
pub(crate) fn check_attributes(
    schema: &[SchemaAttribute],
    attributes: &[Attribute],
) -> Result<(), Refusal> {
    for Attribute { name, value } in attributes {
        if name == "sub" {
            return Err(Refusal::invalid(
                "Cannot modify the non-mutable attribute sub",
            ));
        }
        let entry = schema.iter().find(|entry| entry.is_called(name));
        let custom = entry.filter(|_| name.starts_with("custom:"));
        let custom = custom.map(|entry| entry.attribute_data_type.unwrap_or(DataType::String));
        let Some(data_type) = standard_type(name).or(custom) else {
            return Err(misfit(name, "Attribute does not exist in the schema."));
        };
        if value.is_empty() {
            continue;
        }
        check_form(name, value)?;
        let fault = match data_type {
            DataType::Number if number(value).is_none() => Some("Value is not a number."),
            DataType::Boolean if !matches!(value.as_str(), "true" | "false") => {
                Some("Value is not true or false.")
            }
            DataType::String | DataType::Number | DataType::DateTime | DataType::Boolean => {
                entry.and_then(|entry| entry.breach(value, data_type))
            }
        };
        if let Some(fault) = fault {
            return Err(misfit(name, fault));
        }
    }
    Ok(())
}

fn misfit(name: &str, fault: &str) -> Refusal {
    Refusal::invalid(format!(
        "Attributes did not conform to the schema: {name}: {fault}"
    ))
}

/// The forms that the developer guide demands of standard attributes ("Working with user
/// attributes"): E.164 for numbers, ten characters of a date.
fn check_form(name: &str, value: &str) -> Result<(), Refusal> {
    match name {
        "email" if !is_email(value) => Err(Refusal::invalid("Invalid email address format.")),
        "phone_number" if !is_phone_number(value) => {
            Err(Refusal::invalid("Invalid phone number format."))
        }
        "birthdate" if !is_date(value) => Err(misfit(name, "Value is not a date (YYYY-MM-DD).")),
        _ => Ok(()),
    }
}

/// Cognito's few rules for an address: one local part, one domain, no character that could end a
/// header line.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    !local.is_empty()
        && !domain.is_empty()
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && domain.contains('.')
        && !text
            .chars()
            .any(|letter| letter.is_whitespace() || letter.is_control())
}

/// E.164: a plus, and at most fifteen digits that begin with a country's.
fn is_phone_number(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (2..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// `YYYY-MM-DD`, of an existing day.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &str, count| {
        let is_number = part.len() == count && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u32>().ok()).flatten()
    };
    let [year, month, day] = parts[..] else {
        return false;
    };
    let (Some(year), Some(month), Some(day)) = (digits(year, 4), digits(month, 2), digits(day, 2))
    else {
        return false;
    };
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 if is_leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        _ => 0,
    };
    (1..=days).contains(&day)
}

/// A number of an attribute: digits with a sign and a fraction at most.
fn number(text: &str) -> Option<f64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let number: f64 = text.parse().ok()?;
    (is_digits(whole) && is_digits(fraction)).then_some(number)
}
