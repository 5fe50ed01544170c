//! Edits of a plan by the tool, one by one.

use crate::{PLAN, changes, v};
use vrel_todo::{EditError, PlanBox, Planned, Todo, Wanted};

const KNOWN: &str = "\n## Known issues\n\n- **v0.6.0**: no sound. Workaround: hum\n";

fn plan() -> String {
    format!("{PLAN}{KNOWN}")
}

/// What a change of [`plan`] is, as a diff; made a second time it must be nothing.
fn changed(edit: impl Fn(&Todo) -> Result<String, EditError>) -> String {
    let before = plan();
    let after = edit(&Todo::parse(&before).unwrap()).unwrap();
    assert_eq!(
        edit(&Todo::parse(&after).unwrap()).unwrap(),
        after,
        "a second time"
    );
    changes(&before, &after)
}

fn wanted(text: &str) -> Wanted {
    text.parse().unwrap()
}

fn tick(todo: &Todo, text: &str, ticked: bool) -> Result<String, EditError> {
    todo.tick(&wanted(text), |_| true, ticked).map(|(_, text)| text)
}

#[test]
fn a_box_is_ticked_by_its_words_or_line() {
    assert_eq!(
        changed(|todo| tick(todo, "wayland", true)),
        "-  - [ ] Wayland\n+  - [x] Wayland\n"
    );
    assert_eq!(
        changed(|todo| tick(todo, "line 7", false)),
        "-  - [x] vpkg\n+  - [ ] vpkg\n"
    );
    assert_eq!(
        changed(|todo| tick(todo, "mirrors", true)),
        "-- [ ] mirrors are in sync\n+- [x] mirrors are in sync\n"
    );
    assert_eq!(changed(|todo| tick(todo, "vpkg", true)), "");
}

#[test]
fn several_that_fit_are_listed() {
    let todo = Todo::parse(PLAN).unwrap();
    let error = tick(&todo, "s", true).unwrap_err();
    let lines: Vec<usize> = error.choices().iter().map(|found| found.line).collect();
    assert_eq!(lines, [10, 27], "{error:?}");
    let goals = |found: &PlanBox| matches!(found.place, vrel_todo::Place::Goal(_));
    let (chosen, _) = todo.tick(&wanted("s"), goals, true).unwrap();
    assert_eq!((chosen.line, chosen.text.as_str()), (10, "surfaces"));
    let error = tick(&todo, "nothing like it", true).unwrap_err();
    assert_eq!(error.choices().len(), todo.boxes().len());
}

#[test]
fn a_goal_goes_behind_the_last_one() {
    assert_eq!(
        changed(|todo| todo.add_goal(&v("0.6.0"), "desktop")),
        "+  - [ ] desktop\n"
    );
    let after = Todo::parse(PLAN)
        .unwrap()
        .add_goal(&v("0.6.0"), "desktop")
        .unwrap();
    assert!(after.contains("    - [ ] surfaces\n  - [ ] desktop\n"), "{after}");
    assert_eq!(
        changed(|todo| todo.add_goal(&v("0.7.0"), "network")),
        "+  - [ ] network\n"
    );
    for (version, hint) in [("0.5.3", "open release"), ("0.9.0", "vrel todo plan 0.9.0")] {
        let error = Todo::parse(PLAN).unwrap().add_goal(&v(version), "x").unwrap_err();
        assert!(error.hint().contains(hint), "{error}: {}", error.hint());
    }
}

#[test]
fn a_goal_stands_before_what_was_published() {
    let plan = PLAN.replace(
        "- [ ] **v0.7.0** (2026 Q4)\n",
        "- [ ] **v0.7.0** (2026 Q4)\n  - v0.7.0-rc1: 2026-11-21, beta, commit `0123456789ab`, [notes](n)\n",
    );
    let after = Todo::parse(&plan)
        .unwrap()
        .add_goal(&v("0.7.0"), "network")
        .unwrap();
    assert!(
        after.contains("(2026 Q4)\n  - [ ] network\n  - v0.7.0-rc1: "),
        "{after}"
    );
}

#[test]
fn blocking_issues_come_and_go() {
    assert_eq!(
        changed(|todo| todo.add_blocking(Some(&v("0.6.0-rc2")), "it burns")),
        "+- [ ] **v0.6.0**: it burns\n"
    );
    let todo = Todo::parse(PLAN).unwrap();
    let (_, after) = todo.remove_blocking(&wanted("no licence")).unwrap();
    assert_eq!(changes(PLAN, &after), "-- [ ] no licence\n");
    let todo = Todo::parse(&after).unwrap();
    let error = todo.remove_blocking(&wanted("no licence")).unwrap_err();
    assert!(matches!(error, EditError::NoMatch { .. }), "{error}");
}

