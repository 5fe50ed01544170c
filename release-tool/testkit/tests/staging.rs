//! A release goes to a staging origin first, is tried there, and leaves it only when all went well.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use vrel_engine::load_from_work_tree;
use vrel_model::{Pointer, Rehearsal, SignedPointer, SmokeReport, UpgradeOutcome, Verdict, Version};
use vrel_origin::{LocalOrigin, PointerCheck, TrustRoot, VerifyRequest, verify_release};
use vrel_testkit::{Fault, Faulty, Mode, Scene, SceneWorld, check_reader, published};
use vrel_world::World;

type Files = BTreeMap<String, Vec<u8>>;

const FIRST: &str = "0.6.0-rc1";
const SECOND: &str = "0.6.0-rc2";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

fn scene() -> Scene {
    let scene = Scene::new();
    scene.use_staging();
    scene
}

/// A scene whose first candidate is public, a day later.
fn after_the_first() -> (Scene, SceneWorld) {
    let scene = scene();
    scene.use_installer();
    let world = scene.world();
    scene.cut_rc(&world, &v(FIRST)).unwrap();
    world.advance(86_400);
    (scene, world)
}

fn pointer(origin: &Path) -> Pointer {
    let bytes = std::fs::read(origin.join("pointer.json")).unwrap();
    SignedPointer::parse(&bytes).unwrap().pointer().unwrap()
}

fn work_file(scene: &Scene, version: &str, file: &str) -> Vec<u8> {
    std::fs::read(scene.repo().join(".vrel/work").join(version).join(file)).unwrap()
}

fn smoke(scene: &Scene, version: &str) -> SmokeReport {
    SmokeReport::parse(&work_file(scene, version, "smoke.json")).unwrap()
}

fn rehearsal(scene: &Scene, version: &str) -> Rehearsal {
    Rehearsal::parse(&work_file(scene, version, "rehearsal.json")).unwrap()
}

/// What a stranger with the public keys finds in an origin.
fn findings(scene: &Scene, world: &SceneWorld, origin: &Path, version: &str) -> Vec<String> {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let ring = scene.ring();
    let request = VerifyRequest {
        trust: TrustRoot {
            ring: &ring,
            signing: &policies.signing,
            channels: &policies.channels,
        },
        product: "veridianos",
        version: &v(version),
        pointer: PointerCheck::Public { last_seen: None },
        now: world.now(),
        threads: NonZeroUsize::MIN,
    };
    let origin = LocalOrigin::open(world, origin).unwrap();
    let report = verify_release(&origin, &request, &|_| {}).unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

fn without_pointer(mut files: Files) -> Files {
    files.remove("pointer.json");
    files
}

fn assert_same(expected: &Files, found: &Files, when: &str) {
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(expected), names(found), "{when}");
    for (name, content) in expected {
        assert!(content == &found[name], "{when}: {name} differs");
    }
}

#[test]
fn production_gets_the_very_bytes_that_were_tried() {
    let scene = scene();
    let world = scene.world();
    scene.cut_rc(&world, &v(FIRST)).unwrap();
    let staged = without_pointer(published(&scene.staging()));
    assert_same(&without_pointer(published(&scene.origin())), &staged, "staging");
    assert!(staged.len() > 20, "{:?}", staged.keys());
    assert_eq!(
        findings(&scene, &world, &scene.staging(), FIRST),
        [""; 0],
        "staging is read as production is"
    );
    assert_eq!(pointer(&scene.staging()).version, 1);

    let smoke = smoke(&scene, FIRST);
    let identities: Vec<_> = smoke.boots.iter().map(|boot| boot.identity.clone()).collect();
    assert_eq!(identities.len(), 3);
    for (boot, arch) in smoke.boots.iter().zip(["x86_64", "aarch64", "riscv64"]) {
        assert!(
            boot.identity.starts_with("VeridianOS 0.6.0-rc1 (") && boot.identity.ends_with(arch),
            "{}",
            boot.identity
        );
        assert_eq!(boot.medium, "disk");
        let file = &staged[&format!("releases/{FIRST}/{}", boot.artifact)];
        assert_eq!(vrel_trust::digest_bytes(file).sha256, boot.sha256);
    }
    for upgrade in &smoke.upgrades {
        let UpgradeOutcome::Skipped { why } = &upgrade.outcome else {
            panic!("{upgrade:?}");
        };
        assert_eq!(why, "there is no published release before");
    }
    assert!(
        smoke
            .benchmarks
            .iter()
            .all(|figure| figure.verdict == Verdict::NoBaseline && figure.value > 0)
    );
    let rehearsal = rehearsal(&scene, FIRST);
    assert_eq!(rehearsal.way_back, None, "there is nothing to go back to");
}

