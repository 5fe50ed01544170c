//! For any plan and any edit by the tool: the second time changes nothing, the first time changes only the lines that it
//! names, and reading afterwards gives what was written.

use crate::properties::shapes;
use proptest::prelude::*;
use vrel_model::Version;
use vrel_todo::{EditError, PlanBox, Planned, Todo, Wanted};

const REAL: &str = include_str!("../../../../RELEASE_TODO.md");

#[derive(Debug, Clone)]
enum Edit {
    Tick(prop::sample::Index, bool),
    AddGoal(Version, String),
    AddBlocking(Option<Version>, String),
    RemoveBlocking(prop::sample::Index),
    AddKnown(Option<Version>, String, Option<String>),
    FixKnown(prop::sample::Index),
    Plan(Version, &'static str, Option<String>),
}

/// Texts as people write them, and such as could be taken for something else.
fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{2,8}( [a-zé]{2,8}){0,3}",
        "[ -~é\u{a0}]{1,24}",
        prop::sample::select(vec![
            "[x] done",
            "- nested",
            "# heading",
            "**v0.3.0**: x",
            "> quote",
            "| a |",
            "Workaround: none",
            "None.",
            "1. x",
            "a  b\tc"
        ])
        .prop_map(str::to_owned),
    ]
}

fn versions() -> impl Strategy<Value = Version> {
    (0u64..9, 0u64..3).prop_map(|(minor, patch)| Version::new(0, minor, patch))
}

fn edits() -> impl Strategy<Value = Edit> {
    let times = || prop::sample::select(vec!["2027 Q1", "2027-03-04", "after 2028 Q1", "later", "2027-05"]);
    prop_oneof![
        (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(at, ticked)| Edit::Tick(at, ticked)),
        (versions(), texts()).prop_map(|(version, text)| Edit::AddGoal(version, text)),
        (prop::option::of(versions()), texts()).prop_map(|(version, text)| Edit::AddBlocking(version, text)),
        any::<prop::sample::Index>().prop_map(Edit::RemoveBlocking),
        (prop::option::of(versions()), texts(), prop::option::of(texts()))
            .prop_map(|(version, text, workaround)| Edit::AddKnown(version, text, workaround)),
        any::<prop::sample::Index>().prop_map(Edit::FixKnown),
        (versions(), times(), prop::option::of(texts()))
            .prop_map(|(version, when, title)| Edit::Plan(version, when, title)),
    ]
}

/// The text of some line, to name it by; `None` when there is none.
fn named(at: prop::sample::Index, texts: Vec<String>) -> Option<Wanted> {
    (!texts.is_empty()).then(|| Wanted::Text(texts[at.index(texts.len())].clone()))
}

fn box_texts(todo: &Todo, among: impl Fn(&PlanBox) -> bool) -> Vec<String> {
    todo.boxes()
        .into_iter()
        .filter(among)
        .map(|found| found.text)
        .collect()
}

fn is_blocking(found: &PlanBox) -> bool {
    matches!(found.place, vrel_todo::Place::Blocking(_))
}

/// An edit that names its lines by words, so that it means the same when it is made again.
type Made = Box<dyn Fn(&Todo) -> Result<String, EditError>>;

fn made(todo: &Todo, edit: &Edit) -> Option<Made> {
    let edit = edit.clone();
    Some(match edit {
        Edit::Tick(at, ticked) => {
            let wanted = named(at, box_texts(todo, |_| true))?;
            Box::new(move |todo| todo.tick(&wanted, |_| true, ticked).map(|(_, text)| text))
        }
        Edit::RemoveBlocking(at) => {
            let wanted = named(at, box_texts(todo, is_blocking))?;
            Box::new(move |todo| todo.remove_blocking(&wanted).map(|(_, text)| text))
        }
        Edit::FixKnown(at) => {
            let version: Version = "9.9.9".parse().unwrap();
            let known = todo.known_issues_of(&version);
            let wanted = named(at, known.iter().map(|issue| issue.text.clone()).collect())?;
            Box::new(move |todo| todo.fix_known(&wanted).map(|(_, text)| text))
        }
        Edit::AddGoal(version, text) => Box::new(move |todo| todo.add_goal(&version, &text)),
        Edit::AddBlocking(version, text) => Box::new(move |todo| todo.add_blocking(version.as_ref(), &text)),
        Edit::AddKnown(version, text, workaround) => {
            Box::new(move |todo| todo.add_known(version.as_ref(), &text, workaround.as_deref()))
        }
        Edit::Plan(version, when, title) => Box::new(move |todo| {
            todo.plan_release(
                &version,
                &Planned {
                    when: Some(when),
                    title: title.as_deref(),
                },
            )
        }),
    })
}

/// The bytes in the middle that differ.
fn middle<'t>(before: &'t str, after: &'t str) -> (&'t str, &'t str) {
    let common = |(a, b): &(u8, u8)| a == b;
    let start = before.bytes().zip(after.bytes()).take_while(common).count();
    let (old, new) = (&before.as_bytes()[start..], &after.as_bytes()[start..]);
    let end = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
    (text(&old[..old.len() - end]), text(&new[..new.len() - end]))
}

