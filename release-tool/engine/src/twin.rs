//! Two builds that differ in their version alone: a final release, and the candidate that it was.

use crate::building::{Outline, OutlinedNode};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What distinguishes two builds that should differ in their version alone.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Twins {
    /// The nodes that are told the version, in the order of their names.
    pub(crate) told: Vec<String>,
    /// The nodes that are not told it and make nothing of what is: each with the number of its outputs.
    pub(crate) equal: BTreeMap<String, usize>,
    /// What is different and must not be, a sentence each.
    pub(crate) differences: Vec<String>,
}

/// Compares two builds node by node. `versions` are those of the first and of the second.
pub(crate) fn compare_outlines(first: &Outline, second: &Outline, versions: [&str; 2]) -> Twins {
    let mut twins = Twins::default();
    let names: BTreeSet<&String> = first.nodes.keys().chain(second.nodes.keys()).collect();
    for name in names {
        match (first.nodes.get(name), second.nodes.get(name)) {
            (Some(one), Some(two)) => compare_nodes(name, one, two, versions, &mut twins),
            (Some(_), None) => twins
                .differences
                .push(format!("{name} is made for {} alone", versions[0])),
            (None, _) => twins
                .differences
                .push(format!("{name} is made for {} alone", versions[1])),
        }
    }
    let reached = reached(first, &twins.told);
    for (name, one) in first.nodes.iter().filter(|(name, _)| !reached.contains(*name)) {
        let Some(two) = second.nodes.get(name) else {
            continue;
        };
        if one.outputs == two.outputs {
            twins.equal.insert(name.clone(), one.outputs.len());
            continue;
        }
        let differs = |output: &&String| one.outputs.get(*output) != two.outputs.get(*output);
        let outputs: Vec<_> = one.outputs.keys().filter(differs).map(String::as_str).collect();
        twins.differences.push(format!(
            "{name} made another {} the second time, from the same inputs",
            outputs.join(", ")
        ));
    }
    twins
}

fn compare_nodes(name: &str, one: &OutlinedNode, two: &OutlinedNode, versions: [&str; 2], twins: &mut Twins) {
    let (one, two) = (&one.node, &two.node);
    if one.packer != two.packer || one.inputs != two.inputs || one.outputs != two.outputs {
        twins
            .differences
            .push(format!("{name} is made in another way for {}", versions[1]));
    }
    if one.params == two.params {
        return;
    }
    let mut others = Vec::new();
    beyond_version(&one.params, &two.params, versions, "", &mut others);
    if others.is_empty() {
        twins.told.push(name.to_owned());
    }
    for other in others {
        twins.differences.push(format!(
            "{name} is told another `{other}` for {}, and not only another version",
            versions[1]
        ));
    }
}

/// The nodes that are told the version, with all that is made of what they make.
fn reached<'n>(outline: &'n Outline, told: &'n [String]) -> BTreeSet<&'n String> {
    let mut reached: BTreeSet<&String> = told.iter().collect();
    loop {
        let of_reached = |node: &OutlinedNode| {
            let mut from = node.node.inputs.values().filter_map(|input| input.node());
            from.any(|from| reached.iter().any(|name| name.as_str() == from))
        };
        let more: Vec<&String> = outline
            .nodes
            .iter()
            .filter(|(name, node)| !reached.contains(name) && of_reached(node))
            .map(|(name, _)| name)
            .collect();
        if more.is_empty() {
            return reached;
        }
        reached.extend(more);
    }
}

