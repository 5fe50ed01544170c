//! Backports and long-term support lines: a whole session, and what is refused.

use crate::{Ran, edit, git, run, scene};
use vrel_testkit::Scene;

/// A scene with the branch of 0.6, and with a check that fails for what a file `broken` says.
fn with_line() -> Scene {
    let scene = scene();
    let check = "[backport]\nbuild = []\ncheck = [[\"/bin/sh\", \"-c\", \"read line < broken; test -z $line || { echo $line; exit 1; }\"]]\n\n[plan]\n";
    edit(&scene, "vrel.toml", "[plan]\n", check);
    std::fs::write(scene.repo().join("broken"), "").unwrap();
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "chore: the line begins"]);
    scene.git(&["branch", "release/0.6"]);
    scene.git(&["push", "-q", "origin", "main", "release/0.6"]);
    scene
}

fn fix(scene: &Scene, file: &str, content: &str) -> String {
    std::fs::write(scene.repo().join(file), content).unwrap();
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", &format!("fix: {file}")]);
    scene.git(&["push", "-q", "origin", "main"]);
    git(&scene.repo(), &["rev-parse", "HEAD"]).trim().to_owned()
}

fn backport(scene: &Scene, args: &[&str]) -> Ran {
    run(scene, &[&["backport"], args, &["--to", "0.6"]].concat())
}

fn on_line(scene: &Scene) -> String {
    git(&scene.remote(), &["log", "--format=%s", "release/0.6"])
}

