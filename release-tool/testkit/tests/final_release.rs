//! An accepted candidate becomes final: what was tested is what is released.

use vrel_model::{Manifest, Plan, RefChange, SignedPointer, Version};
use vrel_testkit::{Scene, SceneWorld, check_reader};
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