/// Whether an edit may have changed a plan like this.
fn only_the_named_lines(edit: &Edit, before: &str, after: &str) -> Result<(), TestCaseError> {
    let (old, new) = middle(before, after);
    match edit {
        Edit::Tick(..) => prop_assert!(old.len() <= 1 && new.len() <= 1, "{:?} became {:?}", old, new),
        Edit::FixKnown(_) => prop_assert!(new.contains('x') && new.len() <= 4, "{:?} became {:?}", old, new),
        // Lines only come; `- None` is the one that an issue may stand in the place of.
        Edit::AddGoal(..) => prop_assert_eq!(old, ""),
        Edit::AddBlocking(..) | Edit::AddKnown(..) => {
            prop_assert!("None.".contains(old), "{:?} became {:?}", old, new);
        }
        Edit::RemoveBlocking(_) => prop_assert!(
            "- None+*\r\n".contains(new) || new == "None",
            "{:?} became {:?}",
            old,
            new
        ),
        Edit::Plan(version, ..) => {
            let tag = format!("**{}**", version.tag());
            let known = |line: &&str| line.contains(&tag) || line.starts_with("- **Planned for**");
            let rest = |text: &str| -> Vec<String> {
                text.split_inclusive('\n')
                    .filter(|line| !known(line))
                    .map(str::to_owned)
                    .collect()
            };
            // A last line may get a newline, because it is the last one no more.
            let (old, new) = (rest(before).concat(), rest(after).concat());
            prop_assert_eq!(old.trim_end(), new.trim_end());
        }
    }
    Ok(())
}

/// Makes an edit, if the plan takes it, and looks at the result.
fn make(before: &str, edit: &Edit) -> Result<String, TestCaseError> {
    let todo = Todo::parse(before).unwrap();
    let Some(made) = made(&todo, edit) else {
        return Ok(before.to_owned());
    };
    let after = match made(&todo) {
        Ok(after) => after,
        Err(error) => {
            prop_assert!(!error.to_string().is_empty() && !error.hint().is_empty());
            return Ok(before.to_owned());
        }
    };
    if after == before {
        return Ok(after);
    }
    only_the_named_lines(edit, before, &after)?;
    prop_assert_eq!(before.ends_with('\n'), after.ends_with('\n'));
    let unified = |text: &str| text.contains('\n') && !text.replace("\r\n", "").contains('\n');
    prop_assert!(!unified(before) || unified(&after), "line endings of {:?}", after);
    let again = made(&Todo::parse(&after).unwrap());
    match again {
        Ok(again) => prop_assert_eq!(&again, &after),
        // What was removed is not there a second time.
        Err(error) => prop_assert!(
            matches!(
                (edit, &error),
                (
                    Edit::RemoveBlocking(_),
                    EditError::NoMatch { .. } | EditError::Ambiguous { .. }
                )
            ),
            "{}",
            error
        ),
    }
    Ok(after)
}

proptest! {
    #[test]
    fn an_edit_changes_only_what_it_names_and_that_once(shape in shapes(), edits in prop::collection::vec(edits(), 1..6)) {
        let mut plan = shape.text();
        for edit in &edits {
            plan = make(&plan, edit)?;
        }
    }

    #[test]
    fn so_it_is_with_this_repositorys_plan(edits in prop::collection::vec(edits(), 1..6)) {
        let mut plan = REAL.to_owned();
        for edit in &edits {
            plan = make(&plan, edit)?;
        }
    }

    #[test]
    fn a_calendar_is_brought_in_line_once_and_the_rest_stays(shape in shapes(), version in versions()) {
        let plan = shape.text();
        let todo = Todo::parse(&plan).unwrap();
        let planned = Planned { when: Some("2031 Q1"), title: Some("a | b") };
        let plan = todo.plan_release(&version, &planned).unwrap_or(plan);
        let todo = Todo::parse(&plan).unwrap();
        match todo.update_calendar() {
            Err(error) => prop_assert!(!plan.contains("## Calendar"), "{}", error),
            Ok(after) => {
                let done = Todo::parse(&after).unwrap();
                prop_assert_eq!(done.calendar_drift(), []);
                prop_assert_eq!(&done.update_calendar().unwrap(), &after);
                // Rows of the table are the only lines that change.
                let rest = |text: &str| -> String {
                    text.split_inclusive('\n').filter(|line| !line.starts_with('|')).collect()
                };
                prop_assert_eq!(rest(&plan), rest(&after));
                prop_assert_eq!(plan.ends_with('\n'), after.ends_with('\n'));
            }
        }
    }

    #[test]
    fn what_is_written_is_read(shape in shapes(), version in versions(), text in "[a-z]{2,8}( [a-zé]{2,8}){0,3}") {
        let plan = shape.text();
        let todo = Todo::parse(&plan).unwrap();
        let issue = format!("zz {text}");
        let after = Todo::parse(&todo.add_blocking(Some(&version), &issue).unwrap()).unwrap();
        prop_assert!(after.blockers_of(&version).iter().any(|found| found.text == issue));
        let planned = Planned { when: Some("2027 Q1"), title: Some(&issue) };
        if let Ok(planned) = todo.plan_release(&version, &planned) {
            let planned = Todo::parse(&planned).unwrap();
            let entry = planned.roadmap().find(|entry| entry.version == version).unwrap();
            prop_assert_eq!((entry.when.as_deref(), &entry.title), (Some("2027 Q1"), &issue));
            let goals = planned.add_goal(&version, &issue).unwrap();
            let goals = Todo::parse(&goals).unwrap();
            let entry = goals.roadmap().find(|entry| entry.version == version).unwrap();
            prop_assert!(entry.goals.iter().any(|goal| goal.text == issue && !goal.done));
        } else {
            let out = todo.roadmap().find(|entry| entry.version == version).unwrap();
            prop_assert!(out.released);
        }
    }
}
