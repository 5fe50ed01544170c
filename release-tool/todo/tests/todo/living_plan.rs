//! This repository's own plan. Releases change it, so nothing here depends on where they have got to.

use crate::{changes, recorded};
use vrel_todo::Todo;

const PLAN: &str = include_str!("../../../../RELEASE_TODO.md");

#[test]
fn it_has_the_structure_that_releases_rely_on() {
    let todo = Todo::parse(PLAN).unwrap();
    let history: Vec<_> = todo.roadmap().filter(|release| release.released).collect();
    assert!(
        history
            .iter()
            .any(|release| release.version.to_string() == "0.1.0"),
        "{history:?}"
    );
    assert!(todo.next_release().is_some());
}

#[test]
fn it_lists_what_a_release_has_to_know() {
    let headings: Vec<&str> = PLAN.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    // The headings within the notes' template are in a code block and repeat the template's own.
    for heading in [
        "Strategy",
        "Roadmap",
        "Pre-release checklist",
        "Release steps",
        "Next release",
        "Artifacts",
        "Metrics",
        "Known issues",
        "Blocking issues",
        "Release notes template",
        "Security releases",
        "Calendar",
        "Resources",
    ] {
        assert!(headings.contains(&heading), "no section `## {heading}`");
    }
}

#[test]
fn the_next_release_can_be_recorded_in_it() {
    let todo = Todo::parse(PLAN).unwrap();
    let next = todo
        .next_release()
        .expect("the plan names no next release")
        .clone();
    // A number that no real candidate reaches.
    let candidate = next.candidate(9999).unwrap().to_string();
    let after = recorded(PLAN, &candidate, "beta");
    let (removed, added): (Vec<_>, Vec<_>) = {
        let shown = changes(PLAN, &after);
        let lines: Vec<String> = shown.lines().map(str::to_owned).collect();
        lines.into_iter().partition(|line| line.starts_with('-'))
    };
    assert_eq!(removed.len(), 1, "{removed:?}");
    assert!(removed[0].starts_with("-- **Status**: "), "{removed:?}");
    assert_eq!(added.len(), 2, "{added:?}");
    assert!(
        added[0].starts_with(&format!("+  - v{candidate}: 2026-11-21, beta, commit `")),
        "{added:?}"
    );
    assert_eq!(
        added[1],
        format!("+- **Status**: v{candidate} published to beta on 2026-11-21")
    );

    let released = recorded(&after, &next.to_string(), "stable");
    assert_ne!(Todo::parse(&released).unwrap().next_release(), Some(&next));
}
