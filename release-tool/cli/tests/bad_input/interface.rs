//! `vrel next` and `vrel interface`: what they say, and what they cannot answer.

use crate::{commit, git, refused, run, scene};
use vrel_testkit::Scene;

const ABI: &str = "macro_rules! with_system_calls {
    ($then:path) => {
        $then! {
            1 Exit exit(code: number) -> never: BadArgument;
        }
    };
}
";

fn write(scene: &Scene, abi: &str) {
    for (file, text) in [("os/abi/src/lib.rs", abi), ("os/user/rt/src/lib.rs", "")] {
        let path = scene.repo().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

#[test]
fn what_cannot_be_answered_is_said_with_a_remedy() {
    let scene = scene();
    refused(
        &scene,
        &["interface", "diff"],
        3,
        &["no final release to compare with", "diff OLD NEW"],
    );
    refused(
        &scene,
        &["interface", "show", "nope"],
        3,
        &["`nope` is no branch, tag or commit", "git fetch"],
    );
    refused(
        &scene,
        &["interface", "show"],
        3,
        &["HEAD is older than the system-call table"],
    );
    refused(
        &scene,
        &["next", "--line", "6"],
        2,
        &["expected MAJOR.MINOR, for example 0.6"],
    );
    refused(
        &scene,
        &["next", "--channel", "gamma"],
        3,
        &["there is no channel `gamma`", "beta"],
    );
    scene.git(&["tag", "v0.7.0"]);
    refused(
        &scene,
        &["next", "--line", "0.6"],
        3,
        &["no local branch `release/0.6`", "the line 0.6 has ended"],
    );
    refused(
        &scene,
        &["next"],
        10,
        &["nothing has changed on `main` since 0.7.0"],
    );
    write(&scene, &ABI.replace("-> never", "-> perhaps"));
    commit(&scene, "feat: a table");
    refused(
        &scene,
        &["interface", "show"],
        3,
        &["os/abi/src/lib.rs:4: ", "expected text, `never` or `message`"],
    );
    refused(&scene, &["next"], 3, &["os/abi/src/lib.rs:4: "]);
}

#[test]
fn a_breaking_change_is_shown_refused_and_answered_with_a_version() {
    let scene = scene();
    write(&scene, ABI);
    commit(&scene, "feat: a table");
    scene.git(&["tag", "v0.6.0"]);
    write(&scene, &ABI.replace("1 Exit", "9 Exit"));
    commit(&scene, "fix: other numbers");
    let broken =
        "os/abi/src/lib.rs:4: `system call exit`: the system call has another number: was `1`, is `9`";

    let shown = run(&scene, &["interface", "diff"]);
    shown.ends(0, &[]);
    assert_eq!(
        shown.stdout,
        format!("Incompatible\n  {broken} [call-renumbered]\n")
    );
    refused(
        &scene,
        &["plan", "cut-rc", "0.6.1-rc1"],
        3,
        &[
            broken,
            "needs MINOR, and 0.6.1-rc1 is PATCH [version-bump]",
            "hint: `vrel next` proposes",
        ],
    );
    run(&scene, &["plan", "cut-rc", "0.7.0-rc1"]).ends(0, &[]);

    let next = run(&scene, &["next"]);
    next.ends(0, &[]);
    for part in [
        "0.7.0 after 0.6.0, from `main` at ",
        "  because  what changed since 0.6.0 asks for MINOR",
        "  candidate  0.7.0-rc1 ",
        "  nightly    0.7.0-nightly.",
        "  MINOR  os/abi/src/lib.rs:4",
        "  PATCH  ",
    ] {
        assert!(next.stdout.contains(part), "no `{part}` in\n{}", next.stdout);
    }
    let json = run(&scene, &["next", "--channel", "beta", "--json"]);
    json.ends(0, &[]);
    let json: serde_json::Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(json["proposals"].as_array().unwrap().len(), 1);
    assert_eq!(json["proposals"][0]["version"], "0.7.0-rc1");
    assert_eq!(
        json["reasons"][1]["object"],
        git(&scene.repo(), &["rev-parse", "HEAD"]).trim()
    );

    let listed = run(&scene, &["interface", "show", "v0.6.0"]);
    listed.ends(0, &[]);
    assert!(
        listed
            .stdout
            .contains("     1  exit(code: number) -> never, errors BadArgument  os/abi/src/lib.rs:4"),
        "{}",
        listed.stdout
    );
}
