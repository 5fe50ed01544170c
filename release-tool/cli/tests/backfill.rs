//! The real program adds an architecture to a release, with acted compilers and emulators.

use std::path::Path;
use std::process::{Output, Stdio};
use vrel_testkit::Scene;

const VERSION: &str = "0.6.0-rc1";

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

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

#[test]
fn an_architecture_is_planned_added_shown_and_verified() {
    let scene = Scene::new();
    scene.install_programs();
    scene.let_lag(3);
    says(&scene, &["plan", "backfill", VERSION], 3);
    let cut = [
        "cut-rc",
        VERSION,
        "--without",
        "riscv64",
        "--yes",
        "--init-origin",
    ];
    says(&scene, &cut, 0);
    let (status, _) = says(&scene, &["status"], 0);
    assert!(status.contains("published; without riscv64 until "), "{status}");

    let (plan, _) = says(&scene, &["plan", "backfill", VERSION], 0);
    for expected in [
        "architectures",
        "riscv64",
        "releases/0.6.0-rc1/manifest-2.json",
        "newest manifest of 0.6.0-rc1",
    ] {
        assert!(plan.contains(expected), "{expected}:\n{plan}");
    }
    assert!(!plan.contains("Git refs"), "{plan}");
    let (_, asked) = says(&scene, &["backfill", VERSION], 2);
    assert!(asked.contains("no terminal"), "{asked}");
    let (_, refused) = says(
        &scene,
        &[
            "backfill", VERSION, "--arch", "riscv64", "--arch", "x86_64", "--yes",
        ],
        3,
    );
    assert!(
        refused.contains("x86_64 was not left out of 0.6.0-rc1 [lagging]"),
        "{refused}"
    );

    let (added, _) = says(&scene, &["backfill", VERSION, "--yes", "--json"], 0);
    let released = json(added.lines().last().unwrap());
    assert_eq!(
        (&released["event"], &released["edition"]),
        (&"released".into(), &2.into())
    );
    let (status, _) = says(&scene, &["status"], 0);
    assert!(status.contains("published with riscv64 added"), "{status}");
    assert!(
        status.contains("beta: 0.6.0-rc1, edition 2") && !status.contains("without"),
        "{status}"
    );
    let (verified, _) = says(&scene, &["verify", "origin", VERSION, "--json"], 0);
    assert_eq!(json(&verified)["edition"], 2);
    let (shown, _) = says(&scene, &["artifacts", "show", "iso", "--release", VERSION], 0);
    assert!(shown.contains("veridianos-0.6.0-rc1-riscv64.iso"), "{shown}");
    let (log, _) = says(&scene, &["log", VERSION], 0);
    assert!(log.contains("backfill 0.6.0-rc1 at"), "{log}");
    let (log, _) = says(&scene, &["log", VERSION, "--edition", "1"], 0);
    assert!(log.contains("cut-rc 0.6.0-rc1 at"), "{log}");

    says(&scene, &["backfill", VERSION, "--yes"], 10);
    says(&scene, &["plan", "backfill", VERSION], 10);
    says(&scene, &["resume"], 10);
}
