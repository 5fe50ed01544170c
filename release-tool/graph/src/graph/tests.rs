use super::*;
use serde_json::json;

fn node(name: &str, from: &[&str]) -> Node {
    let node = Node::new(name, "copy").output("out");
    from.iter().fold(node, |node, other| {
        node.input(*other, Input::output(*other, "out"))
    })
}

fn problem(nodes: Vec<Node>) -> String {
    Graph::new("test", nodes).unwrap_err().to_string()
}

#[test]
fn every_node_comes_after_what_it_is_made_from() {
    let graph = Graph::new(
        "test",
        vec![
            node("a", &["c"]),
            node("b", &[]),
            node("c", &["b", "d"]),
            node("d", &[]),
        ],
    )
    .unwrap();
    let names = |wanted: &[&str]| -> Vec<String> {
        let needed = graph.needed(wanted).unwrap();
        needed
            .into_iter()
            .map(|index| graph.at(index).name.clone())
            .collect()
    };
    assert_eq!(names(&["a"]), ["b", "d", "c", "a"]);
    assert_eq!(names(&["d", "b"]), ["b", "d"]);
    assert_eq!(graph.height(graph.index("b").unwrap()), 3);
    let error = graph.needed(&["e"]).unwrap_err().to_string();
    assert_eq!(error, "expected one of the nodes a, b, c, d, got `e`");
}

#[test]
fn a_cycle_is_named_from_node_to_node() {
    let nodes = vec![
        node("a", &["b"]),
        node("b", &["c"]),
        node("c", &["d", "b"]),
        node("d", &[]),
    ];
    assert_eq!(problem(nodes), "nodes are made from themselves: b <- c <- b");
    assert_eq!(
        problem(vec![node("a", &["a"])]),
        "nodes are made from themselves: a <- a"
    );
}

#[test]
fn what_does_not_exist_is_named_with_what_does() {
    assert_eq!(
        problem(vec![node("a", &["b"])]),
        "a: input `b`: expected the name of a node, got `b`"
    );
    let wrong = node("a", &[]).input("in", Input::output("b", "x"));
    let error = problem(vec![wrong, node("b", &[]).output("log")]);
    assert_eq!(error, "a: expected one of the outputs of `b` (out, log), got `x`");
    let error = problem(vec![node("a", &[]).input("in", Input::all("b"))]);
    assert_eq!(error, "a: input `in`: expected the name of a node, got `b`");
}

#[test]
fn nothing_has_two_meanings() {
    assert_eq!(
        problem(vec![node("a", &[]), node("a", &[])]),
        "two nodes are called `a`"
    );
    assert_eq!(
        problem(vec![Node::new("a", "copy")]),
        "a: expected at least one output, got none"
    );
    assert!(problem(vec![node("a", &[]).output("out")]).contains("`out`"));
    let error = problem(vec![node("a", &[]).output("out/x")]);
    assert_eq!(error, "a: the outputs `out` and `out/x` cannot exist together");
    let all = node("a", &[])
        .input("in", Input::all("b"))
        .input("in/out", Input::output("b", "out"));
    let error = problem(vec![all, node("b", &[])]);
    assert_eq!(error, "a: two inputs are called `in/out`");
}

#[test]
fn two_nodes_cannot_make_the_same_final_file() {
    let make = |name: &str, file: &str| Node::new(name, "copy").final_output("out", file);
    let error = problem(vec![make("a", "x.iso"), make("b", "x.iso")]);
    assert_eq!(error, "the final file `x.iso` is made by two nodes: a and b");
    Graph::new("test", vec![make("a", "x.iso"), make("b", "y.iso")]).unwrap();
    let mut wrong = make("a", "x.iso");
    wrong.finals.insert("other".to_owned(), "y".to_owned());
    assert!(problem(vec![wrong]).contains("got `other`"));
}

#[test]
fn names_that_leave_their_directory_are_refused() {
    assert!(problem(vec![node("../a", &[])]).contains("../a"));
    assert!(problem(vec![Node::new("a", "copy").output("/etc/passwd")]).contains("/etc/passwd"));
    assert!(problem(vec![node("a", &[]).input("..", Input::file("x"))]).contains("slot"));
    let tree = Input::Tree {
        path: "os".into(),
        only: vec!["../secret".to_owned()],
    };
    assert!(problem(vec![node("a", &[]).input("in", tree)]).contains("../secret"));
}

#[test]
fn a_graph_can_be_written_for_other_programs() {
    let node = node("a", &[]).params(json!({"size": 1})).cost(2, 3);
    let graph = Graph::new("test", vec![node]).unwrap();
    let value = serde_json::to_value(graph.node("a").unwrap()).unwrap();
    assert_eq!(value["cost"], json!({"cores": 2, "memory": 3}));
    assert_eq!(value["params"]["size"], 1);
}
