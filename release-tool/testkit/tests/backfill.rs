//! An architecture is added to a release that was published without it.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use vrel_engine::{Site, load_from_work_tree, origin_manifest};
use vrel_model::{Arch, Edition, SignedPointer, Version};
use vrel_origin::{LocalOrigin, PointerCheck, TrustRoot, VerifyReport, VerifyRequest, verify_release};
use vrel_testkit::{Fault, Faulty, Mode, Scene, SceneWorld, check_reader};
use vrel_world::World;

type Files = BTreeMap<String, Vec<u8>>;

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

/// What a stranger with the public keys finds.
fn verify(scene: &Scene, world: &SceneWorld) -> VerifyReport {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let ring = scene.ring();
    let request = VerifyRequest {
        trust: TrustRoot {
            ring: &ring,
            signing: &policies.signing,
            channels: &policies.channels,
        },
        product: "veridianos",
        version: &version(),
        pointer: PointerCheck::Public { last_seen: None },
        now: world.now(),
        threads: NonZeroUsize::MIN,
    };
    let origin = LocalOrigin::open(world, &scene.origin()).unwrap();
    verify_release(&origin, &request, &|_| {}).unwrap()
}

fn findings(scene: &Scene, world: &SceneWorld) -> Vec<String> {
    let report = verify(scene, world);
    report.findings.iter().map(ToString::to_string).collect()
}

/// A release without riscv64, an hour before it is added.
fn published() -> (Scene, SceneWorld) {
    let scene = Scene::new();
    scene.let_lag(3);
    let world = scene.world();
    scene
        .cut_rc_without(&world, &version(), &[Arch::Riscv64])
        .unwrap();
    world.advance(3600);
    (scene, world)
}

/// The world of a copy of such a scene, at the same time.
fn later(scene: &Scene) -> SceneWorld {
    let world = scene.world();
    world.advance(3600);
    world
}

fn assert_same(expected: &Files, found: &Files, when: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{when}");
    for (name, content) in expected {
        assert!(content == &found[name], "{when}: {name} differs");
    }
}

#[test]
fn what_lagged_is_added_at_the_same_commit_and_nothing_else_changes() {
    let (scene, world) = published();
    let before = scene.visible();
    scene.backfill(&world, &version()).unwrap();
    check_reader(&scene.origin(), "back-filled");
    let report = verify(&scene, &world);
    assert!(report.is_good(), "{:#?}", findings(&scene, &world));
    assert_eq!(report.edition, Edition::FIRST.next());

    let after = scene.visible();
    for (path, content) in before.iter().filter(|(path, _)| *path != "pointer.json") {
        assert!(&after[path] == content, "{path} changed");
    }
    let manifest = report.manifest.unwrap();
    let of = |arch: Option<Arch>| manifest.artifacts.iter().filter(|file| file.arch == arch).count();
    assert_eq!(of(Some(Arch::Riscv64)), of(Some(Arch::X86_64)));
    assert!(manifest.lagging.is_empty());
    let kinds: Vec<_> = manifest.artifacts.iter().map(|file| file.kind.as_str()).collect();
    assert!(kinds.contains(&"oci"), "{kinds:?}");
    assert!(
        manifest
            .boots
            .iter()
            .any(|boot| boot.identity.ends_with("riscv64"))
    );
    let documents: Vec<_> = manifest.documents.iter().map(|file| file.name.as_str()).collect();
    for expected in ["release-notes.md", "release-notes-2.md", "manifest.schema.json"] {
        assert!(documents.contains(&expected), "{documents:?}");
    }
    assert!(!documents.contains(&"manifest-2.schema.json"), "{documents:?}");
    let sums = String::from_utf8_lossy(&after["releases/0.6.0-rc1/SHA256SUMS-2"]).into_owned();
    assert_eq!(sums.lines().count(), manifest.artifacts.len());
    assert!(
        after.contains_key("outbox/0.6.0-rc1-announcement-2.md"),
        "{:?}",
        after.keys()
    );

    // The same bytes as those of a release that never lacked anything.
    let whole = Scene::new();
    whole.let_lag(3);
    whole.cut_rc(&whole.world(), &version()).unwrap();
    for (path, content) in whole.visible() {
        let is_artifact = manifest
            .artifacts
            .iter()
            .any(|file| path.ends_with(file.name.as_str()));
        assert!(!is_artifact || after[&path] == content, "{path}");
    }

    // Doing it again is nothing to do, and what the machine has is known to be the newest.
    let again = scene.plan_backfill(&world, &version()).unwrap();
    assert!(again.already_done.is_some() && again.plan.is_none());
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    assert_eq!(
        origin_manifest(&world, &site, &version()).unwrap().unwrap(),
        manifest
    );
}

