//! From the announcement to the end.

use crate::{Frozen, VREL, run};

const WHY: [&str; 2] = ["--reason", "the way to 0.6.0"];

fn refs(frozen: &Frozen) -> String {
    let there = run("git", &frozen.remote(), &["for-each-ref"]).stdout;
    frozen.git(&["for-each-ref"]) + &there
}

#[test]
fn a_freeze_is_planned_started_seen_and_ended() {
    let frozen = Frozen::new();
    let before = refs(&frozen);
    frozen
        .vrel(&["freeze", "status"])
        .ends(0, &["No line was ever frozen", "There are no records"]);
    frozen
        .vrel(&["freeze", "plan", "0.6"])
        .ends(3, &["pass `--reason"]);
    let plan = [&["freeze", "plan", "0.6.0-rc1"], &WHY[..]].concat();
    frozen.vrel(&plan).ends(
        0,
        &[
            "0.6 is frozen since",
            "refs/heads/records",
            "new branch at",
            "push to origin",
            "draft of the announcement",
        ],
    );
    let start = [&["freeze", "start", "0.6", "--also", "main"], &WHY[..]].concat();
    frozen.vrel(&start).ends(2, &["--yes"]);
    frozen
        .vrel(&[&start[..], &["--dry-run"]].concat())
        .ends(0, &["branches  release/0.6, main"]);
    assert_eq!(refs(&frozen), before, "nothing was changed");

    // What only this clone has is not what a line is made from.
    let tip = frozen.git(&["rev-parse", "HEAD"]);
    frozen.commit("feat: mine", "os/mine");
    frozen
        .vrel(&[&start[..], &["--yes"]].concat())
        .ends(3, &["what everybody has", "git push origin main"]);
    frozen.git(&["reset", "-q", "--hard", &tip]);

    let started = frozen.vrel(&[&start[..], &["--yes", "--json"]].concat());
    let json = started.ends(0, &[]).json();
    assert_eq!(json["freeze"]["state"], "frozen");
    assert!(
        json["freeze"]["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["done"] == true),
        "{json:#}"
    );
    assert_eq!(frozen.on_remote("release/0.6"), Some(tip));
    let draft = json["freeze"]["steps"].as_array().unwrap().last().unwrap()["object"]
        .as_str()
        .unwrap()
        .to_owned();
    let draft = std::fs::read_to_string(frozen.repo().join(draft)).unwrap();
    assert!(
        draft.starts_with("# VeridianOS 0.6 is frozen\n") && draft.contains("the way to 0.6.0"),
        "{draft}"
    );
    let after = refs(&frozen);
    frozen
        .vrel(&[&start[..], &["--yes"]].concat())
        .ends(10, &["0.6 is frozen since"]);
    frozen.vrel(&plan).ends(10, &[]);
    assert_eq!(refs(&frozen), after);
    // Going on with work in between does not matter to what stands.
    frozen.commit("fix: mine", "os/mine");
    frozen
        .vrel(&[&start[..], &["--yes"]].concat())
        .ends(10, &["0.6 is frozen since"]);
    frozen.push(&["main"]).ends(0, &[]);
    frozen
        .vrel(&["records", "log"])
        .ends(0, &["freeze 0.6", "Releaser"]);
    frozen
        .vrel(&["records", "show"])
        .ends(0, &["lines/0.6/freeze.toml"]);
    frozen
        .vrel(&["records", "show", "lines/0.6/freeze.toml"])
        .ends(0, &["[[window]]"]);
    frozen
        .vrel(&["records", "show", "lines/0.6/freeze"])
        .ends(3, &["did you mean `lines/0.6/freeze.toml`?"]);

    // Somebody else sees it, is not let start another one, and can end it.
    let theirs = frozen.clone_of("theirs");
    run(VREL, &theirs, &["freeze", "status", "--fetch"])
        .ends(0, &["0.6 is frozen since", "landed    nothing"]);
    let other = [
        "freeze",
        "start",
        "0.6",
        "--reason",
        "mine",
        "--until",
        "2099-01-01",
        "--yes",
    ];
    run(VREL, &theirs, &other).ends(
        3,
        &["decided by Releaser <r@example.org> on", "vrel freeze end 0.6"],
    );
    run(
        VREL,
        &theirs,
        &["freeze", "end", "0.6", "--reason", "it is out", "--yes"],
    )
    .ends(0, &["This is ended, and pushed."]);
    run(
        VREL,
        &theirs,
        &["freeze", "end", "0.6", "--reason", "it is out", "--yes"],
    )
    .ends(10, &[]);
    frozen.vrel(&["freeze", "status", "0.6", "--fetch"]).ends(
        0,
        &[
            "0.6 is not frozen; it was from",
            "by theirs <them@example.org>",
            "it is out",
        ],
    );
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("feat: b", "os/b");
    frozen.push(&["release/0.6"]).ends(0, &[]);

    // The next freeze of the line keeps the first one's record.
    frozen.git(&["switch", "-q", "main"]);
    frozen
        .vrel(&["freeze", "start", "0.6", "--reason", "0.6.1", "--yes"])
        .ends(0, &[]);
    let json = frozen.vrel(&["freeze", "status", "--json"]).json();
    assert_eq!(
        (
            &json["freezes"][0]["earlier"],
            &json["freezes"][0]["window"]["reason"]
        ),
        (&1.into(), &"0.6.1".into())
    );
}

#[test]
fn an_announced_freeze_holds_from_its_day_on() {
    let frozen = Frozen::new();
    let start = [
        &[
            "freeze",
            "start",
            "0.7",
            "--at",
            "2099-03-01",
            "--until",
            "2099-03-14",
            "--yes",
        ],
        &WHY[..],
    ]
    .concat();
    frozen.vrel(&start).ends(
        0,
        &["0.7 will be frozen from 2099-03-01T00:00:00Z until 2099-03-15T00:00:00Z"],
    );
    frozen.vrel(&start).ends(10, &[]);
    assert_eq!(
        frozen.on_remote("release/0.7"),
        None,
        "the branch is made on the day"
    );
    let draft = frozen
        .repo()
        .join(".vrel/outbox/freeze-0.7-2099-03-01-announcement.md");
    assert!(
        std::fs::read_to_string(draft)
            .unwrap()
            .starts_with("# Code freeze of VeridianOS 0.7 on 2099-03-01")
    );
    frozen
        .vrel(&["freeze", "start", "0.7", "--reason", "now", "--yes"])
        .ends(3, &["announced for 2099-03-01"]);
    frozen
        .vrel(&["freeze", "status", "0.7"])
        .ends(0, &["will be frozen from 2099-03-01"]);
    frozen.git(&["switch", "-q", "-c", "release/0.7"]);
    frozen.commit("feat: a", "os/a");
    frozen.push(&["release/0.7"]).ends(0, &[]);
    frozen
        .vrel(&["freeze", "end", "0.7", "--reason", "not yet", "--dry-run"])
        .ends(0, &["calls off"]);
    frozen
        .vrel(&["freeze", "end", "0.7", "--reason", "not yet", "--yes"])
        .ends(0, &[]);
    frozen
        .vrel(&["freeze", "status", "0.7"])
        .ends(0, &["is not frozen", "not yet"]);
}

#[test]
fn what_makes_no_sense_changes_nothing() {
    let frozen = Frozen::new();
    let before = refs(&frozen);
    let except = |args: &[&str]| {
        let rest = [
            "--reason",
            "r",
            "--risk",
            "low",
            "--approver",
            "A <a@b>",
            "--until",
            "2099-01-01",
            "--yes",
        ];
        frozen.vrel(&[&["freeze", "except", "0.6"], args, &rest].concat())
    };
    except(&["HEAD"]).ends(3, &["0.6 is not frozen"]);
    except(&["no-such"]).ends(3, &["`no-such` is no commit"]);
    except(&[]).ends(2, &["<COMMIT|--path <GLOB>|--subject <TEXT>>"]);
    except(&["HEAD", "--path", "a"]).ends(2, &["cannot be used with"]);
    except(&["--path", "../a"]).ends(2, &["relative to the repository"]);
    frozen
        .vrel(&["freeze", "end", "0.6", "--reason", "r", "--yes"])
        .ends(3, &["0.6 was never frozen"]);
    let records = [
        "freeze", "start", "0.6", "--reason", "r", "--also", "records", "--yes",
    ];
    frozen.vrel(&records).ends(3, &["it is never frozen"]);
    frozen
        .vrel(&["freeze", "start", "six", "--reason", "r"])
        .ends(2, &["`six` is not a line"]);
    frozen
        .vrel(&["freeze", "start", "0.6", "--reason", " "])
        .ends(2, &["it says nothing"]);
    frozen
        .vrel(&[
            "freeze",
            "start",
            "0.6",
            "--reason",
            "r",
            "--at",
            "2020-01-01",
            "--yes",
        ])
        .ends(3, &["which is over"]);
    frozen
        .vrel(&["freeze", "start", "0.6", "--reason", "r", "--at", "soon"])
        .ends(2, &["neither a day"]);
    let late = [
        "freeze",
        "start",
        "0.6",
        "--reason",
        "r",
        "--at",
        "2099-02-01",
        "--until",
        "2099-01-01",
        "--yes",
    ];
    frozen.vrel(&late).ends(3, &["before it begins"]);
    let expired = [
        "--reason",
        "r",
        "--risk",
        "low",
        "--approver",
        "A <a@b>",
        "--until",
        "2020-01-01",
        "--yes",
    ];
    frozen
        .vrel(&[&["freeze", "except", "0.6", "HEAD"], &expired[..]].concat())
        .ends(3, &["which is over"]);
    let nobody = [
        "--reason",
        "r",
        "--risk",
        "low",
        "--approver",
        "Ada",
        "--until",
        "2099-01-01",
    ];
    frozen
        .vrel(&[&["freeze", "except", "0.6", "HEAD"], &nobody[..]].concat())
        .ends(2, &["does not name a person"]);
    assert_eq!(refs(&frozen), before);
}

#[test]
fn ranges_are_checked_for_hosted_ci() {
    let frozen = Frozen::started(&[]);
    frozen.git(&["switch", "-q", "release/0.6"]);
    frozen.commit("fix: a", "os/a");
    let check = |args: &[&str]| frozen.vrel(&[&["check", "commits"], args].concat());
    check(&["origin/release/0.6..HEAD"]).ends(0, &["1 commits may land on release/0.6"]);
    let feature = frozen.commit("feat: b", "os/b");
    let wild = frozen.commit("wrote code", "os/c");
    check(&["origin/release/0.6..", "--branch", "main"])
        .ends(3, &["conventional-form", &wild[..12]])
        .lacks("feat: b");
    let refused = check(&["origin/release/0.6..HEAD", "--json"]);
    let json = refused.ends(3, &[]).json();
    assert_eq!(json["commits"], 3);
    let rules: Vec<_> = json["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["commit"].as_str().unwrap(), one["rule"].as_str().unwrap()))
        .collect();
    assert_eq!(
        rules,
        [
            (wild.as_str(), "conventional-form"),
            (&feature, "freeze-fixes-only"),
            (&wild, "freeze-fixes-only")
        ]
    );
    check(&[&feature]).ends(3, &["feat: b"]).lacks("wrote code");
    check(&["HEAD..HEAD"]).ends(0, &["0 commits"]);
    check(&["HEAD...main"]).ends(2, &["FROM..TO"]);
    check(&["nowhere..HEAD"]).ends(3, &["git fetch --unshallow"]);
    // A clone that has not seen the records asks for them; one without the network can be told not to.
    let theirs = frozen.clone_of("theirs");
    run(
        "git",
        &theirs,
        &["update-ref", "-d", "refs/remotes/origin/records"],
    )
    .ends(0, &[]);
    run(
        "git",
        &theirs,
        &["fetch", "-q", frozen.repo().to_str().unwrap(), "release/0.6"],
    )
    .ends(0, &[]);
    let range = [
        "check",
        "commits",
        "origin/release/0.6..FETCH_HEAD~1",
        "--branch",
        "release/0.6",
    ];
    run(VREL, &theirs, &[&range[..], &["--offline"]].concat()).ends(0, &[]);
    run(VREL, &theirs, &range).ends(3, &["freeze-fixes-only"]);
    run("git", &theirs, &["switch", "-q", "--detach"]).ends(0, &[]);
    run(VREL, &theirs, &["check", "commits", "HEAD"]).ends(2, &["pass `--branch`"]);
}
