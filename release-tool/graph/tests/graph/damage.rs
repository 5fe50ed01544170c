//! What is wrong in the cache is noticed, said and made good, and never handed out.

use crate::toys::{Notes, Place, Toy, budget, graph, node, read_inputs, why, write_outputs};
use serde_json::json;
use std::fs;
use std::sync::atomic::{AtomicU32, Ordering};
use vrel_graph::{Graph, GraphError, Input, Placement, Report, Warning, run_and_place};

/// `top` from `mid` from `low` from a source.
fn chain(place: &Place, text: &str) -> Graph {
    place.put("a.txt", "alpha");
    graph(vec![
        node("low", "concat", &[]).input("src", Input::file(place.path("a.txt"))),
        node("mid", "upper", &["low"]),
        node("top", "concat", &["mid"]).params(json!({"text": text})),
    ])
}

fn placements(place: &Place) -> [Placement; 1] {
    [Placement {
        node: "top".to_owned(),
        output: "out".to_owned(),
        to: place.path("out/top"),
    }]
}

fn run_place(place: &Place, graph: &Graph) -> Result<Report, GraphError> {
    let (cache, notes) = (place.cache(), Notes::default());
    run_and_place(
        graph,
        &placements(place),
        &cache,
        &place.executor(),
        budget(2),
        &notes,
    )
}

#[test]
fn a_damaged_or_cut_object_is_built_again_before_a_packer_reads_it() {
    for (wrong, words) in [
        (&b"ALPHX"[..], "expected the SHA-256 "),
        (b"ALP", "expected 5 bytes, got 3"),
    ] {
        let place = Place::new();
        let first = place.run(&chain(&place, "x"), &["top"]);
        let good = first.output("mid", "out").unwrap();
        place.damage(&good, wrong);
        place.ran();
        let second = place.run(&chain(&place, "y"), &["top"]);
        assert_eq!(place.text(&second, "top"), "yALPHA");
        assert_eq!(place.ran(), ["mid", "top"]);
        let reasons = why(&second, "mid");
        assert!(
            reasons[0].starts_with("the output out is damaged in the cache: ") && reasons[0].contains(words),
            "{reasons:?}"
        );
        let [warning] = &second.warnings[..] else {
            panic!("{:?}", second.warnings)
        };
        assert!(
            matches!(warning, Warning::Damaged { node, .. } if node == "mid"),
            "{warning}"
        );
        assert!(warning.to_string().contains(words), "{warning}");
        assert_eq!(fs::read(place.object(&good)).unwrap(), b"ALPHA");
    }
}

#[test]
fn damage_is_followed_down_to_the_sources() {
    let place = Place::new();
    let first = place.run(&chain(&place, "x"), &["top"]);
    for name in ["low", "mid"] {
        place.damage(&first.output(name, "out").unwrap(), b"wrong");
    }
    place.ran();
    let second = place.run(&chain(&place, "y"), &["top"]);
    assert_eq!(place.text(&second, "top"), "yALPHA");
    assert_eq!(place.ran(), ["low", "mid", "top"]);
    assert_eq!(second.warnings.len(), 2);
}

#[test]
fn what_nobody_reads_is_not_read() {
    let place = Place::new();
    let first = place.run(&chain(&place, "x"), &["top"]);
    // Of the same length: only reading it could tell.
    place.damage(&first.output("low", "out").unwrap(), b"ALPHA");
    place.damage(&first.output("mid", "out").unwrap(), b"alpha");
    let second = place.run(&chain(&place, "x"), &["top"]);
    assert_eq!((second.built().len(), second.warnings.len()), (0, 0));
}

#[test]
fn a_missing_object_is_built_again() {
    let place = Place::new();
    let first = place.run(&chain(&place, "x"), &["top"]);
    fs::remove_file(place.object(&first.output("top", "out").unwrap())).unwrap();
    place.ran();
    let second = place.run(&chain(&place, "x"), &["top"]);
    assert_eq!(place.ran(), ["top"]);
    assert_eq!(why(&second, "top"), ["the output out is no longer in the cache"]);
    assert_eq!(place.text(&second, "top"), "xALPHA");
}

