//! Whether a plan agrees with itself and with tags, and bringing its calendar in line.

use crate::{PLAN, changes, v};
use vrel_todo::{EditError, Tagged, Todo, Weight, check};

const CALENDAR: &str = "\
\n## Calendar\n
| quarter | release | theme |
| --- | --- | --- |
| 2026 Q3 | v0.6.0 | desktop |
| 2026 Q4 | v0.7.0 | |

As planned.
";

/// The findings, as line, check and message.
fn findings(plan: &str, tags: &[(&str, &str)]) -> Vec<String> {
    let tagged = |(version, commit): &(&str, &str)| Tagged {
        version: v(version),
        commit: commit.repeat(40),
    };
    let tags: Vec<_> = tags.iter().map(tagged).collect();
    check(plan, &tags)
        .into_iter()
        .map(|found| {
            assert!(!found.hint.is_empty());
            let line = found.line.map_or("-".to_owned(), |line| line.to_string());
            let weight = if found.weight == Weight::Error { "E" } else { "W" };
            format!("{line} {weight} {}: {}", found.check, found.message)
        })
        .collect()
}

/// The findings of the plan with one text replaced by another.
fn with(old: &str, new: &str) -> Vec<String> {
    assert!(PLAN.contains(old), "{old}");
    findings(&PLAN.replacen(old, new, 1), &[])
}

#[test]
fn nothing_is_wrong_with_a_plan_that_is_right() {
    assert_eq!(findings(PLAN, &[]), [""; 0]);
    assert_eq!(findings(&format!("{PLAN}{CALENDAR}"), &[]), [""; 0]);
    assert_eq!(
        findings(include_str!("../../../../RELEASE_TODO.md"), &[]),
        [""; 0]
    );
}

#[test]
fn a_plan_that_cannot_be_read_has_one_finding() {
    assert_eq!(
        with("**v0.7.0** (2026 Q4)", "**v0.6.0**"),
        ["11 E structure: expected 0.6.0 once in the roadmap, found it again; the first is on line 6"]
    );
    assert_eq!(
        findings("# Plan\n", &[]),
        ["- E structure: expected a section `## Roadmap`, found none"]
    );
}

#[test]
fn times_that_cannot_be_are_found() {
    assert_eq!(
        with("(2026 Q4)", "(2026 Q2)"),
        ["11 E time-order: expected 0.7.0 after 0.6.0 (2026-07-01), found 2026-04-01"]
    );
    assert_eq!(
        with("(2026-02-21 to 2026-02-26)", "(in spring)")[0],
        "5 W times: 0.5.0: expected the day of the release, found `in spring`"
    );
    assert_eq!(with("(2026 Q4)", "(soon)").len(), 1);
    // A fix of an old line may well come after the next line's release.
    let fix = PLAN.replace(
        "- [ ] **v0.7.0** (2026 Q4)",
        "- [ ] **v0.6.1** (2027 Q3)\n- [ ] **v0.7.0** (2026 Q4)",
    );
    assert_eq!(findings(&fix, &[]), [""; 0]);
    assert_eq!(
        with("- [ ] **v0.7.0** (2026 Q4)", "- [ ] **v0.5.9** (2026-03-01)"),
        [
            "11 W order: expected 0.5.9 before 0.6.0, found it behind",
            "20 W next-release: expected 0.5.9 first, found 0.6.0"
        ]
    );
}

#[test]
fn the_next_release_must_be_open_and_planned() {
    assert_eq!(
        with("- **Version**: v0.6.0", "- **Version**: v0.8.0"),
        ["20 E next-release: expected the next release 0.8.0 on the roadmap, found no entry"]
    );
    assert_eq!(
        with("- **Version**: v0.6.0", "- **Version**: v0.5.2"),
        ["20 E next-release: expected a release that is still open, found 0.5.2, ticked on line 5"]
    );
    assert_eq!(
        with("- **Version**: v0.6.0", "- **Version**: none"),
        ["20 W next-release: expected the next release, found none; 0.6.0 is open"]
    );
    assert_eq!(
        with("- **Planned for**: 2026 Q3", "- **Planned for**: 2026 Q4"),
        ["21 W next-release: expected `2026 Q3` as on line 6, found `2026 Q4`"]
    );
}

