//! What a run did.

use crate::record::Outputs;
use crate::{CachedFile, GraphError, Warning, Why};
use serde::Serialize;
use std::collections::BTreeMap;
use std::time::Duration;
use vrel_model::Sha256Digest;

/// Whether a node was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "outcome")]
pub enum Outcome {
    /// What it makes was in the cache.
    Reused,
    /// Its packer ran.
    Built {
        /// Why it had to.
        why: Vec<Why>,
    },
}

/// What a run did about one node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeReport {
    /// Its key.
    pub key: Sha256Digest,
    /// Whether it was built.
    pub outcome: Outcome,
    /// How long that took.
    pub duration: Duration,
    /// What it makes, by output.
    pub outputs: BTreeMap<String, CachedFile>,
}

impl NodeReport {
    /// Whether its packer ran.
    #[must_use]
    pub fn is_built(&self) -> bool {
        matches!(self.outcome, Outcome::Built { .. })
    }
}

/// What a run did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Everything that the wanted nodes need, with themselves, by name.
    pub nodes: BTreeMap<String, NodeReport>,
    /// What a person should know.
    pub warnings: Vec<Warning>,
}

impl Report {
    /// The file that is an output of a node.
    ///
    /// # Errors
    /// When the run had nothing to do with such a node, or it has no such output.
    pub fn output(&self, node: &str, output: &str) -> Result<CachedFile, GraphError> {
        let report = self.nodes.get(node).ok_or_else(|| GraphError::UnknownNode {
            node: node.to_owned(),
            known: self.nodes.keys().cloned().collect(),
        })?;
        let file = report.outputs.get(output).copied();
        file.ok_or_else(|| unknown_output(node, output, &report.outputs))
    }

    /// The names of the nodes whose packers ran, sorted.
    #[must_use]
    pub fn built(&self) -> Vec<&str> {
        let built = self.nodes.iter().filter(|(_, report)| report.is_built());
        built.map(|(name, _)| name.as_str()).collect()
    }

    /// Adds what was done before this run for the same purpose: a node that was built then was not just reused.
    pub(crate) fn after(mut self, before: Self) -> Self {
        for (name, old) in before.nodes {
            if let Some(new) = self.nodes.get_mut(&name)
                && !new.is_built()
            {
                new.outcome = old.outcome;
                new.duration += old.duration;
            }
        }
        self.warnings.splice(0..0, before.warnings);
        self
    }
}

fn unknown_output(node: &str, output: &str, known: &Outputs) -> GraphError {
    GraphError::UnknownOutput {
        wanted_by: "the run".to_owned(),
        node: node.to_owned(),
        output: output.to_owned(),
        known: known.keys().cloned().collect(),
    }
}
