//! The gate of stable releases, asked for by the candidates' channel: everything is built twice before it is published.

use std::path::PathBuf;
use vrel_engine::EngineError;
use vrel_model::Version;
use vrel_testkit::{Fault, Faulty, Leak, Mode, Scene, check_reader, published};

const KERNEL: &str = "veridianos-0.6.0-rc1-aarch64-kernel.elf";

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.build_twice();
    scene
}

/// A file of the release's work directory, by the end of its path.
fn work_file(scene: &Scene, end: &str) -> Option<PathBuf> {
    let dir = scene.repo().join(".vrel");
    let found = published(&dir).into_keys().find(|path| path.ends_with(end));
    found.map(|path| dir.join(path))
}

/// What others can see, but for the origin itself: one that was made stays.
fn visible(scene: &Scene) -> Vec<(String, Vec<u8>)> {
    let files = scene.visible_after(&version()).into_iter();
    files.filter(|(name, _)| name != "origin.json").collect()
}

/// Message and hint of the refusal.
fn refusal(outcome: Result<(), EngineError>) -> (String, String) {
    match outcome {
        Err(EngineError::Step {
            step,
            message,
            hint,
            conflict,
        }) => {
            assert_eq!((step.as_str(), conflict), ("reproduce", true), "{message}");
            (message, hint.unwrap_or_default())
        }
        other => panic!("expected a refusal, got {other:?}"),
    }
}

#[test]
fn what_comes_out_the_same_twice_is_published() {
    let scene = scene();
    scene.cut_rc(&scene.world(), &version()).unwrap();
    check_reader(&scene.origin(), "built twice");
    let evidence = std::fs::read_to_string(work_file(&scene, "reproduced.json").unwrap()).unwrap();
    let files = scene.visible();
    let artifacts = files
        .keys()
        .filter_map(|path| path.strip_prefix("releases/0.6.0-rc1/"));
    let images: Vec<_> = artifacts.filter(|name| name.ends_with(".img")).collect();
    assert_eq!(images.len(), 3, "{:?}", files.keys());
    for name in images.into_iter().chain([KERNEL]) {
        assert!(evidence.contains(name), "{name}: {evidence}");
    }
    let second = work_file(&scene, &format!("elsewhere/artifacts/{KERNEL}"));
    assert_eq!(second, None, "the second build is not kept");

    let once = Scene::new();
    once.cut_rc(&once.world(), &version()).unwrap();
    assert_eq!(work_file(&once, "reproduced.json"), None, "nobody asked for it");
}

#[test]
fn a_compiler_that_remembers_where_or_when_it_ran_is_caught_and_nothing_is_published() {
    let template = scene();
    let before = visible(&template);
    for leak in [
        Leak::Directory,
        Leak::TimeZone,
        Leak::TemporaryDirectory,
        Leak::Time,
    ] {
        let scene = template.copy();
        let (message, hint) = refusal(scene.cut_rc(&scene.world_with(leak), &version()));
        // The place is where the two files really part.
        let built =
            |dir: &str| std::fs::read(work_file(&scene, &format!("{dir}/{KERNEL}")).unwrap()).unwrap();
        let (first, second) = (built("stage"), built("elsewhere/artifacts"));
        let offset = first.iter().zip(&second).position(|(a, b)| a != b).unwrap();
        let told = message
            .split("; ")
            .find(|told| told.contains(KERNEL))
            .unwrap_or_else(|| panic!("{leak:?}: {message}"));
        assert!(
            told.contains(&format!("the first at offset {offset}: ")),
            "{leak:?}: {told}"
        );
        assert!(message.contains("-aarch64.img: "), "{leak:?}: {message}");
        assert!(!message.contains("initrd"), "{leak:?}: {message}");
        assert!(
            hint.contains("vrel reproduce") && hint.contains("vrel undo"),
            "{hint}"
        );
        assert!(before == visible(&scene), "{leak:?}: something was made public");

        // As long as nobody mends it, it goes no further.
        let (again, _) = refusal(scene.resume(&scene.world_with(leak)).map(drop));
        assert!(again.contains(KERNEL), "{leak:?}: {again}");
        assert!(before == visible(&scene), "{leak:?}: something was made public");
    }
}

#[test]
fn after_the_mend_the_release_goes_on() {
    let scene = scene();
    let expected = {
        let other = scene.copy();
        other.cut_rc(&other.world(), &version()).unwrap();
        visible(&other)
    };
    // In the first build the variable is not set: that one is right, and stays.
    refusal(scene.cut_rc(&scene.world_with(Leak::TimeZone), &version()));
    assert!(scene.resume(&scene.world()).unwrap());
    check_reader(&scene.origin(), "mended");
    assert!(expected == visible(&scene));
    assert_eq!(work_file(&scene, &format!("elsewhere/artifacts/{KERNEL}")), None);
}

#[test]
fn killed_within_the_second_build_it_goes_on() {
    let template = scene();
    let reference = template.copy();
    let world = reference.world();
    let counting = Faulty::new(&world, None);
    reference.cut_rc(&counting, &version()).unwrap();
    let (trace, expected) = (counting.trace(), visible(&reference));
    let effect = |part: &str| trace.iter().position(|effect| effect.contains(part));
    let (start, end) = (
        effect("build/elsewhere").unwrap(),
        effect("reproduced.json").unwrap(),
    );
    assert!(end > start + 20, "{start} to {end}: {trace:?}");
    for at in [start + 1, (start + end) / 2, end, end + 1] {
        let scene = template.copy();
        let world = scene.world();
        let fault = Fault {
            at,
            mode: Mode::KillBefore,
        };
        scene
            .cut_rc(&Faulty::new(&world, Some(fault)), &version())
            .unwrap_err();
        assert!(scene.resume(&world).unwrap(), "{}", trace[at]);
        assert!(expected == visible(&scene), "killed before {}", trace[at]);
    }
}
