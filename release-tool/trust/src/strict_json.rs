//! JSON that has one meaning only.
//!
//! Parsers disagree about an object with two members of one name: some take the first, some the last, some merge them.
//! Of a signed document that is an attack: one reader checks what another never sees. Such a document is refused here.

use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads one JSON text in UTF-8. White space around it is fine, as is any member that `T` does not know.
///
/// # Errors
/// When it is not JSON, goes on after the value, holds a member twice at any depth, or is not of `T`'s shape.
pub(crate) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(text);
    let value = Strict.deserialize(&mut reader)?;
    reader.end()?;
    serde_json::from_value(value)
}

struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, reader: D) -> Result<Value, D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut found = Vec::new();
        while let Some(item) = items.next_element_seed(Strict)? {
            found.push(item);
        }
        Ok(Value::Array(found))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut found = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let value = members.next_value_seed(Strict)?;
            if found.contains_key(&name) {
                return Err(A::Error::custom(format_args!(
                    "the member `{}` stands twice in one object",
                    name.escape_debug()
                )));
            }
            found.insert(name, value);
        }
        Ok(Value::Object(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_json_is_read_as_everywhere() {
        let text = br#" {"a": [1, -2, 0.5, true, null, "x\u00e4"], "b": {"a": 1}} "#;
        let expected: Value = serde_json::from_slice(text).unwrap();
        assert_eq!(parse::<Value>(text).unwrap(), expected);
    }

    #[test]
    fn what_readers_disagree_about_is_refused() {
        for (text, reason) in [
            (r#"{"a":1,"a":1}"#, "`a` stands twice"),
            (r#"{"a":1,"\u0061":2}"#, "`a` stands twice"),
            (r#"[{"b":{"c":1,"d":2,"c":3}}]"#, "`c` stands twice"),
            ("{} {}", "trailing characters"),
            ("{}\0", "trailing characters"),
            ("{\"a\":1,}", "trailing comma"),
            ("", "EOF"),
        ] {
            let error = parse::<Value>(text.as_bytes()).unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
        assert!(parse::<Value>(b"\"\xff\"").is_err(), "not UTF-8");
        let deep = "[".repeat(1000);
        let error = parse::<Value>(deep.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("recursion limit"), "{error}");
    }
}
