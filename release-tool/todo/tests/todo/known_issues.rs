//! What a plan says about what does not work.

use crate::{PLAN, Release, v};
use vrel_todo::Todo;

/// Text and workaround of the issues that the notes of a release would list.
fn issues_of(plan: &str, version: &str) -> Vec<(String, Option<String>)> {
    let todo = Todo::parse(plan).unwrap();
    let issues = todo.known_issues_of(&v(version)).into_iter();
    issues
        .map(|issue| (issue.text.clone(), issue.workaround.clone()))
        .collect()
}

fn issue(text: &str, workaround: Option<&str>) -> (String, Option<String>) {
    (text.to_owned(), workaround.map(str::to_owned))
}

#[test]
fn known_issues_belong_to_a_release_or_to_all() {
    let plan = format!(
        "{PLAN}\n## Known issues\n\nProse is for people.\n\n- **v0.6.0**: the clock drifts (#9). Workaround: set it\n  by hand.\n\
         - [ ] slow\n  - **Workaround:** wait\n- [x] **v0.6.0**: solved\n- **v0.7.0**: later; no workaround: yet\n\
         - noworkaround: word\n- empty. Workaround:\n"
    );
    let every = [
        issue("slow", Some("wait")),
        issue("noworkaround: word", None),
        issue("empty.", None),
    ];
    let of_all = |first: Vec<_>, at: usize| {
        let mut all = every.to_vec();
        all.splice(at..at, first);
        all
    };
    let drift = issue("the clock drifts (#9).", Some("set it by hand."));
    assert_eq!(issues_of(&plan, "0.6.0-rc2"), of_all(vec![drift.clone()], 0));
    assert_eq!(issues_of(&plan, "0.6.0"), of_all(vec![drift], 0));
    let later = issue("later; no", Some("yet"));
    assert_eq!(issues_of(&plan, "0.7.0"), of_all(vec![later], 1));
    assert_eq!(issues_of(&plan, "0.8.0"), every);
}

#[test]
fn a_plan_may_know_of_none() {
    assert_eq!(issues_of(PLAN, "0.6.0"), []);
    assert_eq!(
        issues_of(&format!("{PLAN}\n## Known issues\n\n- None.\n"), "0.6.0"),
        []
    );
}

#[test]
fn a_known_issue_of_a_range_or_of_half_a_version_is_refused() {
    for wrong in ["**v0.6**: x", "**v0.5.0** to **v0.5.7**: x"] {
        let error = Todo::parse(&format!("{PLAN}\n## Known issues\n\n- {wrong}\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 32: expected one final version X.Y.Z or none, found `- {wrong}`")
        );
    }
}

#[test]
fn an_issue_says_what_does_not_work() {
    for wrong in ["Workaround: wait", "**v0.6.0**:", "[ ]"] {
        let error = Todo::parse(&format!("{PLAN}\n## Known issues\n\n- {wrong}\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 32: expected what does not work, found `- {wrong}`")
        );
    }
}

#[test]
fn prose_right_below_a_field_survives_a_release() {
    let plan = PLAN.replace(
        "- **Status**: in development\n",
        "- **Status**: in development,\n  slowly\nIts goals are above.\n",
    );
    let after = Release::new("0.6.0-rc1", "beta").record_in(&plan).unwrap();
    assert!(
        after.contains("- **Status**: v0.6.0-rc1 published to beta on 2026-11-21\nIts goals are above.\n"),
        "{after}"
    );
}
