//! What comes next, and what stands in its way.

use super::LivingPlan;
use crate::app::App;
use crate::exit::{Failure, Outcome};
use crate::output;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use vrel_todo::{Place, PlanBox, RoadmapRelease, Todo};

/// Shows the next release.
pub(super) fn show(app: &App, plan: &LivingPlan) -> Outcome {
    let todo = plan.parse()?;
    if app.global.json {
        return output::print_json(&as_json(plan, &todo));
    }
    output::print(&text(plan, &todo)?)
}

fn next_entry(todo: &Todo) -> Option<&RoadmapRelease> {
    let next = todo.next_release()?;
    todo.roadmap()
        .find(|entry| entry.version <= *next && *next <= entry.last)
}

fn text(plan: &LivingPlan, todo: &Todo) -> Result<String, Failure> {
    let Some(next) = todo.next_release() else {
        return Ok(format!("{}: no next release is named.\n", plan.name));
    };
    let entry = next_entry(todo);
    let when = todo.planned_for().map(|(_, when)| when);
    let when = when
        .or(entry.and_then(|entry| entry.when.as_deref()))
        .unwrap_or("to be decided");
    let title = entry.map_or("", |entry| &entry.title);
    let title = if title.is_empty() {
        String::new()
    } else {
        format!(" ({title})")
    };
    let mut text = format!(
        "{}{title}\n  planned for  {when}\n  status       {}\n",
        next.tag(),
        todo.status()
    );
    let goals = entry.map_or(&[][..], |entry| &entry.goals);
    let reached = goals.iter().filter(|goal| goal.done).count();
    text += &format!("\n{reached} of {} goals reached\n", goals.len());
    for goal in goals.iter().filter(|goal| !goal.done) {
        text += &format!("  line {}: {}\n", goal.line, goal.text);
    }
    let blockers = todo.blockers_of(next);
    text += &match blockers.len() {
        0 => "\nnothing blocks it\n".to_owned(),
        1 => "\n1 issue blocks it\n".to_owned(),
        many => format!("\n{many} issues block it\n"),
    };
    for issue in blockers {
        text += &format!("  line {}: {}\n", issue.line, issue.text);
    }
    let boxes = checklist(todo);
    let ticked = boxes.iter().filter(|found| found.ticked).count();
    text += &format!("\n{ticked} of {} checklist items ticked\n", boxes.len());
    for (group, (ticked, all)) in groups(&boxes) {
        text += &format!("  {ticked} of {all}  {group}\n");
    }
    Ok(text)
}

fn checklist(todo: &Todo) -> Vec<PlanBox> {
    let mut boxes = todo.boxes();
    boxes.retain(|found| matches!(found.place, Place::Checklist(_)));
    boxes
}

/// Ticked and all items of each heading of the checklist, in the plan's order.
fn groups(boxes: &[PlanBox]) -> Vec<(&str, (usize, usize))> {
    let mut order = Vec::new();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for found in boxes {
        let Place::Checklist(Some(group)) = &found.place else {
            continue;
        };
        if !order.contains(&group.as_str()) {
            order.push(group.as_str());
        }
        let count = counts.entry(group.as_str()).or_default();
        *count = (count.0 + usize::from(found.ticked), count.1 + 1);
    }
    order.into_iter().map(|group| (group, counts[group])).collect()
}

fn as_json(plan: &LivingPlan, todo: &Todo) -> Value {
    let next = todo.next_release().map(|next| {
        let entry = next_entry(todo);
        let goals = entry.map_or(&[][..], |entry| &entry.goals);
        let goals: Vec<_> = goals
            .iter()
            .map(|goal| json!({"line": goal.line, "text": goal.text, "done": goal.done}))
            .collect();
        let blocking: Vec<_> = todo
            .blockers_of(next)
            .into_iter()
            .map(|issue| json!({"line": issue.line, "version": issue.version, "text": issue.text}))
            .collect();
        let known: Vec<_> = todo
            .known_issues_of(next)
            .into_iter()
            .map(|issue| json!({"line": issue.line, "text": issue.text, "workaround": issue.workaround}))
            .collect();
        json!({
            "version": next, "planned_for": todo.planned_for().map(|(_, when)| when), "status": todo.status(),
            "title": entry.map(|entry| &entry.title), "goals": goals, "blocking": blocking, "known": known,
        })
    });
    let checklist: Vec<_> = checklist(todo)
        .into_iter()
        .map(|found| {
            let Place::Checklist(group) = found.place else {
                return Value::Null;
            };
            json!({"line": found.line, "group": group, "text": found.text, "done": found.ticked})
        })
        .collect();
    json!({"file": plan.name, "next": next, "checklist": checklist})
}
