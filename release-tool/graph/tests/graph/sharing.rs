//! Several builds with one cache.

use crate::toys::{Log, Place, budget, graph, node, packers};
use serde_json::json;
use std::sync::Barrier;
use vrel_graph::{Cache, Graph, GraphError, Input, Keep, LocalExecutor, Silent, prune, run};
use vrel_model::UtcTime;
use vrel_world::RealWorld;

fn many(place: &Place) -> Graph {
    let mut nodes = Vec::new();
    for number in 0..12 {
        let source = Input::file(place.path("a.txt"));
        let params = json!({"text": number.to_string()});
        nodes.push(
            node(&format!("n{number}"), "concat", &[])
                .params(params)
                .input("src", source),
        );
    }
    let names: Vec<String> = nodes.iter().map(|node| node.name.clone()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    nodes.push(node("top", "upper", &names));
    graph(nodes)
}

#[test]
fn builds_at_the_same_time_agree_and_leave_a_whole_cache() {
    let place = Place::new();
    place.put("a.txt", "alpha");
    let graph = many(&place);
    let start = Barrier::new(4);
    let results: Vec<_> = std::thread::scope(|scope| {
        let build = || {
            // As in a process of its own: nothing is shared but the directory.
            let world = RealWorld::default();
            let packers = packers(1, &Log::default());
            let cache = Cache::open(&world, &place.cache_dir()).unwrap();
            start.wait();
            let executor = LocalExecutor::new(&world, &packers);
            let report = run(&graph, &["top"], &cache, &executor, budget(2), &Silent).unwrap();
            for node in report.nodes.values() {
                for file in node.outputs.values() {
                    cache.path(file).unwrap();
                }
            }
            report
                .nodes
                .into_iter()
                .map(|(name, node)| (name, node.key, node.outputs))
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results[0].len(), 13);
    assert!(results.iter().all(|result| *result == results[0]));
    let report = place.run(&graph, &["top"]);
    assert_eq!((report.built(), report.warnings.len()), (Vec::new(), 0));
    assert_eq!(
        std::fs::read_dir(place.cache_dir().join("work")).unwrap().count(),
        0
    );
}

#[test]
fn nobody_prunes_what_a_build_holds_and_nobody_builds_while_somebody_prunes() {
    let place = Place::new();
    let keep = Keep {
        used_since: UtcTime::from_unix(0).unwrap(),
        at_most: None,
    };
    let (one, two) = (place.cache(), place.cache());
    let error = prune(&place.world, &place.cache_dir(), keep).unwrap_err();
    assert!(matches!(error, GraphError::InUse { .. }), "{error}");
    drop(one);
    assert!(prune(&place.world, &place.cache_dir(), keep).is_err());
    drop(two);
    prune(&place.world, &place.cache_dir(), keep).unwrap();

    let lock = vrel_world::World::fs(&place.world)
        .lock(&place.cache_dir().join("lock"), "somebody who prunes it")
        .unwrap();
    let error = Cache::open(&place.world, &place.cache_dir())
        .map(drop)
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("in the hands of somebody who prunes it"),
        "{error}"
    );
    drop(lock);
    place.cache();
}
