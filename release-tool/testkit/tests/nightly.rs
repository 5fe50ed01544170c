//! Nightlies in a scene: made, not made twice, searched for what broke them, retired.

use std::collections::BTreeSet;
use vrel_engine::{Failing, NightlyOutcome, Site, health, load_from_work_tree};
use vrel_model::{Arch, Manifest, Plan};
use vrel_testkit::{Fault, Faulty, Mode, Scene, SceneWorld, check_reader};

const DAY: u64 = 86_400;

fn published(outcome: NightlyOutcome) -> (Plan, Option<Failing>) {
    match outcome {
        NightlyOutcome::Published(plan, failing) => (*plan, failing),
        other => panic!("expected a nightly, got {other:?}"),
    }
}

fn whole(scene: &Scene, world: &SceneWorld) -> Plan {
    let (plan, failing) = published(scene.nightly(world).unwrap());
    assert_eq!(failing, None);
    plan
}

fn health_of(scene: &Scene, world: &SceneWorld) -> vrel_engine::Health {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    health(world, &site, &policies).unwrap()
}

/// The nightlies in the origin, by day.
fn days(scene: &Scene) -> BTreeSet<String> {
    let dir = scene.origin().join("releases");
    let names = std::fs::read_dir(dir).unwrap();
    names
        .map(|entry| {
            entry
                .unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .replace("0.6.0-nightly.202611", "")
        })
        .collect()
}

#[test]
fn the_newest_commit_is_published_once_a_day_and_only_when_something_changed() {
    let scene = Scene::new();
    let world = scene.world();
    let refs = scene.visible()["refs"].clone();
    let first = whole(&scene, &world);
    assert_eq!(first.version.to_string(), "0.6.0-nightly.20261121");
    check_reader(&scene.origin(), "a nightly");
    // Nothing is tagged, pushed or planned; the signed manifest names the commit.
    assert_eq!(scene.visible()["refs"], refs);
    let manifest = scene
        .origin()
        .join("releases/0.6.0-nightly.20261121/manifest.json");
    let manifest = Manifest::parse(&std::fs::read(manifest).unwrap()).unwrap();
    assert_eq!((&manifest.commit, &manifest.tag), (&first.commit, &None));

    let before = scene.visible();
    assert!(matches!(
        scene.nightly(&world).unwrap(),
        NightlyOutcome::Unchanged(_)
    ));
    world.advance(DAY);
    assert!(matches!(
        scene.nightly(&world).unwrap(),
        NightlyOutcome::Unchanged(_)
    ));
    assert!(before == scene.visible());

    let commit = scene.commit("feat(shell): history", &[]);
    let second = whole(&scene, &world);
    assert_eq!(
        (second.version.to_string().as_str(), &second.commit),
        ("0.6.0-nightly.20261122", &commit)
    );
    assert_eq!(second.previous, Some(first.version));
    scene.commit("fix(shell): history in order", &[]);
    assert!(
        matches!(scene.nightly(&world).unwrap(), NightlyOutcome::MadeToday(head) if head.commit == commit)
    );
    let notes = scene
        .origin()
        .join("releases/0.6.0-nightly.20261122/release-notes.md");
    let notes = std::fs::read_to_string(notes).unwrap();
    // What the nightly before brought is not told again.
    assert!(
        notes.contains("History") && !notes.contains("Boot on riscv64"),
        "{notes}"
    );
}

#[test]
fn once_a_line_has_its_branch_nightlies_lead_to_the_next() {
    let scene = Scene::new();
    let world = scene.world();
    scene.git(&["branch", "release/0.6"]);
    assert_eq!(
        whole(&scene, &world).version.to_string(),
        "0.7.0-nightly.20261121"
    );
}