#[test]
fn a_later_release_keeps_what_was_added_and_may_come_before_it() {
    let (scene, world) = published();
    let second: Version = "0.6.0-rc2".parse().unwrap();
    scene.cut_rc(&world, &second).unwrap();
    // No head any more, and still waited for.
    scene.backfill(&world, &version()).unwrap();
    assert_eq!(findings(&scene, &world), [""; 0]);
    let third: Version = "0.6.0-rc3".parse().unwrap();
    scene.cut_rc(&world, &third).unwrap();
    let report = verify(&scene, &world);
    assert!(
        report.is_good() && report.edition == Edition::FIRST.next(),
        "{:?}",
        findings(&scene, &world)
    );
    let pointer = SignedPointer::parse(&scene.visible()["pointer.json"])
        .unwrap()
        .pointer()
        .unwrap();
    assert_eq!(pointer.channels[&"beta".parse().unwrap()].release, third);
    check_reader(&scene.origin(), "after the third");
}

#[test]
fn whoever_has_the_earlier_pointer_verifies_the_earlier_state() {
    let (scene, world) = published();
    let earlier = scene.visible()["pointer.json"].clone();
    scene.backfill(&world, &version()).unwrap();
    std::fs::write(scene.origin().join("pointer.json"), earlier).unwrap();
    let report = verify(&scene, &world);
    assert!(report.is_good(), "{:#?}", findings(&scene, &world));
    assert_eq!(report.edition, Some(Edition::FIRST));
}

#[test]
fn nothing_is_added_when_its_time_is_over_or_the_compiler_is_another() {
    let (scene, world) = published();
    let before = scene.visible();
    scene.change_compiler("rustc 1.96.0 (111111111 2026-05-26)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n");
    world.advance(3 * 86_400);
    let outcome = scene.plan_backfill(&world, &version()).unwrap();
    let found: Vec<_> = outcome.findings.iter().map(|finding| finding.check).collect();
    assert_eq!(found, ["in-time", "same-toolchain"], "{:#?}", outcome.findings);
    assert!(before == scene.visible());
}

#[test]
fn a_compiler_that_changes_after_the_plan_stops_the_build() {
    let (scene, world) = published();
    let before = scene.visible();
    let fault = Fault {
        at: 5,
        mode: Mode::KillBefore,
    };
    scene
        .backfill(&Faulty::new(&world, Some(fault)), &version())
        .unwrap_err();
    scene.change_compiler("rustc 1.96.0 (111111111 2026-05-26)\nbinary: rustc\nhost: x86_64-unknown-linux-gnu\nrelease: 1.96.0\n");
    let error = scene.resume(&world).unwrap_err().to_string();
    assert!(
        error.contains("step `build`: the release was built with the compiler"),
        "{error}"
    );
    assert!(scene.undo(&world).unwrap());
    assert_same(&before, &scene.visible(), "undone");
}

