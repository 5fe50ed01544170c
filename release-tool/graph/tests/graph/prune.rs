//! A cache that does not grow for ever.

use crate::toys::{Log, Place, budget, graph, node, packers};
use serde_json::json;
use std::fs;
use std::sync::atomic::{AtomicI64, Ordering};
use vrel_graph::{Cache, Graph, Input, Keep, LocalExecutor, Report, Silent, Usage, prune, run, usage};
use vrel_model::UtcTime;
use vrel_world::{Fs, Git, Processes, RealWorld, Result, World};

/// The real world at a day of the test's choice.
struct OnDay {
    real: RealWorld,
    day: AtomicI64,
}

fn day(day: i64) -> UtcTime {
    UtcTime::from_unix(1_800_000_000 + day * 86_400).unwrap()
}

impl World for OnDay {
    fn fs(&self) -> &dyn Fs {
        self.real.fs()
    }

    fn git(&self) -> &dyn Git {
        self.real.git()
    }

    fn processes(&self) -> &dyn Processes {
        self.real.processes()
    }

    fn now(&self) -> UtcTime {
        day(self.day.load(Ordering::SeqCst))
    }

    fn random(&self, buffer: &mut [u8]) -> Result<()> {
        self.real.random(buffer)
    }

    fn check_interrupt(&self) -> Result<()> {
        self.real.check_interrupt()
    }
}

struct Days {
    place: Place,
    world: OnDay,
}

impl Days {
    fn new() -> Self {
        let world = OnDay {
            real: RealWorld::default(),
            day: AtomicI64::new(0),
        };
        let place = Place::new();
        place.put("tree/x", "source");
        Self { place, world }
    }

    fn graph(&self, text: &str) -> Graph {
        let low = node("low", "concat", &[]).input("src", Input::tree(self.place.path("tree")));
        graph(vec![
            low,
            node("top", "concat", &["low"]).params(json!({"text": text})),
        ])
    }

    fn run(&self, on: i64, text: &str) -> Report {
        self.world.day.store(on, Ordering::SeqCst);
        let cache = Cache::open(&self.world, &self.place.cache_dir()).unwrap();
        let packers = packers(1, &Log::default());
        let executor = LocalExecutor::new(&self.world, &packers);
        run(&self.graph(text), &["top"], &cache, &executor, budget(1), &Silent).unwrap()
    }

    fn prune(&self, since: i64, at_most: Option<u64>) -> (Usage, Usage) {
        let keep = Keep {
            used_since: day(since),
            at_most,
        };
        let pruned = prune(&self.world, &self.place.cache_dir(), keep).unwrap();
        assert_eq!(usage(&self.world, &self.place.cache_dir()).unwrap(), pruned.after);
        (pruned.before, pruned.after)
    }
}

#[test]
fn what_was_not_used_lately_goes_with_what_only_it_named() {
    let days = Days::new();
    days.run(0, "old");
    days.run(5, "new");
    // The tree of both is the same, and was used on day 5.
    let (before, after) = days.prune(3, None);
    assert_eq!(
        before,
        Usage {
            actions: 3,
            objects: 3,
            bytes: 6 + 9 + 9
        }
    );
    assert_eq!(
        after,
        Usage {
            actions: 2,
            objects: 2,
            bytes: 6 + 9
        }
    );
    assert_eq!(days.run(6, "new").built(), [""; 0]);
    assert_eq!(days.run(6, "old").built(), ["top"]);
}

#[test]
fn a_use_counts_to_the_day() {
    let days = Days::new();
    days.run(0, "x");
    assert_eq!(days.run(9, "x").built(), [""; 0]);
    assert_eq!(days.prune(9, None).1.actions, 2);
    assert_eq!(days.prune(10, None).1, Usage::default());
    assert_eq!(days.run(10, "x").built(), ["low", "top"]);
}

#[test]
fn a_limit_takes_what_was_used_longest_ago() {
    let days = Days::new();
    days.run(0, "one");
    days.run(2, "two");
    days.run(4, "six");
    assert_eq!(
        days.prune(0, Some(24)).1,
        Usage {
            actions: 3,
            objects: 3,
            bytes: 24
        }
    );
    assert_eq!(days.run(4, "six").built(), [""; 0]);
    assert_eq!(days.prune(0, Some(0)).1, Usage::default());
    let left: Vec<_> = ["actions", "objects", "trees", "last"]
        .into_iter()
        .flat_map(|dir| fs::read_dir(days.place.cache_dir().join(dir)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn litter_and_damaged_records_go() {
    let days = Days::new();
    let report = days.run(0, "x");
    let cache = days.place.cache_dir();
    let key = report.nodes["top"].key.to_string();
    fs::write(
        cache.join("actions").join(&key[..2]).join(format!("{key}.json")),
        "{",
    )
    .unwrap();
    days.place.put("cache/objects/00/.vrel-tmp-1", "half");
    days.place.put("cache/work/0123/out/x", "half");
    let (before, after) = days.prune(0, None);
    assert_eq!((before.actions, before.objects), (2, 3));
    assert_eq!((after.actions, after.objects), (1, 1));
    assert!(!cache.join("work").exists());
    assert_eq!(days.run(0, "x").built(), ["top"]);
}

#[test]
fn a_cache_that_is_not_there_is_empty() {
    let days = Days::new();
    assert_eq!(days.prune(0, None), (Usage::default(), Usage::default()));
    assert!(!days.place.cache_dir().exists());
}
