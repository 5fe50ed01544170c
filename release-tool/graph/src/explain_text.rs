//! An explanation for people.

use crate::why::short;
use crate::{ExplainedInput, ExplainedNode, Explanation, State, canonical_json};
use std::collections::BTreeSet;
use std::fmt;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut seen = BTreeSet::new();
        self.node(f, &self.node, 0, &mut seen)
    }
}

impl Explanation {
    /// A node and what it is made from; a node that was shown before is only named.
    fn node<'s>(
        &'s self,
        f: &mut fmt::Formatter<'_>,
        name: &'s str,
        depth: usize,
        seen: &mut BTreeSet<&'s str>,
    ) -> fmt::Result {
        let indent = "  ".repeat(depth);
        let Some(node) = self.nodes.get(name) else {
            return Ok(());
        };
        if !seen.insert(name) {
            return writeln!(f, "{indent}{name} (see above)");
        }
        writeln!(f, "{indent}{name}: {}", state(node))?;
        let indent = "  ".repeat(depth + 1);
        if let State::Stale { why } = &node.state {
            for one in why {
                writeln!(f, "{indent}because {one}")?;
            }
        }
        writeln!(f, "{indent}packer {} {}", node.packer, node.version)?;
        if !node.params.is_null() {
            writeln!(f, "{indent}params {}", canonical_json(&node.params))?;
        }
        if let Some(key) = &node.key {
            writeln!(f, "{indent}key {key}")?;
        }
        for (slot, input) in &node.inputs {
            writeln!(f, "{indent}input {slot}: {}", text(input))?;
            if let ExplainedInput::Node { node, .. } = input {
                self.node(f, node, depth + 2, seen)?;
            }
        }
        for (output, file) in &node.outputs {
            match file {
                Some(file) => writeln!(
                    f,
                    "{indent}output {output}: {} bytes, {}",
                    file.length, file.sha256
                )?,
                None => writeln!(f, "{indent}output {output}: not built yet")?,
            }
        }
        Ok(())
    }
}

fn state(node: &ExplainedNode) -> String {
    match &node.state {
        State::Cached => "up to date".to_owned(),
        State::Stale { .. } => "to be built".to_owned(),
        State::Unknown { waits_for } => format!("not known before {} is built", waits_for.join(", ")),
    }
}

fn text(input: &ExplainedInput) -> String {
    match input {
        ExplainedInput::Node { node, output, sha256 } => match sha256 {
            Some(sha256) => format!("{output} of {node}, {}", short(*sha256)),
            None => format!("{output} of {node}, not known before it is built"),
        },
        ExplainedInput::File { path, sha256 } => format!("file {}, {}", path.display(), short(*sha256)),
        ExplainedInput::Tree {
            path,
            only,
            entries,
            sha256,
        } => {
            let parts = if only.is_empty() {
                String::new()
            } else {
                format!(" ({})", only.join(", "))
            };
            format!(
                "tree {}{parts}, {entries} entries, {}",
                path.display(),
                short(*sha256)
            )
        }
        ExplainedInput::Fact { sha256 } => format!("fact {sha256}"),
    }
}