#[test]
fn a_damaged_object_is_never_handed_out() {
    let place = Place::new();
    let report = place.run(&chain(&place, "x"), &["top"]);
    let file = report.output("top", "out").unwrap();
    place.damage(&file, b"xALPHX");
    let cache = place.cache();
    let error = cache.path(&file).unwrap_err();
    assert!(matches!(error, GraphError::Damaged { .. }), "{error}");
    assert!(!place.object(&file).exists());
    let target = place.put("out/top", "old");
    let error = cache.place(&file, &target).unwrap_err();
    assert!(matches!(error, GraphError::Damaged { .. }), "{error}");
    assert_eq!(fs::read(target).unwrap(), b"old");
}

#[test]
fn damage_that_shows_while_a_file_is_placed_is_built_again() {
    let place = Place::new();
    let graph = chain(&place, "x");
    let first = run_place(&place, &graph).unwrap();
    assert_eq!(fs::read(place.path("out/top")).unwrap(), b"xALPHA");
    place.damage(&first.output("top", "out").unwrap(), b"xALPHX");
    // The target is what it should be, so nobody reads the object.
    assert_eq!(run_place(&place, &graph).unwrap().built(), [""; 0]);
    fs::remove_file(place.path("out/top")).unwrap();
    place.ran();
    let report = run_place(&place, &graph).unwrap();
    assert_eq!(fs::read(place.path("out/top")).unwrap(), b"xALPHA");
    assert_eq!(
        (report.built(), place.ran()),
        (vec!["top"], vec!["top".to_owned()])
    );
    assert_eq!(report.warnings.len(), 1);
}

#[test]
fn an_object_that_the_run_wrote_itself_must_stay_what_it_was() {
    let place = Place::new();
    let cache = place.cache();
    let graph = chain(&place, "x");
    let report = vrel_graph::run(
        &graph,
        &["top"],
        &cache,
        &place.executor(),
        budget(1),
        &Notes::default(),
    )
    .unwrap();
    let file = report.output("top", "out").unwrap();
    place.damage(&file, b"xALPHX");
    let error = cache.place(&file, &place.path("out/top")).unwrap_err();
    assert!(matches!(error, GraphError::Unstable { .. }), "{error}");
    assert!(!place.path("out/top").exists());
    drop(cache);
    assert_eq!(run_place(&place, &graph).unwrap().built(), ["top"]);
}

#[test]
fn a_damaged_record_is_not_believed() {
    for wrong in [&b""[..], b"{}", b"{\"format\":1"] {
        let place = Place::new();
        let graph = chain(&place, "x");
        let first = place.run(&graph, &["top"]);
        let key = first.nodes["mid"].key.to_string();
        let record = place
            .cache_dir()
            .join("actions")
            .join(&key[..2])
            .join(format!("{key}.json"));
        fs::write(&record, wrong).unwrap();
        place.ran();
        let second = place.run(&graph, &["top"]);
        assert_eq!(place.ran(), ["mid"]);
        assert_eq!(
            why(&second, "mid"),
            ["the cache's record of what came out is damaged"]
        );
        assert!(matches!(&second.warnings[..], [Warning::Record { node, .. }] if node == "mid"));
        assert_eq!(place.run(&graph, &["top"]).built(), [""; 0]);
    }
}

/// A packer that gives other bytes each time.
fn drifting() -> Toy {
    let count = AtomicU32::new(0);
    Toy::new("drift", 1, move |job| {
        read_inputs(job)?;
        write_outputs(job, count.fetch_add(1, Ordering::SeqCst).to_string().as_bytes())
    })
}

#[test]
fn a_packer_that_is_not_reproducible_is_found_out() {
    let mut place = Place::new();
    place.packers.add(drifting()).unwrap();
    let make = |text: &str| {
        graph(vec![
            node("low", "drift", &[]),
            node("top", "concat", &["low"]).params(json!({"text": text})),
        ])
    };
    let first = place.run(&make("x"), &["top"]);
    fs::remove_file(place.object(&first.output("low", "out").unwrap())).unwrap();
    let second = place.run(&make("x"), &["top"]);
    assert!(matches!(&second.warnings[..], [Warning::NotReproducible { node, .. }] if node == "low"));
    assert_eq!(place.text(&second, "top"), "x1");

    // Others already went on from what it had made.
    place.damage(&second.output("low", "out").unwrap(), b"!");
    let error = place.try_run(&make("y"), &["top"]).unwrap_err();
    assert!(
        matches!(&error, GraphError::NotReproducible { node, .. } if node == "low"),
        "{error}"
    );
    assert_eq!(place.text(&place.run(&make("y"), &["top"]), "top"), "y2");
}
