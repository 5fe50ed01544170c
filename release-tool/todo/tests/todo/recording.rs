//! What a release changes in a plan, and what it leaves.

use crate::{COMMIT, PLAN, Release, changes, recorded, v};
use vrel_todo::{Todo, TodoError};

#[test]
fn a_candidate_is_listed_and_is_the_status() {
    let after = recorded(PLAN, "0.6.0-rc1", "beta");
    let expected = "\
+  - v0.6.0-rc1: 2026-11-21, beta, commit `0123456789ab`, [notes](n)
-- **Status**: in development
+- **Status**: v0.6.0-rc1 published to beta on 2026-11-21
";
    assert_eq!(changes(PLAN, &after), expected);
    assert!(after.contains("surfaces\n  - v0.6.0-rc1:"), "{after}");
}

#[test]
fn candidates_stand_in_order_and_the_latest_is_the_status() {
    let first = recorded(PLAN, "0.6.0-rc10", "beta");
    let second = recorded(&first, "0.6.0-rc2", "beta");
    assert_eq!(
        changes(&first, &second),
        "+  - v0.6.0-rc2: 2026-11-21, beta, commit `0123456789ab`, [notes](n)\n"
    );
    let at = |text: &str| second.find(text).unwrap();
    assert!(at("- v0.6.0-rc2:") < at("- v0.6.0-rc10:"));
    assert!(second.contains("- **Status**: v0.6.0-rc10 published"));
    let third = recorded(&second, "0.6.0-rc11", "beta");
    assert!(third.find("- v0.6.0-rc11:").unwrap() > third.find("- v0.6.0-rc10:").unwrap());
}

#[test]
fn what_people_write_after_a_candidate_stays() {
    let once = recorded(PLAN, "0.6.0-rc1", "beta");
    let edited = once
        .replace(
            "- **Status**: v0.6.0-rc1 published to beta on 2026-11-21",
            "- **Status**: testing; final on Friday",
        )
        .replace("[notes](n)", "[notes](n): nobody could boot it");
    assert_eq!(recorded(&edited, "0.6.0-rc1", "beta"), edited);
}

#[test]
fn a_final_release_is_ticked_and_dated_and_the_next_one_follows() {
    let after = recorded(PLAN, "0.6.0", "stable");
    let expected = "\
-- [ ] **v0.6.0** (2026 Q3): Desktop
+- [x] **v0.6.0** (2026-11-21): Desktop
+  - v0.6.0: 2026-11-21, stable, commit `0123456789ab`, [notes](n)
-- [x] tests pass
+- [ ] tests pass
-- **Version**: v0.6.0
-- **Planned for**: 2026 Q3
-- **Status**: in development
+- **Version**: v0.7.0
+- **Planned for**: 2026 Q4
+- **Status**: planned
";
    assert_eq!(changes(PLAN, &after), expected);
    assert_eq!(Todo::parse(&after).unwrap().next_release(), Some(&v("0.7.0")));
}

#[test]
fn the_last_planned_release_leaves_none() {
    let plan = recorded(PLAN, "0.6.0", "stable");
    let after = recorded(&plan, "0.7.0", "stable");
    assert_eq!(Todo::parse(&after).unwrap().next_release(), None);
    assert!(
        after.contains(
            "- **Version**: none\n- **Planned for**: to be decided\n- **Status**: nothing planned\n"
        )
    );
}

#[test]
fn ticks_that_a_person_gave_for_the_release_after_stay_when_it_is_recorded_again() {
    let after = recorded(PLAN, "0.6.0", "stable").replace("- [ ] mirrors", "- [x] mirrors");
    assert_eq!(recorded(&after, "0.6.0", "stable"), after);
}

#[test]
fn another_channel_adds_a_line_and_nothing_else() {
    let stable = recorded(PLAN, "0.6.0", "stable");
    let lts = recorded(&stable, "0.6.0", "lts");
    assert_eq!(
        changes(&stable, &lts),
        "+  - v0.6.0: 2026-11-21, lts, commit `0123456789ab`, [notes](n)\n"
    );
}

#[test]
fn releases_that_nobody_planned_get_an_entry_in_their_place() {
    let plan = recorded(PLAN, "0.6.0", "stable");
    assert_eq!(
        changes(&plan, &recorded(&plan, "0.6.1", "stable")),
        "+- [x] **v0.6.1** (2026-11-21)\n+  - v0.6.1: 2026-11-21, stable, commit `0123456789ab`, [notes](n)\n"
    );
    let candidate = recorded(&plan, "0.6.1-rc1", "beta");
    assert_eq!(
        changes(&plan, &candidate),
        "+- [ ] **v0.6.1**\n+  - v0.6.1-rc1: 2026-11-21, beta, commit `0123456789ab`, [notes](n)\n"
    );
    let todo = Todo::parse(&candidate).unwrap();
    let versions: Vec<_> = todo.roadmap().map(|entry| entry.version.to_string()).collect();
    assert_eq!(versions, ["0.5.0", "0.6.0", "0.6.1", "0.7.0"]);
    assert!(recorded(&candidate, "0.6.1", "stable").contains("\n- [x] **v0.6.1** (2026-11-21)\n"));

    let older = recorded(PLAN, "0.4.0", "stable");
    assert!(
        older.contains("## Roadmap\n\n- [x] **v0.4.0** (2026-11-21)\n  - v0.4.0: "),
        "{older}"
    );
}

