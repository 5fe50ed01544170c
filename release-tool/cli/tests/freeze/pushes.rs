//! What the remote takes and what it refuses.

use crate::{Frozen, VREL, run};
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_frozen_branch_takes_fixes_and_names_everything_else() {
    let frozen = Frozen::started(&[]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("fix(kernel): a", "os/a");
    frozen.push(&["release/0.6"]).ends(0, &[]);

    let good = frozen.on_remote("release/0.6").unwrap();
    let feature = frozen.commit("feat(kernel): b", "os/b");
    frozen.commit("docs: c", "docs/c.md");
    let breaking = frozen.commit("fix!: d", "os/d");
    let refused = frozen.push(&["release/0.6"]);
    refused.ends(
        1,
        &[
            "refs/heads/release/0.6: 0.6 is frozen since",
            "Releaser <r@example.org>: the way to 0.6.0",
            &feature[..12],
            "feat(kernel): b",
            "freeze-fixes-only: `feat(kernel)` is none of: fix, docs, test, ci, revert",
            &breaking[..12],
            "freeze-no-breaking",
            &format!("vrel freeze except 0.6 {} --reason", &feature[..12]),
        ],
    );
    refused.lacks("docs: c");
    assert_eq!(frozen.on_remote("release/0.6"), Some(good.clone()));

    // The same commits go anywhere else.
    frozen.push(&["release/0.6:refs/heads/topic"]).ends(0, &[]);
    frozen.push(&["release/0.6:main"]).ends(0, &[]);

    // Neither a merge nor a rewrite is a way around.
    frozen.git(&["reset", "-q", "--hard", &good]);
    frozen.git(&["fetch", "-q"]);
    frozen.git(&[
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "Merge branch 'topic'",
        "origin/topic",
    ]);
    frozen
        .push(&["release/0.6"])
        .ends(1, &[&feature[..12], &breaking[..12]])
        .lacks("Merge branch");
    frozen.git(&["reset", "-q", "--hard", "HEAD^1^"]);
    frozen.push(&["+release/0.6"]).ends(
        1,
        &[
            "release-branch-only-grows",
            "is not rewritten",
            "git rebase origin/release/0.6",
        ],
    );
    assert_eq!(frozen.on_remote("release/0.6"), Some(good));
}

#[test]
fn exceptions_let_in_what_they_name() {
    let frozen = Frozen::started(&[]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    let feature = frozen.commit("feat(kernel)!: b", "os/b");
    frozen.push(&["release/0.6"]).ends(1, &["freeze-no-breaking"]);
    let rest = [
        "--reason",
        "asked for",
        "--risk",
        "high",
        "--approver",
        "Ada <ada@example.org>",
        "--until",
        "2099-12-31",
    ];
    let except =
        |what: &[&str]| frozen.vrel(&[&["freeze", "except", "0.6"], what, &rest, &["--yes"]].concat());
    frozen
        .vrel(&["status"])
        .ends(0, &[])
        .lacks("exceptions to freezes");
    except(&[&feature[..9]]).ends(0, &["This is recorded, and pushed."]);
    let open = format!(
        "  0.6 exception 1: commit {}, until 2099-12-31, approved by Ada <ada@example.org> (high risk)\n",
        &feature[..12]
    );
    frozen
        .vrel(&["status"])
        .ends(0, &["Open exceptions to freezes:\n", &open]);
    except(&[&feature[..9]]).ends(10, &["recorded already"]);
    frozen.push(&["release/0.6"]).ends(0, &[]);

    frozen.commit("feat: c", "tools/c");
    frozen.push(&["release/0.6"]).ends(1, &["freeze-fixes-only"]);
    except(&["--path", "tools/**"]).ends(0, &[]);
    frozen.push(&["release/0.6"]).ends(0, &[]);
    frozen.commit("perf: d", "os/d");
    except(&["--subject", "perf: d"]).ends(0, &[]);
    frozen.push(&["release/0.6"]).ends(0, &[]);

    // A cherry-pick that says so is the commit.
    let upstream = {
        frozen.git(&["switch", "-q", "main"]);
        frozen.commit("feat: e", "os/e")
    };
    frozen.git(&["switch", "-q", "release/0.6"]);
    except(&[&upstream]).ends(0, &[]);
    frozen.git(&["cherry-pick", "-x", &upstream]);
    frozen.push(&["release/0.6"]).ends(0, &[]);

    let status = frozen.vrel(&["freeze", "status", "0.6", "--json"]);
    let json = status.ends(0, &[]).json();
    let report = &json["freezes"][0];
    assert_eq!(report["landed"]["exceptions"], 4, "{json:#}");
    assert_eq!(report["landed"]["against"], serde_json::json!([]), "{json:#}");
    assert_eq!(
        report["exceptions"][0]["used_by"],
        serde_json::json!([feature]),
        "{json:#}"
    );
    // Who looks at the line's next candidate sees what was let in.
    frozen.git(&["switch", "-q", "main"]);
    let plan = frozen
        .vrel(&["plan", "cut-rc", "0.6.0-rc1", "--json"])
        .ends(0, &[])
        .json();
    let exceptions = plan["plan"]["exceptions"].as_array().unwrap();
    assert_eq!(exceptions.len(), 4, "{plan:#}");
    assert_eq!(
        (&exceptions[0]["commit"], &exceptions[0]["risk"]),
        (&feature.into(), &"high".into())
    );
    frozen.vrel(&["plan", "cut-rc", "0.6.0-rc1"]).ends(
        0,
        &[
            "Exceptions to the freeze",
            "path tools/**",
            "Ada <ada@example.org>",
        ],
    );
}

#[test]
fn what_releases_were_made_from_stays() {
    let frozen = Frozen::started(&[]);
    frozen.git(&["tag", "-a", "-m", "rc", "v0.6.0-rc1"]);
    frozen.git(&["tag", "lab"]);
    frozen.push(&["v0.6.0-rc1", "lab"]).ends(0, &[]);
    frozen.commit("feat: more", "os/more");
    frozen.git(&["tag", "-f", "-a", "-m", "rc", "v0.6.0-rc1"]);
    frozen.git(&["tag", "-f", "lab"]);
    frozen
        .push(&["-f", "v0.6.0-rc1"])
        .ends(1, &["release-tag-stays", "it is not moved"]);
    frozen
        .push(&["--delete", "v0.6.0-rc1"])
        .ends(1, &["it is not deleted"]);
    frozen.push(&["-f", "lab"]).ends(0, &[]);
    frozen
        .push(&["--delete", "release/0.6"])
        .ends(1, &["release-branch-only-grows"]);
    frozen
        .push(&["--delete", "records"])
        .ends(1, &["records-only-grow", "holds what was decided"]);
    frozen.push(&["+main:records"]).ends(1, &["records-only-grow"]);
    frozen.push(&["--delete", "lab"]).ends(0, &[]);
}

#[test]
fn what_is_pushed_has_no_say_in_the_rules() {
    let frozen = Frozen::started(&[]);
    let config = frozen.repo().join("vrel.toml");
    let before = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{before}\n[freeze]\nallow = [\"feat\"]\n")).unwrap();
    frozen.git(&["commit", "-q", "-am", "chore: let features in"]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("feat: a", "os/a");
    // Both in one push: judged by what was there before, and all or nothing.
    frozen
        .push(&["main", "release/0.6"])
        .ends(1, &["freeze-fixes-only"]);
    // The policy is the receiver's; once it is there, it holds.
    frozen.push(&["main"]).ends(0, &[]);
    frozen.push(&["release/0.6"]).ends(0, &[]);

    // Rules that could not be read would lock everybody out.
    frozen.git(&["switch", "-q", "main"]);
    std::fs::write(&config, format!("{before}\n[freeze]\nalow = []\n")).unwrap();
    frozen.git(&["commit", "-q", "-am", "chore: mistake"]);
    frozen
        .push(&["main"])
        .ends(1, &["policy-readable", "unknown field `alow`"]);
    // And if they get there all the same, only the way to mend them is open.
    let broken = frozen.git(&["rev-parse", "HEAD"]);
    run(
        "git",
        &frozen.remote(),
        &["fetch", "-q", frozen.repo().to_str().unwrap(), &broken],
    )
    .ends(0, &[]);
    run(
        "git",
        &frozen.remote(),
        &["update-ref", "refs/heads/main", &broken],
    )
    .ends(0, &[]);
    frozen
        .push(&["HEAD:refs/heads/topic"])
        .ends(1, &["cannot be read", "mend vrel.toml"]);
    frozen.git(&["revert", "--no-edit", "HEAD"]);
    frozen.push(&["main"]).ends(0, &[]);
    frozen.push(&["HEAD:refs/heads/topic"]).ends(0, &[]);
}

#[test]
fn records_that_cannot_be_read_let_nothing_into_a_release_branch() {
    let frozen = Frozen::started(&[]);
    let by_hand = frozen.scene.base().join("records");
    frozen.git(&["worktree", "add", "-q", by_hand.to_str().unwrap(), "records"]);
    let file = by_hand.join("lines/0.6/freeze.toml");
    std::fs::write(&file, "schema = 1\nwindow = 3\n").unwrap();
    run("git", &by_hand, &["commit", "-q", "-am", "by hand"]).ends(0, &[]);
    run("git", &by_hand, &["push", "-q", "origin", "records"])
        .ends(1, &["records-readable", "lines/0.6/freeze.toml:2"]);
    let broken = run("git", &by_hand, &["rev-parse", "HEAD"]).stdout;
    run(
        "git",
        &frozen.remote(),
        &["fetch", "-q", by_hand.to_str().unwrap(), broken.trim()],
    )
    .ends(0, &[]);
    run(
        "git",
        &frozen.remote(),
        &["update-ref", "refs/heads/records", broken.trim()],
    )
    .ends(0, &[]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("fix: a", "os/a");
    frozen
        .push(&["release/0.6"])
        .ends(1, &["whether `release/0.6` is frozen cannot be read"]);
    frozen.push(&["release/0.6:refs/heads/topic"]).ends(0, &[]);
}

#[test]
fn a_hook_that_is_there_is_kept() {
    let frozen = Frozen::new();
    let remote = frozen.remote();
    let remote = remote.to_str().unwrap();
    frozen
        .vrel(&["hook", "install", remote])
        .ends(10, &["is installed already"]);
    frozen
        .vrel(&["hook", "uninstall", remote])
        .ends(0, &["is removed"]);
    frozen.vrel(&["hook", "uninstall", remote]).ends(10, &[]);

    let hook = frozen.remote().join("hooks/pre-receive");
    let script = "#!/bin/sh\nwhile read -r old new ref; do\n  case $ref in refs/heads/no/*) echo \"not $ref\" >&2; exit 1;; esac\ndone\n";
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    frozen
        .vrel(&["hook", "install", remote])
        .ends(3, &["is not vrel's", "--chain"]);
    frozen
        .vrel(&["hook", "install", remote, "--chain"])
        .ends(0, &["is asked first"]);
    frozen.vrel(&["hook", "install", remote, "--chain"]).ends(10, &[]);
    frozen
        .vrel(&["freeze", "start", "0.6", "--reason", "r", "--yes"])
        .ends(0, &[]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("feat: a", "os/a");
    frozen
        .push(&["HEAD:refs/heads/no/way"])
        .ends(1, &["not refs/heads/no/way"]);
    frozen.push(&["release/0.6"]).ends(1, &["freeze-fixes-only"]);
    frozen.push(&["HEAD:refs/heads/yes"]).ends(0, &[]);
    frozen
        .vrel(&["hook", "uninstall", remote])
        .ends(0, &["the hook from before is back"]);
    assert_eq!(std::fs::read_to_string(&hook).unwrap(), script);

    frozen
        .vrel(&["hook", "install", "/nowhere"])
        .ends(4, &["must be a git repository"]);
    let mistake = std::process::Command::new("sh")
        .args(["-c", &format!("echo nonsense | '{VREL}' hook pre-receive")])
        .output()
        .unwrap();
    assert_eq!(mistake.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&mistake.stderr).contains("line 1: expected `OLD NEW REF`"));
}

#[test]
fn a_repository_without_rules_takes_everything() {
    let frozen = Frozen::new();
    let bare = frozen.scene.base().join("other.git");
    run(
        "git",
        frozen.scene.base(),
        &["init", "-q", "--bare", "-b", "main", "other.git"],
    )
    .ends(0, &[]);
    frozen
        .vrel(&["hook", "install", bare.to_str().unwrap()])
        .ends(0, &[]);
    frozen.git(&["remote", "add", "other", "../other.git"]);
    let push = run(
        "git",
        &frozen.repo(),
        &["push", "-q", "other", "main", "main:release/0.6"],
    );
    push.ends(0, &["there are no rules yet"]);
    assert_eq!(
        run("git", &bare, &["rev-parse", "release/0.6"]).stdout.trim(),
        frozen.git(&["rev-parse", "main"])
    );
}
