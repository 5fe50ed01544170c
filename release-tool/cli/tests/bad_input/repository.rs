//! Repositories in a state from which nothing is released.

use crate::{CUT, git, refused, refused_as, run, scene, vrel};

#[test]
fn changes_that_are_not_committed_are_listed() {
    let scene = scene();
    std::fs::write(scene.repo().join("new.txt"), "new\n").unwrap();
    crate::edit(&scene, "RELEASE_TODO.md", "\n", "\n\n");
    refused(
        &scene,
        &CUT,
        3,
        &[
            "the work tree has changes that are not committed: ",
            "RELEASE_TODO.md",
            "new.txt",
            "hint: commit them, or put them away with `git stash -u`",
        ],
    );
}

#[test]
fn a_detached_head_releases_nothing() {
    let scene = scene();
    scene.git(&["checkout", "-q", "--detach"]);
    refused(
        &scene,
        &CUT,
        3,
        &[
            "HEAD is detached; a candidate of 0.6 is cut from `main`",
            "hint: run `git switch main`",
        ],
    );
}

#[test]
fn another_branch_releases_nothing() {
    let scene = scene();
    scene.git(&["switch", "-q", "-c", "topic"]);
    refused(
        &scene,
        &CUT,
        3,
        &[
            "`topic` is checked out; a candidate of 0.6 is cut from `main`, from which `release/0.6` will be made",
            "hint: run `git switch main`",
        ],
    );
}

#[test]
fn a_shallow_clone_lacks_the_history() {
    let scene = scene();
    let clone = scene.base().join("shallow");
    let url = format!("file://{}", scene.remote().display());
    git(
        scene.base(),
        &["clone", "-q", "--depth", "1", &url, clone.to_str().unwrap()],
    );
    let mut command = vrel(&scene, &CUT);
    command.current_dir(&clone);
    refused_as(
        &scene,
        command,
        3,
        &[
            "this clone is shallow: tags and release notes need the whole history",
            "hint: run `git fetch --unshallow --tags`",
        ],
    );
    assert!(!clone.join("origin").exists() && !clone.join(".vrel/journal").exists());
}

#[test]
fn every_finding_is_told_at_once() {
    let scene = scene();
    std::fs::write(scene.repo().join("new.txt"), "new\n").unwrap();
    scene.git(&["switch", "-q", "-c", "topic"]);
    std::fs::remove_file(scene.keys().join("release.key")).unwrap();
    refused(
        &scene,
        &["cut-rc", "0.6.0", "--yes"],
        3,
        &[
            "not a release candidate",
            "`topic` is checked out",
            "new.txt",
            "release.key",
            "--init-origin",
        ],
    );
}

#[test]
fn a_remote_that_is_not_configured_is_named() {
    let scene = scene();
    scene.git(&["remote", "remove", "origin"]);
    refused(
        &scene,
        &CUT,
        4,
        &[
            "the git remote `origin`, which vrel.toml names, is not configured",
            "git remote add origin URL",
        ],
    );
}

#[test]
fn a_remote_that_is_gone_is_named() {
    let scene = scene();
    std::fs::rename(scene.remote(), scene.base().join("moved.git")).unwrap();
    run(&scene, &CUT).ends(4, &["remote.git"]);
    assert!(!scene.origin().exists() && !scene.repo().join(".vrel/journal").exists());
}

#[test]
fn a_tag_of_the_remote_on_another_commit_is_never_moved() {
    let scene = scene();
    let other = git(&scene.repo(), &["rev-parse", "HEAD~1"]);
    git(&scene.remote(), &["tag", "v0.6.0-rc1", other.trim()]);
    refused(
        &scene,
        &CUT,
        3,
        &[
            "the remote has the tag v0.6.0-rc1 already, on ",
            &other[..12],
            "hint: run `git fetch --tags` and look; a published tag never moves",
        ],
    );
}

#[test]
fn a_tag_of_the_remote_on_the_same_commit_is_fine() {
    let scene = scene();
    let here = git(&scene.repo(), &["rev-parse", "HEAD"]);
    git(&scene.remote(), &["tag", "v0.6.0-rc1", here.trim()]);
    run(&scene, &CUT).ends(
        0,
        &["warning: ", "has the tag v0.6.0-rc1 already, on the same commit"],
    );
    assert_eq!(git(&scene.remote(), &["rev-parse", "v0.6.0-rc1^{commit}"]), here);
    let status = run(&scene, &["status"]);
    status.ends(0, &[]);
    assert!(status.stdout.contains("published"), "{}", status.stdout);
}

#[test]
fn a_release_branch_that_only_the_remote_has_is_fetched_first() {
    let scene = scene();
    let tip = git(&scene.repo(), &["rev-parse", "HEAD~1"]);
    git(&scene.remote(), &["branch", "release/0.6", tip.trim()]);
    refused(
        &scene,
        &CUT,
        3,
        &[
            "the remote has `release/0.6` at ",
            &tip[..12],
            "this repository does not have it",
            "git fetch",
        ],
    );
}
