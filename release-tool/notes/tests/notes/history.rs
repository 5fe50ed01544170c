//! What becomes of commits.

use crate::{commit, facts, notes_of};
use vrel_notes::{BreakingChange, Collector, CommitCounts, Deprecation, Entry, KnownIssue, NotesContext};

fn entry(area: Option<&str>, text: &str, references: &[u64]) -> Entry {
    Entry {
        area: area.map(str::to_owned),
        text: text.to_owned(),
        references: references.to_vec(),
        upstream: Vec::new(),
    }
}

/// The sections as (title, texts).
fn titles(context: &NotesContext) -> Vec<(&str, Vec<&str>)> {
    let sections = context.features.iter().chain(&context.improvements);
    sections
        .map(|section| {
            let texts = section.entries.iter().map(|entry| entry.text.as_str());
            (section.title.as_str(), texts.collect())
        })
        .collect()
}

#[test]
fn the_type_decides_the_heading() {
    let context = notes_of(&[
        "feat(kernel): boot",
        "feat(usb-storage): mount",
        "feat: greet",
        "feat(kernel): trap",
        "perf(mm): allocate faster (#3)",
        "security(trust): check every field",
        "fix(security): clear keys",
        "docs(hal): explain the contract",
        "fix(vfs): keep the order\n\nFixes #7",
        "fix: stop",
        "fix(abi): number calls",
    ]);
    assert_eq!(
        titles(&context),
        [
            ("Kernel", vec!["Boot", "Trap"]),
            ("USB storage", vec!["Mount"]),
            ("General", vec!["Greet"]),
            ("Documentation", vec!["Explain the contract"]),
            ("Performance", vec!["Allocate faster"]),
            ("Security", vec!["Check every field", "Clear keys"]),
        ]
    );
    assert_eq!(
        context.improvements[1].entries,
        [entry(Some("Memory management"), "Allocate faster", &[3])]
    );
    assert_eq!(
        context.fixes,
        [
            entry(Some("File systems"), "Keep the order", &[7]),
            entry(Some("System-call ABI"), "Number calls", &[]),
            entry(None, "Stop", &[]),
        ]
    );
    assert_eq!(
        context.commits,
        CommitCounts {
            total: 11,
            listed: 11,
            ..CommitCounts::default()
        }
    );
}

#[test]
fn noise_is_counted_and_left_out() {
    let messages = [
        "chore: bump",
        "ci(main): cache",
        "test(kernel): cover",
        "style: format",
        "refactor(hal): move",
        "build(deps): update",
        "docs(plan): record 0.5.7",
        "fixup! feat(kernel): boot",
        "squash! feat(kernel): boot",
        "wip: x",
        "WIP",
        "Update README.md",
        "kernel: fix it",
        "",
        "\n\n",
    ];
    let mut collector = Collector::new(facts());
    for (number, message) in messages.iter().enumerate() {
        collector.add(&commit(number, message));
    }
    for message in [
        "Merge branch 'x'",
        "feat: merged",
        "Merge pull request #3 from a/b\n\nHighlight: no",
    ] {
        let mut merge = commit(99, message);
        merge.parents = vec![format!("{:040}", 98), format!("{:040}", 99)];
        collector.add(&merge);
    }
    let context = collector.finish();
    assert_eq!(
        context.commits,
        CommitCounts {
            total: 18,
            listed: 0,
            merges: 3,
            contained: 0,
            reverted: 0,
            internal: 10,
            unconventional: 5
        }
    );
    let empty = Collector::new(facts()).finish();
    assert_eq!(
        NotesContext {
            commits: CommitCounts::default(),
            contributors: Vec::new(),
            ..context
        },
        empty
    );
}

#[test]
fn footers_count_whatever_the_type() {
    let context = notes_of(&[
        "refactor(ipc): one queue\n\nBREAKING CHANGE: send returns early\nMigration: check the result",
        "chore: x\n\nKnown-Issue: the clock drifts\nWorkaround: set it",
        "no convention\n\nHighlight: It boots.",
    ]);
    assert_eq!(
        context.breaking,
        [BreakingChange {
            area: Some("IPC".into()),
            text: "send returns early".into(),
            migration: Some("check the result".into()),
            references: vec![],
        }]
    );
    assert_eq!(
        context.known_issues,
        [KnownIssue {
            area: None,
            text: "the clock drifts".into(),
            workaround: Some("set it".into())
        }]
    );
    assert_eq!(context.highlights, ["It boots."]);
    assert_eq!((context.commits.listed, titles(&context)), (3, vec![]));
}

