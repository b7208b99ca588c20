//! Strict JSON: an object, no duplicate key, no deep nesting. Two parsers of one text must not read
//! two different inputs.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The deepest accepted nesting. The contract's own inputs nest two levels.
const DEEPEST: u8 = 16;

/// The reason why a text is refused: a code to branch on, and a sentence with the broken rule and
/// its place. It never quotes the text, which may contain secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Malformed {
    pub(crate) code: &'static str,
    pub(crate) message: String,
}

/// Marks the error of a repeated key, since `serde_json` passes messages only.
const DUPLICATE: &str = "must not name a key twice";

/// Marks the error of nesting, for the same reason.
const TOO_DEEP: &str = "must be nested no deeper than 16 levels";

/// Reads exactly one JSON object.
pub(crate) fn parse_object(text: &str) -> Result<Map<String, Value>, Malformed> {
    if text.starts_with('\u{feff}') {
        return Err(Malformed {
            code: "byte_order_mark",
            message: "must not begin with a byte order mark".to_owned(),
        });
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: DEEPEST }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        ) => Err(Malformed {
            code: "type",
            message: "must be one JSON object".to_owned(),
        }),
        Err(error) => Err(malformed(&error)),
    }
}

/// Every error of `serde_json` ends in its place, "at line 1 column 7". Those of its syntax are
/// fixed phrases.
fn malformed(error: &serde_json::Error) -> Malformed {
    let reason = error.to_string();
    let (code, message) = if reason.starts_with(DUPLICATE) {
        ("duplicate", reason)
    } else if reason.starts_with(TOO_DEEP) {
        ("too_deep", reason)
    } else {
        ("not_json", format!("must be JSON: {reason}"))
    };
    Malformed { code, message }
}

#[derive(Clone, Copy)]
struct Strict {
    depth: u8,
}

impl Strict {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        self.depth
            .checked_sub(1)
            .map(|depth| Self { depth })
            .ok_or_else(|| E::custom(TOO_DEEP))
    }
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut array = Vec::new();
        while let Some(element) = elements.next_element_seed(inner)? {
            array.push(element);
        }
        Ok(Value::Array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            let value = entries.next_value_seed(inner)?;
            if object.insert(key, value).is_some() {
                return Err(A::Error::custom(DUPLICATE));
            }
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_read_as_it_stands() {
        let object = parse_object(r#" {"a":{"b":[1,-2,2.5,"x",null,true]}} "#).unwrap();
        assert_eq!(
            Value::Object(object),
            serde_json::json!({"a":{"b":[1,-2,2.5,"x",null,true]}})
        );
    }

    fn refused(text: &str) -> (&'static str, String) {
        let malformed = parse_object(text).expect_err("it is refused");
        (malformed.code, malformed.message)
    }

    #[test]
    fn each_fault_is_named_with_its_place() {
        for (text, code, message) in [
            (
                "",
                "not_json",
                "must be JSON: EOF while parsing a value at line 1 column 0",
            ),
            ("null", "type", "must be one JSON object"),
            ("[]", "type", "must be one JSON object"),
            ("\"x\"", "type", "must be one JSON object"),
            ("1", "type", "must be one JSON object"),
            (
                "{",
                "not_json",
                "must be JSON: EOF while parsing an object at line 1 column 1",
            ),
            (
                "{}{}",
                "not_json",
                "must be JSON: trailing characters at line 1 column 3",
            ),
            (
                "{'a':1}",
                "not_json",
                "must be JSON: key must be a string at line 1 column 2",
            ),
            (
                "{\"a\":1,}",
                "not_json",
                "must be JSON: trailing comma at line 1 column 8",
            ),
            (
                "{\"a\":\n1e400}",
                "not_json",
                "must be JSON: number out of range at line 2 column 5",
            ),
            (
                "{\"a\":\"\\ud800\"}",
                "not_json",
                "must be JSON: unexpected end of hex escape at line 1 column 13",
            ),
            (
                "\u{feff}{}",
                "byte_order_mark",
                "must not begin with a byte order mark",
            ),
            (
                r#"{"a":1,"a":2}"#,
                "duplicate",
                "must not name a key twice at line 1 column 13",
            ),
            (
                r#"{"x":{"a":1,"\u0061":2}}"#,
                "duplicate",
                "must not name a key twice at line 1 column 23",
            ),
        ] {
            assert_eq!(refused(text), (code, message.to_owned()), "{text}");
        }
    }

    #[test]
    fn sixteen_levels_are_taken_and_no_more() {
        let nested = |levels| format!("{}1{}", "{\"a\":".repeat(levels), "}".repeat(levels));
        assert!(parse_object(&nested(16)).is_ok());
        for text in [nested(17), nested(10_000), "[".repeat(100_000)] {
            let (code, message) = refused(&text);
            assert_eq!(code, "too_deep");
            assert!(message.contains(" at line 1 column "), "{message}");
        }
    }
}
