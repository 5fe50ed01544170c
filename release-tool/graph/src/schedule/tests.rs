use super::*;
use crate::{Input, Node};

fn budget(cores: u32, memory: u64) -> Budget {
    Budget {
        cores: NonZeroU32::new(cores).unwrap(),
        memory,
    }
}

fn graph(nodes: &[(&str, &[&str], u32, u64)]) -> Graph {
    let node = |&(name, from, cores, memory): &(&str, &[&str], u32, u64)| {
        let node = Node::new(name, "copy").output("out").cost(cores, memory);
        from.iter().fold(node, |node, other| {
            node.input(*other, Input::output(*other, "out"))
        })
    };
    Graph::new("test", nodes.iter().map(node).collect()).unwrap()
}

fn schedule(graph: &Graph, budget: Budget) -> Schedule<'_> {
    let needed: Vec<usize> = (0..graph.nodes().len()).collect();
    let mut schedule = Schedule::new(graph, &needed, budget);
    open_all(&mut schedule);
    schedule
}

fn open_all(schedule: &mut Schedule<'_>) {
    while let Some(index) = schedule.next_open() {
        schedule.set_ready(index);
    }
}

/// Starts everything that can start.
fn started(schedule: &mut Schedule<'_>) -> Vec<&'static str> {
    let name = |index: usize| ["a", "b", "c", "d", "e"][index];
    std::iter::from_fn(|| schedule.start().map(|(index, _)| name(index))).collect()
}

#[test]
fn cores_and_memory_are_never_given_twice() {
    let graph = graph(&[
        ("a", &[], 2, 10),
        ("b", &[], 1, 10),
        ("c", &[], 1, 90),
        ("d", &[], 1, 10),
        ("e", &[], 0, 0),
    ]);
    let mut schedule = schedule(&graph, budget(4, 100));
    // c does not fit into the memory beside a and b; e counts as one core, and finds none beside a, b and d.
    assert_eq!(started(&mut schedule), ["a", "b", "d"]);
    schedule.set_done(0);
    assert_eq!(started(&mut schedule), ["e"]);
    schedule.set_done(1);
    assert_eq!(started(&mut schedule), ["c"]);
    for index in [2, 3, 4] {
        schedule.set_done(index);
    }
    assert!(schedule.is_done() && schedule.is_idle());
    assert_eq!(
        schedule.free,
        Cost {
            cores: 4,
            memory: 100
        }
    );
}

#[test]
fn a_node_that_costs_more_than_the_budget_runs_alone() {
    let graph = graph(&[("a", &[], 9, 1), ("b", &[], 1, 1), ("c", &[], 1, 999)]);
    let mut schedule = schedule(&graph, budget(2, 100));
    assert_eq!(
        schedule.start(),
        Some((
            0,
            Cost {
                cores: 2,
                memory: 100
            }
        ))
    );
    assert_eq!(started(&mut schedule), [""; 0]);
    schedule.set_done(0);
    assert_eq!(started(&mut schedule), ["b"]);
    schedule.set_done(1);
    assert_eq!(started(&mut schedule), ["c"]);
}

#[test]
fn what_most_others_wait_for_starts_first() {
    let graph = graph(&[
        ("a", &[], 1, 1),
        ("b", &[], 1, 1),
        ("c", &["b"], 1, 1),
        ("d", &["c"], 1, 1),
    ]);
    let mut schedule = schedule(&graph, budget(1, 9));
    assert_eq!(started(&mut schedule), ["b"]);
    schedule.set_done(1);
    open_all(&mut schedule);
    assert_eq!(started(&mut schedule), ["c"]);
}

#[test]
fn a_damaged_input_is_made_again_once_for_all_who_wait_for_it() {
    let graph = graph(&[("a", &[], 1, 1), ("b", &["a"], 1, 1), ("c", &["a"], 1, 1)]);
    let mut schedule = Schedule::new(&graph, &[0, 1, 2], budget(2, 9));
    assert_eq!(schedule.next_open(), Some(0));
    schedule.set_done(0);
    open_all(&mut schedule);
    assert_eq!(started(&mut schedule), ["b", "c"]);
    schedule.again(1, &[0].into(), &|_| true);
    assert_eq!(started(&mut schedule), ["a"]);
    schedule.again(2, &[0].into(), &|_| panic!("a runs already"));
    assert_eq!(started(&mut schedule), [""; 0]);
    schedule.set_done(0);
    assert_eq!(schedule.next_open(), None);
    assert_eq!(started(&mut schedule), ["b", "c"]);
    // It was made again in the meantime.
    schedule.again(1, &[0].into(), &|_| false);
    assert_eq!(started(&mut schedule), ["b"]);
}

#[test]
fn what_failed_gives_back_what_it_used() {
    let graph = graph(&[("a", &[], 2, 5)]);
    let mut schedule = schedule(&graph, budget(2, 9));
    assert_eq!(started(&mut schedule), ["a"]);
    assert!(!schedule.is_idle());
    schedule.set_failed(0);
    assert!(schedule.is_idle() && !schedule.is_done());
    assert_eq!(schedule.width(), 1);
}
