//! Whole documents, against those in `expected/`.

use crate::fragments::{CRITICAL, LOW, notes_with};
use crate::{artifact, commit, facts, notes_of};
use std::path::Path;
use vrel_model::{Arch, HistoryCommit};
use vrel_notes::{Collector, Format, NotesContext, NotesKind, render, render_announcement, render_as};

/// The headings of release notes, in the order that they must have.
pub(crate) const HEADINGS: [&str; 10] = [
    "Highlights",
    "New Features",
    "Improvements",
    "Bug Fixes",
    "Breaking Changes",
    "Deprecations",
    "Known Issues",
    "Contributors",
    "Upgrade Instructions",
    "Download Links",
];

/// A history that has something for every section, and much that belongs in none.
fn history() -> Vec<HistoryCommit> {
    let messages = [
        "chore(release): prepare",
        "feat(kernel): run `init` as an ELF program\n\nHighlight: VeridianOS boots to its first program on x86_64,\n  \
         aarch64 and riscv64.\n\nReviewed-by: Bo <bo@example.org>",
        "fix(ipc): wake the receiver once (#212)\n\nThe queue was emptied twice.\n\nFixes #198, #201",
        "feat(abi)!: number system calls afresh (#200)\n\nBREAKING CHANGE: Programs built for 0.5 do not start.\n\n  \
         The kernel refuses them with `ENOSYS`.\nMigration: Build again:\n\n```sh\ncargo build --release\n\nvrel boot\n\
         ```\n\n1. Remove the old images.\n2. Boot the new one.\nCo-authored-by: Chidi Okafor <chidi@example.org>",
        "Merge pull request #200 from chidi/abi",
        "perf(mm): hand out frames from a tree",
        "security(trust): compare every field of a signature's comment",
        "feat: greet with name, version and commit",
        "Revert \"feat(gui): draw windows\"\n\nThis reverts commit 0000000000000000000000000000000000000012.",
        "fix: do not print | in <tables>, nor [links](javascript:alert(1))",
        "WIP try things",
        "deprecate(cli): the verb `make`\n\nIt will go in 0.8.0.\n\nReplacement: `vrel build`",
        "feat(gui): draw windows",
        "feat(kernel): count ticks\n\nKnown-Issue: The clock drifts under load (#230).\nWorkaround: Set it \
         daily:\n- by hand, or\n- with a timer.\nLimitation: Only one processor core is used.\n\
         Upgrade-Note: Write the whole disk: partitions of 0.5 are not kept.",
        "ci: run the tests in QEMU",
        "Revert \"feat(shell): guess commands (#150)\" (#160)",
    ];
    let mut commits: Vec<_> = messages
        .iter()
        .enumerate()
        .map(|(number, message)| commit(number, message))
        .collect();
    let second = format!("{:040}", 99);
    commits[4].parents.push(second);
    commits[7].author_name = "Grace <g@example.org> [x](y)".to_owned();
    commits[7].author_email = "grace@example.org".to_owned();
    commits
}

pub(crate) fn full() -> NotesContext {
    let mut facts = facts();
    facts.artifacts = vec![
        artifact(
            "veridianos-0.6.0-rc1-x86_64.iso",
            Some(Arch::X86_64),
            "iso".parse().unwrap(),
            "bootable ISO for UEFI, on CD or USB stick",
            5_347_328,
        ),
        artifact(
            "veridianos-0.6.0-rc1-riscv64-kernel.elf",
            Some(Arch::Riscv64),
            "kernel".parse().unwrap(),
            "kernel, an ELF file for `qemu -kernel` | others",
            98_304,
        ),
        artifact(
            "veridianos-0.6.0-rc1-source.tar.zst",
            None,
            "source".parse().unwrap(),
            "source tree of the release's tag",
            512,
        ),
    ];
    let mut collector = Collector::new(facts);
    for commit in history() {
        collector.add(&commit);
    }
    collector.finish()
}

/// Compares with a file of `expected/`; `UPDATE_EXPECTED=1` writes it anew.
fn check(name: &str, document: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/notes/expected")
        .join(name);
    if std::env::var_os("UPDATE_EXPECTED").is_some() {
        std::fs::write(&path, document).unwrap();
    }
    let expected = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        document == expected,
        "{} differs from this:\n{document}",
        path.display()
    );
}

/// The texts of the headings of a level.
pub(crate) fn headings<'a>(document: &'a str, level: &str) -> Vec<&'a str> {
    document
        .lines()
        .filter_map(|line| line.strip_prefix(level)?.strip_prefix(' '))
        .collect()
}

