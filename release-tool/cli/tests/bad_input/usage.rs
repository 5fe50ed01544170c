//! Command lines that make no sense, and commands with nothing to do.

use crate::{CUT, refused, run, scene};

#[test]
fn unknown_verbs_and_flags_are_usage_errors_with_the_likely_word() {
    let scene = scene();
    refused(
        &scene,
        &["cut-cr", "0.6.0-rc1"],
        2,
        &["unrecognized subcommand 'cut-cr'", "'cut-rc'"],
    );
    refused(
        &scene,
        &["cut-rc", "0.6.0-rc1", "--yse"],
        2,
        &["unexpected argument '--yse'"],
    );
    refused(&scene, &["cut-rc"], 2, &["<VERSION>"]);
    refused(&scene, &[], 2, &["Usage: vrel"]);
}

#[test]
fn without_a_terminal_somebody_has_to_agree_beforehand() {
    let scene = scene();
    refused(
        &scene,
        &["cut-rc", "0.6.0-rc1", "--init-origin"],
        2,
        &["no terminal to ask", "hint: pass `--yes`"],
    );
}

#[test]
fn outside_a_repository_the_remedy_is_named() {
    let scene = scene();
    let mut command = crate::vrel(&scene, &["status"]);
    command.current_dir("/");
    crate::finish(command).ends(4, &["hint: change into the repository"]);
}

#[test]
fn resume_and_undo_have_nothing_to_do_without_an_unfinished_release() {
    let scene = scene();
    for verb in ["resume", "undo"] {
        refused(
            &scene,
            &[verb],
            10,
            &["nothing to do: no release is unfinished; see `vrel status`"],
        );
    }
    run(&scene, &CUT).ends(0, &[]);
    for verb in ["resume", "undo"] {
        refused(&scene, &[verb], 10, &["no release is unfinished"]);
    }
}

#[test]
fn a_finished_release_is_not_cut_again() {
    let scene = scene();
    run(&scene, &CUT).ends(0, &[]);
    let commit = crate::git(&scene.repo(), &["rev-parse", "v0.6.0-rc1^{commit}"]);
    refused(
        &scene,
        &CUT,
        10,
        &[
            "nothing to do: 0.6.0-rc1 is released already",
            commit.trim(),
            "vrel log 0.6.0-rc1",
        ],
    );
}

#[test]
fn a_journal_that_was_tampered_with_is_found_out() {
    let scene = scene();
    run(&scene, &CUT).ends(0, &[]);
    let journal = scene.repo().join(".vrel/journal/0.6.0-rc1.jsonl");
    let text = std::fs::read_to_string(&journal).unwrap();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[2] = lines[2].replace("\"seq\":2", "\"seq\": 2");
    std::fs::write(&journal, lines.join("\n") + "\n").unwrap();
    for verb in ["log", "status", "resume", "undo"] {
        refused(
            &scene,
            &[verb],
            3,
            &[
                "0.6.0-rc1.jsonl is damaged at line 4",
                "does not follow from the line before",
            ],
        );
    }
    // The same with a line taken out.
    let mut lines: Vec<&str> = text.lines().collect();
    lines.remove(3);
    std::fs::write(&journal, lines.join("\n") + "\n").unwrap();
    refused(&scene, &["log"], 3, &["damaged at line 4"]);
    refused(
        &scene,
        &["log", "0.7.0-rc1"],
        3,
        &["no journal of 0.7.0-rc1", "vrel status"],
    );
}
