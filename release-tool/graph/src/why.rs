//! Why a node has to be built.

use crate::{Damage, Recipe, RecipeInput, canonical_json};
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use vrel_model::Sha256Digest;

/// A reason to build a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "why")]
pub enum Why {
    /// No earlier build of it is known.
    First,
    /// Another packer makes it.
    Packer {
        /// The one before.
        old: String,
        /// The one now.
        new: String,
    },
    /// Its packer has another version.
    Version {
        /// The packer.
        packer: String,
        /// The version before.
        old: u32,
        /// The version now.
        new: u32,
    },
    /// Its parameters changed.
    Params {
        /// Which keys at the top; none when the parameters are no object.
        keys: Vec<String>,
    },
    /// It makes other files.
    Outputs {
        /// Those that it made before.
        old: Vec<String>,
        /// Those that it makes now.
        new: Vec<String>,
    },
    /// It has an input that it did not have.
    InputAdded {
        /// The slot.
        slot: String,
    },
    /// It had an input that it has no more.
    InputRemoved {
        /// The slot.
        slot: String,
    },
    /// An input is another one than before.
    InputChanged {
        /// The slot.
        slot: String,
        /// Its digest before.
        old: Sha256Digest,
        /// Its digest now.
        new: Sha256Digest,
        /// Of a tree, the relative paths of what changed in it, if that is known.
        files: Vec<String>,
    },
    /// It was built from the same before, but the cache has no record of what came out.
    RecordGone,
    /// The record of what came out is damaged.
    RecordDamaged,
    /// What it made is no longer in the cache.
    OutputGone {
        /// The output.
        output: String,
    },
    /// What it made is damaged in the cache.
    OutputDamaged {
        /// The output.
        output: String,
        /// What is wrong.
        damage: Damage,
    },
}

/// How many names of a long list are told to a person.
const SHOWN: usize = 5;

fn some(names: &[String]) -> String {
    match names.get(..SHOWN) {
        Some(first) if names.len() > SHOWN => {
            format!("{} and {} more", first.join(", "), names.len() - SHOWN)
        }
        _ => names.join(", "),
    }
}

/// As much of a digest as a person compares.
pub(crate) fn short(digest: Sha256Digest) -> String {
    let mut text = digest.to_string();
    text.truncate(12);
    text
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::First => f.write_str("no earlier build is known"),
            Self::Packer { old, new } => write!(f, "the packer was {old} and is {new}"),
            Self::Version { packer, old, new } => {
                write!(f, "the packer {packer} had version {old} and has {new}")
            }
            Self::Params { keys } if keys.is_empty() => f.write_str("the parameters changed"),
            Self::Params { keys } => write!(f, "the parameters changed: {}", some(keys)),
            Self::Outputs { old, new } => write!(f, "the outputs were {} and are {}", some(old), some(new)),
            Self::InputAdded { slot } => write!(f, "the input {slot} is new"),
            Self::InputRemoved { slot } => write!(f, "the input {slot} is gone"),
            Self::InputChanged {
                slot,
                old,
                new,
                files,
            } => {
                write!(f, "the input {slot} was {} and is {}", short(*old), short(*new))?;
                if files.is_empty() {
                    Ok(())
                } else {
                    write!(f, ": {}", some(files))
                }
            }
            Self::RecordGone => f.write_str("the cache does not know what came out"),
            Self::RecordDamaged => f.write_str("the cache's record of what came out is damaged"),
            Self::OutputGone { output } => write!(f, "the output {output} is no longer in the cache"),
            Self::OutputDamaged { output, damage } => {
                write!(f, "the output {output} is damaged in the cache: {damage}")
            }
        }
    }
}

/// Says which paths in a tree differ, given its digests before and now; nothing when that is not known.
pub(crate) type Differences<'a> = dyn Fn(&str, Sha256Digest, Sha256Digest) -> Vec<String> + 'a;

