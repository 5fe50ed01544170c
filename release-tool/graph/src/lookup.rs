//! Whether a node is up to date, and why not.

use crate::record::{ActionRecord, Outputs};
use crate::sources::Sources;
use crate::{Cache, CachedFile, Damage, GraphError, Input, InputKind, Node, Recipe, RecipeInput, Why, why};
use std::collections::BTreeMap;
use std::path::PathBuf;
use vrel_model::Sha256Digest;

/// A node whose inputs are all known.
#[derive(Clone)]
pub(crate) struct Resolved {
    pub(crate) recipe: Recipe,
    /// Where each input lies.
    pub(crate) paths: BTreeMap<String, PathBuf>,
    /// The inputs that are outputs of other nodes: their names, for when one is damaged.
    pub(crate) objects: Vec<(String, String, CachedFile)>,
}

/// What is known of the outputs of a node, if it is.
pub(crate) type KnownOutputs<'a> = &'a dyn Fn(&str) -> Option<&'a Outputs>;

/// The recipe of a node, or the nodes whose outputs have to be known first.
pub(crate) fn resolve(
    node: &Node,
    version: u32,
    sources: &Sources,
    cache: &Cache<'_>,
    known: KnownOutputs<'_>,
) -> Result<Resolved, Vec<String>> {
    let mut inputs = BTreeMap::new();
    let mut paths = BTreeMap::new();
    let mut objects = Vec::new();
    let mut waits_for = Vec::new();
    for (slot, input) in &node.inputs {
        let mut object = |slot: String, name: &str, output: &str, file: CachedFile| {
            let kind = InputKind::File;
            inputs.insert(
                slot.clone(),
                RecipeInput {
                    kind,
                    sha256: file.sha256,
                },
            );
            paths.insert(slot, cache.objects.path(file.sha256));
            objects.push((name.to_owned(), output.to_owned(), file));
        };
        match input {
            Input::Output { node: name, output } => match known(name).and_then(|outputs| outputs.get(output))
            {
                Some(file) => object(slot.clone(), name, output, *file),
                None => waits_for.push(name.clone()),
            },
            Input::All { node: name } => match known(name) {
                Some(outputs) => {
                    for (output, file) in outputs {
                        object(format!("{slot}/{output}"), name, output, *file);
                    }
                }
                None => waits_for.push(name.clone()),
            },
            Input::Fact { digest } => {
                let kind = InputKind::Fact;
                inputs.insert(
                    slot.clone(),
                    RecipeInput {
                        kind,
                        sha256: *digest,
                    },
                );
            }
            Input::File { path } | Input::Tree { path, .. } => {
                // All sources of all nodes that are looked at have been read.
                let source = sources.get(input);
                let is_tree = matches!(input, Input::Tree { .. });
                let kind = if is_tree { InputKind::Tree } else { InputKind::File };
                if let Some(source) = source {
                    inputs.insert(
                        slot.clone(),
                        RecipeInput {
                            kind,
                            sha256: source.sha256,
                        },
                    );
                    paths.insert(slot.clone(), path.clone());
                }
            }
        }
    }
    if !waits_for.is_empty() {
        return Err(waits_for);
    }
    let mut outputs = node.outputs.clone();
    outputs.sort();
    Ok(Resolved {
        recipe: Recipe {
            packer: node.packer.clone(),
            version,
            params: node.params.clone(),
            inputs,
            outputs,
        },
        paths,
        objects,
    })
}

/// What the cache knows of a recipe.
pub(crate) struct Found {
    /// Everything that it made is there, as far as can be seen without reading it.
    pub(crate) whole: Option<ActionRecord>,
    /// What came out before, even if it is no longer there.
    pub(crate) before: Option<Outputs>,
    /// Why the node has to be built; empty when it has not.
    pub(crate) why: Vec<Why>,
    /// Outputs that are there but damaged.
    pub(crate) damaged: Vec<(String, CachedFile, Damage)>,
    /// What is wrong with the record, if it cannot be used.
    pub(crate) bad_record: Option<String>,
    /// What the node was made from the last time.
    pub(crate) last: Option<Recipe>,
}

/// Looks a recipe up, and changes nothing.
pub(crate) fn look_up(
    cache: &Cache<'_>,
    graph: &str,
    node: &Node,
    recipe: &Recipe,
    sources: &Sources,
) -> Result<Found, GraphError> {
    let mut found = Found {
        whole: None,
        before: None,
        why: Vec::new(),
        damaged: Vec::new(),
        bad_record: None,
        last: cache.last(graph, &node.name)?,
    };
    match cache.action(recipe.key())? {
        Some(Ok(record)) => {
            for (output, file) in &record.outputs {
                let output = output.clone();
                match cache.objects.look(file)? {
                    None => {}
                    Some(Damage::Gone) => found.why.push(Why::OutputGone { output }),
                    Some(damage) => {
                        found.damaged.push((output.clone(), *file, damage));
                        found.why.push(Why::OutputDamaged { output, damage });
                    }
                }
            }
            found.before = Some(record.outputs.clone());
            if found.why.is_empty() {
                found.whole = Some(record);
            }
        }
        Some(Err(reason)) => {
            found.bad_record = Some(reason);
            found.why.push(Why::RecordDamaged);
        }
        None => found.why = changes(cache, node, recipe, found.last.as_ref(), sources)?,
    }
    Ok(found)
}

fn changes(
    cache: &Cache<'_>,
    node: &Node,
    recipe: &Recipe,
    last: Option<&Recipe>,
    sources: &Sources,
) -> Result<Vec<Why>, GraphError> {
    let Some(last) = last else {
        return Ok(vec![Why::First]);
    };
    // Only what was a tree before and is one now can be compared name by name.
    let mut old_trees = BTreeMap::new();
    for (slot, input) in &last.inputs {
        if input.kind == InputKind::Tree {
            old_trees.insert(slot.as_str(), cache.tree(input.sha256)?);
        }
    }
    let differences = |slot: &str, _: Sha256Digest, _: Sha256Digest| -> Vec<String> {
        let old = old_trees.get(slot).and_then(Option::as_ref);
        let new = node
            .inputs
            .get(slot)
            .and_then(|input| sources.get(input)?.listing.as_ref());
        old.zip(new)
            .map(|(old, new)| old.differences(new))
            .unwrap_or_default()
    };
    let why = why::compare(last, recipe, &differences);
    Ok(if why.is_empty() {
        vec![Why::RecordGone]
    } else {
        why
    })
}