/// The parameters that differ in more than the version that stands in them.
fn beyond_version(one: &Value, two: &Value, versions: [&str; 2], at: &str, found: &mut Vec<String>) {
    let below = |key: &str| {
        if at.is_empty() {
            key.to_owned()
        } else {
            format!("{at}.{key}")
        }
    };
    match (one, two) {
        _ if one == two => {}
        (Value::String(one), Value::String(two)) if one.replace(versions[0], versions[1]) == *two => {}
        (Value::Object(ones), Value::Object(twos)) => {
            let keys: BTreeSet<&String> = ones.keys().chain(twos.keys()).collect();
            for key in keys {
                let get = |from: &serde_json::Map<String, Value>| from.get(key).cloned().unwrap_or_default();
                beyond_version(&get(ones), &get(twos), versions, &below(key), found);
            }
        }
        (Value::Array(ones), Value::Array(twos)) if ones.len() == twos.len() => {
            for (index, (one, two)) in ones.iter().zip(twos).enumerate() {
                beyond_version(one, two, versions, &below(&index.to_string()), found);
            }
        }
        _ => found.push(at.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use vrel_graph::{CachedFile, Input, Node};
    use vrel_model::{Blake2bDigest, Sha256Digest};

    const VERSIONS: [&str; 2] = ["0.6.0", "0.6.0-rc2"];

    fn file(content: u8) -> CachedFile {
        CachedFile {
            length: 1,
            sha256: Sha256Digest::new([content; 32]),
            blake2b: Blake2bDigest::new([content; 64]),
        }
    }

    /// A compiled file, a stamped one, and an image of it; beside them something that knows no version.
    fn outline(version: &str) -> Outline {
        let stamped = u8::try_from(version.len()).unwrap();
        let nodes = [
            (Node::new("compiled", "cargo").params(json!({"arch": "x"})), 1),
            (
                Node::new("kernel", "kernel")
                    .params(json!({"version": version, "commit": "c"}))
                    .input("elf", Input::all("compiled")),
                stamped,
            ),
            (
                Node::new("image", "qcow2").input("kernel", Input::all("kernel")),
                stamped + 1,
            ),
            (
                Node::new("initrd", "initrd").input("programs", Input::all("compiled")),
                2,
            ),
        ];
        let outlined = |(node, content): (Node, u8)| {
            let node = node.output("out");
            let outputs = [("out".to_owned(), file(content))].into();
            (node.name.clone(), OutlinedNode { node, outputs })
        };
        Outline {
            nodes: nodes.map(outlined).into(),
            artifacts: Vec::new(),
            toolchain: Sha256Digest::new([0; 32]),
        }
    }

    /// The differences after a change to the second build.
    fn differences(change: impl FnOnce(&mut BTreeMap<String, OutlinedNode>)) -> Vec<String> {
        let (first, mut second) = (outline(VERSIONS[0]), outline(VERSIONS[1]));
        change(&mut second.nodes);
        compare_outlines(&first, &second, VERSIONS).differences
    }

    #[test]
    fn builds_that_differ_in_their_version_are_twins() {
        let twins = compare_outlines(&outline(VERSIONS[0]), &outline(VERSIONS[1]), VERSIONS);
        assert_eq!(twins.differences, [""; 0]);
        assert_eq!(twins.told, ["kernel"]);
        let equal: Vec<_> = twins.equal.keys().map(String::as_str).collect();
        assert_eq!(equal, ["compiled", "initrd"]);
    }

    #[test]
    fn what_is_told_anything_else_is_named() {
        let told = |value: Value| {
            differences(|nodes| nodes.get_mut("kernel").unwrap().node.params = value)
                .first()
                .cloned()
        };
        let other = told(json!({"version": VERSIONS[1], "commit": "d"}));
        let expected = "kernel is told another `commit` for 0.6.0-rc2, and not only another version";
        assert_eq!(other.as_deref(), Some(expected));
        assert!(told(json!({"version": VERSIONS[1]})).is_some());
        assert!(told(json!({"version": "0.6.0-rc3", "commit": "c"})).is_some());
        assert!(told(json!({"version": [VERSIONS[1]], "commit": "c"})).is_some());
        assert_eq!(told(json!({"version": VERSIONS[1], "commit": "c"})), None);
    }

    #[test]
    fn what_comes_out_different_from_the_same_is_named() {
        let found = differences(|nodes| {
            let output = nodes.get_mut("compiled").unwrap();
            output.outputs.insert("out".to_owned(), file(9));
        });
        assert_eq!(
            found,
            ["compiled made another out the second time, from the same inputs"]
        );
    }

    #[test]
    fn nodes_and_inputs_are_the_same() {
        let found = differences(|nodes| {
            nodes.remove("image");
            let initrd = nodes.get_mut("initrd").unwrap();
            initrd.node.inputs.clear();
        });
        assert_eq!(
            found,
            [
                "image is made for 0.6.0 alone",
                "initrd is made in another way for 0.6.0-rc2"
            ]
        );
    }
}
