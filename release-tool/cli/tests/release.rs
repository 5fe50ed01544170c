//! The real program makes a candidate final, with acted compilers and emulators.

use std::path::Path;
use std::process::{Output, Stdio};
use vrel_testkit::{ProgramFault, Scene};

fn vrel(scene: &Scene, args: &[&str]) -> Output {
    let mut command = scene.command(Path::new(env!("CARGO_BIN_EXE_vrel")));
    command.args(args).stdin(Stdio::null()).output().unwrap()
}

/// What a run printed, which must end with this exit code.
#[track_caller]
fn says(scene: &Scene, args: &[&str], code: i32) -> (String, String) {
    let output = vrel(scene, args);
    let out = String::from_utf8(output.stdout).unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "vrel {args:?}\n{out}\n{err}");
    (out, err)
}

/// The first object of what was printed; what failed is another one after it.
fn json(text: &str) -> serde_json::Value {
    let mut objects = serde_json::Deserializer::from_str(text).into_iter();
    let first = objects.next().unwrap_or_else(|| panic!("nothing was printed"));
    first.unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// Nobody waits for days in a test: commits that candidates need not be tested.
fn without_soak(scene: &Scene) {
    let path = "channels/beta.toml";
    let policy = std::fs::read_to_string(scene.repo().join(path)).unwrap();
    let changed = policy.replace("soak-days = 7", "soak-days = 0");
    assert_ne!(policy, changed);
    scene.commit("chore: no time for tests", &[(path, &changed)]);
    scene.git(&["push", "-q", "origin", "main"]);
}

#[test]
fn a_candidate_is_planned_released_shown_and_verified() {
    let scene = Scene::new();
    scene.install_programs();
    let (_, none) = says(&scene, &["plan", "release", "0.6.0"], 3);
    assert!(
        none.contains("0.6.0 has no candidate: nothing is released that nobody could test [candidate]"),
        "{none}"
    );
    assert!(
        none.contains("hint: ") && none.contains("vrel cut-rc 0.6.0-rc1"),
        "{none}"
    );
    says(&scene, &["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"], 0);
    let (_, early) = says(&scene, &["release", "0.6.0", "--yes"], 3);
    assert!(
        early.contains("it is to be tested for 7 days, until ") && early.contains("[soak]"),
        "{early}"
    );
    let (early, _) = says(&scene, &["plan", "release", "0.6.0", "--json"], 3);
    assert_eq!(json(&early)["findings"][0]["check"], "soak");
    without_soak(&scene);

    let (plan, _) = says(&scene, &["plan", "release", "0.6.0"], 0);
    for expected in [
        "VeridianOS 0.6.0 for the channel stable",
        "Made of the candidate",
        "0.6.0-rc1",
        "refs/tags/v0.6.0 ",
        "differ only where the version stands",
        "none → 0.6.0",
    ] {
        assert!(plan.contains(expected), "{expected}:\n{plan}");
    }
    let (planned, _) = says(&scene, &["plan", "release", "0.6.0", "--json"], 0);
    assert_eq!(json(&planned)["plan"]["candidate"]["version"], "0.6.0-rc1");

    let (_, asked) = says(&scene, &["release", "0.6.0"], 2);
    assert!(asked.contains("no terminal"), "{asked}");
    let (released, _) = says(&scene, &["release", "0.6.0", "--yes", "--json"], 0);
    let last = json(released.lines().last().unwrap());
    assert_eq!(
        (&last["event"], &last["version"], &last["channel"]),
        (&"released".into(), &"0.6.0".into(), &"stable".into())
    );
    let steps = last["steps"].as_array().unwrap();
    assert!(steps.iter().any(|step| step["step"] == "compare"), "{last}");

    says(&scene, &["verify", "origin", "0.6.0"], 0);
    says(&scene, &["verify", "origin", "0.6.0-rc1"], 0);
    let (status, _) = says(&scene, &["status"], 0);
    assert!(
        status.contains("stable: 0.6.0") && status.contains("beta: 0.6.0-rc1"),
        "{status}"
    );
    let (log, _) = says(&scene, &["log", "0.6.0"], 0);
    assert!(
        log.contains("release 0.6.0 at") && log.contains("compare"),
        "{log}"
    );
    let (notes, _) = says(&scene, &["notes", "0.6.0"], 0);
    assert!(
        notes.contains("VeridianOS v0.6.0 Release Notes") && notes.contains("Minor"),
        "{notes}"
    );
    // Both tags are on one commit; what comes next follows the final release.
    let (next, _) = says(&scene, &["next", "--json"], 0);
    assert!(!next.contains("0.6.0-rc2"), "{next}");

    let (_, again) = says(&scene, &["release", "0.6.0", "--yes"], 10);
    assert!(
        again.contains("0.6.0 is released already, from commit"),
        "{again}"
    );
    says(&scene, &["plan", "release", "0.6.0"], 10);
    says(&scene, &["resume"], 10);
}

#[test]
fn what_is_no_final_version_is_answered_with_one() {
    let scene = Scene::new();
    scene.install_programs();
    let (_, candidate) = says(&scene, &["release", "0.6.0-rc1", "--yes"], 3);
    assert!(
        candidate.contains("`0.6.0-rc1` is not a final release")
            && candidate.contains("`vrel release 0.6.0` makes a candidate final"),
        "{candidate}"
    );
    says(&scene, &["release", "six", "--yes"], 2);
    says(&scene, &["release"], 2);
    let (_, other) = says(
        &scene,
        &["release", "0.6.0", "--candidate", "0.7.0-rc1", "--yes"],
        3,
    );
    assert!(other.contains("0.7.0-rc1 is no candidate of 0.6.0"), "{other}");
    let (help, _) = says(&scene, &["release", "--help"], 0);
    for option in ["--candidate", "--yes", "--jobs", "--json", "Examples:"] {
        assert!(help.contains(option), "{option}: {help}");
    }
}

#[test]
fn a_release_that_stopped_is_finished_or_taken_back() {
    let scene = Scene::new();
    scene.install_programs();
    without_soak(&scene);
    says(&scene, &["cut-rc", "0.6.0-rc1", "--yes", "--init-origin"], 0);
    scene.set_fault("qemu-system-x86_64", ProgramFault::Fails);
    let (_, failed) = says(&scene, &["release", "0.6.0", "--yes"], 4);
    assert!(
        failed.contains("vrel resume") && failed.contains("vrel undo"),
        "{failed}"
    );
    let (status, _) = says(&scene, &["status"], 0);
    assert!(status.contains("0.6.0 "), "{status}");
    says(&scene, &["undo"], 0);
    assert!(!scene.origin().join("releases/0.6.0").exists());
    scene.clear_fault("qemu-system-x86_64");
    // After the point of no return there is only one way.
    scene.set_fault("pre-receive", ProgramFault::Fails);
    let refused = vrel(&scene, &["release", "0.6.0", "--yes"]);
    assert!(matches!(refused.status.code(), Some(3 | 4)), "{refused:?}");
    scene.clear_fault("pre-receive");
    let (_, refused) = says(&scene, &["undo"], 3);
    assert!(refused.contains("cannot be taken back"), "{refused}");
    says(&scene, &["resume"], 0);
    says(&scene, &["verify", "origin", "0.6.0"], 0);
}