#[test]
fn the_last_blocking_issue_leaves_none() {
    let plan = PLAN.replace("- [x] **v0.6.0**: solved\n- [ ] no licence\n", "  - seen twice");
    let todo = Todo::parse(&plan).unwrap();
    let (gone, after) = todo.remove_blocking(&wanted("the loader")).unwrap();
    assert_eq!(gone.text, "the loader hangs (#12)");
    assert!(after.ends_with("## Blocking issues\n\n- None"), "{after}");
    let todo = Todo::parse(&after).unwrap();
    let after = todo.add_blocking(None, "no **name**").unwrap();
    assert!(
        after.ends_with("## Blocking issues\n\n- [ ] no **name**"),
        "{after}"
    );
}

#[test]
fn known_issues_come_and_are_fixed() {
    assert_eq!(
        changed(|todo| todo.add_known(Some(&v("0.6.0")), "no light", Some("a candle"))),
        "+- **v0.6.0**: no light. Workaround: a candle\n"
    );
    assert_eq!(
        changed(|todo| todo.add_known(None, "no heat", None)),
        "+- no heat\n"
    );
    assert_eq!(
        changed(|todo| todo.fix_known(&wanted("no sound")).map(|(_, text)| text)),
        "-- **v0.6.0**: no sound. Workaround: hum\n+- [x] **v0.6.0**: no sound. Workaround: hum\n"
    );
    let other = Todo::parse(&plan())
        .unwrap()
        .add_known(Some(&v("0.6.0")), "no sound.", Some("sing"));
    assert!(
        matches!(other, Err(EditError::OtherWorkaround { line: 32, .. })),
        "{other:?}"
    );
    let missing = Todo::parse(PLAN).unwrap().add_known(None, "x", None).unwrap_err();
    assert!(missing.to_string().contains("## Known issues"), "{missing}");
}

#[test]
fn a_release_is_planned_in_the_order_of_versions() {
    let planned = |when, title| Planned {
        when: Some(when),
        title,
    };
    assert_eq!(
        changed(|todo| todo.plan_release(&v("0.6.1"), &planned("2026-12", None))),
        "+- [ ] **v0.6.1** (2026-12)\n"
    );
    let after = Todo::parse(PLAN)
        .unwrap()
        .plan_release(&v("0.8.0"), &planned("2027 Q1", Some("Speed")))
        .unwrap();
    assert!(
        after.contains("- [ ] **v0.7.0** (2026 Q4)\n- [ ] **v0.8.0** (2027 Q1): Speed\n\n"),
        "{after}"
    );
}

#[test]
fn a_release_is_planned_anew() {
    let later = Planned {
        when: Some("2027 Q1"),
        title: Some("Desktop, at last"),
    };
    assert_eq!(
        changed(|todo| todo.plan_release(&v("0.6.0"), &later)),
        "-- [ ] **v0.6.0** (2026 Q3): Desktop\n+- [ ] **v0.6.0** (2027 Q1): Desktop, at last\n\
         -- **Planned for**: 2026 Q3\n+- **Planned for**: 2027 Q1\n"
    );
    assert_eq!(
        changed(|todo| todo.plan_release(
            &v("0.7.0"),
            &Planned {
                when: None,
                title: Some("Network")
            }
        )),
        "-- [ ] **v0.7.0** (2026 Q4)\n+- [ ] **v0.7.0** (2026 Q4): Network\n"
    );
    for (version, when) in [
        ("0.5.2", "2027"),
        ("0.6.0", "soon"),
        ("0.6.0", "2027)"),
        ("0.6.0-rc1", "2027"),
    ] {
        let planned = Planned {
            when: Some(when),
            title: None,
        };
        let refused = Todo::parse(PLAN).unwrap().plan_release(&v(version), &planned);
        assert!(refused.is_err(), "{version} {when}: {refused:?}");
    }
}

#[test]
fn what_cannot_stand_in_a_line_is_refused() {
    let todo = Todo::parse(PLAN).unwrap();
    for text in ["", "  ", "a\nb", "```", "<!-- x", "a\u{7}"] {
        let error = todo.add_goal(&v("0.6.0"), text).unwrap_err();
        assert!(
            error.to_string().starts_with("the goal: expected one line"),
            "{error}"
        );
    }
    // Without a release of its own, the text would name one.
    let error = todo.add_blocking(None, "v0.7.0 breaks").unwrap_err();
    assert!(error.to_string().contains("means nothing else"), "{error}");
}