#[test]
fn the_next_candidate_is_installed_over_the_one_before_and_the_way_back_is_rehearsed() {
    let (scene, world) = after_the_first();
    // Staging need not know the release that it is rolled back to.
    std::fs::remove_dir_all(scene.staging()).unwrap();
    scene.cut_rc(&world, &v(SECOND)).unwrap();

    let smoke = smoke(&scene, SECOND);
    assert_eq!(smoke.upgrades.len(), 3);
    for upgrade in &smoke.upgrades {
        assert_eq!(upgrade.from, Some(v(FIRST)));
        let UpgradeOutcome::Ok { identity, .. } = &upgrade.outcome else {
            panic!("{upgrade:?}");
        };
        assert!(identity.starts_with("VeridianOS 0.6.0-rc2 ("), "{identity}");
    }
    for figure in &smoke.benchmarks {
        assert_eq!(figure.verdict, Verdict::Within, "{figure:?}");
        assert!(figure.baseline.is_some(), "{figure:?}");
    }
    let text = String::from_utf8(work_file(&scene, SECOND, "smoke.json")).unwrap();
    assert_eq!(text.matches("\"outcome\": \"ok\"").count(), 3, "{text}");

    let rehearsal = rehearsal(&scene, SECOND);
    let way = rehearsal.way_back.unwrap();
    assert_eq!((way.to, way.back, way.forward), (v(FIRST), 2, 3));
    let first = published(&scene.origin());
    let copied = first
        .keys()
        .filter(|path| path.starts_with(&format!("releases/{FIRST}/")))
        .count();
    assert_eq!(way.copied, copied);
    let there = pointer(&scene.staging());
    let head = &there.channels[&"beta".parse().unwrap()];
    assert_eq!(
        (there.version, &head.release, &head.rollback),
        (3, &v(SECOND), &None)
    );
    assert_eq!(
        pointer(&scene.origin()).version,
        2,
        "nothing of it is in production"
    );
    for (origin, version) in [
        (scene.staging(), FIRST),
        (scene.staging(), SECOND),
        (scene.origin(), FIRST),
        (scene.origin(), SECOND),
    ] {
        assert_eq!(findings(&scene, &world, &origin, version), [""; 0]);
        check_reader(&origin, version);
    }
}

/// The journal's line that announces the step whose first effect has this in its name.
fn announced(trace: &[String], effect: &str) -> usize {
    let first = trace.iter().position(|one| one.contains(effect));
    let first = first.unwrap_or_else(|| panic!("no effect has {effect}: {trace:#?}"));
    (0..first)
        .rev()
        .find(|at| trace[*at].starts_with("append"))
        .unwrap()
}

/// The effects of the second candidate.
fn trace(template: &Scene) -> Vec<String> {
    let scene = template.copy();
    let world = later(&scene);
    let counting = Faulty::new(&world, None);
    scene.cut_rc(&counting, &v(SECOND)).unwrap();
    counting.trace()
}

/// The world of a copy of [`after_the_first`], at the same time.
fn later(scene: &Scene) -> SceneWorld {
    let world = scene.world();
    world.advance(86_400);
    world
}

fn kill_before(scene: &Scene, world: &SceneWorld, at: usize) {
    let fault = Fault {
        at,
        mode: Mode::KillBefore,
    };
    scene
        .cut_rc(&Faulty::new(world, Some(fault)), &v(SECOND))
        .unwrap_err();
}

fn damage(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(path, bytes).unwrap();
}

/// What the first effect of each step of staging, and of the one after, has in its name, where pointer 1 is there.
const SMOKE: &str = "work/0.6.0-rc2/smoke";
const REHEARSE: &str = "way-back/4.json";
const PUBLISH: &str = "origin/releases/0.6.0-rc2";

