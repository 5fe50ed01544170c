//! What holds for any history.

use crate::documents::{HEADINGS, headings};
use crate::facts;
use proptest::prelude::*;
use vrel_model::{HistoryCommit, UtcTime};
use vrel_notes::{Collector, NotesContext, render, render_announcement};

/// Pieces that messages are made of, and any other text between them.
fn piece() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "feat",
        "fix",
        "perf",
        "docs",
        "deprecate",
        "revert",
        "(kernel)",
        "(a,b/c)",
        "( )",
        "!",
        ": ",
        ":",
        "\n",
        "\n\n",
        "BREAKING CHANGE: ",
        "Migration: ",
        "Deprecated: ",
        "Replacement: ",
        "Known-Issue: ",
        "Workaround: ",
        "Highlight: ",
        "Limitation: ",
        "Upgrade-Note: ",
        "Co-authored-by: ",
        "A <a@b>",
        "Fixes #1",
        "Closes #2, #3",
        "(#45)",
        "#",
        "```",
        "`x`",
        "- ",
        "1. ",
        "Revert \"",
        "Reapply \"",
        "\"",
        "This reverts commit ",
        "0000000",
        "Merge branch 'x'",
        "fixup! ",
        "<script>",
        "|",
        "[x](javascript:y)",
        "text",
        " ",
        "\u{200b}",
        "\r\n",
        "# ",
        "## Empty",
    ]);
    prop_oneof![8 => known.prop_map(str::to_owned), 1 => any::<String>()]
}

fn commits() -> impl Strategy<Value = Vec<HistoryCommit>> {
    let message = proptest::collection::vec(piece(), 0..14).prop_map(|pieces| pieces.concat());
    let one = (message, 0usize..3, any::<String>(), 0u8..4);
    proptest::collection::vec(one, 0..12).prop_map(|all| {
        let commit =
            |(number, (message, parents, author_name, address)): (usize, (String, usize, String, u8))| {
                HistoryCommit {
                    id: format!("{number:040}"),
                    parents: (0..parents).map(|parent| format!("{parent:040x}")).collect(),
                    author_name,
                    author_email: format!("{address}@example.org"),
                    time: UtcTime::from_unix(0).unwrap(),
                    message,
                }
            };
        all.into_iter().enumerate().map(commit).collect()
    })
}

fn collect(commits: &[HistoryCommit]) -> NotesContext {
    let mut collector = Collector::new(facts());
    for commit in commits {
        collector.add(commit);
    }
    collector.finish()
}

proptest! {
    #[test]
    fn any_history_makes_sound_notes(commits in commits()) {
        let context = collect(&commits);
        let notes = render(&context).unwrap();
        render_announcement(&context).unwrap();

        let seen = headings(&notes, "##");
        let mut rest = HEADINGS.iter();
        prop_assert!(seen.iter().all(|heading| rest.any(|known| known == heading)), "{seen:?}");

        // Below each heading is something that is not a heading, or a heading of a lower level.
        let level = |line: &str| line.len() - line.trim_start_matches('#').len();
        let lines: Vec<&str> = notes.lines().filter(|line| !line.is_empty()).collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| level(line) > 0) {
            let next = lines.get(at + 1).copied().unwrap_or("#");
            prop_assert!(level(next) == 0 || level(next) > level(line), "empty heading {line:?} in\n{notes}");
        }
    }

    #[test]
    fn every_commit_is_counted_once(commits in commits()) {
        let counts = collect(&commits).commits;
        prop_assert_eq!(counts.total, commits.len() as u64);
        let sum = counts.listed + counts.merges + counts.reverted + counts.internal + counts.unconventional;
        prop_assert_eq!(sum, counts.total);
    }

    #[test]
    fn json_loses_nothing(commits in commits()) {
        let context = collect(&commits);
        let again = NotesContext::from_json(&context.to_json().unwrap()).unwrap();
        prop_assert_eq!(render(&again).unwrap(), render(&context).unwrap());
        prop_assert_eq!(again, context);
    }
}
