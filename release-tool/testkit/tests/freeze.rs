//! Freezing with every effect going wrong in turn, and with a clock that can be moved.

use std::collections::BTreeMap;
use vrel_engine::freeze::{self, ExceptRequest, PushedRef, StartRequest};
use vrel_engine::records::Records;
use vrel_engine::{EngineError, Site, load_from_work_tree, look_at_remote};
use vrel_model::freeze::{Excepted, FreezeState, Risk};
use vrel_model::{Config, Line};
use vrel_testkit::{Fault, Faulty, Mode, Scene};
use vrel_world::{FileEdit, World};

const DAY: u64 = 86_400;

/// The scene's first moment is 2026-11-21T03:00:00Z.
const BRANCH: &str = "refs/heads/release/0.6";

fn line() -> Line {
    "0.6".parse().unwrap()
}

fn request(starts: Option<&str>) -> StartRequest {
    StartRequest {
        line: line(),
        starts: starts.map(|text| text.parse().unwrap()),
        ends: None,
        also: Vec::new(),
        reason: Some("the way to 0.6.0".to_owned()),
    }
}

struct Place {
    site: Site,
    config: Config,
}

fn place(scene: &Scene) -> Place {
    let config = load_from_work_tree(&scene.world(), &scene.repo()).unwrap().config;
    Place {
        site: Site::new(&scene.repo(), &config),
        config,
    }
}

/// Starts a freeze as the command does.
fn start(
    scene: &Scene,
    world: &dyn World,
    request: &StartRequest,
) -> Result<freeze::FreezePlan, EngineError> {
    let Place { site, config } = place(scene);
    Records::new(world, &site, &config).refresh()?;
    let refs = look_at_remote(world, &site, &config.git.remote)?.refs;
    freeze::apply_start(world, &site, &config, request, Some(&refs))
}

fn state(scene: &Scene) -> BTreeMap<String, Vec<u8>> {
    let mut state = scene.visible();
    state.retain(|name, _| name == "refs" || name.starts_with("outbox"));
    state
}

#[test]
fn whatever_goes_wrong_starting_again_finishes_it() {
    let template = Scene::new();
    let reference = template.copy();
    let world = reference.world();
    let counting = Faulty::new(&world, None);
    let plan = start(&reference, &counting, &request(None)).unwrap();
    assert!(plan.is_done(), "{plan:#?}");
    let trace = counting.trace();
    for effect in [
        "push commit refs/heads/records",
        "branch",
        "push refs/heads/release/0.6",
    ] {
        assert!(
            trace.iter().any(|done| done == effect),
            "no {effect} in {trace:?}"
        );
    }
    let expected = state(&reference);
    assert_eq!(expected.len(), 2, "{:?}", expected.keys());
    for (at, effect) in trace.iter().enumerate() {
        for mode in [Mode::Error, Mode::LostReply, Mode::KillWithin] {
            let when = format!("{mode:?} at {effect}");
            let scene = template.copy();
            let world = scene.world();
            let faulty = Faulty::new(&world, Some(Fault { at, mode }));
            drop(start(&scene, &faulty, &request(None)));
            let plan =
                start(&scene, &world, &request(None)).unwrap_or_else(|error| panic!("{when}: {error}"));
            assert!(plan.is_done(), "{when}: {plan:#?}");
            assert_eq!(state(&scene), expected, "{when}");
            let remote = scene.remote();
            let refs = world.git().ls_remote(&scene.repo(), "origin").unwrap();
            let file = world
                .git()
                .file_at(&remote, &refs["refs/heads/records"], "lines/0.6/freeze.toml")
                .unwrap();
            let text = String::from_utf8(file.unwrap()).unwrap();
            assert_eq!(text.matches("[[window]]").count(), 1, "{when}: {text}");
        }
    }
}

/// The remote sees the objects of the repository, as git shows its hooks what is pushed.
fn share_objects(scene: &Scene) {
    let alternates = scene.remote().join("objects/info/alternates");
    std::fs::write(
        alternates,
        format!("{}\n", scene.repo().join(".git/objects").display()),
    )
    .unwrap();
}

fn feature(scene: &Scene, world: &dyn World, parent: &str) -> String {
    let edits = [FileEdit::Write {
        path: "os/new".to_owned(),
        content: b"new\n".to_vec(),
    }];
    let commit = vrel_world::FilesCommit {
        parent: Some(parent),
        edits: &edits,
        message: "feat: new\n",
        time: world.now(),
    };
    world.git().write_commit(&scene.repo(), &commit).unwrap()
}

