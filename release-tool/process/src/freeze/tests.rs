//! The rules, each with what it lets through and what it does not.

use super::*;
use vrel_model::freeze::{Excepted, FreezeException, Risk, Schema1};
use vrel_model::{Config, toml_file};

const BRANCH: &str = "release/0.6";

fn time(text: &str) -> UtcTime {
    text.parse().unwrap()
}

fn now() -> UtcTime {
    time("2026-11-12T12:00:00Z")
}

fn exception(what: Excepted, until: &str) -> FreezeException {
    FreezeException {
        what,
        reason: "needed".to_owned(),
        risk: Risk::Low,
        approver: "Bob <bob@example.org>".parse().unwrap(),
        until: until.parse().unwrap(),
        by: "Ada <ada@example.org>".parse().unwrap(),
        recorded: time("2026-11-10T00:00:00Z"),
    }
}

fn freezes(exceptions: Vec<FreezeException>) -> Vec<LineFreezes> {
    let window = FreezeWindow {
        branches: vec![BRANCH.parse().unwrap(), "main".parse().unwrap()],
        starts: time("2026-11-10T00:00:00Z"),
        ends: Some(time("2026-11-20T00:00:00Z")),
        commit: None,
        by: "Ada <ada@example.org>".parse().unwrap(),
        recorded: time("2026-11-01T00:00:00Z"),
        reason: "0.6.0".to_owned(),
        end: None,
        exceptions,
    };
    vec![LineFreezes {
        line: "0.6".parse().unwrap(),
        file: FreezeFile {
            schema: Schema1,
            windows: vec![window],
        },
    }]
}

/// A commit with a subject as `type` or `type!`, an id of this digit, and these paths.
fn commit(subject: &str, digit: char, paths: &[&str]) -> LandingCommit {
    let (kind, _) = subject.split_once(':').unwrap_or(("", subject));
    let form = (!kind.is_empty()).then(|| CommitForm {
        name: kind.trim_end_matches('!').to_owned(),
        scope: None,
        breaking: kind.ends_with('!'),
    });
    LandingCommit {
        id: digit.to_string().repeat(40),
        subject: subject.to_owned(),
        author: "Eve <eve@example.org>".to_owned(),
        form,
        plain_merge: None,
        picked_from: Vec::new(),
        paths: Some(paths.iter().map(|path| (*path).to_owned()).collect()),
    }
}

fn rules(
    freezes: &[LineFreezes],
    policy: &FreezeConfig,
    commits: &[LandingCommit],
    at: UtcTime,
) -> Vec<&'static str> {
    let refusals = check_commits(&BRANCH.parse().unwrap(), freezes, policy, commits, at);
    refusals.iter().map(|refusal| refusal.rule).collect()
}

#[test]
fn only_fixes_land_and_only_while_it_is_frozen() {
    let policy = FreezeConfig::default();
    let feature = commit("feat: a", '1', &["a"]);
    let frozen = freezes(Vec::new());
    for (subject, refused) in [
        ("fix: a", None),
        ("docs: a", None),
        ("test: a", None),
        ("ci: a", None),
        ("revert: a", None),
        ("feat: a", Some("freeze-fixes-only")),
        ("perf: a", Some("freeze-fixes-only")),
        ("chore: a", Some("freeze-fixes-only")),
        ("fix!: a", Some("freeze-no-breaking")),
        ("no type", Some("freeze-fixes-only")),
    ] {
        let found = rules(&frozen, &policy, &[commit(subject, '1', &["a"])], now());
        assert_eq!(found, refused.into_iter().collect::<Vec<_>>(), "{subject}");
    }
    for (at, refused) in [
        ("2026-11-09T23:59:59Z", 0),
        ("2026-11-10T00:00:00Z", 1),
        ("2026-11-20T00:00:00Z", 0),
    ] {
        assert_eq!(
            rules(&frozen, &policy, std::slice::from_ref(&feature), time(at)).len(),
            refused,
            "{at}"
        );
    }
    let elsewhere = "release/0.5".parse().unwrap();
    assert_eq!(
        check_commits(
            &elsewhere,
            &frozen,
            &policy,
            std::slice::from_ref(&feature),
            now()
        ),
        []
    );
    // All of them are named, each with its remedy.
    let refusals = check_commits(
        &"main".parse().unwrap(),
        &frozen,
        &policy,
        &[
            feature,
            commit("fix: b", '2', &["b"]),
            commit("style: c", '3', &["c"]),
        ],
        now(),
    );
    let ids: Vec<_> = refusals.iter().map(|refusal| &refusal.commit[..1]).collect();
    assert_eq!(ids, ["1", "3"]);
    assert!(
        refusals[1].why.contains("`style` is none of: fix, docs"),
        "{}",
        refusals[1].why
    );
    assert!(
        refusals[1]
            .hint
            .contains("vrel freeze except 0.6 333333333333 --reason"),
        "{}",
        refusals[1].hint
    );
}

