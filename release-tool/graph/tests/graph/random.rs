//! Random graphs and random edits: an incremental run gives what a clean one gives, and exactly the nodes run whose
//! recipe is new.

use crate::toys::{Log, Place, budget, packers};
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use vrel_graph::{Cache, Graph, Input, LocalExecutor, Node, Report, Silent, run};

/// How many source files there are.
const SOURCES: usize = 3;

/// A node of the model: its inputs are sources and nodes with lower numbers.
#[derive(Clone, Debug)]
struct Spec {
    packer: usize,
    text: u8,
    sources: BTreeSet<usize>,
    /// Each node with whether all its outputs go in.
    nodes: BTreeMap<usize, bool>,
    outputs: usize,
}

const PACKERS: [&str; 3] = ["concat", "upper", "first"];

#[derive(Clone, Debug)]
struct Specs {
    nodes: Vec<Spec>,
    sources: [u8; SOURCES],
    concat_version: u32,
}

#[derive(Clone, Debug)]
enum Edit {
    Source(usize, u8),
    Text(usize, u8),
    Packer(usize, usize),
    Unlink(usize),
    Version(u32),
    /// The object of a node's first output goes missing.
    Lose(usize),
    /// Nothing.
    Again,
}

fn spec() -> impl Strategy<Value = Spec> {
    let sources = prop::collection::btree_set(0..SOURCES, 1..3);
    let nodes = prop::collection::btree_map(0..12_usize, any::<bool>(), 0..4);
    (0..3_usize, 0..3_u8, sources, nodes, 1..3_usize).prop_map(|(packer, text, sources, nodes, outputs)| {
        Spec {
            packer,
            text,
            sources,
            nodes,
            outputs,
        }
    })
}

fn specs() -> impl Strategy<Value = Specs> {
    (prop::collection::vec(spec(), 1..12), any::<[u8; SOURCES]>()).prop_map(|(mut nodes, sources)| {
        for (number, spec) in nodes.iter_mut().enumerate() {
            spec.nodes.retain(|other, _| *other < number);
        }
        Specs {
            nodes,
            sources,
            concat_version: 1,
        }
    })
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..SOURCES, any::<u8>()).prop_map(|(source, byte)| Edit::Source(source, byte)),
        (0..12_usize, 0..3_u8).prop_map(|(node, text)| Edit::Text(node, text)),
        (0..12_usize, 0..3_usize).prop_map(|(node, packer)| Edit::Packer(node, packer)),
        (0..12_usize).prop_map(Edit::Unlink),
        (1..3_u32).prop_map(Edit::Version),
        (0..12_usize).prop_map(Edit::Lose),
        Just(Edit::Again),
    ]
}

/// What decides on the bytes of a node, as far as the model sees it: packer, version, text, outputs, inputs by slot.
type Recipe = (String, u32, String, Vec<String>, BTreeMap<String, Vec<u8>>);

impl Specs {
    fn outputs(&self, number: usize) -> Vec<String> {
        (0..self.nodes[number].outputs)
            .map(|output| format!("o{output}"))
            .collect()
    }

    fn text(spec: &Spec) -> String {
        ["", "x", "y"][usize::from(spec.text)].to_owned()
    }

    fn source(&self, number: usize) -> Vec<u8> {
        format!("source {}", self.sources[number]).into_bytes()
    }

    fn graph(&self, place: &Place) -> Graph {
        let nodes = self.nodes.iter().enumerate().map(|(number, spec)| {
            let mut node = Node::new(format!("n{number}"), PACKERS[spec.packer])
                .params(json!({"text": Self::text(spec)}));
            for source in &spec.sources {
                node = node.input(
                    format!("s{source}"),
                    Input::file(place.path(&format!("s{source}"))),
                );
            }
            for (other, all) in &spec.nodes {
                let name = format!("n{other}");
                let input = if *all {
                    Input::all(name)
                } else {
                    Input::output(name, "o0")
                };
                node = node.input(format!("t{other}"), input);
            }
            node.outputs = self.outputs(number);
            node
        });
        Graph::new("random", nodes.collect()).unwrap()
    }

    /// What every node makes, and the recipes; computed without the crate under test.
    fn model(&self) -> (Vec<BTreeMap<String, Vec<u8>>>, Vec<Recipe>) {
        let (mut made, mut recipes): (Vec<BTreeMap<String, Vec<u8>>>, _) = (Vec::new(), Vec::new());
        for (number, spec) in self.nodes.iter().enumerate() {
            let mut inputs = BTreeMap::new();
            for source in &spec.sources {
                inputs.insert(format!("s{source}"), self.source(*source));
            }
            for (other, all) in &spec.nodes {
                if *all {
                    let outputs = made[*other].iter();
                    inputs
                        .extend(outputs.map(|(name, content)| (format!("t{other}/{name}"), content.clone())));
                } else {
                    inputs.insert(format!("t{other}"), made[*other]["o0"].clone());
                }
            }
            let version = if spec.packer == 0 { self.concat_version } else { 1 };
            let outputs = self.outputs(number);
            let recipe = (
                PACKERS[spec.packer].to_owned(),
                version,
                Self::text(spec),
                outputs.clone(),
                inputs,
            );
            made.push(outputs.into_iter().zip(contents(&recipe)).collect());
            recipes.push(recipe);
        }
        (made, recipes)
    }

