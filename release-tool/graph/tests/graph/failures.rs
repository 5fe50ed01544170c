//! What goes wrong has a name.

use crate::toys::{Notes, Place, Toy, budget, graph, node, write_outputs};
use std::fs;
use std::io;
use std::sync::{Arc, Barrier};
use vrel_graph::{
    Cache, Event, Graph, GraphError, Input, LocalExecutor, Observer, PackerError, Packers, Silent, run,
};
use vrel_world::{ErrorKind, Interrupt, RealWorld};

#[derive(Debug, thiserror::Error)]
#[error("cannot pack the image")]
struct Failed(#[source] io::Error);

fn place() -> Place {
    let mut place = Place::new();
    let mut add = |toy| place.packers.add(toy).unwrap();
    add(Toy::new("fail", 1, |_| {
        Err(Failed(io::Error::other("the label is too long")).into())
    }));
    add(Toy::new("panic", 1, |job| panic!("lost at {}", job.node)));
    add(Toy::new("idle", 1, |_| Ok(())));
    add(Toy::new("empty", 1, |job| {
        Ok(job.world.fs().write(job.output("out")?, b"", 0o644)?)
    }));
    add(Toy::new("dir", 1, |job| Ok(fs::create_dir(job.output("out")?)?)));
    add(Toy::new("link", 1, |job| {
        Ok(std::os::unix::fs::symlink("/etc/passwd", job.output("out")?)?)
    }));
    add(Toy::new("lost", 1, |job| job.input("nothing").map(|_| ())));
    add(Toy::new("params", 1, |job| job.params::<Vec<u8>>().map(drop)));
    place
}

fn problem(packer: &str) -> String {
    let place = place();
    let graph = graph(vec![
        node("x86_64/esp", packer, &[]),
        node("top", "concat", &["x86_64/esp"]),
    ]);
    let error = place.try_run(&graph, &["top"]).unwrap_err();
    assert_eq!(place.ran(), [""; 0], "top cannot run");
    // Nothing of it stays: not in the cache, not where it worked.
    for dir in ["objects", "actions", "work"] {
        let dir = place.cache_dir().join(dir);
        assert!(
            !dir.exists() || fs::read_dir(&dir).unwrap().count() == 0,
            "{}",
            dir.display()
        );
    }
    error.to_string()
}

#[test]
fn a_failing_packer_is_named_with_its_node_and_causes() {
    assert_eq!(
        problem("fail"),
        "cannot make x86_64/esp: cannot pack the image: the label is too long"
    );
    assert_eq!(
        problem("lost"),
        "cannot make x86_64/esp: expected an input `nothing`, got only "
    );
    assert!(problem("params").starts_with("cannot make x86_64/esp: parameters null: "));
}

#[test]
fn a_panic_is_an_error_like_others() {
    assert_eq!(
        problem("panic"),
        "cannot make x86_64/esp: its packer `panic` panicked: lost at x86_64/esp"
    );
}

#[test]
fn an_output_that_is_not_written_is_named() {
    let expected =
        |packer: &str| format!("x86_64/esp: expected its packer `{packer}` to write the output `out`, got ");
    assert_eq!(problem("idle"), expected("idle") + "nothing");
    assert_eq!(problem("empty"), expected("empty") + "an empty file");
    assert_eq!(problem("dir"), expected("dir") + "a directory");
    assert_eq!(
        problem("link"),
        expected("link") + "a symbolic link or a special file"
    );
}

#[test]
fn an_unknown_packer_is_named_with_those_that_there_are() {
    let place = Place::new();
    let graph = graph(vec![node("a", "oci", &[])]);
    let error = place.try_run(&graph, &["a"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "a: expected one of the packers concat, first, upper, got `oci`"
    );
}

#[test]
fn two_packers_cannot_have_one_name() {
    let mut packers = Packers::new();
    packers.add(Toy::new("x", 1, |_| Ok(()))).unwrap();
    let error = packers.add(Toy::new("x", 2, |_| Ok(()))).unwrap_err().to_string();
    assert_eq!(error, "two packers are called `x`");
}

#[test]
fn a_missing_source_is_found_before_anything_runs() {
    let place = Place::new();
    let graph = graph(vec![
        node("a", "concat", &[]),
        node("b", "concat", &["a"]).input("src", Input::file("/no/such")),
    ]);
    let error = place.try_run(&graph, &["b"]).unwrap_err().to_string();
    assert_eq!(error, "b: input `src`: /no/such: expected a file, got nothing");
    assert_eq!(place.ran(), [""; 0]);
}

#[test]
fn a_source_that_changes_under_a_packer_spoils_what_it_made() {
    let mut place = Place::new();
    let source = place.put("a.txt", "before");
    let path = source.clone();
    let touchy = Toy::new("touchy", 1, move |job| {
        let content = fs::read(job.input("src")?)?;
        fs::write(&path, "after")?;
        write_outputs(job, &content)
    });
    place.packers.add(touchy).unwrap();
    let graph = graph(vec![node("a", "touchy", &[]).input("src", Input::file(source))]);
    let error = place.try_run(&graph, &["a"]).unwrap_err().to_string();
    assert_eq!(error, "a: input `src` changed while it was read: build again");
    let report = place.run(&graph, &["a"]);
    assert_eq!(place.text(&report, "a"), "after");
}

#[test]
fn the_first_failure_starts_nothing_new_and_lets_what_runs_end() {
    let mut place = Place::new();
    let both = Arc::new(Barrier::new(2));
    let (at_fail, at_slow) = (Arc::clone(&both), both);
    let failed = Arc::new(Barrier::new(2));
    let (told, seen) = (Arc::clone(&failed), failed);
    place
        .packers
        .add(Toy::new("fail", 1, move |_| {
            at_fail.wait();
            Err(PackerError::new("no"))
        }))
        .unwrap();
    place
        .packers
        .add(Toy::new("slow", 1, move |job| {
            at_slow.wait();
            seen.wait();
            write_outputs(job, b"done")
        }))
        .unwrap();
    let graph = graph(vec![
        node("a", "fail", &[]),
        node("b", "slow", &[]),
        node("c", "concat", &["b"]).input("src", Input::file(place.put("c", "c"))),
        node("d", "concat", &["c", "a"]),
    ]);
    // The slow one goes on only when the failure has been taken note of.
    let cache = place.cache();
    let error = run(
        &graph,
        &["d"],
        &cache,
        &place.executor(),
        budget(2),
        &Telling(&told),
    )
    .unwrap_err();
    assert_eq!(error.to_string(), "cannot make a: no");
    drop(cache);
    assert_eq!(place.ran(), [""; 0], "c was not started");
    // What ended is kept.
    assert_eq!(place.run(&graph, &["b"]).built(), [""; 0]);
}

/// Waits at the barrier with each failure.
struct Telling<'a>(&'a Barrier);

impl Observer for Telling<'_> {
    fn event(&self, event: Event<'_>) {
        if matches!(event, Event::Failed { .. }) {
            self.0.wait();
        }
    }
}

