//! What goes wrong while a release is cut.

use crate::{CUT, commit, edit, end_of, finish, git, run, scene, start, state, until, vrel};
use rustix::process::{Pid, Signal, kill_process};
use std::process::Child;
use vrel_testkit::{ProgramFault, Scene, check_reader};

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[track_caller]
fn published(scene: &Scene) {
    check_reader(&scene.origin(), "at the end");
    assert!(scene.origin().join("pointer.json").exists());
    assert_eq!(git(&scene.remote(), &["tag", "--list"]), "v0.6.0-rc1\n");
    let status = run(scene, &["status"]);
    assert!(status.stdout.contains("published"), "{}", status.stdout);
}

#[test]
fn the_compilers_own_message_is_shown() {
    let scene = scene();
    scene.set_fault("cargo", ProgramFault::Fails);
    run(&scene, &CUT).ends(
        4,
        &[
            "step `",
            "cannot compile ",
            "error[E0308]: mismatched types",
            " --> kernel/src/main.rs:7:5",
            "hint: then run `vrel resume` to go on, or `vrel undo` to drop the release",
        ],
    );
    let log = run(&scene, &["log"]);
    assert!(log.stdout.contains("mismatched types"), "{}", log.stdout);
    scene.clear_fault("cargo");
    run(&scene, &["resume"]).ends(0, &[]);
    published(&scene);
}

#[test]
fn a_release_that_failed_can_be_taken_back_without_a_trace() {
    let scene = scene();
    let before = state(&scene);
    scene.set_fault("cargo", ProgramFault::Fails);
    run(&scene, &CUT).ends(4, &[]);
    run(&scene, &CUT).ends(
        3,
        &[
            "the release of 0.6.0-rc1 was started and not finished",
            "hint: run `vrel resume` to finish it or `vrel undo` to drop it",
        ],
    );
    run(&scene, &["undo"]).ends(0, &[]);
    let without_journals = |state: std::collections::BTreeMap<String, Vec<u8>>| {
        state
            .into_iter()
            .filter(|(name, _)| !name.starts_with("journal"))
            .collect::<Vec<_>>()
    };
    // The origin that was allowed to be started stays, empty.
    assert!(vrel_testkit::published(&scene.origin()).is_empty());
    std::fs::remove_dir_all(scene.origin()).unwrap();
    assert_eq!(without_journals(state(&scene)), without_journals(before));
    scene.clear_fault("cargo");
    run(&scene, &CUT).ends(0, &[]);
    published(&scene);
}

#[test]
fn a_machine_that_hangs_is_stopped_and_its_last_words_are_shown() {
    let scene = scene();
    let path = "os/machines/acted-aarch64.toml";
    for _ in 0..3 {
        edit(&scene, path, "timeout_s = 20", "timeout_s = 1");
    }
    commit(&scene, "test: no patience");
    scene.set_fault("qemu-system-aarch64", ProgramFault::Hangs);
    run(&scene, &CUT).ends(
        4,
        &[
            "acted-aarch64 from `",
            "expected the system to power off within 1 s, but it was still running",
            "the end of its serial line:",
            "| kernel: up",
            "| kernel: waiting for the disk",
            "raise `timeout_s` in os/machines/acted-aarch64.toml",
            "hint: then run `vrel resume`",
        ],
    );
    assert!(!scene.origin().join("pointer.json").exists());
    scene.clear_fault("qemu-system-aarch64");
    run(&scene, &["resume"]).ends(0, &[]);
    published(&scene);
}

#[test]
fn ctrl_c_stops_at_once_and_resume_finishes() {
    for (program, sent) in [
        ("cargo", Signal::INT),
        ("qemu-system-riscv64", Signal::INT),
        ("qemu-system-x86_64", Signal::TERM),
        ("pre-receive", Signal::INT),
    ] {
        let scene = scene();
        scene.set_fault(program, ProgramFault::Waits);
        let child = start(vrel(&scene, &CUT));
        until(program, || scene.reached_fault(program));
        signal(&child, sent);
        end_of(child, program).ends(
            130,
            &["stopping; press Ctrl-C again", "hint: then run `vrel resume`"],
        );
        check_reader(&scene.origin(), program);
        scene.clear_fault(program);
        let status = run(&scene, &["status"]);
        assert!(status.stdout.contains("run `vrel resume`"), "{}", status.stdout);
        run(&scene, &["resume"]).ends(0, &[]);
        published(&scene);
    }
}

#[test]
fn ctrl_c_while_waiting_for_the_lock_ends_the_wait() {
    let scene = scene();
    scene.set_fault("cargo", ProgramFault::Waits);
    let first = start(vrel(&scene, &CUT));
    until("the first compiles", || scene.reached_fault("cargo"));
    let before = state(&scene);
    let mut second = start(vrel(&scene, &["cut-rc", "0.6.0-rc2", "--yes", "--wait"]));
    let mut said = std::io::BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut said, &mut line).unwrap();
    signal(&second, Signal::INT);
    let second = end_of(second, "the second");
    assert_eq!(second.code, Some(130));
    assert_eq!(state(&scene), before);
    scene.clear_fault("cargo");
    end_of(first, "the first").ends(0, &[]);
    published(&scene);
}

#[test]
fn a_push_that_the_remote_refuses_is_shown_and_resumed() {
    let scene = scene();
    scene.set_fault("pre-receive", ProgramFault::Fails);
    let refused = run(&scene, &CUT);
    assert!(matches!(refused.code, Some(3 | 4)), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("hint: then run `vrel resume`"),
        "{}",
        refused.stderr
    );
    check_reader(&scene.origin(), "after the refusal");
    scene.clear_fault("pre-receive");
    run(&scene, &["resume"]).ends(0, &[]);
    published(&scene);
}

#[test]
fn after_the_push_there_is_no_way_back() {
    let scene = scene();
    scene.set_fault("pre-receive", ProgramFault::Waits);
    let mut child = start(vrel(&scene, &CUT));
    until("the push", || scene.reached_fault("pre-receive"));
    child.kill().unwrap();
    child.wait().unwrap();
    scene.clear_fault("pre-receive");
    finish(vrel(&scene, &["undo"])).ends(
        3,
        &[
            "0.6.0-rc1 cannot be taken back: `",
            "hint: finish it with `vrel resume`",
        ],
    );
    run(&scene, &["resume"]).ends(0, &[]);
    published(&scene);
}
