//! Mistakes in the repository's description files: answered with file, line, column and what was probably meant.

use crate::{CUT, commit, edit, refused, run, scene};

/// File, text in it, what it becomes, and the parts of the message after `FILE:LINE:`.
type Mistake = (&'static str, &'static str, &'static str, &'static [&'static str]);

const UNKNOWN_KEYS: [Mistake; 5] = [
    (
        "vrel.toml",
        "remote = ",
        "remoet = ",
        &["1: unknown field `remoet`", "hint: did you mean `remote`?"],
    ),
    (
        "channels/beta.toml",
        "stages = ",
        "stage = ",
        &["1: unknown field `stage`", "hint: did you mean `stages`?"],
    ),
    (
        "artifacts/iso.toml",
        "max-size = ",
        "max_size = ",
        &["1: unknown field `max_size`", "hint: did you mean `max-size`?"],
    ),
    (
        "signing/policy.toml",
        "purpose = ",
        "purpos = ",
        &["1: unknown field `purpos`", "hint: did you mean `purpose`?"],
    ),
    (
        "requirements.toml",
        "commands = ",
        "comands = ",
        &["1: unknown field `comands`", "hint: did you mean `commands`?"],
    ),
];

const WRONG_VALUES: [Mistake; 7] = [
    (
        "vrel.toml",
        "pointer-lifetime-days = 30",
        "pointer-lifetime-days = \"a month\"",
        &["25: ", "string \"a month\""],
    ),
    ("vrel.toml", "zstd-level = 3", "zstd-level = ", &["14: "]),
    (
        "channels/beta.toml",
        "stages = [\"candidate\"]",
        "stages = [\"candidat\"]",
        &["11: ", "`candidat`", "hint: did you mean `candidate`?"],
    ),
    (
        "artifacts/iso.toml",
        "packer = \"iso\"",
        "packer = \"isso\"",
        &["10: ", "`isso`", "hint: did you mean `iso`?"],
    ),
    (
        "artifacts/iso.toml",
        "max-size = \"32 MiB\"",
        "max-size = \"32 MeB\"",
        &["12: ", "32 MeB"],
    ),
    (
        "artifacts/iso.toml",
        "arches = [",
        "arches = [7, ",
        &["11: ", "wanted string or table"],
    ),
    (
        "signing/policy.toml",
        "pointer-role = \"pointer\"",
        "pointer-role = [\"pointer\"]",
        &["16: ", "expected a string"],
    ),
];

fn each_is_refused(mistakes: &[Mistake]) {
    let scene = scene();
    for (path, from, to, parts) in mistakes {
        let line = edit(&scene, path, from, to);
        let place = format!("{path}:{line}:");
        let parts: Vec<String> = parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                if index == 0 {
                    format!("{place}{part}")
                } else {
                    (*part).to_owned()
                }
            })
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        refused(&scene, &CUT, 3, &parts);
        edit(&scene, path, to, from);
    }
}

#[test]
fn unknown_keys_are_named_with_the_likely_one() {
    each_is_refused(&UNKNOWN_KEYS);
}

#[test]
fn wrong_values_are_named_with_their_place() {
    each_is_refused(&WRONG_VALUES);
}

#[test]
fn a_policy_file_that_is_missing_is_named() {
    for path in [
        "vrel.toml",
        "signing/policy.toml",
        "requirements.toml",
        "channels/beta.toml",
    ] {
        let scene = scene();
        std::fs::remove_file(scene.repo().join(path)).unwrap();
        commit(&scene, "chore: drop a file");
        let ran = run(&scene, &CUT);
        assert!(matches!(ran.code, Some(3 | 4)), "{path}: {:?}", ran.code);
        assert!(ran.stderr.contains(path), "{path}: {}", ran.stderr);
        assert!(!scene.repo().join(".vrel/journal").exists() && !scene.origin().exists());
    }
}

#[test]
fn staging_that_is_the_origin_is_refused() {
    let scene = scene();
    edit(
        &scene,
        "vrel.toml",
        "candidate-channel = ",
        "staging = \"./origin\"\ncandidate-channel = ",
    );
    commit(&scene, "chore: mistake");
    let message = "vrel.toml: `publish.staging` is `./origin`, which is the origin itself";
    refused(&scene, &CUT, 3, &[message, "hint: name a directory of its own"]);
}

#[test]
fn a_role_that_does_not_exist_is_named() {
    let scene = scene();
    edit(
        &scene,
        "channels/beta.toml",
        "key-role = \"release\"",
        "key-role = \"relaese\"",
    );
    commit(&scene, "chore: mistake");
    refused(&scene, &CUT, 3, &["channels/beta.toml", "`relaese`"]);
}

#[test]
fn mistakes_in_the_systems_targets_are_found_before_anything_changes() {
    let scene = scene();
    let line = edit(&scene, "os/targets.toml", "machine = 62", "machina = 62");
    commit(&scene, "chore: mistake");
    let place = format!("os/targets.toml:{line}:1: unknown field `machina`");
    refused(&scene, &CUT, 4, &[&place]);
}

#[test]
fn mistakes_in_a_machine_are_named_and_the_release_can_be_dropped() {
    let scene = scene();
    let path = "os/machines/acted-aarch64.toml";
    let line = edit(&scene, path, "timeout_s = 20", "timeout_sec = 20");
    commit(&scene, "chore: mistake");
    let place = format!("{path}:{line}:1: unknown field `timeout_sec`");
    let refused = run(&scene, &CUT);
    assert!(matches!(refused.code, Some(3 | 4)), "{}", refused.stderr);
    refused.ends(refused.code.unwrap(), &[&place, "did you mean `timeout_s`?"]);
    // Whether it was found before the journal began or after: mended, the release goes through.
    let dropped = run(&scene, &["undo"]);
    assert!(matches!(dropped.code, Some(0 | 10)), "{}", dropped.stderr);
    edit(&scene, path, "timeout_sec = 20", "timeout_s = 20");
    commit(&scene, "fix: mistake");
    run(&scene, &CUT).ends(0, &[]);
}
