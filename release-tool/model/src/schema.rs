//! JSON Schemas (draft 2020-12) of the files that others read, made from the types that write them.
//!
//! They describe what is written, and say of no object that it has no further members: readers ignore those that they do
//! not know. Texts with a rule have a pattern, as close to the rule as a regular expression gets: that the 31st of February is
//! no day is left to the reader.

use crate::{
    AdvisoryId, Arch, ArtifactKind, ArtifactName, ChannelName, Digest, KeyId, Manifest, Reason,
    SignedPointer, UtcTime, Version,
};
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use std::borrow::Cow;

/// The identifiers of the schemas; not addresses. The number is that of the format.
const BASE: &str = "https://releases.veridianos.org/schemas";

/// The JSON Schema of `manifest.json`, as it is published beside every manifest.
#[must_use]
pub fn manifest_schema() -> String {
    schema_of::<Manifest>("manifest-1")
}

/// The JSON Schema of `pointer.json`.
#[must_use]
pub fn pointer_schema() -> String {
    schema_of::<SignedPointer>("pointer-1")
}

fn schema_of<T: JsonSchema>(name: &str) -> String {
    let settings = SchemaSettings::draft2020_12().for_serialize();
    let mut schema = settings.into_generator().into_root_schema_for::<T>();
    schema.insert("$id".to_owned(), format!("{BASE}/{name}.json").into());
    let mut text = sorted(schema.as_value(), 0);
    text.push('\n');
    text
}

/// Indented JSON with sorted members: `serde_json`'s own order depends on a feature that any dependency may turn on.
fn sorted(value: &serde_json::Value, depth: usize) -> String {
    let line = |depth: usize| format!("\n{}", "  ".repeat(depth));
    let (open, close, items): (_, _, Vec<String>) = match value {
        serde_json::Value::Object(members) => {
            let members: std::collections::BTreeMap<_, _> = members.iter().collect();
            let member = |(name, value): (&String, &serde_json::Value)| {
                format!(
                    "{}: {}",
                    serde_json::Value::from(name.as_str()),
                    sorted(value, depth + 1)
                )
            };
            ('{', '}', members.into_iter().map(member).collect())
        }
        serde_json::Value::Array(items) => {
            let item = |item| sorted(item, depth + 1);
            ('[', ']', items.iter().map(item).collect())
        }
        scalar => return scalar.to_string(),
    };
    if items.is_empty() {
        return format!("{open}{close}");
    }
    let (inner, outer) = (line(depth + 1), line(depth));
    format!("{open}{inner}{}{outer}{close}", items.join(&format!(",{inner}")))
}

macro_rules! text_schema {
    ($type:ty, $name:literal, $description:literal, $($key:tt: $value:expr),+) => {
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"type": "string", "description": $description, $($key: $value),+})
            }
        }
    };
}

text_schema!(
    Version, "Version", "A version: X.Y.Z, X.Y.Z-rcN or X.Y.Z-nightly.YYYYMMDD.",
    "pattern": r"^(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)\.(0|[1-9][0-9]*)(-rc\.?[1-9][0-9]*|-nightly\.[0-9]{8})?$"
);
text_schema!(
    UtcTime, "UtcTime", "A point in time in whole seconds, UTC.",
    "format": "date-time", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"
);
text_schema!(
    ArtifactName, "FileName", "The name of a published file, without a directory.",
    "pattern": r"^[A-Za-z0-9_+][A-Za-z0-9._+-]{0,127}$"
);
text_schema!(
    ArtifactKind, "ArtifactKind", "What an artifact is, for example `iso`.",
    "pattern": r"^[a-z][a-z0-9-]{0,31}$"
);
text_schema!(
    ChannelName, "ChannelName", "A channel's name, for example `beta`.",
    "pattern": r"^[a-z][a-z0-9-]{0,31}$"
);
text_schema!(
    KeyId, "KeyId", "A minisign key's id.",
    "pattern": r"^[0-9A-F]{16}$"
);
text_schema!(
    Reason, "Reason", "Why a person decided something, in one line.",
    "minLength": 1, "maxLength": 500, "pattern": r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$"
);
text_schema!(
    AdvisoryId, "AdvisoryId", "The id of a security advisory, for example `CVE-2026-12345`.",
    "pattern": r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"
);
text_schema!(
    Arch, "Arch", "An architecture.",
    "enum": Arch::ALL.map(Arch::as_str)
);

impl<const N: usize> JsonSchema for Digest<N> {
    fn schema_name() -> Cow<'static, str> {
        format!("Digest{}", 8 * N).into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": format!("A digest of {N} bytes in lower-case hexadecimal."),
            "pattern": format!("^[0-9a-f]{{{}}}$", 2 * N),
        })
    }
}