#[test]
fn a_second_failure_is_told_too() {
    let mut place = Place::new();
    let both = Arc::new(Barrier::new(2));
    let meet = Toy::new("meet", 1, move |job| {
        both.wait();
        Err(PackerError::new(format!("no {}", job.node)))
    });
    place.packers.add(meet).unwrap();
    let graph = graph(vec![node("a", "meet", &[]), node("b", "meet", &[])]);
    let notes = Notes::default();
    let error = run(
        &graph,
        &["a", "b"],
        &place.cache(),
        &place.executor(),
        budget(2),
        &notes,
    )
    .unwrap_err();
    let told = notes.0.into_inner().unwrap();
    let failed: Vec<_> = told.iter().filter(|text| text.starts_with("failed")).collect();
    assert_eq!(failed.len(), 2, "{told:?}");
    assert_eq!(failed[0].split_once(": ").unwrap().1, error.to_string());
    let mut nodes: Vec<&str> = failed.iter().map(|text| &text["failed ".len()..][..1]).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["a", "b"]);
}

#[test]
fn an_interrupt_stops_the_run_and_is_told_apart_from_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let interrupt = Interrupt::default();
    let world = RealWorld::new(interrupt.clone(), None);
    let mut packers = Packers::new();
    let stop = interrupt.clone();
    packers
        .add(Toy::new("stop", 1, move |_| {
            stop.set();
            Err(PackerError::new("a program was killed"))
        }))
        .unwrap();
    packers
        .add(Toy::new("never", 1, |_| panic!("started after the interrupt")))
        .unwrap();
    let graph = Graph::new("test", vec![node("a", "stop", &[]), node("b", "never", &["a"])]).unwrap();
    let cache = Cache::open(&world, dir.path()).unwrap();
    let executor = LocalExecutor::new(&world, &packers);
    let error = run(&graph, &["b"], &cache, &executor, budget(1), &Silent).unwrap_err();
    assert!(
        matches!(&error, GraphError::World(error) if error.kind == ErrorKind::Interrupted),
        "{error}"
    );
    let error = run(&graph, &["b"], &cache, &executor, budget(1), &Silent).unwrap_err();
    assert!(
        matches!(&error, GraphError::World(error) if error.kind == ErrorKind::Interrupted),
        "{error}"
    );
}
