//! What people write down apart from the commits, and what comparisons found.

use crate::documents::{HEADINGS, headings};
use crate::{commit, facts};
use std::path::Path;
use vrel_notes::{Collector, Fragment, InterfaceChange, NotesContext, render};

/// A security issue that everything is known of.
pub(crate) const CRITICAL: &str = "kind = 'advisory'\ntext = 'Runs code.'\nid = 'VOS-2026-1'\nseverity = 'critical'\n\
     area = 'Kernel'\naffected = ['0.4.0 to 0.4.9', '0.5.0 to 0.5.7']\nfixed-in = ['0.4.10', '0.6.0']\n\
     mitigation = 'Unplug it.'\ncredits = ['Bo <x>', 'Cy']\nissues = [9]";

/// One that was found by somebody who wants no credit.
pub(crate) const LOW: &str = "kind = 'advisory'\ntext = 'Reads a byte.'\nid = 'VOS-2026-2'\nseverity = 'low'\n\
     affected = ['0.5.7']\nfixed-in = '0.6.0'\nmitigation = 'There is none.'\ncredits = []";

fn fragment(text: &str) -> Fragment {
    Fragment::parse(Path::new("notes/x.toml"), text).unwrap()
}

pub(crate) fn notes_with(fragments: &[&str], messages: &[&str]) -> NotesContext {
    let mut collector = Collector::new(facts());
    for text in fragments {
        collector.add_fragment(fragment(text));
    }
    for (number, message) in messages.iter().enumerate() {
        collector.add(&commit(number, message));
    }
    collector.finish()
}

#[test]
fn every_kind_has_its_heading() {
    let context = notes_with(
        &[
            LOW,
            CRITICAL,
            "kind = 'highlight'\ntext = 'A *highlight*.'",
            "kind = 'feature'\ntext = 'A feature.'\narea = 'Networking'\nissues = [3]",
            "kind = 'performance'\ntext = 'Faster.'",
            "kind = 'security'\ntext = 'Safer.'",
            "kind = 'documentation'\ntext = 'Said.'",
            "kind = 'accessibility'\ntext = 'Heard.'",
            "kind = 'usability'\ntext = 'Handy.'",
            "kind = 'fix'\ntext = 'Mended.'\narea = 'Kernel'",
            "kind = 'breaking'\ntext = 'Broken.'\nmigration = 'Do this.'",
            "kind = 'deprecation'\ntext = 'Old.'\nreplacement = 'New.'",
            "kind = 'known-issue'\ntext = 'Slow.'\nworkaround = 'Wait.'",
            "kind = 'upgrade-note'\ntext = 'Start again.'",
            "kind = 'limitation'\ntext = 'One core.'",
        ],
        &["feat: another"],
    );
    let notes = render(&context).unwrap();
    let expected: Vec<_> = ["Security Advisories"]
        .into_iter()
        .chain(
            HEADINGS
                .into_iter()
                .filter(|heading| *heading != "Download Links"),
        )
        .collect();
    assert_eq!(headings(&notes, "##"), expected);
    for part in [
        "- **VOS-2026-1, critical, Kernel:** Runs code.\n\n  **Affected versions:** 0.4.0 to 0.4.9, 0.5.0 to 0.5.7\n\n  \
         **Fixed in:** 0.4.10, 0.6.0\n\n  **Mitigation:** Unplug it.\n\n  **Credits:** Bo \\<x>, Cy\n\n  See [#9]",
        "- **VOS-2026-2, low:** Reads a byte.",
        "- A \\*highlight\\*.",
        "### Networking\n\n- A feature. ([#3]",
        "- **Kernel:** Mended.",
        "- Broken.\n\n  **Migration:** Do this.",
        "- Old.\n\n  **Replacement:** New.",
        "- Slow.\n\n  **Workaround:** Wait.",
    ] {
        assert!(notes.contains(part), "{part}\nin\n{notes}");
    }
    assert!(notes.find("VOS-2026-1") < notes.find("VOS-2026-2"));
    assert_eq!(
        NotesContext::from_json(&context.to_json().unwrap()).unwrap(),
        context
    );
}

#[test]
fn a_fragment_stands_in_the_place_of_what_it_tells_of() {
    let text = "kind = 'fix'\ntext = 'Better words.'\nreplaces = ['#12', '0000000000000000000000000000000000000002']";
    let texts = |messages: &[&str]| -> Vec<String> {
        let context = notes_with(&[text], messages);
        context.fixes.into_iter().map(|fix| fix.text).collect()
    };
    assert_eq!(
        texts(&["fix: a (#12)", "fix: b (#13)", "fix: c"]),
        ["B", "Better words."]
    );
    assert_eq!(texts(&["fix: a"]), ["A", "Better words."]);
    // What was taken back again is not told of, in whatever words.
    assert_eq!(
        texts(&["Revert \"fix: a (#12)\"", "fix: a (#12)"]),
        Vec::<String>::new()
    );
}

#[test]
fn interfaces_are_told_by_what_they_mean_for_programs() {
    let change = |what: &str, before: Option<&str>, after: Option<&str>, breaking| InterfaceChange {
        what: what.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
        breaking,
    };
    let mut context = notes_with(&[], &[]);
    context.interface_changes = vec![
        change("sys_write", Some("(fd, p)"), Some("(fd, p, n)"), true),
        change("sys_old", Some("3"), None, true),
        change("rt::now", None, Some("fn() -> u64"), false),
    ];
    let notes = render(&context).unwrap();
    assert!(
        notes.contains("### Interfaces\n\n- `rt::now` is new: `fn() -> u64`\n"),
        "{notes}"
    );
    let breaking = notes.split("## Breaking Changes").nth(1).unwrap();
    assert!(
        breaking
            .contains("- `sys_write` was `(fd, p)` and is `(fd, p, n)`\n- `sys_old` is gone; it was `3`\n")
    );
}

#[test]
fn notes_of_a_long_term_line_name_the_upstream_commit() {
    let id = "0123456789abcdef0123456789abcdef01234567";
    let message = format!("fix: stop\n\n(cherry picked from commit {id})");
    let mut context = notes_with(&[], &[&message]);
    assert_eq!(context.fixes[0].upstream, [id]);
    assert!(!render(&context).unwrap().contains("upstream"));
    context.channel = "lts".parse().unwrap();
    assert!(
        render(&context)
            .unwrap()
            .contains("- Stop (upstream `0123456789ab`)\n")
    );
}
