//! JSON in one spelling.

use serde_json::Value;
use std::collections::BTreeMap;

/// Canonical JSON: object keys in byte order, no white space. Equal values give equal text.
///
/// Written out here because `serde_json`'s own key order depends on a feature that any dependency may turn on.
#[must_use]
pub fn canonical_json(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<_, _> = map.iter().collect();
            out.push('{');
            for (index, (key, item)) in sorted.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::String(key.clone()).to_string());
                out.push(':');
                write(item, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_of_keys_does_not_matter_and_everything_else_does() {
        let parse = |text: &str| canonical_json(&serde_json::from_str(text).unwrap());
        assert_eq!(
            parse(r#"{ "b": [1, {"d": 2, "c": 3}], "a": "x\n" }"#),
            r#"{"a":"x\n","b":[1,{"c":3,"d":2}]}"#
        );
        assert_ne!(parse("[1,2]"), parse("[2,1]"));
        assert_ne!(parse(r#"{"a":null}"#), parse("{}"));
    }
}
