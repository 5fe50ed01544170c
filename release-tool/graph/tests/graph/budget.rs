//! How much runs at the same time.

use crate::toys::{Place, Toy, graph, node, write_outputs};
use std::num::NonZeroU32;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
use vrel_graph::{Budget, Job, Node, PackerError, Silent, run};

/// What runs now, and the most that ever ran.
#[derive(Default)]
struct Gauge {
    now: Mutex<Load>,
    changed: Condvar,
}

#[derive(Clone, Copy, Default)]
struct Load {
    nodes: usize,
    cores: u32,
    memory: u64,
    most_nodes: usize,
    most_cores: u32,
    most_memory: u64,
    /// How many nodes met at once.
    met: usize,
}

/// Far more than any machine needs; only a broken scheduler makes a test wait for it.
const PATIENCE: Duration = Duration::from_secs(60);

impl Gauge {
    /// Counts a node while it runs; a node with the parameter `meet` stays until so many nodes run or have met.
    fn pack(&self, job: &Job<'_>) -> Result<(), PackerError> {
        let mut now = self.now.lock().unwrap();
        now.nodes += 1;
        now.cores += job.cores;
        now.memory += job.memory;
        now.most_nodes = now.most_nodes.max(now.nodes);
        now.most_cores = now.most_cores.max(now.cores);
        now.most_memory = now.most_memory.max(now.memory);
        let meet = job
            .params
            .as_u64()
            .and_then(|meet| usize::try_from(meet).ok())
            .unwrap_or(0);
        if now.nodes >= meet {
            now.met = now.met.max(meet);
        }
        self.changed.notify_all();
        let (mut now, timeout) = self
            .changed
            .wait_timeout_while(now, PATIENCE, |now| now.met < meet)
            .unwrap();
        now.nodes -= 1;
        now.cores -= job.cores;
        now.memory -= job.memory;
        drop(now);
        if timeout.timed_out() {
            return Err(PackerError::new(format!(
                "{meet} nodes never ran at the same time"
            )));
        }
        write_outputs(job, b"x")
    }
}

fn most(nodes: Vec<Node>, cores: u32, memory: u64) -> Load {
    let mut place = Place::new();
    let gauge = Arc::new(Gauge::default());
    let own = Arc::clone(&gauge);
    place
        .packers
        .add(Toy::new("gauge", 1, move |job| own.pack(job)))
        .unwrap();
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let budget = Budget {
        cores: NonZeroU32::new(cores).unwrap(),
        memory,
    };
    let report = run(
        &graph(nodes),
        &names,
        &place.cache(),
        &place.executor(),
        budget,
        &Silent,
    )
    .unwrap();
    assert_eq!(report.built().len(), names.len());
    *gauge.now.lock().unwrap()
}

fn nodes(count: usize, cores: u32, memory: u64, meet: usize) -> Vec<Node> {
    // Parameters and outputs differ, so that no two nodes share a key.
    (0..count)
        .map(|number| {
            Node::new(format!("n{number}"), "gauge")
                .output(format!("out{number}"))
                .params(meet.into())
                .cost(cores, memory)
        })
        .collect()
}

#[test]
fn nodes_run_at_the_same_time_as_far_as_there_are_cores() {
    let load = most(nodes(12, 1, 1, 4), 4, 100);
    assert_eq!((load.most_nodes, load.most_cores), (4, 4));
    let load = most(nodes(12, 2, 1, 2), 5, 100);
    assert_eq!((load.most_nodes, load.most_cores), (2, 4));
}

#[test]
fn nodes_run_at_the_same_time_as_far_as_there_is_memory() {
    let load = most(nodes(12, 1, 30, 3), 8, 100);
    assert_eq!((load.most_nodes, load.most_memory), (3, 90));
}

#[test]
fn a_node_that_costs_more_than_the_budget_runs_alone() {
    let mut all = nodes(6, 1, 10, 0);
    all.push(Node::new("huge", "gauge").output("out").cost(1, 1 << 40));
    all.push(Node::new("wide", "gauge").output("wide").cost(64, 1));
    let load = most(all, 3, 100);
    assert!(
        load.most_cores <= 3 && load.most_memory <= 100,
        "{} {}",
        load.most_cores,
        load.most_memory
    );
}

#[test]
fn a_mixture_stays_within_the_budget() {
    let mut all = Vec::new();
    for number in 0..40_u32 {
        let node = node(&format!("n{number:02}"), "gauge", &[]);
        let node = Node {
            outputs: vec![format!("out{number}")],
            ..node
        };
        all.push(node.cost(1 + number % 4, u64::from(number % 7) * 20));
    }
    let load = most(all, 4, 100);
    assert!(
        load.most_cores <= 4 && load.most_memory <= 100,
        "{} {}",
        load.most_cores,
        load.most_memory
    );
}