#[test]
fn issues_and_goals_fit_their_releases() {
    assert_eq!(
        with("- [ ] **v0.6.0**: the loader", "- [ ] **v0.9.0**: the loader"),
        ["26 E issues: expected a release of the roadmap, found 0.9.0"]
    );
    assert_eq!(
        with("- [ ] **v0.6.0**: the loader", "- [ ] **v0.5.1**: the loader"),
        ["26 W issues: expected a release that is still open, found 0.5.1, which is out"]
    );
    let done = with("Performance\n", "Performance\n  - [ ] left over\n");
    assert_eq!(
        done,
        ["6 W goals: expected every goal of 0.5.0 reached, found `left over` open"]
    );
}

#[test]
fn tags_tell_what_is_out() {
    assert_eq!(
        findings(PLAN, &[("0.6.0", "a")]),
        ["6 E tags: expected 0.6.0 ticked, because its tag is there; found it open"]
    );
    // Before the first tag there were none.
    let ticked = PLAN.replace("- [ ] **v0.7.0** (2026 Q4)", "- [x] **v0.7.0** (2026-12-01)");
    assert_eq!(findings(&ticked, &[]), [""; 0]);
    assert_eq!(
        findings(&ticked, &[("0.5.7", "a")]),
        ["11 E tags: expected the tag v0.7.0 of a release that is ticked, found none"]
    );
    let line =
        "- [ ] **v0.7.0** (2026 Q4)\n  - v0.7.0-rc1: 2026-11-21, beta, commit `aaaaaaaaaaaa`, [notes](n)";
    let recorded = PLAN.replace("- [ ] **v0.7.0** (2026 Q4)", line);
    assert_eq!(findings(&recorded, &[("0.7.0-rc1", "a")]), [""; 0]);
    assert_eq!(
        findings(&recorded, &[("0.7.0-rc1", "b")]),
        ["12 E tags: expected the commit bbbbbbbbbbbb of v0.7.0-rc1, found aaaaaaaaaaaa"]
    );
    assert_eq!(
        findings(&recorded, &[]),
        ["12 E tags: expected the tag v0.7.0-rc1, found none"]
    );
}

#[test]
fn the_calendar_follows_the_roadmap() {
    let plan = format!("{PLAN}{CALENDAR}")
        .replace("**v0.6.0** (2026 Q3)", "**v0.6.0** (2026 Q2)")
        .replace("- **Planned for**: 2026 Q3", "- **Planned for**: 2026 Q2")
        .replace(
            "- [ ] **v0.7.0** (2026 Q4)\n",
            "- [ ] **v0.7.0** (2026 Q4): Network | more\n- [ ] **v0.8.0**\n",
        )
        .replace(
            "| 2026 Q4 | v0.7.0 | |",
            "| 2026 Q4 | v0.7.0 ||\n| 2027 | v0.7.1 | gone |\r\n| 2026 Q1 | v0.5.0 | was |",
        );
    let drift = findings(&plan, &[]);
    assert_eq!(
        drift,
        [
            "33 W calendar: expected a row for 0.8.0 in the calendar, found none",
            "35 W calendar: 0.6.0: expected `2026 Q2` as on the roadmap, found `2026 Q3`",
            "36 W calendar: 0.7.0: expected `Network | more` as on the roadmap, found ``",
            "37 W calendar: expected a release of the roadmap, found 0.7.1",
        ]
    );
    let after = Todo::parse(&plan).unwrap().update_calendar().unwrap();
    assert_eq!(
        changes(&plan, &after),
        "-| 2026 Q3 | v0.6.0 | desktop |\n-| 2026 Q4 | v0.7.0 ||\n-| 2027 | v0.7.1 | gone |\r\n\
         +| 2026 Q2 | v0.6.0 | desktop |\n+| 2026 Q4 | v0.7.0 | Network \\| more |\n+| later | v0.8.0 | |\r\n"
    );
    assert_eq!(findings(&after, &[]), [""; 0]);
    assert_eq!(Todo::parse(&after).unwrap().update_calendar().unwrap(), after);
}

#[test]
fn a_plan_without_a_calendar_cannot_be_brought_in_line() {
    for plan in [PLAN.to_owned(), format!("{PLAN}\n## Calendar\n\nNone yet.\n")] {
        let refused = Todo::parse(&plan).unwrap().update_calendar();
        assert!(
            matches!(refused, Err(EditError::NoSection { table: true, .. })),
            "{refused:?}"
        );
    }
}
