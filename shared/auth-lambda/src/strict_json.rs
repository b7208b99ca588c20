//! JSON read strictly: an object, no key twice, no deep nesting. Two readers of one text must not see two things.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// The deepest nesting taken. The contract's own inputs nest two levels.
const DEEPEST: u8 = 16;

/// Why a text is not taken. Says where, never what: the text may hold secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    /// Not JSON, not an object, or nested too deep.
    NotAnObject,
    /// A key stands twice.
    DuplicateKey,
}

/// Marks the error of a repeated key, since `serde_json` passes messages only.
const DUPLICATE: &str = "duplicate key";

/// Reads one JSON object and nothing behind it.
pub(crate) fn parse_object(text: &str) -> Result<Map<String, Value>, Malformed> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Strict { depth: DEEPEST }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(object)) => Ok(object),
        Err(error) if error.to_string().starts_with(DUPLICATE) => Err(Malformed::DuplicateKey),
        Ok(
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_),
        )
        | Err(_) => Err(Malformed::NotAnObject),
    }
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
            .ok_or_else(|| E::custom("nested too deep"))
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

    #[test]
    fn a_key_may_not_stand_twice_at_any_depth() {
        assert_eq!(
            parse_object(r#"{"a":1,"a":2}"#),
            Err(Malformed::DuplicateKey)
        );
        assert_eq!(
            parse_object(r#"{"x":{"a":1,"\u0061":2}}"#),
            Err(Malformed::DuplicateKey)
        );
    }

    #[test]
    fn nothing_else_is_taken() {
        let deep = format!("{}1{}", "{\"a\":".repeat(10_000), "}".repeat(10_000));
        for text in [
            "",
            "null",
            "[]",
            "\"x\"",
            "1",
            "{",
            "{}{}",
            "{'a':1}",
            "{\"a\":1,}",
            "\u{feff}{}",
            &deep,
            &"[".repeat(100_000),
        ] {
            assert_eq!(parse_object(text), Err(Malformed::NotAnObject));
        }
        assert!(parse_object(&format!("{}1{}", "{\"a\":".repeat(16), "}".repeat(16))).is_ok());
        assert!(parse_object(&format!("{}1{}", "{\"a\":".repeat(17), "}".repeat(17))).is_err());
    }
}