#[test]
fn the_commit_that_broke_it_is_found_and_the_one_before_it_published() {
    let scene = Scene::new();
    let world = scene.world();
    let good = whole(&scene, &world);
    world.advance(DAY);
    let mut commits = Vec::new();
    for number in 1..=9 {
        let broken: &[(&str, &str)] = if number == 5 {
            &[("os/broken", "x86_64")]
        } else {
            &[]
        };
        commits.push(scene.commit(&format!("feat(kernel): change {number}"), broken));
    }
    let (plan, failing) = published(scene.nightly(&world).unwrap());
    let failing = failing.unwrap();
    let broken = &failing.broken;
    assert_eq!(
        (broken.check.as_str(), broken.arch),
        ("build", Some(Arch::X86_64))
    );
    assert_eq!(
        (&broken.tip, &broken.last_good),
        (&commits[8], &Some(good.commit))
    );
    let bad = broken.first_bad.as_ref().unwrap();
    assert_eq!(
        (&bad.commit, bad.subject.as_str()),
        (&commits[4], "feat(kernel): change 5")
    );
    assert_eq!(bad.author, "Releaser <r@example.org>");
    assert!(
        broken
            .message
            .contains("cannot compile init for x86_64-unknown-none"),
        "{}",
        broken.message
    );
    assert_eq!(plan.commit, commits[3]);
    check_reader(&scene.origin(), "the newest good commit");

    // The next day it still fails: since the day before, and there is nothing newer to publish.
    world.advance(DAY);
    let before = days(&scene);
    let NightlyOutcome::Broken(again) = scene.nightly(&world).unwrap() else {
        panic!("expected a failure");
    };
    assert_eq!(
        (again.since, &again.broken.first_bad),
        (failing.since, &failing.broken.first_bad)
    );
    assert!(again.last_seen > failing.last_seen);
    assert_eq!(days(&scene), before);
    assert_eq!(health_of(&scene, &world).failing, Some(again));

    scene.commit("fix(kernel): compile again", &[("os/broken", "")]);
    whole(&scene, &world);
    assert_eq!(health_of(&scene, &world).failing, None);
}

#[test]
fn an_architecture_that_may_lag_is_left_out_and_its_bad_commit_named() {
    let scene = Scene::new();
    let config = std::fs::read_to_string(scene.repo().join("vrel.toml")).unwrap();
    assert!(config.contains("riscv64 = 2"), "{config}");
    let world = scene.world();
    whole(&scene, &world);
    world.advance(DAY);
    let bad = scene.commit("feat(hal): vectors", &[("os/broken", "riscv64")]);
    let tip = scene.commit("feat(shell): colours", &[]);
    let (plan, failing) = published(scene.nightly(&world).unwrap());
    assert_eq!(plan.commit, tip);
    assert_eq!(
        plan.lagging.iter().map(|late| late.arch).collect::<Vec<_>>(),
        [Arch::Riscv64]
    );
    assert_eq!(failing.unwrap().broken.first_bad.unwrap().commit, bad);
    check_reader(&scene.origin(), "without riscv64");
    // At the same commit it cannot be added, because it does not compile there; nothing of the release changes.
    let before = scene.visible();
    let error = scene.backfill(&world, &plan.version).unwrap_err().to_string();
    assert!(error.contains("cannot compile"), "{error}");
    assert!(scene.undo(&world).unwrap());
    assert!(before == scene.visible());
}

#[test]
fn an_architecture_whose_compiler_was_away_is_added_to_its_nightly() {
    let scene = Scene::new();
    let world = scene.world();
    // Without a good nightly before nobody knows whether it is the machine, and tier 2 may lag either way.
    scene.break_compiler(Some("riscv64"));
    let (plan, failing) = published(scene.nightly(&world).unwrap());
    assert!(failing.unwrap().broken.first_bad.is_none());
    assert_eq!(plan.lagging.len(), 1);
    scene.break_compiler(None);
    world.advance(DAY);
    scene.backfill(&world, &plan.version).unwrap();
    check_reader(&scene.origin(), "with riscv64");
    let dir = scene.origin().join("releases").join(plan.version.to_string());
    let manifest = Manifest::parse(&std::fs::read(dir.join("manifest-2.json")).unwrap()).unwrap();
    assert_eq!((&manifest.commit, &manifest.tag), (&plan.commit, &None));
    assert!(manifest.lagging.is_empty());
    assert!(
        manifest
            .artifacts
            .iter()
            .any(|artifact| artifact.arch == Some(Arch::Riscv64))
    );
    // The next nightly finds the release as it is now.
    let commit = scene.commit("feat(shell): colours", &[]);
    assert_eq!(whole(&scene, &world).commit, commit);
}

#[test]
fn nobody_is_blamed_when_the_machine_changed() {
    let scene = Scene::new();
    let world = scene.world();
    whole(&scene, &world);
    world.advance(DAY);
    scene.commit("feat(shell): colours", &[("os/colours", "red")]);
    scene.break_compiler(Some("aarch64"));
    let before = scene.visible();
    let error = scene.nightly(&world).unwrap_err().to_string();
    assert!(error.contains("this machine or its tools changed"), "{error}");
    assert_eq!(health_of(&scene, &world).failing, None);
    assert!(before == scene.visible());
    scene.break_compiler(None);
    whole(&scene, &world);
}

