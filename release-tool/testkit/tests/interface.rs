//! What changed for programs decides how far the next version goes.

use vrel_engine::{NotesRange, Site, interface_changes, load_from_work_tree, next_facts, notes_context};
use vrel_interface::Impact;
use vrel_model::Version;
use vrel_process::{Bump, Finding, Next, next_version};
use vrel_testkit::{Scene, SceneWorld};
use vrel_world::World;

const ABI: &str = "#[macro_export]
macro_rules! with_system_calls {
    ($then:path) => {
        $then! {
            1 Write write(text: bytes) -> \"bytes written\": BadAddress;
            2 Exit exit(code: number) -> never: BadArgument;
        }
    };
}
pub mod layout {
    pub const PAGE: u64 = 4096;
}
";

fn v(text: &str) -> Version {
    text.parse().unwrap()
}

/// Commits sources of the interface.
fn commit(scene: &Scene, message: &str, abi: &str) {
    for (file, text) in [
        ("os/abi/src/lib.rs", abi),
        ("os/user/rt/src/lib.rs", "pub use abi::layout;\n"),
    ] {
        let path = scene.repo().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    scene.git(&["add", "os"]);
    scene.git(&["commit", "-q", "--allow-empty", "-m", message]);
}

/// A scene in which 0.6.0 is out, with these sources.
fn scene() -> Scene {
    let scene = Scene::new();
    commit(&scene, "feat: an interface", ABI);
    scene.git(&["tag", "v0.6.0"]);
    scene
}

fn findings(scene: &Scene, world: &SceneWorld, version: &str) -> Vec<Finding> {
    let found = scene.plan(world, &v(version)).unwrap().findings;
    let of_the_interface = |finding: &Finding| ["version-bump", "interface"].contains(&finding.check);
    found.into_iter().filter(of_the_interface).collect()
}

fn next(scene: &Scene, world: &SceneWorld) -> Next {
    let policies = load_from_work_tree(world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    next_version(&next_facts(world, &site, &policies.config, None).unwrap()).unwrap()
}

#[test]
fn a_candidate_that_does_not_go_far_enough_is_refused_with_the_symbol() {
    let scene = scene();
    let world = scene.world();
    commit(&scene, "fix: smaller pages", &ABI.replace("4096", "2048"));
    let refused = findings(&scene, &world, "0.6.1-rc1");
    let [finding] = &refused[..] else {
        panic!("{refused:#?}")
    };
    assert!(finding.is_fatal());
    assert_eq!(
        finding.message,
        "os/abi/src/lib.rs:11: `abi::layout::PAGE`: the constant has another value: was `4096 (0x1000)`, is `2048`; \
         after 0.6.0 that needs MINOR, and 0.6.1-rc1 is PATCH"
    );
    assert_eq!(findings(&scene, &world, "0.7.0-rc1"), []);

    // Nothing was changed for programs after all: PATCH is enough.
    commit(&scene, "fix: pages as before", &ABI.replace("4096", "1 << 12"));
    assert_eq!(findings(&scene, &world, "0.6.1-rc1"), []);
}

#[test]
fn candidates_are_compared_with_the_last_final_release() {
    let scene = scene();
    let world = scene.world();
    let more = ABI.replace("2 Exit", "3 Ticks ticks() -> \"ticks\":;\n2 Exit");
    commit(&scene, "feat: ticks", &more);
    scene.git(&["tag", "v0.7.0-rc1"]);
    commit(&scene, "fix: no ticks", ABI);
    assert_eq!(findings(&scene, &world, "0.7.0-rc2"), []);
}

#[test]
fn what_cannot_be_read_stops_a_release_and_what_is_older_warns() {
    let scene = Scene::new();
    let world = scene.world();
    assert_eq!(findings(&scene, &world, "0.6.0-rc1"), []);
    scene.git(&["tag", "v0.6.0"]);
    commit(&scene, "feat: an interface", ABI);
    let older = findings(&scene, &world, "0.6.1-rc1");
    let [finding] = &older[..] else {
        panic!("{older:#?}")
    };
    assert!(
        !finding.is_fatal() && finding.message.contains("0.6.0 is older than"),
        "{finding}"
    );

    commit(
        &scene,
        "feat: another table",
        &ABI.replace("-> never", "-> sometimes"),
    );
    let broken = findings(&scene, &world, "0.7.0-rc1");
    let fatal: Vec<_> = broken.iter().filter(|finding| finding.is_fatal()).collect();
    let [finding] = &fatal[..] else {
        panic!("{broken:#?}")
    };
    assert!(finding.message.starts_with("os/abi/src/lib.rs:6: "), "{finding}");
}

#[test]
fn the_next_version_follows_from_commits_and_interface() {
    let scene = scene();
    let world = scene.world();
    commit(&scene, "chore: tidy", ABI);
    let tidy = next(&scene, &world);
    assert_eq!(
        (tidy.version, tidy.needs, tidy.internal),
        (v("0.6.1"), Bump::Patch, 1)
    );

    commit(&scene, "fix: pages", &ABI.replace("4096", "2048"));
    let found = next(&scene, &world);
    assert_eq!((found.version.clone(), found.needs), (v("0.7.0"), Bump::Minor));
    assert_eq!(found.reasons.len(), 2, "{found:#?}");
    assert_eq!(found.reasons[0].object, "os/abi/src/lib.rs:11");
    assert!(found.reasons[0].text.contains("abi::layout::PAGE"));
    assert_eq!(
        (found.reasons[1].needs, found.reasons[1].text.as_str()),
        (Bump::Patch, "fix: pages")
    );
    // The scene's plan names 0.7.0 as the release after 0.6.0, which has no branch.
    let proposed: Vec<_> = found
        .proposals
        .iter()
        .map(|proposal| proposal.version.to_string())
        .collect();
    assert_eq!(proposed[..2], ["0.7.0-rc1", "0.7.0"]);
    assert!(proposed[2].starts_with("0.7.0-nightly.2026"), "{proposed:?}");
}

#[test]
fn a_release_branch_continues_its_candidates() {
    let scene = scene();
    let world = scene.world();
    scene.git(&["branch", "release/0.7"]);
    scene.git(&["tag", "v0.7.0-rc1"]);
    commit(&scene, "feat: for later", ABI);
    scene.git(&["switch", "-q", "release/0.7"]);
    commit(&scene, "fix: for now", ABI);
    scene.git(&["switch", "-q", "main"]);
    let found = next(&scene, &world);
    assert_eq!(
        (found.origin.branch.as_str(), found.version.to_string()),
        ("release/0.7", "0.7.0".into())
    );
    assert_eq!(found.proposals[0].version, v("0.7.0-rc2"));
    assert_eq!(found.reasons.len(), 1);
    assert!(
        found.proposals[2].version > v("0.8.0-nightly.20260101"),
        "{:#?}",
        found.proposals
    );
}

#[test]
fn changes_between_two_commits_are_listed() {
    let scene = scene();
    let world = scene.world();
    commit(&scene, "feat: more", &format!("{ABI}pub fn more() {{}}\n"));
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let resolve = |name| world.git().resolve(&scene.repo(), name).unwrap().unwrap();
    let (old, new) = (resolve("refs/tags/v0.6.0"), resolve("refs/heads/main"));
    let changes = interface_changes(&world, &site, &policies.config, &old, &new).unwrap();
    let rows: Vec<_> = changes
        .iter()
        .map(|change| (change.symbol.as_str(), change.impact))
        .collect();
    assert_eq!(rows, [("abi::more", Impact::Addition)]);
    assert_eq!(
        interface_changes(&world, &site, &policies.config, &new, &new).unwrap(),
        []
    );
}

#[test]
fn release_notes_tell_what_breaks_and_what_is_new() {
    let scene = scene();
    let world = scene.world();
    let changed = ABI.replace("4096", "2048");
    commit(&scene, "chore: pages", &format!("{changed}pub fn more() {{}}\n"));
    let policies = load_from_work_tree(&world, &scene.repo()).unwrap();
    let site = Site::new(&scene.repo(), &policies.config);
    let tip = world
        .git()
        .resolve(&scene.repo(), "refs/heads/main")
        .unwrap()
        .unwrap();
    let range = NotesRange {
        version: &v("0.7.0"),
        previous: Some(&v("0.6.0")),
        commit: &tip,
        date: world.now(),
        channel: &"stable".parse().unwrap(),
    };
    let context = notes_context(&world, &site, &policies.config, &range, Vec::new()).unwrap();
    let told: Vec<_> = context
        .interface_changes
        .iter()
        .map(|change| (change.what.as_str(), change.breaking))
        .collect();
    assert_eq!(told, [("abi::layout::PAGE", true), ("abi::more", false)]);
}