#[test]
fn a_backport_from_nomination_to_landing() {
    let scene = with_line();
    let good = fix(&scene, "good.txt", "good\n");
    let broken = fix(&scene, "broken", "broken\n");
    backport(&scene, &["accept", &good]).ends(3, &["is not in the queue", "nominate it first"]);
    backport(&scene, &["nominate", &good, &broken, "--reason", "crashes"]).ends(0, &[]);
    backport(&scene, &["nominate", &good]).ends(10, &["already in the queue of 0.6"]);
    backport(&scene, &["pick", &good]).ends(3, &["is nominated, not accepted", "vrel backport accept"]);
    backport(&scene, &["accept", &good, &broken]).ends(0, &[]);

    let plan = backport(&scene, &["pick", "--all", "--dry-run"]);
    plan.ends(0, &[]);
    assert!(
        plan.stdout.contains("release/0.6 is at") && plan.stdout.contains("fix: good.txt"),
        "{}",
        plan.stdout
    );
    backport(&scene, &["pick", "--all"]).ends(2, &["no terminal", "--yes"]);
    let before = on_line(&scene);
    let landed = backport(&scene, &["pick", "--all", "--yes"]);
    landed.ends(3, &["was not landed: `/bin/sh -c", "failed\nbroken"]);
    assert!(landed.stdout.contains("fix: good.txt"), "{}", landed.stdout);
    assert_eq!(on_line(&scene), format!("fix: good.txt\n{before}"));

    backport(
        &scene,
        &["pick", &broken, "--yes", "--no-check", "the test is wrong"],
    )
    .ends(0, &[]);
    backport(&scene, &["pick", "--all", "--yes"]).ends(10, &["nothing to pick for 0.6"]);
    let record = git(&scene.remote(), &["show", "records:lines/0.6/backports.toml"]);
    assert!(record.contains("unchecked = \"the test is wrong\""), "{record}");
    let status = backport(&scene, &["status", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let states: Vec<&str> = json[0]["backports"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|one| one["state"].as_str())
        .collect();
    assert_eq!(states, ["picked", "picked"], "{}", status.stdout);
}

#[test]
fn a_conflict_is_resolved_in_its_work_tree() {
    let scene = with_line();
    let fix = fix(&scene, "good.txt", "as main has it\n");
    scene.git(&["switch", "-q", "release/0.6"]);
    std::fs::write(scene.repo().join("good.txt"), "as the line has it\n").unwrap();
    scene.git(&["add", "."]);
    scene.git(&["commit", "-q", "-m", "fix: on the line"]);
    scene.git(&["push", "-q", "origin", "release/0.6"]);
    scene.git(&["switch", "-q", "main"]);
    backport(&scene, &["nominate", &fix]).ends(0, &[]);
    backport(&scene, &["accept", &fix]).ends(0, &[]);
    let parts = [
        "conflicts in good.txt",
        "no commits were found that would help",
        "the conflict waits in",
    ];
    backport(&scene, &["pick", &fix, "--yes"]).ends(3, &parts);
    let dir = scene.repo().join(".vrel/backport/0.6").join(&fix);
    backport(&scene, &["pick", "--all", "--yes"]).ends(3, &["waits in", "--continue"]);
    backport(&scene, &["pick", "--continue", "--yes"]).ends(3, &["still has conflicts in good.txt"]);
    std::fs::write(dir.join("good.txt"), "as both want it\n").unwrap();
    git(&dir, &["add", "good.txt"]);
    backport(&scene, &["pick", "--continue", "--yes"]).ends(0, &[]);
    let content = git(&scene.remote(), &["show", "release/0.6:good.txt"]);
    assert_eq!(content, "as both want it\n");
    backport(&scene, &["pick", "--abort"]).ends(10, &["nothing of 0.6 is open"]);
}

#[test]
fn a_wrong_queue_is_named_with_its_line() {
    let scene = with_line();
    let fix = fix(&scene, "good.txt", "good\n");
    backport(&scene, &["nominate", &fix]).ends(0, &[]);
    let tree = scene.base().join("records");
    scene.git(&["worktree", "add", "-q", tree.to_str().unwrap(), "records"]);
    let file = tree.join("lines/0.6/backports.toml");
    let text = std::fs::read_to_string(&file).unwrap().replace("state", "sate");
    std::fs::write(&file, text).unwrap();
    git(&tree, &["commit", "-q", "-a", "-m", "chore: a mistake"]);
    let status = backport(&scene, &["status"]);
    status.ends(
        3,
        &[
            "lines/0.6/backports.toml:6:1: unknown field `sate`",
            "did you mean `state`?",
        ],
    );
}

#[test]
fn lines_of_long_term_support_keep_to_what_is_promised() {
    let scene = with_line();
    let lts = |args: &[&str]| run(&scene, &[&["lts"], args].concat());
    let create = ["create", "0.6", "--end-of-life", "2099-01-01", "--yes"];
    let policy = std::fs::read_to_string(scene.repo().join("channels/stable.toml")).unwrap();
    std::fs::write(scene.repo().join("channels/lts.toml"), &policy).unwrap();
    lts(&create).ends(3, &["does not say what long-term support promises"]);
    let promise = "\n[support]\nmonths = 24\noverlap-months = 6\nlines = 1\n";
    std::fs::write(scene.repo().join("channels/lts.toml"), policy + promise).unwrap();
    lts(&create).ends(3, &["0.6 has no final release to support"]);
    for (tag, branch) in [("v0.6.0", "main"), ("v0.7.0", "main")] {
        scene.git(&["tag", "-a", "-m", tag, tag, branch]);
    }
    lts(&["create", "0.6", "--end-of-life", "2027-01-01", "--yes"])
        .ends(3, &["`support.months`", "lts-support"]);
    lts(&create).ends(0, &[]);
    lts(&create).ends(10, &["already"]);
    let second = ["create", "0.7", "--end-of-life", "2098-01-01", "--yes"];
    lts(&second).ends(3, &["the lines 0.6, 0.7 would be supported", "lts-lines"]);
    lts(&["eol", "0.6", "--date", "2098-01-01", "--yes"])
        .ends(3, &["was promised until 2099-01-01", "--reason"]);
    let eol = [
        "eol",
        "0.6",
        "--date",
        "2020-01-01",
        "--reason",
        "a mistake",
        "--yes",
    ];
    lts(&eol).ends(0, &["lts-support"]);
    let list = lts(&["list", "--json"]);
    let json: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(json[0]["support"], "ended", "{}", list.stdout);
    assert_eq!(json[0]["events"][1]["reason"], "a mistake");

    // The branch of a line is made at its release.
    let mended = ["eol", "0.6", "--date", "2097-01-01", "--yes"];
    lts(&mended).ends(0, &[]);
    let policy = std::fs::read_to_string(scene.repo().join("channels/lts.toml")).unwrap();
    std::fs::write(
        scene.repo().join("channels/lts.toml"),
        policy.replace("lines = 1", "lines = 2"),
    )
    .unwrap();
    lts(&second).ends(0, &["branch release/0.7 is made"]);
    assert_eq!(
        git(&scene.remote(), &["rev-parse", "release/0.7"]),
        git(&scene.repo(), &["rev-parse", "v0.7.0^{commit}"])
    );
}
