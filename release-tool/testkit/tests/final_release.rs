//! An accepted candidate becomes final: what was tested is what is released.

use std::collections::BTreeMap;
use vrel_engine::lts::LtsLines;
use vrel_engine::{Site, load_from_work_tree, next_facts};
use vrel_model::{Day, LineChange, Manifest, Plan, RefChange, SignedPointer, Version};
use vrel_testkit::{Fault, Faulty, Leak, Mode, Scene, SceneWorld, check_reader, published};
use vrel_world::World;

const DAY: u64 = 86_400;

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn last() -> Version {
    v("0.6.0")
}

fn manifest(scene: &Scene, version: &str) -> Manifest {
    let path = scene
        .origin()
        .join("releases")
        .join(version)
        .join("manifest.json");
    Manifest::parse(&std::fs::read(path).unwrap()).unwrap()
}

/// A scene with the first candidate, tested for long enough.
fn tested() -> (Scene, SceneWorld) {
    let scene = Scene::new();
    let world = scene.world();
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    world.advance(7 * DAY);
    (scene, world)
}

/// Commits on the release branch and pushes it.
fn commit_on_branch(scene: &Scene, message: &str, files: &[(&str, &str)]) {
    scene.git(&["switch", "-q", "release/0.6"]);
    scene.commit(message, files);
    scene.git(&["push", "-q", "origin", "release/0.6"]);
    scene.git(&["switch", "-q", "main"]);
}

fn findings(scene: &Scene, world: &SceneWorld, named: Option<&str>) -> Vec<(String, String, bool)> {
    let named = named.map(v);
    let outcome = scene.plan_release(world, &last(), named.as_ref()).unwrap();
    outcome
        .findings
        .into_iter()
        .map(|finding| {
            (
                finding.check.to_owned(),
                finding.message.clone(),
                finding.is_fatal(),
            )
        })
        .collect()
}

#[track_caller]
fn refused(scene: &Scene, world: &SceneWorld, named: Option<&str>, check: &str, text: &str) {
    let before = scene.visible();
    let found = findings(scene, world, named);
    assert!(
        found
            .iter()
            .any(|(name, message, fatal)| name == check && message.contains(text) && *fatal),
        "{check}: {text}: {found:#?}"
    );
    assert!(scene.visible() == before, "planning changed something");
}

fn plan(scene: &Scene, world: &SceneWorld) -> Plan {
    let outcome = scene.plan_release(world, &last(), None).unwrap();
    assert!(
        !outcome.findings.iter().any(vrel_process::Finding::is_fatal),
        "{:#?}",
        outcome.findings
    );
    outcome.plan.unwrap()
}

#[test]
fn candidates_lead_to_a_final_release_on_the_commit_of_the_last() {
    let (scene, world) = tested();
    commit_on_branch(&scene, "fix(kernel): do not lose interrupts", &[]);
    scene.cut_rc(&world, &v("0.6.0-rc2")).unwrap();
    world.advance(7 * DAY);

    let plan = plan(&scene, &world);
    let candidate = manifest(&scene, "0.6.0-rc2");
    assert_eq!(plan.candidate.as_ref().unwrap().version, v("0.6.0-rc2"));
    assert_eq!(plan.commit, candidate.commit);
    assert_eq!(plan.channel.as_str(), "stable");
    assert_eq!(plan.previous, None, "the newest final release below it");
    assert_eq!(plan.refs[0].change, RefChange::Keep(candidate.commit.clone()));

    scene.release(&world, &last(), None).unwrap();
    check_reader(&scene.origin(), "released");
    let released = manifest(&scene, "0.6.0");
    assert_eq!(released.commit, candidate.commit);
    assert_eq!(released.toolchain, candidate.toolchain);
    assert_eq!(released.artifacts.len(), candidate.artifacts.len());
    for (ours, theirs) in released.artifacts.iter().zip(&candidate.artifacts) {
        let name = theirs.name.as_str().replace("0.6.0-rc2", "0.6.0");
        assert_eq!(ours.name.as_str(), name);
        // What knows no version is the same file.
        if ours.kind.as_str() == "initrd" {
            assert_eq!(ours.sha256, theirs.sha256);
        } else {
            assert_ne!(ours.sha256, theirs.sha256, "{name}");
        }
    }
    assert!(
        released
            .boots
            .iter()
            .all(|boot| boot.identity.contains(" 0.6.0 (")),
        "{:?}",
        released.boots
    );

    let seen = scene.visible();
    let pointer = SignedPointer::parse(&seen["pointer.json"])
        .unwrap()
        .pointer()
        .unwrap();
    assert_eq!(pointer.channels[&"stable".parse().unwrap()].release, last());
    assert_eq!(pointer.channels[&"beta".parse().unwrap()].release, v("0.6.0-rc2"));
    let refs = String::from_utf8_lossy(&seen["refs"]).into_owned();
    assert!(
        refs.contains("refs/tags/v0.6.0-rc2") && refs.contains("refs/tags/v0.6.0\n"),
        "{refs}"
    );

    // The notes of the final release tell of everything since the final release before, not since the candidate.
    let text = |name: &str| String::from_utf8_lossy(&seen[name]).into_owned();
    let notes = text("releases/0.6.0/release-notes.md");
    assert!(notes.contains("Minor") && !notes.contains("candidate"), "{notes}");
    for expected in ["boot on riscv64", "do not lose interrupts"] {
        assert!(notes.to_lowercase().contains(expected), "{expected}: {notes}");
    }
    let announcement = text("outbox/0.6.0-announcement.md");
    assert!(
        announcement.contains("v0.6.0 is out") && announcement.contains("stable"),
        "{announcement}"
    );

    // The living plan has it, and goes on to the next release.
    let living = text("plan");
    assert!(living.contains("- v0.6.0: "), "{living}");
    let todo = vrel_todo_next(&living);
    assert_eq!(todo, "0.7.0");

    // Once more is nothing to do.
    let again = scene.plan_release(&world, &last(), None).unwrap();
    assert!(
        again.plan.is_none() && again.already_done == Some(released.commit),
        "{again:#?}"
    );
    assert!(!scene.resume(&world).unwrap());
    assert!(world.git().dirty_paths(&scene.repo()).unwrap().is_empty());
}