#[test]
fn a_merge_is_judged_by_what_it_changes_itself() {
    let policy = FreezeConfig::default();
    let merge = |plain, subject: &str| LandingCommit {
        plain_merge: Some(plain),
        ..commit(subject, '1', &["a"])
    };
    let frozen = freezes(Vec::new());
    assert_eq!(
        rules(&frozen, &policy, &[merge(true, "Merge branch 'x'")], now()),
        [""; 0]
    );
    assert_eq!(
        rules(&frozen, &policy, &[merge(false, "Merge branch 'x'")], now()),
        ["freeze-fixes-only"]
    );
    assert_eq!(
        rules(&frozen, &policy, &[merge(false, "fix: merge x")], now()),
        [""; 0]
    );
    // What a plain merge brings stands for itself.
    let both = [merge(true, "Merge branch 'x'"), commit("feat: x", '2', &["x"])];
    assert_eq!(rules(&frozen, &policy, &both, now()), ["freeze-fixes-only"]);
}

#[test]
fn exceptions_are_for_what_they_name_and_expire() {
    let policy = FreezeConfig::default();
    let by = |what, until| freezes(vec![exception(what, until)]);
    let id = "1".repeat(40);
    let by_commit = by(Excepted::Commit(id.clone()), "2026-11-12");
    let feature = || commit("feat!: a", '1', &["os/a", "os/b"]);
    let picked = LandingCommit {
        picked_from: vec![id],
        ..commit("feat!: a", '2', &["os/a"])
    };
    assert_eq!(rules(&by_commit, &policy, &[feature(), picked], now()), [""; 0]);
    assert_eq!(
        rules(&by_commit, &policy, &[commit("feat: a", '3', &["os/a"])], now()),
        ["freeze-fixes-only"]
    );

    // The last day counts as a whole; then the refusal says what there was.
    assert_eq!(
        rules(&by_commit, &policy, &[feature()], time("2026-11-12T23:59:59Z")),
        [""; 0]
    );
    let late = check_commits(
        &BRANCH.parse().unwrap(),
        &by_commit,
        &policy,
        &[feature()],
        time("2026-11-13T00:00:00Z"),
    );
    assert!(
        late[0]
            .why
            .ends_with("; exception 1 for it held until 2026-11-12"),
        "{}",
        late[0].why
    );
    let (line, window) = (by_commit[0].line, &by_commit[0].file.windows[0]);
    assert_eq!(
        judge(line, window, &policy, &feature(), None),
        Landing::Exception(1),
        "looking back"
    );

    let by_subject = by(Excepted::Subject("feat!: a".to_owned()), "2026-11-15");
    assert_eq!(rules(&by_subject, &policy, &[feature()], now()), [""; 0]);
    assert_eq!(
        rules(&by_subject, &policy, &[commit("feat: ab", '1', &[])], now()).len(),
        1
    );

    let glob = |text: &str| Excepted::Path(text.parse().unwrap());
    let by_path = by(glob("os/a"), "2026-11-15");
    assert_eq!(
        rules(&by_path, &policy, &[commit("feat: a", '1', &["os/a"])], now()),
        [""; 0]
    );
    assert_eq!(
        rules(&by_path, &policy, &[feature()], now()).len(),
        1,
        "os/b is not open"
    );
    let two = freezes(vec![
        exception(glob("os/b"), "2026-11-15"),
        exception(glob("os/a"), "2026-11-15"),
    ]);
    assert_eq!(rules(&two, &policy, &[feature()], now()), [""; 0]);
    assert_eq!(
        rules(&two, &policy, &[commit("feat: nothing", '1', &[])], now()).len(),
        1
    );
}

