//! Machines that lack something: programs, an origin, permission, space.

use crate::{CUT, Ran, VREL, finish, refused, run, scene, state};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use vrel_testkit::{ProgramFault, Scene};

#[test]
fn a_missing_program_is_named_with_the_command_that_installs_it() {
    let scene = scene();
    fs::remove_file(scene.programs().join("qemu-system-riscv64")).unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &[
            "`QEMU for riscv64 (not in the search path: qemu-system-riscv64)` is missing; it is needed to boot the system on riscv64",
            "hint: run `vrel doctor --install`",
        ],
    );
}

#[test]
fn an_origin_is_not_started_by_accident() {
    refused(
        &scene(),
        &["cut-rc", "0.6.0-rc1", "--yes"],
        4,
        &[
            "pass --init-origin to start a new one",
            "/origin",
            "hint: `publish.origin` in vrel.toml names the directory",
        ],
    );
}

#[test]
fn an_origin_that_is_a_file_is_named() {
    let scene = scene();
    fs::create_dir_all(scene.repo().join(".git/info")).unwrap();
    fs::write(scene.repo().join(".git/info/exclude"), "origin\n").unwrap();
    fs::write(scene.origin(), "in the way\n").unwrap();
    for args in [&CUT[..], &["cut-rc", "0.6.0-rc1", "--yes"]] {
        refused(
            &scene,
            args,
            4,
            &[
                "/origin: expected a directory for the origin, got something else",
                "hint: `publish.origin` in vrel.toml names the directory",
            ],
        );
    }
    assert_eq!(fs::read_to_string(scene.origin()).unwrap(), "in the way\n");
}

#[test]
fn staging_that_is_no_directory_of_its_own_is_found_before_anything_changes() {
    let scene = scene();
    scene.use_staging();
    fs::create_dir_all(scene.repo().join(".git/info")).unwrap();
    fs::write(scene.repo().join(".git/info/exclude"), "staging\n").unwrap();
    let hint = "hint: `publish.staging` in vrel.toml names the directory";
    std::os::unix::fs::symlink("origin", scene.staging()).unwrap();
    fs::create_dir(scene.origin()).unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &["/staging and ", "/origin are the same directory", hint],
    );
    fs::remove_file(scene.staging()).unwrap();
    fs::create_dir(scene.staging()).unwrap();
    fs::write(scene.staging().join("thesis.txt"), "in the way\n").unwrap();
    refused(
        &scene,
        &CUT,
        4,
        &["/staging has `thesis.txt` in it and is no origin", hint],
    );
    fs::remove_file(scene.staging().join("thesis.txt")).unwrap();
    run(&scene, &CUT).ends(0, &[]);
    run(&scene, &["verify", "staging", "0.6.0-rc1"]).ends(0, &[]);
}

/// A program of this machine, by its whole path: the scene's search path does not have it.
fn installed(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .map(|dir: PathBuf| dir.join(name))
        .find(|file| file.is_file());
    found.unwrap_or_else(|| panic!("`{name}` is not in the search path"))
}

/// Runs a shell script as root of a mount namespace of its own, where `$mount` mounts, `$origin` is the origin and
/// `$vrel` the tool. Permissions do not bind root, but mounts do.
fn in_own_mounts(scene: &Scene, script: &str) -> Ran {
    let mut command = scene.command(&installed("unshare"));
    let is_root = Command::new(installed("id")).arg("-u").output().unwrap().stdout == b"0\n";
    command
        .arg(if is_root { "-m" } else { "-rm" })
        .args(["/bin/sh", "-c", script])
        .env("mount", installed("mount"))
        .env("origin", scene.origin())
        .env("vrel", VREL);
    finish(command)
}

#[test]
fn an_origin_that_cannot_be_written_is_found_before_anything_changes() {
    let scene = scene();
    run(&scene, &CUT).ends(0, &[]);
    let before = state(&scene);
    let script = r#"
        "$mount" --bind "$origin" "$origin" && "$mount" -o remount,ro,bind "$origin" || exit 99
        exec "$vrel" cut-rc 0.6.0-rc2 --yes"#;
    in_own_mounts(&scene, script).ends(
        4,
        &[
            "/origin",
            "ead-only file system",
            "hint: `publish.origin` in vrel.toml names the directory",
        ],
    );
    assert_eq!(state(&scene), before);
}

#[test]
fn an_origin_that_becomes_read_only_meanwhile_is_named_and_resumed() {
    let scene = scene();
    scene.set_fault("cargo", ProgramFault::Fails);
    run(&scene, &CUT).ends(4, &[]);
    scene.clear_fault("cargo");
    let script = r#"
        "$mount" --bind "$origin" "$origin" && "$mount" -o remount,ro,bind "$origin" || exit 99
        exec "$vrel" resume"#;
    in_own_mounts(&scene, script).ends(
        4,
        &[
            "ead-only file system",
            "/origin",
            "hint: then run `vrel resume` to go on, or `vrel undo` to drop the release",
        ],
    );
    run(&scene, &["resume"]).ends(0, &[]);
    let status = run(&scene, &["status"]);
    assert!(status.stdout.contains("published"), "{}", status.stdout);
}

#[test]
fn an_origin_that_cannot_be_started_is_named_and_nothing_begins() {
    let scene = scene();
    fs::create_dir(scene.origin()).unwrap();
    let before = state(&scene);
    let script = r#"
        "$mount" -t tmpfs -o size=2g,ro none "$origin" || exit 99
        exec "$vrel" cut-rc 0.6.0-rc1 --yes --init-origin"#;
    in_own_mounts(&scene, script).ends(4, &["ead-only file system", "/origin"]);
    assert_eq!(state(&scene), before);
}

#[test]
fn too_little_space_is_found_before_anything_changes() {
    let scene = scene();
    fs::create_dir(scene.origin()).unwrap();
    let before = state(&scene);
    let script = r#"
        "$mount" -t tmpfs -o size=1m none "$origin" || exit 99
        exec "$vrel" cut-rc 0.6.0-rc1 --yes --init-origin"#;
    in_own_mounts(&scene, script).ends(
        4,
        &[
            "the origin (",
            "has 1 MiB of space left; the release needs ",
            "hint: make room, or put the directory on another file system",
        ],
    );
    assert_eq!(state(&scene), before);
}

#[test]
fn space_that_runs_out_meanwhile_is_named_and_resumed() {
    let scene = scene();
    fs::create_dir(scene.origin()).unwrap();
    // A file system with room for a dozen files, however small, says that there is no space left for the next one.
    let script = r#"
        "$mount" -t tmpfs -o size=2g,nr_inodes=12 none "$origin" || exit 99
        "$vrel" cut-rc 0.6.0-rc1 --yes --init-origin; first=$?
        [ -e "$origin/pointer.json" ] && exit 97
        "$mount" -o remount,nr_inodes=10000 "$origin" || exit 98
        [ $first = 4 ] || exit $first
        "$vrel" resume || exit
        [ -e "$origin/pointer.json" ]"#;
    in_own_mounts(&scene, script).ends(
        0,
        &[
            "o space left on device",
            "/origin",
            "hint: make room on that file system, then run the command again",
            "hint: then run `vrel resume` to go on, or `vrel undo` to drop the release",
        ],
    );
}

#[test]
fn without_a_name_to_sign_commits_with_nothing_is_released() {
    let scene = scene();
    for key in ["user.name", "user.email"] {
        scene.git(&["config", "--unset", key]);
    }
    refused(
        &scene,
        &CUT,
        4,
        &["hint: run `git config user.name` and `git config user.email`"],
    );
    assert!(!Path::new(&scene.origin()).exists());
}