fn vrel_todo_next(text: &str) -> String {
    let todo = vrel_todo::Todo::parse(text).unwrap();
    todo.next_release().map_or_else(String::new, ToString::to_string)
}

#[test]
fn later_candidates_tell_what_changed_since_the_one_before() {
    let scene = Scene::new();
    let world = scene.world();
    let plan = |version: &str| {
        let outcome = scene.plan(&world, &v(version)).unwrap();
        let warned: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
        (outcome.plan.unwrap(), warned)
    };
    // The first has everything since the last final release: that is what its notes are for.
    assert_eq!(plan("0.6.0-rc1").0.news, []);
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    commit_on_branch(&scene, "fix(kernel): do not lose interrupts", &[]);
    commit_on_branch(&scene, "fix(loader): say which file is missing\n\nFixes #9", &[]);
    let (second, warned) = plan("0.6.0-rc2");
    let subjects: Vec<_> = second.news.iter().map(|news| news.subject.as_str()).collect();
    assert_eq!(
        subjects,
        [
            "fix(kernel): do not lose interrupts",
            "fix(loader): say which file is missing"
        ]
    );
    assert_eq!(second.news[1].commit, second.commit);
    assert_eq!(second.previous, Some(v("0.6.0-rc1")));
    assert!(!warned.contains(&"something-new"), "{warned:?}");
    scene.cut_rc(&world, &v("0.6.0-rc2")).unwrap();
    let notes = |version: &str| {
        let path = scene
            .origin()
            .join(format!("releases/{version}/release-notes.md"));
        std::fs::read_to_string(path).unwrap().to_lowercase()
    };
    let (first, second) = (notes("0.6.0-rc1"), notes("0.6.0-rc2"));
    assert!(
        first.contains("boot on riscv64") && !first.contains("interrupts"),
        "{first}"
    );
    assert!(
        second.contains("do not lose interrupts") && second.contains("which file is missing"),
        "{second}"
    );
    assert!(!second.contains("boot on riscv64"), "{second}");

    let (third, warned) = plan("0.6.0-rc3");
    assert_eq!(third.news, []);
    assert!(warned.contains(&"something-new"), "{warned:?}");
    scene.cut_rc(&world, &v("0.6.0-rc3")).unwrap();
    let third = notes("0.6.0-rc3");
    assert!(!third.contains("interrupts"), "{third}");
}

#[test]
fn what_nobody_tested_long_enough_is_refused() {
    let scene = Scene::new();
    let world = scene.world();
    refused(&scene, &world, None, "candidate", "0.6.0 has no candidate");
    scene.cut_rc(&world, &v("0.6.0-rc1")).unwrap();
    world.advance(7 * DAY - 1);
    refused(&scene, &world, None, "soak", "it is to be tested for 7 days");
    refused(
        &scene,
        &world,
        Some("0.6.0-rc2"),
        "candidate",
        "0.6.0-rc2 has no tag here",
    );
    world.advance(1);
    let found = findings(&scene, &world, None);
    assert!(found.iter().all(|(_, _, fatal)| !fatal), "{found:#?}");
}