#[test]
fn a_published_manifest_that_was_changed_is_not_signed_again() {
    let (scene, world) = published();
    let path = scene.origin().join("releases/0.6.0-rc1/manifest.json");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replacen("\"length\": ", "\"length\": 1", 1)).unwrap();
    let outcome = scene.plan_backfill(&world, &version()).unwrap();
    assert!(outcome.plan.is_none());
    let found = &outcome.findings[0];
    assert_eq!(found.check, "published");
    assert!(
        found.message.contains("manifest.json: the signature"),
        "{}",
        found.message
    );
}

/// The effects of a back-fill, and what is to be seen after it.
fn reference(template: &Scene) -> (Vec<String>, Files) {
    let scene = template.copy();
    let world = later(&scene);
    let counting = Faulty::new(&world, None);
    scene.backfill(&counting, &version()).unwrap();
    (counting.trace(), scene.visible())
}

#[test]
fn wherever_it_is_killed_resuming_ends_the_same() {
    let (template, _) = published();
    let (trace, expected) = reference(&template);
    assert!(trace.len() > 40, "only {} effects", trace.len());
    // A sample; the steps are those of `cut-rc`, of which every effect is tried.
    let mut faults: Vec<Fault> = (0..trace.len())
        .step_by(11)
        .map(|at| Fault {
            at,
            mode: Mode::ALL[at / 11 % Mode::ALL.len()],
        })
        .collect();
    let pointer = trace
        .iter()
        .position(|effect| effect.contains("pointer.json"))
        .unwrap();
    faults.extend(
        [
            Mode::KillBefore,
            Mode::KillWithin,
            Mode::KillAfter,
            Mode::LostReply,
        ]
        .map(|mode| Fault { at: pointer, mode }),
    );
    for fault in faults {
        let when = format!("{:?} at effect {}, `{}`", fault.mode, fault.at, trace[fault.at]);
        let scene = template.copy();
        let world = later(&scene);
        let failed = scene
            .backfill(&Faulty::new(&world, Some(fault)), &version())
            .is_err();
        assert!(failed || !fault.mode.kills(), "{when}: not noticed");
        check_reader(&scene.origin(), &when);
        let resumed = scene
            .resume(&world)
            .unwrap_or_else(|error| panic!("{when}: resume: {error}"));
        if !resumed && scene.visible() != expected {
            scene
                .backfill(&world, &version())
                .unwrap_or_else(|error| panic!("{when}: again: {error}"));
        }
        assert_same(&expected, &scene.visible(), &when);
        assert_eq!(findings(&scene, &world), [""; 0], "{when}");
    }
}

#[test]
fn until_the_pointer_it_is_taken_back_without_a_trace() {
    let (template, _) = published();
    let before = template.visible();
    let (trace, _) = reference(&template);
    let pointer = trace
        .iter()
        .position(|effect| effect.contains("pointer.json"))
        .unwrap();
    // The journal line that announces the pointer is the point of no return.
    let announced = (0..pointer)
        .rev()
        .find(|at| trace[*at].starts_with("append"))
        .unwrap();
    for at in (1..=announced).rev().step_by(17) {
        let scene = template.copy();
        let world = later(&scene);
        let fault = Fault {
            at,
            mode: Mode::KillBefore,
        };
        scene
            .backfill(&Faulty::new(&world, Some(fault)), &version())
            .unwrap_err();
        let when = format!("killed before effect {at}, `{}`", trace[at]);
        let undone = scene
            .undo(&world)
            .unwrap_or_else(|error| panic!("{when}: {error}"));
        if undone {
            assert_same(&before, &scene.visible(), &when);
            assert_eq!(findings(&scene, &world), [""; 0], "{when}");
        }
    }
    let scene = template.copy();
    let world = later(&scene);
    let fault = Fault {
        at: pointer,
        mode: Mode::Error,
    };
    scene
        .backfill(&Faulty::new(&world, Some(fault)), &version())
        .unwrap_err();
    let refused = scene.undo(&world).unwrap_err().to_string();
    assert!(
        refused.contains("cannot be taken back: `pointer` was reached"),
        "{refused}"
    );
}