#[test]
fn what_was_changed_in_staging_does_not_become_public() {
    let (template, _) = after_the_first();
    let trace = trace(&template);
    let image = format!("releases/{SECOND}/veridianos-{SECOND}-aarch64.img");
    let manifest = format!("releases/{SECOND}/manifest.json");
    for (file, before, expected) in [
        (&image, SMOKE, "veridianos-0.6.0-rc2-aarch64.img: "),
        (&image, REHEARSE, "veridianos-0.6.0-rc2-aarch64.img: "),
        (&manifest, PUBLISH, "manifest.json in staging: "),
    ] {
        let scene = template.copy();
        let world = later(&scene);
        let visible = scene.visible();
        kill_before(&scene, &world, announced(&trace, before));
        damage(&scene.staging().join(file));
        let error = scene.resume(&world).unwrap_err().to_string();
        assert!(error.contains(expected), "{before}: {error}");
        check_reader(&scene.origin(), before);
        assert!(scene.undo(&world).unwrap());
        assert_same(&visible, &scene.visible(), before);
        assert_eq!(findings(&scene, &world, &scene.staging(), FIRST), [""; 0]);
    }
}

#[test]
fn a_system_that_became_slower_stays_in_staging() {
    let (scene, world) = after_the_first();
    let before = published(&scene.origin());
    // 5 % of 400 are allowed.
    scene.slow_down(&v(SECOND), 421);
    let error = scene.cut_rc(&world, &v(SECOND)).unwrap_err().to_string();
    assert!(
        error.contains("speed of null-call for x86_64 is 421 instructions; it was 400 before"),
        "{error}"
    );
    assert_same(&before, &published(&scene.origin()), "too slow");

    let (scene, world) = after_the_first();
    scene.slow_down(&v(SECOND), 420);
    scene.cut_rc(&world, &v(SECOND)).unwrap();
    let smoke = smoke(&scene, SECOND);
    let speed = smoke
        .benchmarks
        .iter()
        .filter(|figure| figure.unit == "instructions");
    let speed: Vec<_> = speed
        .map(|figure| {
            (
                figure.arch.unwrap(),
                figure.value,
                figure.baseline,
                figure.verdict,
            )
        })
        .collect();
    let expected = vrel_model::Arch::ALL.map(|arch| (arch, 420, Some(400), Verdict::Within));
    assert_eq!(speed, expected);
}

#[test]
fn what_does_not_boot_or_does_not_install_stays_in_staging() {
    let (template, _) = after_the_first();
    for (part, expected) in [
        (
            "smoke/riscv64/veridianos",
            "step `smoke`: acted-riscv64 from `disk`",
        ),
        (
            "smoke/aarch64/upgrade",
            "step `smoke`: acted-aarch64 from `install`",
        ),
    ] {
        let scene = template.copy();
        let world = later(&scene);
        let (visible, staged) = (scene.visible(), published(&scene.staging()));
        scene.break_emulator(part);
        let error = scene.cut_rc(&world, &v(SECOND)).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert_same(&published(&template.origin()), &published(&scene.origin()), part);
        assert!(scene.undo(&world).unwrap());
        assert_same(&visible, &scene.visible(), part);
        // The pointer went on, to say what it said.
        let after = published(&scene.staging());
        assert_same(&without_pointer(staged), &without_pointer(after), part);
        let there = pointer(&scene.staging());
        assert_eq!(there.channels[&"beta".parse().unwrap()].release, v(FIRST));
        assert_eq!(there.version, 3);
        assert_eq!(findings(&scene, &world, &scene.staging(), FIRST), [""; 0]);
    }
}

