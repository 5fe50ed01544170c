//! What a node is made of, and whether it is up to date.

use crate::build::threads;
use crate::lookup::{self, Found};
use crate::record::Outputs;
use crate::run::{sources, versions};
use crate::sources::Sources;
use crate::{Cache, CachedFile, Executor, Graph, GraphError, Input, Node, Why};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_model::Sha256Digest;

/// Whether a node is up to date.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "state")]
pub enum State {
    /// What it makes is in the cache, as far as can be seen without reading it.
    Cached,
    /// It will be built.
    Stale {
        /// Why.
        why: Vec<Why>,
    },
    /// It will be built if what it is made from turns out differently.
    Unknown {
        /// The nodes that have to be built first.
        waits_for: Vec<String>,
    },
}

/// Where an input comes from, and its digest as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "from")]
pub enum ExplainedInput {
    /// A file of another node.
    Node {
        /// The node.
        node: String,
        /// The output.
        output: String,
        /// Known only when the node is up to date.
        sha256: Option<Sha256Digest>,
    },
    /// A source file.
    File {
        /// The file.
        path: PathBuf,
        /// Of its content.
        sha256: Sha256Digest,
    },
    /// A directory of source files.
    Tree {
        /// The directory.
        path: PathBuf,
        /// What of it counts; everything when empty.
        only: Vec<String>,
        /// How many files and directories are in it.
        entries: usize,
        /// Of the list of them.
        sha256: Sha256Digest,
    },
    /// No file.
    Fact {
        /// The digest that the node names.
        sha256: Sha256Digest,
    },
}

/// One node.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ExplainedNode {
    /// Its name.
    pub name: String,
    /// Its packer.
    pub packer: String,
    /// The packer's version.
    pub version: u32,
    /// What the packer is told.
    pub params: Value,
    /// Its key, when all inputs are known.
    pub key: Option<Sha256Digest>,
    /// Whether it is up to date.
    pub state: State,
    /// What goes in, by slot.
    pub inputs: BTreeMap<String, ExplainedInput>,
    /// What comes out; known when it is up to date.
    pub outputs: BTreeMap<String, Option<CachedFile>>,
}

/// A node and everything that it is made from, down to the sources. `Display` gives it as an indented tree for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The graph.
    pub graph: String,
    /// The node.
    pub node: String,
    /// It and all that it is made from, by name.
    pub nodes: BTreeMap<String, ExplainedNode>,
}

/// Explains a node without building anything or changing the cache.
///
/// # Errors
/// When there is no such node, its packer or a source is missing, or the cache cannot be read.
pub fn explain(
    graph: &Graph,
    node: &str,
    cache: &Cache<'_>,
    executor: &dyn Executor,
) -> Result<Explanation, GraphError> {
    let needed = graph.needed(&[node])?;
    let versions = versions(graph, &needed, executor)?;
    let sources = sources(graph, &needed, cache, threads(1))?;
    let mut known: BTreeMap<String, Outputs> = BTreeMap::new();
    let mut nodes = BTreeMap::new();
    for index in needed {
        let node = graph.at(index);
        let version = versions.get(&index).copied().unwrap_or(0);
        let resolved = lookup::resolve(node, version, &sources, cache, &|name| known.get(name));
        let (key, state, whole) = match resolved {
            Err(mut waits_for) => {
                waits_for.dedup();
                (None, State::Unknown { waits_for }, None)
            }
            Ok(resolved) => {
                let Found { whole, why, .. } =
                    lookup::look_up(cache, graph.name(), node, &resolved.recipe, &sources)?;
                let state = if whole.is_some() {
                    State::Cached
                } else {
                    State::Stale { why }
                };
                (Some(resolved.recipe.key()), state, whole)
            }
        };
        let outputs = whole.map(|record| record.outputs).unwrap_or_default();
        let output = |name: &String| (name.clone(), outputs.get(name).copied());
        let explained = ExplainedNode {
            name: node.name.clone(),
            packer: node.packer.clone(),
            version,
            params: node.params.clone(),
            key,
            inputs: inputs(graph, node, &sources, &known)?,
            outputs: node.outputs.iter().map(output).collect(),
            state,
        };
        if explained.state == State::Cached {
            known.insert(node.name.clone(), outputs);
        }
        nodes.insert(node.name.clone(), explained);
    }
    Ok(Explanation {
        graph: graph.name().to_owned(),
        node: node.to_owned(),
        nodes,
    })
}

fn inputs(
    graph: &Graph,
    node: &Node,
    sources: &Sources,
    known: &BTreeMap<String, Outputs>,
) -> Result<BTreeMap<String, ExplainedInput>, GraphError> {
    let mut inputs = BTreeMap::new();
    for (slot, input) in &node.inputs {
        let of_node = |node: &str, output: &str| ExplainedInput::Node {
            node: node.to_owned(),
            output: output.to_owned(),
            sha256: known
                .get(node)
                .and_then(|outputs| Some(outputs.get(output)?.sha256)),
        };
        let source = sources.get(input);
        let explained = match (input, source) {
            (Input::Output { node, output }, _) => of_node(node, output),
            (Input::All { node }, _) => {
                for output in &graph.node(node)?.outputs {
                    inputs.insert(format!("{slot}/{output}"), of_node(node, output));
                }
                continue;
            }
            (Input::Fact { digest }, _) => ExplainedInput::Fact { sha256: *digest },
            (Input::File { path }, Some(source)) => ExplainedInput::File {
                path: path.clone(),
                sha256: source.sha256,
            },
            (Input::Tree { path, only }, Some(source)) => ExplainedInput::Tree {
                path: path.clone(),
                only: only.clone(),
                entries: source.listing.as_ref().map_or(0, crate::listing::Listing::len),
                sha256: source.sha256,
            },
            // All sources have been read.
            (Input::File { .. } | Input::Tree { .. }, None) => continue,
        };
        inputs.insert(slot.clone(), explained);
    }
    Ok(inputs)
}
