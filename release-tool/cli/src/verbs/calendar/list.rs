//! The calendar for people, and as JSON.

use super::moment;
use crate::exit::{Failure, FailureKind};
use crate::output;
use vrel_process::{CalendarEvent, Span};

/// A table.
pub(super) fn text(events: &[CalendarEvent]) -> String {
    if events.is_empty() {
        return "The calendar has nothing in these days.\n".to_owned();
    }
    let row = |event: &CalendarEvent| {
        let mark = if event.tentative { "planned" } else { "" };
        vec![
            when(event.span),
            event.kind.as_str().to_owned(),
            mark.to_owned(),
            event.title.clone(),
        ]
    };
    output::table(&events.iter().map(row).collect::<Vec<_>>(), &[])
}

/// A table in Markdown.
pub(super) fn markdown(events: &[CalendarEvent]) -> String {
    let mut text = "| when | what | |\n| --- | --- | --- |\n".to_owned();
    for event in events {
        let mark = if event.tentative { " planned |" } else { " |" };
        text += &format!(
            "| {} | {} |{mark}\n",
            when(event.span),
            event.title.replace('|', "\\|")
        );
    }
    text
}

pub(super) fn json(events: &[CalendarEvent]) -> Result<String, Failure> {
    let events: Vec<_> = events
        .iter()
        .map(|event| {
            let (start, end) = match event.span {
                Span::Days(first, last) => (first.to_string(), Some(last.to_string())),
                Span::Time(start, end) => (start.to_string(), end.map(|end| end.to_string())),
            };
            serde_json::json!({
                "uid": event.uid, "kind": event.kind, "line": event.line.map(|line| line.to_string()), "start": start,
                "end": end, "title": event.title, "tentative": event.tentative,
            })
        })
        .collect();
    let text = serde_json::to_string_pretty(&serde_json::json!({"events": events}));
    text.map(|text| text + "\n")
        .map_err(|error| Failure::new(FailureKind::Bug, error.to_string()))
}

fn when(span: Span) -> String {
    match span {
        Span::Days(first, last) if first == last => first.to_string(),
        Span::Days(first, last) => format!("{first} to {last}"),
        Span::Time(start, None) => moment(start),
        Span::Time(start, Some(end)) => format!("{} to {}", moment(start), moment(end)),
    }
}
