//! What runs again after a change, and why.

use crate::toys::{Notes, Place, budget, graph, node, packers, why};
use serde_json::json;
use std::fs;
use vrel_graph::{Graph, Input, Node, run};
use vrel_model::Sha256Digest;

/// a and b from sources, `mid` from a, `top` from mid and b.
fn diamond(place: &Place, mid: &str) -> Graph {
    graph(vec![
        node("a", "concat", &[]).input("src", Input::file(place.path("a.txt"))),
        node("b", "concat", &[]).input("src", Input::file(place.path("b.txt"))),
        node("mid", mid, &["a"]),
        node("top", "upper", &["b", "mid"]),
    ])
}

fn place() -> Place {
    let place = Place::new();
    place.put("a.txt", "alpha");
    place.put("b.txt", "beta");
    place
}

#[test]
fn a_second_run_builds_nothing_and_writes_nothing() {
    let place = place();
    let graph = diamond(&place, "concat");
    let first = place.run(&graph, &["top"]);
    assert_eq!(place.text(&first, "top"), "BETAALPHA");
    assert_eq!(place.ran(), ["a", "b", "mid", "top"]);
    assert_eq!(first.built(), ["a", "b", "mid", "top"]);
    assert_eq!(why(&first, "top"), ["no earlier build is known"]);

    let listing = || {
        let mut all = Vec::new();
        let mut open = vec![place.cache_dir()];
        while let Some(dir) = open.pop() {
            for entry in fs::read_dir(dir).unwrap() {
                let path = entry.unwrap().path();
                let metadata = fs::metadata(&path).unwrap();
                if metadata.is_dir() {
                    open.push(path);
                } else {
                    all.push((path, metadata.len(), metadata.modified().unwrap()));
                }
            }
        }
        all.sort();
        all
    };
    let before = listing();
    let second = place.run(&graph, &["top"]);
    assert_eq!(place.ran(), [""; 0]);
    assert_eq!(second.built(), [""; 0]);
    assert_eq!(second.nodes["top"].outputs, first.nodes["top"].outputs);
    assert_eq!(listing(), before);
}

#[test]
fn only_what_depends_on_a_change_runs_again() {
    let place = place();
    let graph = diamond(&place, "concat");
    place.run(&graph, &["top"]);
    place.ran();
    place.put("b.txt", "gamma");
    let report = place.run(&graph, &["top"]);
    assert_eq!(place.ran(), ["b", "top"]);
    assert_eq!(place.text(&report, "top"), "GAMMAALPHA");
    let reasons = why(&report, "b");
    assert!(
        reasons.len() == 1 && reasons[0].starts_with("the input src was f44e64e75f39 and is "),
        "{reasons:?}"
    );
    assert!(
        why(&report, "top")[0].starts_with("the input b was "),
        "{:?}",
        why(&report, "top")
    );
    assert_eq!(why(&report, "mid"), [""; 0]);

    // The cache still has what was made before.
    place.put("b.txt", "beta");
    assert_eq!(place.run(&graph, &["top"]).built(), [""; 0]);
}

#[test]
fn an_unchanged_output_of_a_rebuilt_node_ends_the_rebuild() {
    let place = place();
    let graph = diamond(&place, "first");
    place.run(&graph, &["top"]);
    place.ran();
    place.put("a.txt", "another text with the same first byte");
    let report = place.run(&graph, &["top"]);
    assert_eq!(place.ran(), ["a", "mid"]);
    assert_eq!(place.text(&report, "top"), "BETAA");
}

#[test]
fn only_what_the_wanted_nodes_need_is_looked_at() {
    let place = place();
    let graph = diamond(&place, "concat");
    fs::remove_file(place.path("b.txt")).unwrap();
    let report = place.run(&graph, &["mid"]);
    assert_eq!(place.ran(), ["a", "mid"]);
    assert_eq!(report.nodes.keys().collect::<Vec<_>>(), ["a", "mid"]);
    assert!(
        report
            .output("top", "out")
            .unwrap_err()
            .to_string()
            .contains("got `top`")
    );
    assert!(
        report
            .output("mid", "log")
            .unwrap_err()
            .to_string()
            .contains("got `log`")
    );
}