#[test]
fn wherever_it_is_killed_resuming_ends_the_same() {
    let (template, _) = after_the_first();
    let trace = trace(&template);
    let reference = template.copy();
    reference.cut_rc(&later(&reference), &v(SECOND)).unwrap();
    let expected = reference.visible_after(&v(SECOND));
    let staged = without_pointer(published(&reference.staging()));
    let first = announced(&trace, "staging/releases/0.6.0-rc2");
    let last = announced(&trace, PUBLISH);
    assert!(last - first > 60, "only {} effects", last - first);
    let pointers = (first..last).filter(|at| trace[*at].contains("staging/pointer.json"));
    let mut faults: Vec<Fault> = pointers
        .flat_map(|at| Mode::ALL.map(|mode| Fault { at, mode }))
        .collect();
    assert_eq!(faults.len(), 3 * Mode::ALL.len(), "stage, back, forward");
    faults.extend((first..last).step_by(13).map(|at| Fault {
        at,
        mode: Mode::ALL[at / 13 % Mode::ALL.len()],
    }));
    for fault in faults {
        let when = format!("{:?} at effect {}, `{}`", fault.mode, fault.at, trace[fault.at]);
        let scene = template.copy();
        let world = later(&scene);
        let failed = scene
            .cut_rc(&Faulty::new(&world, Some(fault)), &v(SECOND))
            .is_err();
        assert!(failed || !fault.mode.kills(), "{when}: not noticed");
        check_reader(&scene.origin(), &when);
        check_reader(&scene.staging(), &when);
        scene
            .resume(&world)
            .unwrap_or_else(|error| panic!("{when}: resume: {error}"));
        assert_same(&expected, &scene.visible_after(&v(SECOND)), &when);
        assert_same(&staged, &without_pointer(published(&scene.staging())), &when);
        assert_eq!(
            findings(&scene, &world, &scene.staging(), SECOND),
            [""; 0],
            "{when}"
        );
    }
}

#[test]
fn undo_takes_it_out_of_staging_wherever_it_stopped() {
    let (template, _) = after_the_first();
    let trace = trace(&template);
    let visible = template.visible();
    let staged = without_pointer(published(&template.staging()));
    let first = announced(&trace, "staging/releases/0.6.0-rc2");
    let last = announced(&trace, PUBLISH) + 3;
    let pointers = (first..last).filter(|at| trace[*at].contains("staging/pointer.json"));
    let mut places: Vec<usize> = pointers.flat_map(|at| [at, at + 1]).collect();
    places.extend((first + 1..last).step_by(29));
    for at in places {
        let when = format!("killed before effect {at}, `{}`", trace[at]);
        let scene = template.copy();
        let world = later(&scene);
        kill_before(&scene, &world, at);
        assert!(scene.undo(&world).unwrap(), "{when}");
        assert_same(&visible, &scene.visible(), &when);
        assert_same(&staged, &without_pointer(published(&scene.staging())), &when);
        assert_eq!(
            findings(&scene, &world, &scene.staging(), FIRST),
            [""; 0],
            "{when}"
        );
        scene
            .cut_rc(&world, &v(SECOND))
            .unwrap_or_else(|error| panic!("{when}: again: {error}"));
    }
    // Where nothing was staged before, nothing is left but a pointer to nothing.
    let scene = scene();
    let world = scene.world();
    scene.break_emulator("smoke/x86_64");
    scene.cut_rc(&world, &v(FIRST)).unwrap_err();
    assert!(scene.undo(&world).unwrap());
    assert_eq!(
        published(&scene.staging()).keys().collect::<Vec<_>>(),
        ["pointer.json"]
    );
    assert!(pointer(&scene.staging()).channels.is_empty());
}

#[test]
fn staging_that_is_the_origin_by_a_link_is_noticed_before_anything_is_public() {
    let scene = scene();
    let world = scene.world();
    std::fs::create_dir_all(scene.origin().join("releases")).unwrap();
    // A link is not covered by what the scene's `.gitignore` says of a directory.
    std::fs::create_dir_all(scene.repo().join(".git/info")).unwrap();
    std::fs::write(scene.repo().join(".git/info/exclude"), "staging\n").unwrap();
    std::os::unix::fs::symlink(scene.origin(), scene.staging()).unwrap();
    let error = scene.cut_rc(&world, &v(FIRST)).unwrap_err();
    assert!(error.to_string().contains("are the same directory"), "{error}");
    assert!(error.hint().unwrap().contains("publish.staging"));
    assert!(!scene.origin().join("pointer.json").exists());
    assert!(scene.undo(&world).unwrap());
    assert_eq!(published(&scene.origin()), Files::new());
}

#[test]
fn staging_keeps_a_few_releases() {
    let scene = scene();
    let world = scene.world();
    for number in 1..=5 {
        scene.cut_rc(&world, &v(&format!("0.6.0-rc{number}"))).unwrap();
        world.advance(86_400);
    }
    let names = |dir: &Path| -> Vec<String> {
        let entries = std::fs::read_dir(dir.join("releases")).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert_eq!(names(&scene.staging()), ["0.6.0-rc3", "0.6.0-rc4", "0.6.0-rc5"]);
    assert_eq!(names(&scene.origin()).len(), 5);
    check_reader(&scene.staging(), "after five");
}
