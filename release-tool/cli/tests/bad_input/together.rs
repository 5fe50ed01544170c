//! Two releases at the same time.

use crate::{CUT, end_of, refused, run, scene, start, until, vrel};
use std::io::{BufRead, BufReader, Read};
use vrel_testkit::ProgramFault;

#[test]
fn the_second_is_told_who_is_at_work() {
    let scene = scene();
    scene.set_fault("cargo", ProgramFault::Waits);
    let first = start(vrel(&scene, &CUT));
    until("the first compiles", || scene.reached_fault("cargo"));
    let process = format!("process {} on ", first.id());
    for args in [
        &CUT[..],
        &["cut-rc", "0.6.0-rc2", "--yes"],
        &["resume"],
        &["undo"],
    ] {
        refused(
            &scene,
            args,
            4,
            &[
                "another release command is at work here: `vrel cut-rc 0.6.0-rc1`, ",
                &process,
                "hint: wait for it, or pass --wait",
            ],
        );
    }
    // Looking takes no lock.
    run(&scene, &["status"]).ends(0, &[]);
    scene.clear_fault("cargo");
    end_of(first, "the first").ends(0, &[]);
}

#[test]
fn the_second_can_wait_and_then_goes_on() {
    let scene = scene();
    scene.set_fault("cargo", ProgramFault::Waits);
    let first = start(vrel(&scene, &CUT));
    until("the first compiles", || scene.reached_fault("cargo"));
    let mut second = start(vrel(
        &scene,
        &["cut-rc", "0.6.0-rc2", "--yes", "--wait", "--init-origin"],
    ));
    let mut said = BufReader::new(second.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(
        line.starts_with("waiting for `vrel cut-rc 0.6.0-rc1`, process "),
        "{line}"
    );
    scene.clear_fault("cargo");
    end_of(first, "the first").ends(0, &[]);
    let mut rest = String::new();
    said.read_to_string(&mut rest).unwrap();
    let second = end_of(second, "the second");
    assert_eq!(second.code, Some(0), "{rest}");
    let tags = crate::git(&scene.remote(), &["tag", "--list"]);
    assert_eq!(tags, "v0.6.0-rc1\nv0.6.0-rc2\n");
}