#[test]
fn a_breaking_change_is_told_with_its_migration() {
    let cases: [(&str, &str, Option<&str>, &[u64]); 5] = [
        ("feat(abi)!: renumber (#4)", "Renumber", None, &[4]),
        (
            "feat(abi)!: renumber\n\nMigration: rebuild\n",
            "Renumber",
            Some("rebuild"),
            &[],
        ),
        (
            "feat(abi)!: renumber\n\nBREAKING CHANGE: all move",
            "all move",
            None,
            &[],
        ),
        (
            "feat(abi): renumber\n\nMigration: rebuild\nBREAKING CHANGE: all move\nMigration: again\nFixes #9",
            "all move",
            Some("rebuild\n\nagain"),
            &[9],
        ),
        (
            "feat(abi): renumber\n\nBREAKING CHANGE:\nall move\n\nSigned-off-by: A <a@b>",
            "all move",
            None,
            &[],
        ),
    ];
    for (message, text, migration, references) in cases {
        let expected = BreakingChange {
            area: Some("System-call ABI".into()),
            text: text.into(),
            migration: migration.map(str::to_owned),
            references: references.to_vec(),
        };
        let context = notes_of(&[message]);
        assert_eq!(context.breaking, [expected], "{message}");
        assert_eq!(
            context.gaps().len(),
            usize::from(migration.is_none()),
            "{message}"
        );
        assert_eq!(
            titles(&context),
            [("System-call ABI", vec!["Renumber"])],
            "{message}"
        );
    }
}

#[test]
fn deprecations_name_their_replacement() {
    let context = notes_of(&[
        "deprecate(cli): the verb `make`\n\nReplacement: `vrel build`",
        "feat(abi): new calls\n\nDeprecated: sys_old\nReplacement: sys_new",
        "deprecate: x\n\nDeprecated: the x of old",
    ]);
    let item = |area: Option<&str>, text: &str, replacement: Option<&str>| Deprecation {
        area: area.map(str::to_owned),
        text: text.to_owned(),
        replacement: replacement.map(str::to_owned),
    };
    assert_eq!(
        context.deprecations,
        [
            item(Some("Command line"), "The verb `make`", Some("`vrel build`")),
            item(Some("System-call ABI"), "sys_old", Some("sys_new")),
            item(None, "the x of old", None),
        ]
    );
    assert_eq!(
        context.gaps(),
        ["the deprecation “the x of old” names no replacement"]
    );
}

#[test]
fn the_same_change_is_listed_once() {
    let context = notes_of(&[
        "fix(net): retry\n\nFixes #1",
        "fix(net): retry (#20)\n\nFixes #1, #2",
        "feat(net): send",
        "feat(net): send (#5)",
        "feat(usb): send",
        "perf(net): send",
        "chore: a\n\nHighlight: h\nKnown-Issue: k",
        "chore: b\n\nHighlight: h\nKnown-Issue: k",
    ]);
    assert_eq!(context.fixes, [entry(Some("Networking"), "Retry", &[1, 2, 20])]);
    assert_eq!(
        titles(&context),
        [
            ("Networking", vec!["Send"]),
            ("USB", vec!["Send"]),
            ("Performance", vec!["Send"])
        ]
    );
    assert_eq!(context.features[0].entries[0].references, [5]);
    assert_eq!((context.highlights.len(), context.known_issues.len()), (1, 1));
}

#[test]
fn an_issue_that_was_fixed_later_is_no_longer_known() {
    let known = "feat: a\n\nKnown-Issue: hangs (#12)\nWorkaround: reset";
    assert_eq!(
        notes_of(&["fix: no hang\n\nFixes #12", known]).known_issues.len(),
        0
    );
    assert_eq!(
        notes_of(&[known, "fix: no hang\n\nFixes #12"]).known_issues.len(),
        1
    );
    assert_eq!(notes_of(&["fix: other\n\nFixes #1", known]).known_issues.len(), 1);
}

