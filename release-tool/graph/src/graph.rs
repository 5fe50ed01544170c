//! The nodes of a build and how they hang together.

use crate::{GraphError, Input, Node, names};
use std::collections::{BTreeMap, BTreeSet};

/// A checked set of nodes: every name is unique, every input exists, and nothing is made from itself.
#[derive(Clone, Debug)]
pub struct Graph {
    name: String,
    /// By name.
    nodes: Vec<Node>,
    by_name: BTreeMap<String, usize>,
    dependencies: Vec<BTreeSet<usize>>,
    dependents: Vec<BTreeSet<usize>>,
    /// Every node after all that it is made from.
    order: Vec<usize>,
    /// How many nodes the longest chain has that waits for each.
    height: Vec<usize>,
}

impl Graph {
    /// Checks nodes. Under the graph's name, the cache remembers what each node was made from the last time.
    ///
    /// # Errors
    /// The first mistake in the order of names: a name of an odd form or that two nodes have, no outputs, outputs of
    /// which one would be a directory of the other, an unknown node or output, a slot or a final name that is taken
    /// twice, a cycle.
    pub fn new(name: impl Into<String>, mut nodes: Vec<Node>) -> Result<Self, GraphError> {
        let name = name.into();
        names::check("graph", &name)?;
        nodes.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some([twice, _]) = nodes.array_windows().find(|[a, b]| a.name == b.name) {
            let node = twice.name.clone();
            return Err(GraphError::DuplicateNode { node });
        }
        let by_name: BTreeMap<String, usize> = nodes.iter().map(|node| node.name.clone()).zip(0..).collect();
        for node in &nodes {
            check_node(node)?;
            check_inputs(node, &|name| by_name.get(name).map(|&index| &nodes[index]))?;
        }
        check_finals(&nodes)?;

        let of = |input: &Input| input.node().map(|name| by_name[name]);
        let dependencies: Vec<BTreeSet<usize>> = nodes
            .iter()
            .map(|node| node.inputs.values().filter_map(of).collect())
            .collect();
        let mut dependents = vec![BTreeSet::new(); nodes.len()];
        for (index, all) in dependencies.iter().enumerate() {
            for &dependency in all {
                dependents[dependency].insert(index);
            }
        }
        let order = order(&dependencies, &dependents).map_err(|stuck| {
            let cycle = cycle(&dependencies, stuck);
            GraphError::Cycle {
                nodes: cycle.into_iter().map(|index| nodes[index].name.clone()).collect(),
            }
        })?;
        let mut height = vec![0; nodes.len()];
        for &index in order.iter().rev() {
            height[index] = 1 + dependents[index]
                .iter()
                .map(|&other| height[other])
                .max()
                .unwrap_or(0);
        }
        Ok(Self {
            name,
            nodes,
            by_name,
            dependencies,
            dependents,
            order,
            height,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// All nodes, by name.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node of this name.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`] when there is none.
    pub fn node(&self, name: &str) -> Result<&Node, GraphError> {
        Ok(&self.nodes[self.index(name)?])
    }

    pub(crate) fn index(&self, name: &str) -> Result<usize, GraphError> {
        self.by_name
            .get(name)
            .copied()
            .ok_or_else(|| GraphError::UnknownNode {
                node: name.to_owned(),
                known: self.by_name.keys().cloned().collect(),
            })
    }

    pub(crate) fn at(&self, index: usize) -> &Node {
        &self.nodes[index]
    }

    pub(crate) fn dependencies(&self, index: usize) -> &BTreeSet<usize> {
        &self.dependencies[index]
    }

    pub(crate) fn dependents(&self, index: usize) -> &BTreeSet<usize> {
        &self.dependents[index]
    }

    pub(crate) fn height(&self, index: usize) -> usize {
        self.height[index]
    }

    /// What the wanted nodes need, with themselves: every node after all that it is made from.
    ///
    /// # Errors
    /// [`GraphError::UnknownNode`].
    pub(crate) fn needed(&self, wanted: &[&str]) -> Result<Vec<usize>, GraphError> {
        let mut open = wanted
            .iter()
            .map(|name| self.index(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut needed = BTreeSet::new();
        while let Some(index) = open.pop() {
            if needed.insert(index) {
                open.extend(&self.dependencies[index]);
            }
        }
        Ok(self
            .order
            .iter()
            .copied()
            .filter(|index| needed.contains(index))
            .collect())
    }
}

fn check_node(node: &Node) -> Result<(), GraphError> {
    names::check("node", &node.name)?;
    if node.outputs.is_empty() {
        let node = node.name.clone();
        return Err(GraphError::NoOutputs { node });
    }
    let mut outputs = BTreeSet::new();
    for output in &node.outputs {
        names::check("output", output)?;
        if !outputs.insert(output.as_str()) {
            return Err(output_clash(node, output, output));
        }
    }
    for output in &outputs {
        let inside = |other: &&&str| {
            other
                .strip_prefix(output)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        if let Some(other) = outputs.iter().find(inside) {
            return Err(output_clash(node, output, other));
        }
    }
    for (output, name) in &node.finals {
        names::check("final file", name)?;
        if !outputs.contains(output.as_str()) {
            return Err(unknown_output(&node.name, node, output));
        }
    }
    Ok(())
}

fn output_clash(node: &Node, output: &str, other: &str) -> GraphError {
    GraphError::OutputClash {
        node: node.name.clone(),
        output: output.to_owned(),
        other: other.to_owned(),
    }
}

fn unknown_output(wanted_by: &str, node: &Node, output: &str) -> GraphError {
    GraphError::UnknownOutput {
        wanted_by: wanted_by.to_owned(),
        node: node.name.clone(),
        output: output.to_owned(),
        known: node.outputs.clone(),
    }
}

fn check_inputs<'n>(node: &'n Node, find: &dyn Fn(&str) -> Option<&'n Node>) -> Result<(), GraphError> {
    let mut slots = BTreeSet::new();
    for (slot, input) in &node.inputs {
        names::check("slot", slot)?;
        let made_by = |name: &str| {
            find(name).ok_or_else(|| GraphError::UnknownInput {
                node: node.name.clone(),
                slot: slot.clone(),
                input: name.to_owned(),
            })
        };
        let taken: Vec<String> = match input {
            Input::Output { node: name, output } => {
                let other = made_by(name)?;
                if !other.outputs.contains(output) {
                    return Err(unknown_output(&node.name, other, output));
                }
                vec![slot.clone()]
            }
            Input::All { node: name } => {
                let outputs = &made_by(name)?.outputs;
                outputs.iter().map(|output| format!("{slot}/{output}")).collect()
            }
            Input::Tree { only, .. } => {
                only.iter().try_for_each(|path| names::check("sub-path", path))?;
                vec![slot.clone()]
            }
            Input::File { .. } | Input::Fact { .. } => vec![slot.clone()],
        };
        for slot in taken {
            if slots.contains(&slot) {
                let node = node.name.clone();
                return Err(GraphError::SlotClash { node, slot });
            }
            slots.insert(slot);
        }
    }
    Ok(())
}

fn check_finals(nodes: &[Node]) -> Result<(), GraphError> {
    let mut makers: BTreeMap<&str, &str> = BTreeMap::new();
    for node in nodes {
        for file in node.finals.values() {
            if let Some(first) = makers.insert(file, &node.name) {
                return Err(GraphError::FinalClash {
                    file: file.clone(),
                    first: first.to_owned(),
                    second: node.name.clone(),
                });
            }
        }
    }
    Ok(())
}

/// Every node after its dependencies, and otherwise by name.
///
/// # Errors
/// Those that are left over because a cycle is among them or before them.
fn order(
    dependencies: &[BTreeSet<usize>],
    dependents: &[BTreeSet<usize>],
) -> Result<Vec<usize>, BTreeSet<usize>> {
    let mut waits_for: Vec<usize> = dependencies.iter().map(BTreeSet::len).collect();
    let mut free: BTreeSet<usize> = (0..waits_for.len())
        .filter(|&index| waits_for[index] == 0)
        .collect();
    let mut order = Vec::with_capacity(waits_for.len());
    while let Some(index) = free.pop_first() {
        order.push(index);
        for &dependent in &dependents[index] {
            waits_for[dependent] -= 1;
            if waits_for[dependent] == 0 {
                free.insert(dependent);
            }
        }
    }
    if order.len() == waits_for.len() {
        return Ok(order);
    }
    Err((0..waits_for.len())
        .filter(|&index| waits_for[index] > 0)
        .collect())
}

/// A cycle among nodes each of which waits for another one of them, beginning and ending with the same node.
fn cycle(dependencies: &[BTreeSet<usize>], stuck: BTreeSet<usize>) -> Vec<usize> {
    let mut path = Vec::new();
    let mut next = stuck.first().copied();
    while let Some(index) = next {
        if let Some(start) = path.iter().position(|&seen| seen == index) {
            path.drain(..start);
            path.push(index);
            break;
        }
        path.push(index);
        next = dependencies[index]
            .iter()
            .copied()
            .find(|other| stuck.contains(other));
    }
    path
}

#[cfg(test)]
mod tests;