#[test]
fn each_kind_of_change_is_named() {
    let mut place = place();
    place.put("tree/x/main.rs", "one");
    place.put("tree/y", "two");
    let make = |text: &str, fact: u8| {
        let fact = Sha256Digest::new([fact; 32]);
        node("a", "concat", &[])
            .params(json!({"text": text, "other": 1}))
            .input("cc", Input::Fact { digest: fact })
            .input("tree", Input::tree(place.path("tree")))
    };
    let (first, text, fact) = (make("x", 1), make("y", 1), make("y", 2));
    let more = fact.clone().input("new", Input::file(place.path("a.txt")));
    let renamed = Node {
        packer: "upper".to_owned(),
        ..more.clone()
    };
    let reasons = |place: &Place, node: &Node| why(&place.run(&graph(vec![node.clone()]), &["a"]), "a");
    assert_eq!(reasons(&place, &first), ["no earlier build is known"]);
    assert_eq!(reasons(&place, &text), ["the parameters changed: text"]);
    assert_eq!(
        reasons(&place, &fact),
        ["the input cc was 010101010101 and is 020202020202"]
    );
    assert_eq!(reasons(&place, &more), ["the input new is new"]);
    assert_eq!(reasons(&place, &renamed), ["the packer was concat and is upper"]);
    assert_eq!(
        reasons(&place, &more),
        [""; 0],
        "what was made before is still there"
    );
    place.packers = packers(2, &place.log);
    assert_eq!(
        reasons(&place, &more),
        ["the packer concat had version 1 and has 2"]
    );
    place.put("tree/x/main.rs", "ONE");
    fs::rename(place.path("tree/y"), place.path("tree/z")).unwrap();
    let tree = reasons(&place, &more);
    assert!(
        tree.len() == 1 && tree[0].ends_with(": x/main.rs, y, z"),
        "{tree:?}"
    );
    fs::remove_dir_all(place.cache_dir().join("actions")).unwrap();
    assert_eq!(reasons(&place, &more), ["the cache does not know what came out"]);
    let two = more.output("log");
    assert_eq!(reasons(&place, &two), ["the outputs were out and are log, out"]);
}

#[test]
fn what_does_not_change_the_bytes_does_not_rebuild() {
    let place = place();
    let make = |params: &str, cores: u32| {
        let node = node("a", "concat", &[]).input("src", Input::file(place.path("a.txt")));
        graph(vec![
            node.params(serde_json::from_str(params).unwrap())
                .cost(cores, u64::from(cores)),
        ])
    };
    place.run(&make(r#"{"x":1,"text":"t"}"#, 1), &["a"]);
    assert_eq!(
        place.run(&make(r#"{"text":"t","x":1}"#, 9), &["a"]).built(),
        [""; 0]
    );
    // Another name for the same work shares what it made.
    let other = node("b", "concat", &[]).input("src", Input::file(place.path("a.txt")));
    let other = other.params(json!({"x": 1, "text": "t"}));
    assert_eq!(place.run(&graph(vec![other]), &["b"]).built(), [""; 0]);
}

#[test]
fn all_outputs_of_a_node_go_in_by_their_names() {
    let place = place();
    let make = Node::new("make", "concat")
        .input("src", Input::file(place.path("a.txt")))
        .output("man/a.1")
        .output("b");
    let report = place.run(
        &graph(vec![
            make,
            node("top", "concat", &[]).input("in", Input::all("make")),
        ]),
        &["top"],
    );
    assert_eq!(place.text(&report, "top"), "balphaman/a.1alpha");
}

#[test]
fn events_and_progress_lines_are_told() {
    let mut place = place();
    let talk = crate::toys::Toy::new("talk", 1, |job| {
        job.say("half way");
        crate::toys::write_outputs(job, b"x")
    });
    place.packers.add(talk).unwrap();
    let graph = graph(vec![node("a", "talk", &[])]);
    let told = || {
        let notes = Notes::default();
        run(
            &graph,
            &["a"],
            &place.cache(),
            &place.executor(),
            budget(1),
            &notes,
        )
        .unwrap();
        notes.0.into_inner().unwrap()
    };
    assert_eq!(
        told(),
        [
            "1 nodes",
            "started a: no earlier build is known",
            "a says half way",
            "built a"
        ]
    );
    assert_eq!(told(), ["1 nodes", "reused a"]);
}

#[test]
fn the_budget_does_not_change_the_bytes() {
    let results: Vec<_> = [1, 8]
        .into_iter()
        .map(|cores| {
            let place = place();
            let mut nodes: Vec<Node> = (0..20)
                .map(|number| {
                    node(&format!("n{number}"), "concat", &[])
                        .params(json!({"text": number.to_string()}))
                        .input("src", Input::file(place.path("a.txt")))
                })
                .collect();
            let all: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
            let all: Vec<&str> = all.iter().map(String::as_str).collect();
            nodes.push(node("top", "upper", &all));
            let graph = graph(nodes);
            let report = run(
                &graph,
                &["top"],
                &place.cache(),
                &place.executor(),
                budget(cores),
                &vrel_graph::Silent,
            );
            let nodes = report.unwrap().nodes;
            nodes
                .into_iter()
                .map(|(name, node)| (name, node.key, node.outputs))
                .collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(results[0].len(), 21);
    assert_eq!(results[0], results[1]);
}