#[test]
fn without_a_good_nightly_before_nobody_is_blamed_and_nothing_published() {
    let scene = Scene::new();
    let world = scene.world();
    scene.commit("feat: nothing compiles", &[("os/broken", "x86_64")]);
    let NightlyOutcome::Broken(failing) = scene.nightly(&world).unwrap() else {
        panic!("expected a failure");
    };
    assert_eq!((failing.broken.first_bad, failing.broken.last_good), (None, None));
    assert_eq!(days(&scene), BTreeSet::new());
    // What was begun is taken back, so that a candidate can be cut.
    scene.commit("fix: compile", &[("os/broken", "")]);
    scene.cut_rc(&world, &"0.6.0-rc1".parse().unwrap()).unwrap();
}

#[test]
fn old_nightlies_are_retired_but_never_what_a_channel_needs() {
    let scene = Scene::new();
    let policy = std::fs::read_to_string(scene.repo().join("channels/nightly.toml")).unwrap();
    let policy: String = policy
        .lines()
        .filter(|line| !line.starts_with("keep-"))
        .map(|line| format!("{line}\n"))
        .collect();
    scene.commit(
        "chore: keep little",
        &[(
            "channels/nightly.toml",
            &format!("{policy}keep-last = 2\nkeep-days = 3\n"),
        )],
    );
    let world = scene.world();
    for number in 0..6 {
        scene.commit(&format!("feat(shell): change {number}"), &[]);
        whole(&scene, &world);
        world.advance(DAY);
    }
    let kept: BTreeSet<_> = ["24", "25", "26"].map(str::to_owned).into();
    assert_eq!(days(&scene), kept);
    check_reader(&scene.origin(), "the newest of the nightlies");
    let work = std::fs::read_dir(scene.repo().join(".vrel/work"))
        .unwrap()
        .count();
    let journals = std::fs::read_dir(scene.repo().join(".vrel/journal"))
        .unwrap()
        .count();
    assert_eq!((work, journals), (1, 3));

    assert_eq!(health_of(&scene, &world).overdue_hours, None);
    world.advance(3 * DAY);
    assert!(health_of(&scene, &world).overdue_hours.is_some());
}

#[test]
fn a_run_that_dies_anywhere_is_made_good_by_the_next() {
    const SAMPLES: usize = 12;
    let template = Scene::new();
    whole(&template, &template.world());
    template.commit("feat(shell): colours", &[]);
    template.commit("feat(kernel): more", &[("os/broken", "x86_64")]);
    template.commit("feat(kernel): even more", &[]);
    let tomorrow = |scene: &Scene| {
        let world = scene.world();
        world.advance(DAY);
        world
    };
    let reference = template.copy();
    let world = tomorrow(&reference);
    let counting = Faulty::new(&world, None);
    let (plan, failing) = published(reference.nightly(&counting).unwrap());
    let expected = (reference.visible(), health_of(&reference, &world));
    let trace = counting.trace();
    assert!(trace.len() > 100, "{}", trace.len());
    for sample in 0..SAMPLES {
        // Every part of the run, the last effects included.
        let at = trace.len() - 1 - sample * (trace.len() - 1) / SAMPLES;
        let mode = if sample % 2 == 0 {
            Mode::KillBefore
        } else {
            Mode::Error
        };
        let when = format!("{mode:?} at effect {at}, `{}`", trace[at]);
        let scene = template.copy();
        let world = tomorrow(&scene);
        // An error that is not this run's end is fine: what fails may be what is looked at next.
        let died = scene
            .nightly(&Faulty::new(&world, Some(Fault { at, mode })))
            .is_err();
        check_reader(&scene.origin(), &when);
        assert!(died || mode == Mode::Error, "{when}: not noticed");
        match scene
            .nightly(&world)
            .unwrap_or_else(|error| panic!("{when}: {error}"))
        {
            NightlyOutcome::Published(again, beside) => {
                assert_eq!((&again.commit, &beside), (&plan.commit, &failing), "{when}");
            }
            NightlyOutcome::MadeToday(head) => assert_eq!(head.commit, plan.commit, "{when}"),
            other => panic!("{when}: {other:?}"),
        }
        assert!(scene.visible() == expected.0, "{when}");
        assert_eq!(health_of(&scene, &world), expected.1, "{when}");
    }
}