/// How a recipe differs from the one before; nothing when it does not.
pub(crate) fn compare(old: &Recipe, new: &Recipe, differences: &Differences<'_>) -> Vec<Why> {
    let mut why = Vec::new();
    if old.packer != new.packer {
        why.push(Why::Packer {
            old: old.packer.clone(),
            new: new.packer.clone(),
        });
    } else if old.version != new.version {
        why.push(Why::Version {
            packer: new.packer.clone(),
            old: old.version,
            new: new.version,
        });
    }
    if canonical_json(&old.params) != canonical_json(&new.params) {
        why.push(Why::Params {
            keys: changed_keys(&old.params, &new.params),
        });
    }
    if old.outputs != new.outputs {
        why.push(Why::Outputs {
            old: old.outputs.clone(),
            new: new.outputs.clone(),
        });
    }
    compare_inputs(&old.inputs, &new.inputs, differences, &mut why);
    why
}

fn compare_inputs(
    old: &BTreeMap<String, RecipeInput>,
    new: &BTreeMap<String, RecipeInput>,
    differences: &Differences<'_>,
    why: &mut Vec<Why>,
) {
    let slots: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for slot in slots {
        let slot_name = slot.clone();
        match (old.get(slot), new.get(slot)) {
            (Some(old), Some(new)) if old != new => why.push(Why::InputChanged {
                slot: slot_name,
                old: old.sha256,
                new: new.sha256,
                files: differences(slot, old.sha256, new.sha256),
            }),
            (None, Some(_)) => why.push(Why::InputAdded { slot: slot_name }),
            (Some(_), None) => why.push(Why::InputRemoved { slot: slot_name }),
            _ => {}
        }
    }
}

fn changed_keys(old: &Value, new: &Value) -> Vec<String> {
    let empty = Map::new();
    let (old, new) = match (old, new) {
        (Value::Object(old), Value::Object(new)) => (old, new),
        (Value::Object(old), Value::Null) => (old, &empty),
        (Value::Null, Value::Object(new)) => (&empty, new),
        _ => return Vec::new(),
    };
    let keys: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let text = |map: &Map<String, Value>, key: &str| map.get(key).map(canonical_json);
    keys.into_iter()
        .filter(|key| text(old, key) != text(new, key))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InputKind;
    use serde_json::json;

    fn recipe() -> Recipe {
        let input = |byte| RecipeInput {
            kind: InputKind::File,
            sha256: Sha256Digest::new([byte; 32]),
        };
        Recipe {
            packer: "esp".to_owned(),
            version: 3,
            params: json!({"label": "A", "size": 64}),
            inputs: [("boot".to_owned(), input(1)), ("kernel".to_owned(), input(2))].into(),
            outputs: vec!["esp.img".to_owned()],
        }
    }

    fn texts(change: &dyn Fn(&mut Recipe)) -> Vec<String> {
        let mut new = recipe();
        change(&mut new);
        let differences = |_: &str, _, _| vec!["src/main.rs".to_owned()];
        compare(&recipe(), &new, &differences)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn each_reason_says_what_was_and_what_is() {
        assert_eq!(texts(&|_| {}), [""; 0]);
        assert_eq!(
            texts(&|r| r.packer = "fat".to_owned()),
            ["the packer was esp and is fat"]
        );
        assert_eq!(
            texts(&|r| r.version = 4),
            ["the packer esp had version 3 and has 4"]
        );
        assert_eq!(
            texts(&|r| r.params = json!({"label": "B", "align": 1, "size": 64})),
            ["the parameters changed: align, label"]
        );
        assert_eq!(
            texts(&|r| r.params = Value::Null),
            ["the parameters changed: label, size"]
        );
        assert_eq!(texts(&|r| r.params = json!([1])), ["the parameters changed"]);
        assert_eq!(
            texts(&|r| r.outputs.push("log".to_owned())),
            ["the outputs were esp.img and are esp.img, log"]
        );
        assert_eq!(
            texts(&|r| r.inputs.get_mut("boot").unwrap().sha256 = Sha256Digest::new([0xab; 32])),
            ["the input boot was 010101010101 and is abababababab: src/main.rs"]
        );
        let renamed = texts(&|r| {
            let boot = r.inputs.remove("boot").unwrap();
            r.inputs.insert("loader".to_owned(), boot);
        });
        assert_eq!(renamed, ["the input boot is gone", "the input loader is new"]);
    }

    #[test]
    fn long_lists_are_cut_for_people() {
        let names: Vec<String> = (0..8).map(|number| format!("f{number}")).collect();
        assert_eq!(some(&names), "f0, f1, f2, f3, f4 and 3 more");
        assert_eq!(some(&names[..5]), "f0, f1, f2, f3, f4");
    }
}
