//! A node whose inputs are all known.

use crate::{Cost, canonical_json};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_model::Sha256Digest;
use vrel_trust::digest_bytes;

/// Part of every key; raised when the meaning of a recipe changes.
const FORMAT: u32 = 1;

/// What an input is on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InputKind {
    /// A file; the digest is of its content.
    File,
    /// A directory; the digest is of the list of what is in it.
    Tree,
    /// Nothing.
    Fact,
}

/// What an input is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecipeInput {
    /// What it is on the disk.
    pub kind: InputKind,
    /// Its digest.
    pub sha256: Sha256Digest,
}

/// Everything that decides which bytes come out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    /// The packer.
    pub packer: String,
    /// The packer's version.
    pub version: u32,
    /// What it is told.
    pub params: Value,
    /// What goes in, by slot.
    pub inputs: BTreeMap<String, RecipeInput>,
    /// What comes out, sorted.
    pub outputs: Vec<String>,
}

impl Recipe {
    /// The digest of the recipe: equal keys, equal bytes.
    #[must_use]
    pub fn key(&self) -> Sha256Digest {
        let inputs: BTreeMap<&str, Value> = self
            .inputs
            .iter()
            .map(|(slot, input)| (slot.as_str(), json!([input.kind, input.sha256])))
            .collect();
        let all = json!({
            "format": FORMAT,
            "packer": self.packer,
            "version": self.version,
            "params": self.params,
            "inputs": inputs,
            "outputs": self.outputs,
        });
        digest_bytes(canonical_json(&all).as_bytes()).sha256
    }
}

/// An input with the place where it lies on this machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionInput {
    /// What it is made of.
    #[serde(flatten)]
    pub recipe: RecipeInput,
    /// Where it lies; a fact lies nowhere. An executor elsewhere sends it from here, and can leave out what it has under
    /// this digest already. The digest of a tree is of its list, not of any one file.
    pub path: Option<PathBuf>,
}

/// A node that can run: everything that an executor has to know, here or on another machine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The node, for messages.
    pub node: String,
    /// The digest of the recipe.
    pub key: Sha256Digest,
    /// The packer.
    pub packer: String,
    /// The packer's version.
    pub version: u32,
    /// What it is told.
    pub params: Value,
    /// What goes in, by slot.
    pub inputs: BTreeMap<String, ActionInput>,
    /// What must come out, sorted.
    pub outputs: Vec<String>,
    /// How many cores it may use.
    pub cores: u32,
    /// How much memory it may use, in bytes.
    pub memory: u64,
}

impl Action {
    pub(crate) fn new(node: &str, recipe: &Recipe, paths: &BTreeMap<String, PathBuf>, granted: Cost) -> Self {
        let input = |(slot, &recipe): (&String, &RecipeInput)| {
            let path = paths.get(slot).cloned();
            (slot.clone(), ActionInput { recipe, path })
        };
        Self {
            node: node.to_owned(),
            key: recipe.key(),
            packer: recipe.packer.clone(),
            version: recipe.version,
            params: recipe.params.clone(),
            inputs: recipe.inputs.iter().map(input).collect(),
            outputs: recipe.outputs.clone(),
            cores: granted.cores,
            memory: granted.memory,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recipe() -> Recipe {
        let input = |kind, byte| RecipeInput {
            kind,
            sha256: Sha256Digest::new([byte; 32]),
        };
        Recipe {
            packer: "esp".to_owned(),
            version: 3,
            params: json!({"label": "VERIDIAN", "size": 64}),
            inputs: [
                ("boot".to_owned(), input(InputKind::File, 1)),
                ("cc".to_owned(), input(InputKind::Fact, 2)),
            ]
            .into(),
            outputs: vec!["esp.img".to_owned()],
        }
    }

    #[test]
    fn the_key_of_a_recipe_stays_the_same_between_releases_of_the_tool() {
        // A new value here throws away every cache: raise FORMAT on purpose, or undo the change.
        assert_eq!(
            recipe().key().to_string(),
            "9bc45704e37ddfbf74458d97aaf68014f7c9461eff79297d887e53f1cdee8ed5"
        );
    }

    #[test]
    fn everything_that_can_change_the_bytes_changes_the_key() {
        let mut keys = vec![recipe().key()];
        let mut differ = |change: &dyn Fn(&mut Recipe)| {
            let mut other = recipe();
            change(&mut other);
            keys.push(other.key());
        };
        differ(&|r| r.packer.push('2'));
        differ(&|r| r.version = 4);
        differ(&|r| r.params["size"] = json!(65));
        differ(&|r| r.params["size"] = json!("64"));
        differ(&|r| r.outputs.push("log".to_owned()));
        differ(&|r| {
            r.inputs.remove("cc");
        });
        differ(&|r| r.inputs.get_mut("cc").unwrap().sha256 = Sha256Digest::new([3; 32]));
        differ(&|r| r.inputs.get_mut("cc").unwrap().kind = InputKind::File);
        differ(&|r| {
            let moved = r.inputs.remove("cc").unwrap();
            r.inputs.insert("ld".to_owned(), moved);
        });
        let all = keys.len();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), all);
    }

    #[test]
    fn an_action_survives_the_way_to_another_machine() {
        let paths = [("boot".to_owned(), PathBuf::from("/cache/objects/01/0101"))].into();
        let action = Action::new("x86_64/esp", &recipe(), &paths, Cost { cores: 2, memory: 5 });
        assert_eq!(action.key, recipe().key());
        assert_eq!((action.inputs["cc"].path.as_ref(), action.cores), (None, 2));
        let text = serde_json::to_string(&action).unwrap();
        assert_eq!(serde_json::from_str::<Action>(&text).unwrap(), action);
    }
}
