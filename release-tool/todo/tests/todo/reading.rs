//! What a plan says, and what is said about one that is wrong.

use crate::{PLAN, v};
use vrel_todo::{Todo, TodoError};

fn error(plan: &str) -> TodoError {
    let error = Todo::parse(plan).unwrap_err();
    assert!(!error.hint().is_empty());
    error
}

fn message(plan: &str) -> String {
    error(plan).to_string()
}

#[test]
fn a_plan_names_the_next_release_its_goals_and_what_blocks() {
    let todo = Todo::parse(PLAN).unwrap();
    assert_eq!(todo.next_release(), Some(&v("0.6.0")));
    let goals: Vec<_> = todo
        .open_goals()
        .into_iter()
        .map(|goal| (goal.line, goal.text.as_str()))
        .collect();
    assert_eq!(goals, [(8, "Wayland compositor"), (10, "surfaces")]);
    let issues: Vec<_> = todo
        .blocking_issues()
        .iter()
        .map(|issue| (issue.line, issue.text.as_str()))
        .collect();
    assert_eq!(issues, [(26, "the loader hangs (#12)"), (28, "no licence")]);
}

#[test]
fn an_issue_stops_its_release_and_candidates_and_one_without_a_version_stops_all() {
    let todo = Todo::parse(PLAN).unwrap();
    let lines = |version| {
        todo.blockers_of(&v(version))
            .iter()
            .map(|issue| issue.line)
            .collect::<Vec<_>>()
    };
    assert_eq!(lines("0.6.0-rc1"), [26, 28]);
    assert_eq!(lines("0.6.0"), [26, 28]);
    assert_eq!(lines("0.6.1"), [28]);
}