#[test]
fn a_release_of_a_range_is_listed_without_touching_the_range() {
    let after = recorded(PLAN, "0.5.7", "lts");
    assert_eq!(
        changes(PLAN, &after),
        "+  - v0.5.7: 2026-11-21, lts, commit `0123456789ab`, [notes](n)\n"
    );
}

#[test]
fn an_entry_without_a_time_gets_the_date_and_a_dated_one_keeps_its_own() {
    let plan = PLAN.replace("**v0.6.0** (2026 Q3): Desktop", "**v0.6.0**: Desktop");
    assert!(recorded(&plan, "0.6.0", "stable").contains("- [x] **v0.6.0** (2026-11-21): Desktop\n"));
    let plan = PLAN.replace("- [ ] **v0.6.0** (2026 Q3)", "- [X] **v0.6.0** (yesterday)");
    assert!(recorded(&plan, "0.6.0", "stable").contains("- [X] **v0.6.0** (yesterday): Desktop\n"));
}

#[test]
fn nightly_builds_are_not_the_plans_matter() {
    assert_eq!(recorded(PLAN, "0.6.0-nightly.20261121", "nightly"), PLAN);
}

#[test]
fn the_text_keeps_its_line_endings_bullets_and_indentation() {
    let plan = PLAN
        .replace("- [ ] **v0.6.0** (2026 Q3)", "*   [ ] **v0.6.0** (2026 Q3)")
        .replace(
            "  - [x] vpkg\n  - [ ] Wayland\n    compositor\n    - [ ] surfaces\n",
            "",
        )
        .replace(
            "- **Status**: in development",
            "- **Status**:   in\n  development  ",
        )
        .replace('\n', "\r\n");
    let after = recorded(&plan, "0.6.0-rc1", "beta");
    let expected = "\
+    * v0.6.0-rc1: 2026-11-21, beta, commit `0123456789ab`, [notes](n)\r
-- **Status**:   in\r
-  development  \r
+- **Status**:   v0.6.0-rc1 published to beta on 2026-11-21  \r
";
    assert_eq!(changes(&plan, &after), expected);
}

#[test]
fn a_text_without_a_last_newline_gets_none() {
    let plan = "## Next release\n- Version: v0.6.0\n- Status:\n## Blocking issues\n## Roadmap\n- [ ] v0.6.0";
    assert_eq!(
        recorded(plan, "0.6.0-rc1", "beta"),
        "## Next release\n- Version: v0.6.0\n- Status: v0.6.0-rc1 published to beta on 2026-11-21\n\
         ## Blocking issues\n## Roadmap\n- [ ] v0.6.0\n  - v0.6.0-rc1: 2026-11-21, beta, commit `0123456789ab`, [notes](n)"
    );
}

#[test]
fn links_survive_what_markdown_would_end_them_at() {
    let notes = "https://example.org/a (b)/<c>.md".to_owned();
    let release = Release {
        notes,
        ..Release::new("0.6.0-rc1", "beta")
    };
    let after = release.record_in(PLAN).unwrap();
    assert!(
        after.contains("[notes](https://example.org/a%20%28b%29/%3Cc%3E.md)\n"),
        "{after}"
    );
}

#[test]
fn another_commit_under_the_same_version_is_refused() {
    let once = recorded(PLAN, "0.6.0-rc1", "beta");
    let commit = COMMIT.replace('0', "f");
    for channel in ["beta", "lts"] {
        let release = Release {
            commit: commit.clone(),
            ..Release::new("0.6.0-rc1", channel)
        };
        let error = release.record_in(&once).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 11: expected 0.6.0-rc1 with commit {commit}, found it with commit 0123456789ab")
        );
        assert!(matches!(error, TodoError::OtherCommit { line: 11, .. }));
    }
}

#[test]
fn facts_that_cannot_stand_in_a_line_are_refused() {
    for commit in ["", "abc", "0123456789ABCDEF", "main", &"0".repeat(65)] {
        let release = Release {
            commit: commit.to_owned(),
            ..Release::new("0.6.0-rc1", "beta")
        };
        assert!(
            matches!(
                release.record_in(PLAN),
                Err(TodoError::Fact { fact: "commit", .. })
            ),
            "{commit}"
        );
    }
    for notes in ["", " ", "a\nb", "a\u{7f}"] {
        let release = Release {
            notes: notes.to_owned(),
            ..Release::new("0.6.0-rc1", "beta")
        };
        assert!(
            matches!(
                release.record_in(PLAN),
                Err(TodoError::Fact { fact: "notes", .. })
            ),
            "{notes:?}"
        );
    }
}
