//! Releases that are published without an architecture of tier 2 at first.

use std::num::NonZeroUsize;
use vrel_engine::{Site, collect_schedule, freeze, load_from_work_tree, look_at_remote, origin_manifest};
use vrel_model::{Arch, Manifest, Version};
use vrel_origin::{LocalOrigin, PointerCheck, TrustRoot, VerifyRequest, verify_release};
use vrel_process::{DueKind, agenda, calendar};
use vrel_testkit::{Scene, SceneWorld, check_reader};
use vrel_world::World;

fn version() -> Version {
    "0.6.0-rc1".parse().unwrap()
}

/// What a reader finds wrong with the release.
fn verify(scene: &Scene, world: &SceneWorld) -> Vec<String> {
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
    let report = verify_release(&origin, &request, &|_| {}).unwrap();
    report.findings.iter().map(ToString::to_string).collect()
}

fn manifest(scene: &Scene, world: &SceneWorld) -> Manifest {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    origin_manifest(world, &site, &version()).unwrap().unwrap()
}

#[test]
fn a_release_without_a_tier_2_architecture_is_whole_for_its_readers() {
    let scene = Scene::new();
    scene.let_lag(3);
    let world = scene.world();
    scene
        .cut_rc_without(&world, &version(), &[Arch::Riscv64])
        .unwrap();
    check_reader(&scene.origin(), "without riscv64");
    assert_eq!(verify(&scene, &world), Vec::<String>::new());

    let manifest = manifest(&scene, &world);
    let late = manifest.lagging.first().unwrap();
    assert_eq!((manifest.lagging.len(), late.arch), (1, Arch::Riscv64));
    assert_eq!(late.until, manifest.created.plus_days(3));
    let of = |arch: Arch| {
        manifest
            .artifacts
            .iter()
            .filter(|artifact| artifact.arch == Some(arch))
            .count()
    };
    assert!(of(Arch::X86_64) > 2 && of(Arch::X86_64) == of(Arch::Aarch64));
    assert_eq!(of(Arch::Riscv64), 0);
    let names: Vec<_> = manifest
        .artifacts
        .iter()
        .map(|artifact| artifact.kind.as_str())
        .collect();
    assert!(!names.contains(&"oci") && names.contains(&"source"), "{names:?}");
    assert!(
        manifest
            .boots
            .iter()
            .all(|boot| !boot.identity.ends_with("riscv64"))
    );
    let files = scene.visible();
    assert!(
        files.keys().all(|path| !path.contains("riscv64")),
        "{:?}",
        files.keys()
    );
}

#[test]
fn a_freeze_is_on_the_agenda_until_somebody_ends_it() {
    let scene = Scene::new();
    let world = scene.world();
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let request = freeze::StartRequest {
        line: "0.6".parse().unwrap(),
        starts: None,
        ends: Some(world.now().plus_days(5)),
        also: Vec::new(),
        reason: Some("the way to 0.6.0".to_owned()),
    };
    let refs = look_at_remote(&world, &site, "origin").unwrap().refs;
    freeze::apply_start(&world, &site, &policies.config, &request, Some(&refs)).unwrap();
    let plan = std::fs::read_to_string(scene.repo().join("RELEASE_TODO.md")).unwrap();
    let todo = vrel_todo::Todo::parse(&plan).unwrap();
    let ends = || {
        let schedule = collect_schedule(&world, &site, &policies, &todo).unwrap();
        let items = agenda(&schedule, world.now(), 7).into_iter();
        let items = items.filter(|item| item.kind == DueKind::FreezeEnd);
        items.map(|item| item.due.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ends(), [world.now().plus_days(5).to_string()]);
    freeze::end(&world, &site, &policies.config, request.line, "it is done").unwrap();
    assert_eq!(ends(), Vec::<String>::new());
}

#[test]
fn what_follows_from_a_release_is_on_the_agenda() {
    let scene = Scene::new();
    scene.let_lag(3);
    let world = scene.world();
    scene
        .cut_rc_without(&world, &version(), &[Arch::Riscv64])
        .unwrap();
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let plan = std::fs::read_to_string(scene.repo().join("RELEASE_TODO.md")).unwrap();
    let todo = vrel_todo::Todo::parse(&plan).unwrap();
    let schedule = collect_schedule(&world, &site, &policies, &todo).unwrap();
    let cut = manifest(&scene, &world).created;
    assert_eq!(schedule.as_of, cut, "the pointer is the newest of its sources");
    let due = |days: u32| -> Vec<(DueKind, String)> {
        let items = agenda(&schedule, cut, days).into_iter();
        let items = items.filter(|item| item.kind != DueKind::Release && item.kind != DueKind::Blocking);
        items.map(|item| (item.kind, item.due.to_string())).collect()
    };
    assert_eq!(due(0), []);
    assert_eq!(
        due(30),
        [
            (DueKind::Architecture, cut.plus_days(3).to_string()),
            (DueKind::SoakEnd, cut.plus_days(7).date()),
            (DueKind::Candidate, cut.plus_days(14).date()),
            (DueKind::Pointer, cut.plus_days(30).to_string()),
        ]
    );
    let uids: Vec<String> = calendar(&schedule).into_iter().map(|event| event.uid).collect();
    for uid in [
        "candidate-0.6.0-rc1@veridianos",
        "architecture-0.6.0-rc1-riscv64@veridianos",
        "pointer-expiry@veridianos",
    ] {
        assert!(uids.iter().any(|found| found == uid), "{uid}: {uids:?}");
    }
}

#[test]
fn where_nothing_may_lag_the_plan_says_so_and_nothing_changes() {
    let scene = Scene::new();
    let before = scene.visible();
    let world = scene.world();
    let outcome = scene.plan_without(&world, &version(), &[Arch::Riscv64]).unwrap();
    let fatal: Vec<_> = outcome
        .findings
        .iter()
        .filter(|finding| finding.is_fatal())
        .collect();
    assert_eq!(fatal.len(), 1, "{fatal:?}");
    assert_eq!(fatal[0].check, "tiers");
    assert_eq!(
        fatal[0].message,
        "riscv64 cannot be left out: nothing may lag in the channel beta"
    );
    assert!(fatal[0].hint.as_ref().unwrap().contains("channels/beta.toml"));
    assert!(before == scene.visible());
}