#[test]
fn full_notes_have_every_section_in_order() {
    let context = full();
    let notes = render(&context).unwrap();
    check("full.md", &notes);
    assert_eq!(headings(&notes, "#"), ["VeridianOS v0.6.0-rc1 Release Notes"]);
    assert_eq!(headings(&notes, "##"), HEADINGS);
    assert_eq!(context.gaps(), Vec::<String>::new());
}

#[test]
fn notes_hold_no_noise_of_commits() {
    let notes = render(&full()).unwrap();
    for noise in [
        "Merge ",
        "WIP",
        "feat(",
        "fix:",
        "Reviewed-by",
        "Co-authored-by",
        "000000000",
        "windows",
        "@example.org:",
        "chore",
    ] {
        assert!(!notes.contains(noise), "{noise} in\n{notes}");
    }
    for line in notes.lines() {
        assert_eq!(line.trim_end(), line, "a trailing blank");
    }
    assert!(!notes.contains("\n\n\n"), "{notes}");
}

#[test]
fn a_first_release_before_its_build_has_only_what_there_is() {
    let mut facts = facts();
    (facts.previous, facts.issue_url) = (None, None);
    let mut collector = Collector::new(facts);
    collector.add(&commit(0, "fix(boot): find the console (#4)"));
    let notes = render(&collector.finish()).unwrap();
    check("first.md", &notes);
    assert_eq!(
        headings(&notes, "##"),
        ["Bug Fixes", "Contributors", "Upgrade Instructions"]
    );
}

#[test]
fn a_release_without_commits_still_has_notes() {
    let notes = render(&notes_of(&[])).unwrap();
    assert_eq!(headings(&notes, "##"), ["Upgrade Instructions"]);
}

#[test]
fn announcements_say_what_kind_of_release_it_is() {
    let mut context = full();
    check(
        "announcement-candidate.md",
        &render_announcement(&context).unwrap(),
    );
    context.version = "0.6.0".parse().unwrap();
    context.channel = "stable".parse().unwrap();
    check("announcement-final.md", &render_announcement(&context).unwrap());
    let mut nightly = notes_of(&[]);
    nightly.version = "0.7.0-nightly.20261121".parse().unwrap();
    nightly.channel = "nightly".parse().unwrap();
    nightly.issue_url = None;
    check("announcement-nightly.md", &render_announcement(&nightly).unwrap());
}

/// What fixes two security issues, as the final release of a line with long-term support.
fn security_release() -> NotesContext {
    let breaking =
        "kind = 'breaking'\narea = 'Kernel'\ntext = 'Devices are asked for.'\nmigration = 'Answer.'";
    let mut context = notes_with(
        &[LOW, CRITICAL, breaking],
        &["fix(ipc): wake the receiver once (#212)"],
    );
    context.version = "0.6.0".parse().unwrap();
    context.channel = "lts".parse().unwrap();
    context
}

#[test]
fn a_security_release_tells_its_advisories_in_every_format() {
    let context = security_release();
    assert_eq!(context.kind(), NotesKind::Security);
    check("security.md", &render(&context).unwrap());
    check("security.html", &render_as(&context, Format::Html).unwrap());
    check("security.txt", &render_as(&context, Format::Text).unwrap());
    check(
        "announcement-security.md",
        &render_announcement(&context).unwrap(),
    );
}

#[test]
fn a_context_of_which_little_is_known_has_no_empty_labels() {
    let mut context = security_release();
    for advisory in &mut context.advisories {
        (advisory.affected, advisory.fixed_in, advisory.credits) = Default::default();
        advisory.mitigation = None;
    }
    for text in [render(&context).unwrap(), render_announcement(&context).unwrap()] {
        for label in ["Affected versions", "Fixed in", "Credits", "Mitigation"] {
            assert!(!text.contains(label), "{label} in\n{text}");
        }
    }
}

#[test]
fn the_kind_of_a_release_is_said_with_its_type() {
    let mut context = security_release();
    for (version, channel, advisories, expected) in [
        ("0.6.0-nightly.20261121", "nightly", true, "Minor (nightly build)"),
        ("0.6.1-rc1", "beta", true, "Patch (release candidate)"),
        ("0.6.1", "stable", true, "Patch (security release)"),
        ("0.6.1", "lts", false, "Patch (long-term support)"),
        ("1.0.0", "stable", false, "Major"),
    ] {
        context.version = version.parse().unwrap();
        context.channel = channel.parse().unwrap();
        if !advisories {
            context.advisories.clear();
        }
        assert_eq!(context.release_type(), expected);
    }
}
