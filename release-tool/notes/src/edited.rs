//! Notes that a person edits: what they are given, what they may write, and how it is published.
//!
//! A person edits the sections. What stands above them (date, type, channel) and the downloads below are of the release,
//! and are always made anew.

use crate::{NotesContext, NotesError, render};

/// The heading of what is never edited.
const DOWNLOADS: &str = "Download Links";

/// The headings that there may be, in their order.
const HEADINGS: [&str; 10] = [
    "Security Advisories",
    "Highlights",
    "New Features",
    "Improvements",
    "Bug Fixes",
    "Breaking Changes",
    "Deprecations",
    "Known Issues",
    "Contributors",
    "Upgrade Instructions",
];

/// What is wrong with edited notes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct EditedError {
    /// Line, from 1.
    pub line: usize,
    /// What is wrong, with what was expected.
    pub message: String,
}

/// What a person is given to edit: the title and the sections.
///
/// # Errors
/// As [`render`].
pub fn draft(context: &NotesContext) -> Result<String, NotesError> {
    let notes = render(context)?;
    Ok(format!("{}\n\n{}", title(context), sections(&notes)))
}

/// The notes with the sections that a person edited.
///
/// # Errors
/// As [`render`].
pub fn render_edited(context: &NotesContext, edited: &str) -> Result<String, NotesError> {
    let notes = render(context)?;
    let top = notes.split("\n## ").next().unwrap_or_default().trim_end();
    let mut text = format!("{top}\n\n{}", sections(edited));
    if let Some(at) = notes.find(&format!("\n## {DOWNLOADS}\n")) {
        text.push_str(&notes[at..]);
    }
    Ok(text)
}

/// Checks what a person edited: the title, and that headings are known ones in their order.
///
/// # Errors
/// The first line that is wrong.
pub fn check_edited(context: &NotesContext, edited: &str) -> Result<(), EditedError> {
    let title = title(context);
    let wrong = |line: usize, message: String| {
        Err(EditedError {
            line: line + 1,
            message,
        })
    };
    if edited.lines().next() != Some(title.as_str()) {
        return wrong(0, format!("expected the title `{title}`"));
    }
    if let Some(line) = conflict(edited) {
        return wrong(
            line,
            "this is the mark of a conflict: decide, and remove the marks".to_owned(),
        );
    }
    let mut next = 0;
    for (line, heading) in headings(edited) {
        match HEADINGS.iter().position(|known| *known == heading) {
            Some(at) if at >= next => next = at + 1,
            Some(_) => {
                let order = HEADINGS.join(", ");
                return wrong(
                    line,
                    format!("“{heading}” is not in its place; the order is {order}"),
                );
            }
            None if heading == DOWNLOADS => {
                return wrong(
                    line,
                    format!("“{DOWNLOADS}” is made anew for the release; remove it"),
                );
            }
            None => {
                let known = HEADINGS.join(", ");
                return wrong(
                    line,
                    format!("there is no heading “{heading}”; expected one of {known}"),
                );
            }
        }
    }
    if next == 0 {
        return wrong(
            0,
            "there is no section, such as `## Upgrade Instructions`".to_owned(),
        );
    }
    Ok(())
}

/// The first line, from 0, that a merge left as the mark of a conflict.
#[must_use]
pub fn conflict(edited: &str) -> Option<usize> {
    let is_mark = |line: &str| {
        ["<<<<<<< ", "||||||| ", ">>>>>>> "]
            .iter()
            .any(|mark| line.starts_with(mark))
    };
    edited.lines().position(is_mark)
}

fn title(context: &NotesContext) -> String {
    format!(
        "# {} v{} Release Notes",
        vrel_documents::markdown::inline(&context.product),
        context.version
    )
}

/// The headings of level 2 with their lines, from 0; those in code are none.
fn headings(text: &str) -> Vec<(usize, &str)> {
    let mut headings = Vec::new();
    let mut closing_fence: Option<&str> = None;
    for (number, line) in text.lines().enumerate() {
        let words = line.trim();
        match closing_fence {
            Some(fence) if words == fence => closing_fence = None,
            Some(_) => {}
            None => closing_fence = vrel_documents::markdown::opening_fence(words),
        }
        if closing_fence.is_none()
            && let Some(heading) = line.strip_prefix("## ")
        {
            headings.push((number, heading.trim()));
        }
    }
    headings
}

/// From the first heading of level 2 to the end or to the downloads.
fn sections(text: &str) -> String {
    let headings = headings(text);
    let Some((first, _)) = headings.first() else {
        return String::new();
    };
    let end = headings.iter().find(|(_, heading)| *heading == DOWNLOADS);
    let lines = text.lines().skip(*first);
    let lines: Vec<_> = match end {
        Some((end, _)) => lines.take(end - first).collect(),
        None => lines.collect(),
    };
    let mut sections = lines.join("\n");
    sections.truncate(sections.trim_end().len());
    sections.push('\n');
    sections
}