#[test]
fn paths_that_are_always_open_do_not_excuse_a_break() {
    let policy = FreezeConfig {
        allow: vec!["fix".parse().unwrap()],
        allow_paths: vec!["docs/**".parse().unwrap()],
    };
    let frozen = freezes(Vec::new());
    assert_eq!(
        rules(&frozen, &policy, &[commit("feat: a", '1', &["docs/a.md"])], now()),
        [""; 0]
    );
    assert_eq!(
        rules(
            &frozen,
            &policy,
            &[commit("feat: a", '1', &["docs/a.md", "os/a"])],
            now()
        )
        .len(),
        1
    );
    assert_eq!(
        rules(
            &frozen,
            &policy,
            &[commit("docs!: a", '1', &["docs/a.md"])],
            now()
        ),
        ["freeze-no-breaking"]
    );
    assert!(wanted([&frozen[0].file.windows[0]], &policy).paths);
    assert!(!wanted([&frozen[0].file.windows[0]], &FreezeConfig::default()).paths);
    let excepted = freezes(vec![exception(
        Excepted::Path("os/a".parse().unwrap()),
        "2026-11-15",
    )]);
    assert!(wanted([&excepted[0].file.windows[0]], &FreezeConfig::default()).paths);
    // Together with an exception for the rest.
    assert_eq!(
        rules(
            &excepted,
            &policy,
            &[commit("feat!: a", '1', &["docs/a.md", "os/a"])],
            now()
        ),
        [""; 0]
    );
}

#[test]
fn every_commit_but_a_merge_has_a_type() {
    let merge = LandingCommit {
        plain_merge: Some(true),
        ..commit("Merge branch 'x'", '3', &[])
    };
    let found = check_form(&[commit("feat: a", '1', &[]), commit("wrote code", '2', &[]), merge]);
    assert_eq!(found.len(), 1);
    assert_eq!((&found[0].commit[..1], found[0].rule), ("2", "conventional-form"));
}

#[test]
fn what_releases_were_made_from_stays() {
    let text = include_str!("../../../testkit/scene/vrel.toml");
    let config: Config = toml_file::parse(std::path::Path::new("vrel.toml"), text).unwrap();
    let check = |name: &str, old: Option<&str>, new: Option<&str>, forward| {
        let update = RefUpdate {
            name: name.to_owned(),
            old: old.map(str::to_owned),
            new: new.map(str::to_owned),
            forward,
        };
        check_update(&config, &update).map(|finding| finding.check)
    };
    let (a, b) = (Some("a"), Some("b"));
    for (name, rule) in [
        ("refs/heads/release/0.6", Some("release-branch-only-grows")),
        ("refs/heads/records", Some("records-only-grow")),
        ("refs/heads/main", None),
        ("refs/heads/release/candidate", None),
        ("refs/heads/topic", None),
        ("refs/notes/x", None),
    ] {
        assert_eq!(check(name, None, a, false), None, "{name}: new");
        assert_eq!(check(name, a, b, true), None, "{name}: forward");
        assert_eq!(check(name, a, b, false), rule, "{name}: rewritten");
        assert_eq!(check(name, a, None, false), rule, "{name}: deleted");
    }
    for (name, rule) in [
        ("refs/tags/v0.6.0-rc1", Some("release-tag-stays")),
        ("refs/tags/v1", Some("release-tag-stays")),
        ("refs/tags/vendor", None),
        ("refs/tags/nightly", None),
    ] {
        assert_eq!(check(name, None, a, false), None, "{name}: new");
        assert_eq!(check(name, a, a, true), None, "{name}: again");
        assert_eq!(check(name, a, b, true), rule, "{name}: moved");
        assert_eq!(check(name, a, None, false), rule, "{name}: deleted");
    }
}