#[test]
fn what_landed_after_the_candidate_is_left_out_only_knowingly() {
    let (scene, world) = tested();
    commit_on_branch(&scene, "fix(kernel): do not lose interrupts", &[]);
    refused(
        &scene,
        &world,
        None,
        "nothing-after-candidate",
        "fix(kernel): do not lose interrupts",
    );
    let candidate = manifest(&scene, "0.6.0-rc1");
    scene.release(&world, &last(), Some(&v("0.6.0-rc1"))).unwrap();
    assert_eq!(manifest(&scene, "0.6.0").commit, candidate.commit);
    check_reader(&scene.origin(), "released");
    let notes = scene.visible()["releases/0.6.0/release-notes.md"].clone();
    assert!(!String::from_utf8_lossy(&notes).contains("interrupts"));
    // The branch goes on where it was.
    let tip = world
        .git()
        .resolve(&scene.repo(), "refs/heads/release/0.6")
        .unwrap();
    assert_ne!(tip, Some(candidate.commit));
}

#[test]
fn what_others_pushed_to_the_branch_counts_too() {
    let (scene, world) = tested();
    let before = world
        .git()
        .resolve(&scene.repo(), "refs/heads/release/0.6")
        .unwrap()
        .unwrap();
    commit_on_branch(&scene, "fix: elsewhere", &[]);
    scene.git(&["update-ref", "refs/heads/release/0.6", &before]);
    refused(&scene, &world, None, "nothing-after-candidate", "on the remote");
}

/// What a release that is refused half-way says; it is taken back, and nobody has seen anything.
#[track_caller]
fn fails_to_compare(scene: &Scene, world: &SceneWorld) -> String {
    let before = scene.visible();
    let error = scene.release(world, &last(), None).unwrap_err();
    let error = format!("{error}\nhint: {}", error.hint().unwrap_or_default());
    assert!(scene.visible() == before, "something of it can be seen");
    assert!(scene.undo(world).unwrap());
    assert!(scene.visible() == before, "undoing it changed something");
    error
}

#[test]
fn a_compiler_that_makes_something_else_is_caught() {
    let (scene, world) = tested();
    std::fs::remove_dir_all(scene.repo().join(".vrel/cache")).unwrap();
    // It says the same of itself, and writes other bytes.
    let other = scene.world_with(Leak::Time);
    other.advance(7 * DAY);
    let error = fails_to_compare(&scene, &other);
    for expected in [
        "0.6.0 is not 0.6.0-rc1 but for its version",
        "veridianos-0.6.0-rc1-x86_64-kernel.elf: ",
        "the first at offset",
        "veridianos-0.6.0-x86_64-kernel.elf differs from veridianos-0.6.0-rc1-x86_64-kernel.elf outside of its identity, at offset",
    ] {
        assert!(error.contains(expected), "{expected}: {error}");
    }
    assert!(
        !error.contains("initrd.tar: "),
        "what is the same is not named: {error}"
    );

    // With the compiler of the candidate it goes on.
    std::fs::remove_dir_all(scene.repo().join(".vrel/cache")).unwrap();
    scene.release(&world, &last(), None).unwrap();
    check_reader(&scene.origin(), "released");
}

#[test]
fn a_compiler_that_says_another_name_is_refused_when_planning() {
    let (scene, world) = tested();
    scene.change_compiler(
        "rustc 1.96.0 (111111111 2026-05-28)\nrelease: 1.96.0\nhost: x86_64-unknown-linux-gnu\n",
    );
    refused(
        &scene,
        &world,
        None,
        "same-toolchain",
        "another compiler than the one that built 0.6.0-rc1",
    );
}

