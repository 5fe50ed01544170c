//! Several builds with one cache.

use crate::toys::{Log, Place, Toy, budget, graph, node, packers, write_outputs};
use serde_json::json;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Barrier;
use vrel_graph::{Cache, Graph, GraphError, Input, Keep, LocalExecutor, Report, Silent, prune, run};
use vrel_model::UtcTime;
use vrel_world::{RealWorld, World};

/// Tells a process that was started by a test where to build.
const DIR: &str = "VREL_GRAPH_TEST_DIR";

/// Tells it to stop in the middle and say so.
const HANG: &str = "VREL_GRAPH_TEST_HANG";

const READY: &str = "a packer is at work";

fn many(dir: &Path) -> Graph {
    let mut nodes = Vec::new();
    for number in 0..12 {
        let source = Input::file(dir.join("a.txt"));
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
    nodes.push(node("last", "last", &["top"]));
    graph(nodes)
}

/// Builds as in a process of its own: nothing is shared but the directory.
fn build(dir: &Path, hang: bool, start: &dyn Fn()) -> Report {
    let world = RealWorld::default();
    let mut packers = packers(1, &Log::default());
    let last = Toy::new("last", 1, move |job| {
        if hang {
            let mut half = job.world.fs().create(job.output("out")?)?;
            half.write_all(b"half")?;
            let mut out = std::io::stdout();
            writeln!(out, "{READY}")?;
            out.flush()?;
            loop {
                std::thread::park();
            }
        }
        write_outputs(job, b"end")
    });
    packers.add(last).unwrap();
    let cache = Cache::open(&world, &dir.join("cache")).unwrap();
    start();
    let executor = LocalExecutor::new(&world, &packers);
    let report = run(&many(dir), &["last"], &cache, &executor, budget(2), &Silent).unwrap();
    for node in report.nodes.values() {
        for file in node.outputs.values() {
            cache.path(file).unwrap();
        }
    }
    report
}

fn place() -> Place {
    let place = Place::new();
    place.put("a.txt", "alpha");
    place
}

fn assert_whole(place: &Place) {
    let report = build(place.dir.path(), false, &|| {});
    assert_eq!((report.built(), report.warnings.len()), (Vec::new(), 0));
    assert_eq!(
        std::fs::read_dir(place.cache_dir().join("work")).unwrap().count(),
        0
    );
}

#[test]
fn builds_at_the_same_time_agree_and_leave_a_whole_cache() {
    let place = place();
    let start = Barrier::new(4);
    let results: Vec<_> = std::thread::scope(|scope| {
        let build = || {
            let report = build(place.dir.path(), false, &|| {
                start.wait();
            });
            let nodes = report.nodes.into_iter();
            nodes
                .map(|(name, node)| (name, node.key, node.outputs))
                .collect::<Vec<_>>()
        };
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(build)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(results[0].len(), 14);
    assert!(results.iter().all(|result| *result == results[0]));
    assert_whole(&place);
}

/// Also what the processes run that other tests start, in a directory of theirs.
#[test]
fn a_process_builds_what_is_wanted() {
    let own = place();
    let dir = std::env::var_os(DIR).map_or_else(|| own.dir.path().to_owned(), Into::into);
    let report = build(&dir, std::env::var_os(HANG).is_some(), &|| {});
    assert_eq!(report.nodes.len(), 14);
}

fn process(place: &Place, hang: bool) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "sharing::a_process_builds_what_is_wanted",
            "--exact",
            "--nocapture",
        ])
        .env(DIR, place.dir.path())
        .stdout(Stdio::piped());
    if hang {
        command.env(HANG, "1");
    }
    command.spawn().unwrap()
}

#[test]
fn processes_at_the_same_time_share_a_cache() {
    let place = place();
    let processes: Vec<Child> = (0..3).map(|_| process(&place, false)).collect();
    for process in processes {
        let output = process.wait_with_output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success() && text.contains("1 passed"), "{text}");
    }
    assert_whole(&place);
}

#[test]
fn a_killed_process_leaves_nothing_that_stays() {
    let place = place();
    let mut process = process(&place, true);
    let lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = lines.map(Result::unwrap).any(|line| line.contains(READY));
    assert!(ready, "the process ended early");
    assert!(keep_all(&place).is_err(), "it holds the cache");
    process.kill().unwrap();
    process.wait().unwrap();
    let work = || std::fs::read_dir(place.cache_dir().join("work")).unwrap().count();
    assert_eq!(work(), 2, "a directory and its lock");
    assert_eq!(build(place.dir.path(), false, &|| {}).built(), ["last"]);
    assert_eq!(work(), 0);
    assert_whole(&place);
}

fn keep_all(place: &Place) -> Result<vrel_graph::Pruned, GraphError> {
    let keep = Keep {
        used_since: UtcTime::from_unix(0).unwrap(),
        at_most: None,
    };
    prune(&place.world, &place.cache_dir(), keep)
}

#[test]
fn nobody_prunes_what_a_build_holds_and_nobody_builds_while_somebody_prunes() {
    let place = place();
    let (one, two) = (place.cache(), place.cache());
    let error = keep_all(&place).unwrap_err();
    assert!(matches!(error, GraphError::InUse { .. }), "{error}");
    drop(one);
    assert!(keep_all(&place).is_err());
    drop(two);
    keep_all(&place).unwrap();

    let lock = place.cache_dir().join("lock");
    let lock = place.world.fs().lock(&lock, "somebody who prunes it").unwrap();
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