#[test]
fn the_roadmap_lists_releases_and_ranges() {
    let todo = Todo::parse(PLAN).unwrap();
    let roadmap: Vec<_> = todo.roadmap().collect();
    let versions: Vec<_> = roadmap
        .iter()
        .map(|entry| (entry.version.clone(), entry.last.clone()))
        .collect();
    let expected = [("0.5.0", "0.5.7"), ("0.6.0", "0.6.0"), ("0.7.0", "0.7.0")];
    assert_eq!(versions, expected.map(|(first, last)| (v(first), v(last))));
    assert_eq!(roadmap[0].when.as_deref(), Some("2026-02-21 to 2026-02-26"));
    assert_eq!(
        roadmap.iter().map(|entry| entry.released).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(
        roadmap
            .iter()
            .map(|entry| entry.title.as_str())
            .collect::<Vec<_>>(),
        ["Performance", "Desktop", ""]
    );
    assert_eq!(
        roadmap.iter().map(|entry| entry.goals.len()).collect::<Vec<_>>(),
        [0, 3, 0]
    );
}

#[test]
fn people_write_the_same_in_many_ways() {
    let plan = PLAN
        .replace("## Next release", "##   next RELEASE ##")
        .replace("- **Version**: v0.6.0", "* **Version:**\t`0.6.0`, the desktop")
        .replace("- **Status**:", "+ status:")
        .replace("- [ ] **v0.6.0** (2026 Q3): Desktop", "* [ ] v0.6.0: Desktop")
        .replace("- [ ] no licence", "1. [ ] no\nlicence")
        .replace('\n', "\r\n");
    let todo = Todo::parse(&plan).unwrap();
    assert_eq!(todo.next_release(), Some(&v("0.6.0")));
    assert_eq!(todo.open_goals().len(), 2);
    assert_eq!(todo.blocking_issues()[1].text, "no licence");
}

#[test]
fn nothing_planned_and_nothing_blocking_are_fine() {
    let plan = PLAN.replace("- **Version**: v0.6.0", "- **Version**: none");
    let (head, _) = plan.split_once("- [ ] **v0.6.0**: the loader").unwrap();
    let todo = Todo::parse(&format!("{head}- None.\n")).unwrap();
    assert_eq!(todo.next_release(), None);
    assert!(todo.open_goals().is_empty());
    assert!(todo.blocking_issues().is_empty());
}

#[test]
fn code_and_comments_are_not_structure() {
    let plan = PLAN.replace(
        "## Roadmap\n",
        "```\n## Roadmap\n- [ ] **v0.6.0**\n```\n<!--\n## Next release\n-->\n## Roadmap\n\n    - [ ] **v0.6.0**\n\n",
    );
    assert_eq!(Todo::parse(&plan).unwrap().roadmap().count(), 3);
}

#[test]
fn missing_or_repeated_sections_are_named() {
    for section in ["Roadmap", "Next release", "Blocking issues"] {
        let heading = format!("## {section}\n");
        assert_eq!(
            message(&PLAN.replace(&heading, "## Other\n")),
            format!("expected a section `## {section}`, found none")
        );
        let twice = error(&format!("{heading}{PLAN}"));
        assert!(
            matches!(twice, TodoError::SecondSection { first: 1, .. }),
            "{twice:?}"
        );
    }
    assert_eq!(
        message(&format!("{PLAN}## Roadmap\n")),
        "line 29: expected one section `## Roadmap`, found a second one; the first is on line 3"
    );
    assert_eq!(error("").line(), None);
}

#[test]
fn fields_are_there_once() {
    assert_eq!(
        message(&PLAN.replace("**Status**", "**State**")),
        "line 18: expected `- **Status**: …` in this section, found none"
    );
    assert_eq!(
        message(&PLAN.replace("**Status**", "**Version**")),
        "line 22: expected one `- **Version**: …`, found a second one; the first is on line 20"
    );
    for (wrong, shown) in [
        ("v0.6", "v0.6"),
        ("0.6.0-rc1", "0.6.0-rc1"),
        ("", ""),
        ("soon", "soon"),
    ] {
        assert_eq!(
            message(&PLAN.replace("**Version**: v0.6.0", &format!("**Version**: {wrong}"))),
            format!("line 20: expected a final version or `none`, found `{shown}`")
        );
    }
}

#[test]
fn roadmap_entries_have_their_shape() {
    for (wrong, expected) in [
        (
            "- **v0.6.0** (2026 Q3): Desktop",
            "line 6: expected a box in front of the release, found `- **v0.6.0** (2026 Q3): Desktop`",
        ),
        (
            "- [ ] **v0.6**: Desktop",
            "line 6: expected final versions X.Y.Z, found `- [ ] **v0.6**: Desktop`",
        ),
        (
            "- [ ] **v0.5.3**: Desktop",
            "line 6: expected 0.5.3 once in the roadmap, found it again; the first is on line 5",
        ),
    ] {
        assert_eq!(
            message(&PLAN.replace("- [ ] **v0.6.0** (2026 Q3): Desktop", wrong)),
            expected
        );
    }
    let empty =
        "## Roadmap\n\nNothing.\n\n## Next release\n- Version: none\n- Status: idle\n## Blocking issues\n";
    assert_eq!(
        message(empty),
        "line 1: expected releases in this section, found none"
    );
    let remarks = PLAN.replace(
        "- [ ] **v0.7.0** (2026 Q4)",
        "- 2027 brings more\n- [ ] a box of no release",
    );
    assert_eq!(Todo::parse(&remarks).unwrap().roadmap().count(), 2);
}

#[test]
fn an_issue_that_might_block_is_never_passed_over() {
    for (wrong, expected) in [
        (
            "- no licence",
            "line 28: expected a box in front of the issue, found `- no licence`",
        ),
        (
            "- [ ] **v0.6**: x",
            "line 28: expected a final version X.Y.Z, found `- [ ] **v0.6**: x`",
        ),
        (
            "- [ ] v0.6.0 to v0.8.0: x",
            "line 28: expected one release, found `- [ ] v0.6.0 to v0.8.0: x`",
        ),
    ] {
        assert_eq!(message(&PLAN.replace("- [ ] no licence", wrong)), expected);
    }
}

#[test]
fn a_code_block_without_end_is_named_before_what_it_hides() {
    assert_eq!(
        message(&PLAN.replace("# Plan\n", "```\n")),
        "line 1: expected an end of the code block or comment that starts here, found none"
    );
}