/// Each case: messages, newest first; the texts that are listed; how many commits count as reverted.
#[test]
fn reverts_cancel_what_they_revert() {
    // In these messages the target has the id that `commit` gives to the place named.
    let at = |number: usize| format!("This reverts commit {number:040}.");
    let by_id = format!("Revert \"feat: a\"\n\n{}", at(1));
    let renamed = format!("fix: go back to polling\n\n{}", at(1));
    let of_two = format!(
        "Revert \"feat: a\"\n\nThis reverts commits {:040} and {:040}.",
        1, 2
    );
    let reapply = format!("Reapply \"feat: a\"\n\n{}", at(1));
    let revert_of_revert = format!("Revert \"Revert \"feat: a\"\"\n\n{}", at(1));
    let second_revert = format!("Revert \"feat: a\"\n\n{}", at(2));
    let cases: &[(&[&str], &[&str], u64)] = &[
        (&[&by_id, "feat: a"], &[], 2),
        (&[&by_id, "feat: other subject"], &[], 2),
        (&[&renamed, "feat: a"], &[], 2),
        (&[&of_two, "feat: a", "feat: b"], &[], 3),
        (
            &["Revert \"feat: a (#4)\" (#5)\n\nReverts x/y#4", "feat: a (#4)"],
            &[],
            2,
        ),
        (&["revert: feat: a", "feat: a"], &[], 2),
        (&["feat: a", "Revert \"feat: a\"", "feat: a"], &["A"], 2),
        (&["Revert \"feat: a\"", "feat: b"], &["B", "A"], 0),
        (&[&reapply, &second_revert, "feat: a"], &["A"], 2),
        (&[&revert_of_revert, &second_revert, "feat: a"], &["A"], 2),
        (&["Reapply \"feat: a\""], &["A"], 0),
        (&["Revert \"Revert \"feat: a\"\""], &["A"], 0),
        (
            &["fix: back\n\nThis reverts commit 0123456789012345678901234567890123456789."],
            &[],
            0,
        ),
        (&["Revert \"chore: a\""], &[], 0),
        (&["Revert \"\""], &[], 0),
    ];
    for (messages, expected, reverted) in cases {
        let context = notes_of(messages);
        let texts: Vec<_> = titles(&context)
            .into_iter()
            .flat_map(|(_, texts)| texts)
            .collect();
        assert_eq!(texts, *expected, "{messages:?}");
        assert_eq!(context.commits.reverted, *reverted, "{messages:?}");
        let counts = context.commits;
        let sum = counts.listed + counts.merges + counts.reverted + counts.internal + counts.unconventional;
        assert_eq!(sum, counts.total, "{messages:?}");
    }
}

#[test]
fn what_was_released_before_and_is_taken_back_is_news() {
    let context = notes_of(&[
        "Revert \"feat(gui): windows (#4)\" (#8)",
        "Revert \"Merge branch 'topic/x'\"\n\nThis reverts commit 0123456, reversing\nchanges made to 89abcde.",
        "Revert \"Merge pull request #31 from a/b\"",
        "Revert \"Polish things\"",
        "fix: back\n\nThis reverts commit 0123456789012345678901234567890123456789.\nFixes #3",
    ]);
    assert_eq!(
        titles(&context),
        [(
            "Reverted Changes",
            vec![
                "Windows",
                "All changes of the branch `topic/x`",
                "All changes of pull request #31",
                "Polish things"
            ]
        )]
    );
    assert_eq!(
        context.improvements[0].entries[0],
        entry(Some("Graphical interface"), "Windows", &[4])
    );
    assert_eq!(context.fixes, [entry(None, "Back", &[3])]);
}

#[test]
fn contributors_are_people_and_named_once() {
    let mut collector = Collector::new(facts());
    for (name, address, message) in [
        ("Zoë", "zoe@example.org", "chore: x"),
        (
            "Ada",
            "ada@example.org",
            "feat: x\n\nCo-authored-by: Bo <bo@example.org>",
        ),
        ("ADA", "Ada@Example.org", "wip"),
        ("dependabot[bot]", "bot@example.org", "build(deps): x"),
    ] {
        let mut commit = commit(1, message);
        (commit.author_name, commit.author_email) = (name.to_owned(), address.to_owned());
        collector.add(&commit);
    }
    let mut merge = commit(2, "Merge branch 'x'");
    merge.author_name = "Merger".to_owned();
    merge.parents = vec![format!("{:040}", 98), format!("{:040}", 99)];
    merge.author_email = "merger@example.org".to_owned();
    collector.add(&merge);
    assert_eq!(collector.finish().contributors, ["Ada", "Bo", "Zoë"]);
}