    fn apply(&mut self, edit: &Edit) {
        let count = self.nodes.len();
        match *edit {
            Edit::Source(source, byte) => self.sources[source] = byte,
            Edit::Text(node, text) => self.nodes[node % count].text = text,
            Edit::Packer(node, packer) => self.nodes[node % count].packer = packer,
            Edit::Unlink(node) => drop(self.nodes[node % count].nodes.pop_first()),
            Edit::Version(version) => self.concat_version = version,
            Edit::Lose(_) | Edit::Again => {}
        }
    }
}

fn build(place: &Place, specs: &Specs, cores: u32) -> Report {
    for source in 0..SOURCES {
        place.put(&format!("s{source}"), specs.source(source));
    }
    let graph = specs.graph(place);
    let wanted: Vec<&str> = graph.nodes().iter().map(|node| node.name.as_str()).collect();
    let packers = packers(specs.concat_version, &Log::default());
    let executor = LocalExecutor::new(&place.world, &packers);
    let cache = Cache::open(&place.world, &place.cache_dir()).unwrap();
    run(&graph, &wanted, &cache, &executor, budget(cores), &Silent).unwrap()
}

/// Nodes with equal recipes share what they make, and while none of them has made it, more than one may run. Of several
/// nodes that made a lost content, the first one that runs may save the others.
fn assert_ran(report: &Report, recipes: &[Recipe], seen: &BTreeSet<Recipe>, lost: &BTreeSet<Recipe>) {
    for (number, recipe) in recipes.iter().enumerate() {
        let built = report.nodes[&format!("n{number}")].is_built();
        if seen.contains(recipe) {
            assert!(
                !built,
                "n{number} ran again: {:?}",
                report.nodes[&format!("n{number}")].outcome
            );
        }
        if built || seen.contains(recipe) || lost.contains(recipe) {
            continue;
        }
        let twin =
            |&other: &usize| recipes[other] == *recipe && report.nodes[&format!("n{other}")].is_built();
        assert!(
            (0..recipes.len()).any(|other| twin(&other)),
            "n{number} did not run"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_incremental_run_gives_what_a_clean_one_gives(
        mut specs in specs(),
        edits in prop::collection::vec(edit(), 1..8),
        cores in prop_oneof![Just(1_u32), Just(8)],
    ) {
        let place = Place::new();
        let (mut seen, mut lost) = (BTreeSet::new(), BTreeSet::new());
        for step in 0..=edits.len() {
            let (made, recipes) = specs.model();
            let report = build(&place, &specs, cores);
            assert_ran(&report, &recipes, &seen, &lost);
            for (number, outputs) in made.iter().enumerate() {
                for (output, content) in outputs {
                    prop_assert_eq!(&place.content(&report, &format!("n{number}"), output), content);
                }
            }
            prop_assert_eq!(&report.warnings, &[]);
            seen.extend(recipes.iter().cloned());
            let Some(edit) = edits.get(step) else { break };
            if let Edit::Lose(node) = edit {
                let number = *node % made.len();
                let file = report.output(&format!("n{number}"), "o0").unwrap();
                fs::remove_file(place.object(&file)).unwrap();
                let content = &made[number]["o0"];
                let has = |recipe: &Recipe| contents(recipe).contains(content);
                lost = seen.iter().filter(|recipe| has(recipe)).cloned().collect();
                seen.retain(|recipe| !has(recipe));
            }
            specs.apply(edit);
        }
        let clean = Place::new();
        let (first, second) = (build(&place, &specs, 1), build(&clean, &specs, cores));
        for (name, node) in &second.nodes {
            prop_assert_eq!(&node.outputs, &first.nodes[name].outputs);
            prop_assert_eq!(node.key, first.nodes[name].key);
        }
    }
}

/// What a recipe makes, by the rules of the toy packers.
fn contents(recipe: &Recipe) -> Vec<Vec<u8>> {
    let (packer, _, text, outputs, inputs) = recipe;
    let joined: Vec<u8> = inputs.values().flatten().copied().collect();
    let content = match packer.as_str() {
        "concat" => joined,
        "upper" => joined.to_ascii_uppercase(),
        _ => joined[..1].to_vec(),
    };
    let prefix = |name: &String| {
        if outputs.len() > 1 {
            name.clone()
        } else {
            String::new()
        }
    };
    outputs
        .iter()
        .map(|name| [prefix(name).as_bytes(), text.as_bytes(), &content].concat())
        .collect()
}