#[test]
fn policy_files_that_changed_since_the_candidate_are_caught() {
    let (scene, world) = tested();
    let path = "artifacts/source.toml";
    let policy = std::fs::read_to_string(scene.repo().join(path)).unwrap();
    scene.commit(
        "chore: compress better",
        &[(path, &format!("{policy}options = {{ level = 9 }}\n"))],
    );
    scene.git(&["push", "-q", "origin", "main"]);
    let error = fails_to_compare(&scene, &world);
    assert!(error.contains("veridianos-0.6.0-rc1-source.tar.zst: "), "{error}");
    assert!(!error.contains("kernel.elf: "), "{error}");
    assert!(
        error.contains("(not as in the candidate's commit: artifacts/source.toml)"),
        "{error}"
    );
    // The release branch still has what the candidate was made with.
    scene.git(&["switch", "-q", "release/0.6"]);
    scene.release(&world, &last(), None).unwrap();
    scene.git(&["switch", "-q", "main"]);

    // What is made at all is a matter of planning.
    let (scene, world) = tested();
    scene.commit("chore: no disks", &[("artifacts/disk.toml", "")]);
    scene.git(&["push", "-q", "origin", "main"]);
    refused(
        &scene,
        &world,
        None,
        "same-files",
        "has disk for x86_64, which the release would not have",
    );
}

#[test]
fn a_candidate_that_was_tampered_with_is_not_released() {
    let (scene, world) = tested();
    let path = scene.origin().join("releases/0.6.0-rc1/manifest.json");
    let genuine = std::fs::read(&path).unwrap();
    let text = String::from_utf8(genuine.clone()).unwrap();
    let tampered = text.replacen("\"length\": ", "\"length\": 1", 1);
    assert_ne!(text, tampered);
    std::fs::write(&path, &tampered).unwrap();
    refused(
        &scene,
        &world,
        None,
        "candidate-published",
        "not genuine: manifest.json",
    );
    std::fs::write(&path, &genuine).unwrap();

    // After it was planned as well.
    let agreed = plan(&scene, &world);
    std::fs::write(&path, &tampered).unwrap();
    let error = scene.start(&world, agreed.clone()).unwrap_err().to_string();
    assert!(error.contains("0.6.0-rc1: manifest.json"), "{error}");
    std::fs::write(&path, &genuine).unwrap();

    // And so is every file that people tested.
    let kernel = scene
        .origin()
        .join("releases/0.6.0-rc1/veridianos-0.6.0-rc1-x86_64-kernel.elf");
    let bytes = std::fs::read(&kernel).unwrap();
    let mut other = bytes.clone();
    let middle = other.len() / 2;
    other[middle] ^= 1;
    std::fs::write(&kernel, &other).unwrap();
    let error = scene.resume(&world).unwrap_err().to_string();
    assert!(
        error.contains("veridianos-0.6.0-rc1-x86_64-kernel.elf"),
        "{error}"
    );
    std::fs::write(&kernel, &bytes).unwrap();
    assert!(scene.resume(&world).unwrap());
    check_reader(&scene.origin(), "released");
}

/// Another clone of the same repository, which publishes to the same origin.
fn clone_of(scene: &Scene) -> Scene {
    let other = scene.copy();
    let remote = scene.remote().display().to_string();
    other.git(&["remote", "set-url", "origin", &remote]);
    std::fs::remove_dir_all(other.origin()).unwrap();
    std::os::unix::fs::symlink(scene.origin(), other.origin()).unwrap();
    other
}

#[test]
fn of_two_clones_one_wins_and_the_other_is_told() {
    let (scene, world) = tested();
    let other = clone_of(&scene);
    let their_world = other.world();
    their_world.advance(7 * DAY + 5);
    let theirs = plan(&other, &their_world);
    let expected = {
        let alone = scene.copy();
        let world = alone.world();
        world.advance(7 * DAY);
        alone.release(&world, &last(), None).unwrap();
        alone.visible_after(&last())
    };

    // The first stops right before it would push, with everything in the origin.
    let counting_scene = scene.copy();
    let counting_world = counting_scene.world();
    counting_world.advance(7 * DAY);
    let counting = Faulty::new(&counting_world, None);
    counting_scene.release(&counting, &last(), None).unwrap();
    let trace = counting.trace();
    let at = trace
        .iter()
        .position(|effect| effect.starts_with("push refs"))
        .unwrap();
    let fault = Fault {
        at,
        mode: Mode::KillBefore,
    };
    scene
        .release(&Faulty::new(&world, Some(fault)), &last(), None)
        .unwrap_err();

    let origin = published(&scene.origin());
    let error = other.start(&their_world, theirs).unwrap_err().to_string();
    assert!(
        error.contains("0.6.0 was published meanwhile by somebody else"),
        "{error}"
    );
    assert!(other.undo(&their_world).unwrap());
    assert!(
        published(&scene.origin()) == origin,
        "the other's files are left alone"
    );

    assert!(scene.resume(&world).unwrap());
    check_reader(&scene.origin(), "released");
    let seen = scene.visible_after(&last());
    for (name, content) in &expected {
        // Commits of the plan have the name of the clone's directory nowhere.
        assert!(seen.get(name) == Some(content), "{name}");
    }
    // Whoever comes now is told beforehand.
    refused(
        &other,
        &their_world,
        None,
        "new-version",
        "0.6.0 is the head of the channel stable already",
    );
    other.git(&["fetch", "-q", "--tags", "origin"]);
    refused(
        &other,
        &their_world,
        None,
        "new-version",
        "0.6.0 is released already",
    );
}