#[test]
fn the_rule_begins_and_exceptions_expire_by_the_clock() {
    let scene = Scene::new();
    let world = scene.world();
    let plan = start(&scene, &world, &request(Some("2026-11-25T00:00:00Z"))).unwrap();
    assert_eq!(plan.state, FreezeState::Announced);
    share_objects(&scene);
    let main = world
        .git()
        .resolve(&scene.repo(), "refs/heads/main")
        .unwrap()
        .unwrap();
    let new = feature(&scene, &world, &main);
    let push = |old: Option<&str>| {
        let pushed = PushedRef {
            old: old.map(str::to_owned),
            new: Some(new.clone()),
            name: BRANCH.to_owned(),
        };
        freeze::check_push(&world, &scene.remote(), &[pushed]).unwrap()
    };
    assert!(!push(None).is_refused(), "it has not begun");
    world.advance(4 * DAY);
    // The branch is new, but has more than main.
    let refused = push(None);
    assert_eq!(refused.commits[0].refusals[0].commit, new);

    // On the day the branch is made from main as it is then, and once.
    let again = start(&scene, &world, &request(None)).unwrap();
    assert!(
        again.is_done() && again.window.commit.as_deref() == Some(&main),
        "{again:#?}"
    );
    assert_eq!(
        world.git().resolve(&scene.remote(), BRANCH).unwrap().as_deref(),
        Some(main.as_str())
    );
    assert!(push(Some(&main)).is_refused());

    let Place { site, config } = place(&scene);
    let except = ExceptRequest {
        line: line(),
        what: Excepted::Commit(new.clone()),
        reason: "needed".to_owned(),
        risk: Risk::Medium,
        approver: "Ada <ada@example.org>".parse().unwrap(),
        until: "2026-11-26".parse().unwrap(),
    };
    assert!(freeze::except(&world, &site, &config, &except).unwrap().pushed);
    assert!(!push(Some(&main)).is_refused(), "there is an exception");
    world.advance(2 * DAY);
    let expired = push(Some(&main));
    let why = &expired.commits[0].refusals[0].why;
    assert!(why.contains("exception 1 for it held until 2026-11-26"), "{why}");
    assert!(freeze::end(&world, &site, &config, line(), "out").unwrap().pushed);
    assert!(!push(Some(&main)).is_refused(), "it is over");
    assert!(
        freeze::except(
            &world,
            &site,
            &config,
            &ExceptRequest {
                until: "2027-01-01".parse().unwrap(),
                ..except
            }
        )
        .is_err()
    );
}

#[test]
fn of_two_who_start_at_once_one_wins() {
    let scene = Scene::new();
    let world = scene.world();
    let Place { site, config } = place(&scene);
    let theirs = scene.base().join("theirs");
    scene.git(&[
        "clone",
        "-q",
        scene.remote().to_str().unwrap(),
        theirs.to_str().unwrap(),
    ]);
    for (key, value) in [("user.name", "Them"), ("user.email", "them@example.org")] {
        scene.git(&["-C", theirs.to_str().unwrap(), "config", key, value]);
    }
    let refs = look_at_remote(&world, &site, "origin").unwrap().refs;
    // Both have looked; they decide first.
    let their_site = Site::new(&theirs, &config);
    let their_request = StartRequest {
        reason: Some("theirs".to_owned()),
        ends: Some("2027-01-01T00:00:00Z".parse().unwrap()),
        ..request(None)
    };
    freeze::apply_start(&world, &their_site, &config, &their_request, Some(&refs)).unwrap();
    let ours = StartRequest {
        ends: Some("2027-02-01T00:00:00Z".parse().unwrap()),
        ..request(None)
    };
    let told = freeze::apply_start(&world, &site, &config, &ours, Some(&refs)).unwrap_err();
    assert!(
        told.to_string()
            .contains("until 2027-01-01T00:00:00Z, decided by Them <them@example.org>"),
        "{told}"
    );
    let view = Records::new(&world, &site, &config).view().unwrap();
    let report = freeze::report(&world, &site, &config, &view, line())
        .unwrap()
        .unwrap();
    assert_eq!((report.window.reason.as_str(), report.earlier), ("theirs", 0));
}
