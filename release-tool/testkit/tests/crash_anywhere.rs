//! A whole release with every effect going wrong in turn, and then resumed.
//!
//! Whatever goes wrong, wherever: after `resume` others see exactly what they would have seen without it; at no moment
//! does the pointer lead to something that is not there; and nothing was made public twice.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use vrel_model::{SignedPointer, Version};
use vrel_testkit::{Fault, Faulty, Mode, Scene, check_reader};
use vrel_world::World;

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

fn assert_same(expected: &BTreeMap<String, Vec<u8>>, found: &BTreeMap<String, Vec<u8>>, when: &str) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{when}");
    for (name, content) in expected {
        assert!(content == &found[name], "{when}: {name} differs");
    }
}

#[test]
fn whatever_goes_wrong_the_end_is_the_same() {
    let template = Scene::new();
    let reference = template.copy();
    let world = reference.world();
    let counting = Faulty::new(&world, None);
    reference.cut_rc(&counting, &version()).unwrap();
    let trace = counting.trace();
    let expected = reference.visible_after(&version());
    check_reader(&reference.origin(), "without a fault");
    assert!(
        expected.contains_key("releases/0.6.0-rc1/manifest.json"),
        "{:?}",
        expected.keys()
    );
    assert!(trace.len() > 60, "only {} effects", trace.len());

    let faults: Vec<Fault> = Mode::ALL
        .into_iter()
        .flat_map(|mode| (0..trace.len()).map(move |at| Fault { at, mode }))
        // A death after one effect is the death before the next.
        .filter(|fault| fault.mode != Mode::KillAfter || fault.at + 1 == trace.len())
        .collect();
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let run =
                        std::panic::AssertUnwindSafe(|| one_fault(&template, *fault, &trace, &expected));
                    if let Err(panic) = std::panic::catch_unwind(run) {
                        let message = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        failures.lock().unwrap().push(message);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(
        failures.is_empty(),
        "{} of {}:\n{}",
        failures.len(),
        faults.len(),
        failures[..failures.len().min(10)].join("\n")
    );
}

fn one_fault(template: &Scene, fault: Fault, trace: &[String], expected: &BTreeMap<String, Vec<u8>>) {
    let when = format!("{:?} at effect {}, `{}`", fault.mode, fault.at, trace[fault.at]);
    let scene = template.copy();
    let world = scene.world();
    let faulty = Faulty::new(&world, Some(fault));
    let outcome = scene.cut_rc(&faulty, &version());
    // An error may come too late to be noticed (nothing comes after the last effect), but a death never passes unseen.
    assert!(
        outcome.is_err() || !fault.mode.kills() || fault.at + 1 == trace.len(),
        "{when}: not noticed"
    );
    check_reader(&scene.origin(), &when);

    // Whoever comes back may do so much later.
    world.advance(3600);
    let resumed = scene
        .resume(&world)
        .unwrap_or_else(|error| panic!("{when}: resume: {error}"));
    if !resumed && !scene.origin().join("pointer.json").exists() {
        // The journal was not started yet: nothing has happened, and the command is given again, as of then.
        let again = template.copy();
        again
            .cut_rc(&again.world(), &version())
            .unwrap_or_else(|error| panic!("{when}: again: {error}"));
        assert_same(expected, &again.visible_after(&version()), &when);
        return;
    }
    check_reader(&scene.origin(), &when);
    assert_same(expected, &scene.visible_after(&version()), &when);
    assert!(!scene.resume(&world).unwrap(), "{when}: it is finished");
    assert!(
        world.git().dirty_paths(&scene.repo()).unwrap().is_empty(),
        "{when}: the work tree is not clean"
    );
}

#[test]
fn undo_leaves_nothing_wherever_the_release_stopped() {
    let template = Scene::new();
    let before = template.visible();
    let reference = template.copy();
    let world = reference.world();
    let counting = Faulty::new(&world, None);
    reference.cut_rc(&counting, &version()).unwrap();
    let trace = counting.trace();
    let first_push = trace
        .iter()
        .position(|effect| effect.starts_with("push refs"))
        .unwrap();
    // The journal line that announces the push is the point of no return.
    let announced = (0..first_push)
        .rev()
        .find(|at| trace[*at].starts_with("append"))
        .unwrap();
    for at in (1..=announced).step_by(3) {
        let scene = template.copy();
        let world = scene.world();
        let fault = Fault {
            at,
            mode: Mode::KillBefore,
        };
        scene
            .cut_rc(&Faulty::new(&world, Some(fault)), &version())
            .unwrap_err();
        let when = format!("killed before effect {at}, `{}`", trace[at]);
        let undone = scene
            .undo(&world)
            .unwrap_or_else(|error| panic!("{when}: {error}"));
        if undone {
            let mut after = scene.visible();
            // An origin that was made stays: it is empty, and the next release uses it.
            after.retain(|name, _| name != "origin.json");
            assert_same(&before, &after, &when);
            let refs = world
                .git()
                .resolve(&scene.repo(), "refs/heads/release/0.6")
                .unwrap();
            assert_eq!(refs, None, "{when}");
            scene
                .cut_rc(&world, &version())
                .unwrap_or_else(|error| panic!("{when}: again: {error}"));
        }
    }
    let scene = template.copy();
    let world = scene.world();
    let fault = Fault {
        at: first_push,
        mode: Mode::Error,
    };
    scene
        .cut_rc(&Faulty::new(&world, Some(fault)), &version())
        .unwrap_err();
    let refused = scene.undo(&world).unwrap_err().to_string();
    assert!(
        refused.contains("cannot be taken back: `push` was reached"),
        "{refused}"
    );
}

#[test]
fn the_second_candidate_follows_the_first() {
    let scene = Scene::new();
    let world = scene.world();
    scene.cut_rc(&world, &version()).unwrap();
    let first = scene.visible();
    world.advance(86_400);
    let again = scene.plan(&world, &version()).unwrap();
    assert!(again.plan.is_none() && again.already_done.is_some(), "{again:?}");
    let second: Version = "0.6.0-rc2".parse().unwrap();
    scene.cut_rc(&world, &second).unwrap();
    let both = scene.visible();
    check_reader(&scene.origin(), "after the second");
    for (name, content) in first.iter().filter(|(name, _)| name.starts_with("releases/")) {
        assert!(both[name] == *content, "{name} of the first candidate changed");
    }
    let pointer = SignedPointer::parse(&both["pointer.json"])
        .unwrap()
        .pointer()
        .unwrap();
    assert_eq!(pointer.version, 2);
    assert_eq!(pointer.channels[&"beta".parse().unwrap()].release, second);
    let refs = String::from_utf8_lossy(&both["refs"]).into_owned();
    assert!(
        refs.contains("refs/tags/v0.6.0-rc1") && refs.contains("refs/tags/v0.6.0-rc2"),
        "{refs}"
    );
}