#[test]
fn a_fix_of_a_long_term_support_line_goes_to_its_channel() {
    let (scene, world) = tested();
    scene.release(&world, &last(), None).unwrap();
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let lines = LtsLines::new(&world, &site, &policies);
    let since = Day::from(world.now());
    let support = lines.plan(last().line(), since, since.plus_months(30)).unwrap();
    assert_eq!(support.findings, []);
    lines.apply(&support, LineChange::Created, None).unwrap();

    commit_on_branch(&scene, "fix(kernel): do not lose interrupts", &[]);
    scene.cut_rc(&world, &v("0.6.1-rc1")).unwrap();
    world.advance(7 * DAY);
    let fix = v("0.6.1");
    let plan = scene.plan_release(&world, &fix, None).unwrap().plan.unwrap();
    assert_eq!((plan.channel.as_str(), plan.previous), ("lts", Some(last())));
    scene.release(&world, &fix, None).unwrap();
    check_reader(&scene.origin(), "released");
    let seen = scene.visible();
    let pointer = SignedPointer::parse(&seen["pointer.json"])
        .unwrap()
        .pointer()
        .unwrap();
    assert_eq!(pointer.channels[&"lts".parse().unwrap()].release, fix);
    assert_eq!(pointer.channels[&"stable".parse().unwrap()].release, last());
    // A candidate and a final release lie on the commit before: it is told once, and nothing else is.
    let notes = String::from_utf8_lossy(&seen["releases/0.6.1/release-notes.md"]).to_lowercase();
    assert!(
        notes.contains("patch") && notes.contains("do not lose interrupts"),
        "{notes}"
    );
    assert!(!notes.contains("boot on riscv64"), "{notes}");
    // What comes next on the line follows the fix.
    let facts = next_facts(&world, &site, &policies.config, Some(fix.line())).unwrap();
    assert_eq!(facts.origin.previous, Some(fix));
    assert_eq!(facts.commits.len() + facts.internal, 0);
}

/// Every so many effects go wrong, each in another way than the one before.
#[test]
fn whatever_goes_wrong_at_any_moment_the_end_is_the_same() {
    const EVERY: usize = 6;
    let (template, _) = tested();
    let later = |scene: &Scene| {
        let world = scene.world();
        world.advance(7 * DAY);
        world
    };
    let reference = template.copy();
    let world = later(&reference);
    let counting = Faulty::new(&world, None);
    reference.release(&counting, &last(), None).unwrap();
    let (trace, expected) = (counting.trace(), reference.visible_after(&last()));
    assert!(trace.len() > 60, "only {} effects", trace.len());
    let mut resumed = 0;
    let modes = Mode::ALL.into_iter().cycle();
    for (at, mode) in (0..trace.len()).step_by(EVERY).zip(modes) {
        let when = format!("{mode:?} at effect {at}, `{}`", trace[at]);
        let scene = template.copy();
        let world = later(&scene);
        let fault = Fault { at, mode };
        let outcome = scene.release(&Faulty::new(&world, Some(fault)), &last(), None);
        assert!(
            outcome.is_err() || !mode.kills() || at + 1 == trace.len(),
            "{when}: not noticed"
        );
        check_reader(&scene.origin(), &when);
        world.advance(3600);
        let found = scene
            .resume(&world)
            .unwrap_or_else(|error| panic!("{when}: resume: {error}"));
        check_reader(&scene.origin(), &when);
        if !found && outcome.is_err() && !scene.origin().join("releases/0.6.0").exists() {
            // The journal was not started yet, so that nothing has happened.
            continue;
        }
        resumed += 1;
        let seen = scene.visible_after(&last());
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&expected), names(&seen), "{when}");
        for (name, content) in &expected {
            assert!(content == &seen[name], "{when}: {name} differs");
        }
        assert!(!scene.resume(&world).unwrap(), "{when}: it is finished");
    }
    assert!(resumed > 5, "{resumed}");
}
