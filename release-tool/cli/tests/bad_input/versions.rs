//! Versions that cannot be cut, and those that only look like it.

use crate::{CUT, git, refused, run, scene};
use vrel_testkit::Scene;

fn tagged(versions: &[&str]) -> Scene {
    let scene = scene();
    for version in versions {
        let tag = format!("v{version}");
        scene.git(&["tag", "-a", "-m", version, &tag]);
        scene.git(&["push", "-q", "origin", &tag]);
    }
    scene
}

#[test]
fn what_is_no_version_is_refused_with_what_is_one() {
    let scene = scene();
    for text in [
        "six",
        "0.6",
        "0.6.0-",
        "0.6.0.1-rc1",
        "00.6.0-rc1",
        "0.6.0-rc1 ",
        "99999999999999999999.0.0-rc1",
    ] {
        refused(
            &scene,
            &["cut-rc", text, "--yes"],
            2,
            &[&format!("`{text}` is not a version: ")],
        );
    }
    for text in ["0.6.0-beta1", "0.6.0-rc0", "0.6.0-rc01", "0.6.0-rc1+build"] {
        refused(&scene, &["cut-rc", text, "--yes"], 2, &[text, "X.Y.Z-rcN"]);
    }
}

#[test]
fn the_name_of_a_tag_is_answered_with_the_version() {
    let scene = scene();
    refused(
        &scene,
        &["cut-rc", "v0.6.0-rc1", "--yes"],
        2,
        &["`v0.6.0-rc1` is not a version", "0.6.0-rc1"],
    );
}

#[test]
fn a_final_version_is_no_candidate() {
    refused(
        &scene(),
        &["cut-rc", "0.6.0", "--yes", "--init-origin"],
        3,
        &[
            "`0.6.0` is not a release candidate",
            "hint: cut-rc takes for example 0.6.0-rc1",
        ],
    );
}

#[test]
fn a_version_that_has_a_tag_is_released() {
    let scene = tagged(&["0.6.0-rc1"]);
    let commit = git(&scene.repo(), &["rev-parse", "--short=12", "HEAD"]);
    refused(
        &scene,
        &CUT,
        3,
        &[
            "0.6.0-rc1 is released already: the tag v0.6.0-rc1 is on ",
            commit.trim(),
            "hint: the next candidate of the line is 0.6.0-rc2",
        ],
    );
}

#[test]
fn a_version_below_the_newest_of_its_line_is_refused_by_number() {
    let scene = tagged(&["0.6.0-rc2", "0.6.0-rc10"]);
    refused(
        &scene,
        &["cut-rc", "0.6.0-rc3", "--yes", "--init-origin"],
        3,
        &[
            "0.6.0-rc3 is lower than 0.6.0-rc10, the newest release of the line 0.6",
            "hint: the next candidate of the line is 0.6.0-rc11",
        ],
    );
}

#[test]
fn candidate_ten_comes_after_candidate_two() {
    let scene = tagged(&["0.6.0-rc1", "0.6.0-rc2"]);
    run(&scene, &["cut-rc", "0.6.0-rc10", "--yes", "--init-origin"])
        .ends(0, &["warning: ", "0.6.0-rc10 skips 0.6.0-rc3"]);
    assert_eq!(
        git(&scene.remote(), &["tag", "--list", "v0.6.0-rc10"]),
        "v0.6.0-rc10\n"
    );
}

#[test]
fn a_line_is_not_started_behind_a_newer_one() {
    let scene = tagged(&["0.7.0-rc1"]);
    refused(
        &scene,
        &CUT,
        3,
        &["0.6.0-rc1 would start the line 0.6 behind 0.7"],
    );
}

#[test]
fn both_spellings_of_a_candidate_are_one_release() {
    let scene = scene();
    run(&scene, &["cut-rc", "0.6.0-rc.1", "--yes", "--init-origin"]).ends(0, &[]);
    let status = run(&scene, &["status", "--json"]);
    status.ends(0, &[]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    let releases = status["releases"].as_array().unwrap();
    assert_eq!(releases.len(), 1, "{status}");
    assert_eq!(releases[0]["version"], "0.6.0-rc1");
    assert_eq!(status["origin"]["heads"]["beta"], "0.6.0-rc1");
    for spelling in ["0.6.0-rc1", "0.6.0-rc.1"] {
        refused(
            &scene,
            &["cut-rc", spelling, "--yes"],
            10,
            &["0.6.0-rc1 is released already"],
        );
    }
    assert_eq!(git(&scene.remote(), &["tag", "--list"]), "v0.6.0-rc1\n");
}
