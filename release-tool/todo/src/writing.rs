//! What every change of a plan is put together from: lines that look like their neighbours.

use crate::edits::Edits;
use crate::lines::{Kind, Line, block_end};
use crate::read::Field;
use crate::{EditError, Todo};
use vrel_model::Version;

/// The text's own line ending.
fn newline<'a>(lines: &[Line<'a>]) -> &'a str {
    lines
        .iter()
        .map(|line| line.ending)
        .find(|ending| !ending.is_empty())
        .unwrap_or("\n")
}

/// The changes of one command, as they come together.
pub(crate) struct Writing<'a> {
    pub(crate) todo: &'a Todo,
    pub(crate) lines: &'a [Line<'a>],
    pub(crate) newline: &'a str,
    pub(crate) edits: Edits,
}

impl<'a> Writing<'a> {
    /// Nothing changed yet. `lines` are the plan's.
    pub(crate) fn new(todo: &'a Todo, lines: &'a [Line<'a>]) -> Self {
        Self {
            todo,
            lines,
            newline: newline(lines),
            edits: Edits::default(),
        }
    }

    /// The plan's text with the changes made.
    pub(crate) fn finish(self) -> String {
        self.edits.apply(&self.todo.text)
    }

    /// Adds an entry to the roadmap where its version belongs: its text from the box on, and that of an item under it.
    pub(crate) fn add_entry(&mut self, version: &Version, text: &str, nested: Option<&str>) {
        let entries = &self.todo.entries;
        let lower = entries.iter().filter(|entry| entry.release.last < *version);
        let lower = lower.max_by_key(|entry| entry.release.last.clone());
        // A plan without entries does not parse.
        let Some(near) = lower.or(entries.first()) else {
            return;
        };
        let mut text = format!("{}{text}", self.item_start(near.at));
        if let Some(nested) = nested {
            text += &format!("{}{}{nested}", self.newline, self.nested_start(near.at));
        }
        if lower.is_some() {
            self.insert_behind(near.end, &text);
        } else {
            self.insert_before(near.at, &text);
        }
    }

    /// Adds an item behind the line before `end`. What follows must not be taken for the new item's text.
    pub(crate) fn insert_behind(&mut self, end: usize, text: &str) {
        let swallowed = self.lines.get(end).is_some_and(|line| line.kind == Kind::Text);
        let blank = if swallowed { self.newline } else { "" };
        let text = format!("{text}{blank}");
        self.edits.insert_after(&self.lines[end - 1], self.newline, &text);
    }

    /// The line behind the last one of what belongs to the item on line `at`.
    pub(crate) fn block_end(&self, at: usize) -> usize {
        block_end(self.lines, at)
    }

    pub(crate) fn set(&mut self, field: &Field, value: &str) {
        let after_blank = self.todo.text[..field.value.start].ends_with([' ', '\t']);
        let blank = if after_blank { "" } else { " " };
        self.edits.replace(field.value.clone(), format!("{blank}{value}"));
    }

    pub(crate) fn insert_before(&mut self, at: usize, text: &str) {
        let start = self.lines[at].start;
        self.edits
            .replace(start..start, format!("{text}{}", self.newline));
    }

    pub(crate) fn is_item(&self, at: usize) -> bool {
        matches!(self.lines[at].kind, Kind::Item(_))
    }

    /// White space, bullet and the blank behind it as on an item's line.
    pub(crate) fn item_start(&self, at: usize) -> String {
        let body = self.lines[at].body;
        let white = &body[..body.len() - body.trim_start_matches([' ', '\t']).len()];
        format!("{white}{} ", self.bullet(at))
    }

    /// The same for the first item nested in an item: spaces up to the column of that one's text.
    pub(crate) fn nested_start(&self, at: usize) -> String {
        let column = match &self.lines[at].kind {
            Kind::Item(item) => item.content_column,
            _ => self.lines[at].indent,
        };
        format!("{}{} ", " ".repeat(column), self.bullet(at))
    }

    /// An item's bullet; a number would count wrongly when repeated, so it becomes a hyphen.
    pub(crate) fn bullet(&self, at: usize) -> &str {
        match &self.lines[at].kind {
            Kind::Item(item) if item.bullet.len() == 1 => item.bullet,
            _ => "-",
        }
    }
}

/// Checks a text that is to stand in one line of an item.
///
/// # Errors
/// When it is nothing, has line ends or other control characters, or would start code or a comment.
pub(crate) fn one_line<'t>(what: &'static str, text: &'t str) -> Result<&'t str, EditError> {
    let text = text.trim();
    let opens = ["```", "~~~", "<!--"].iter().any(|start| text.starts_with(start));
    if text.is_empty() || text.chars().any(char::is_control) || opens {
        return Err(EditError::Text {
            what,
            expected: "one line of text",
            found: text.to_owned(),
        });
    }
    Ok(text)
}

/// The changed text, if reading it gives what was written.
///
/// # Errors
/// When it does not: then the text would be taken for something else in its place.
pub(crate) fn written(
    text: String,
    what: &'static str,
    given: &str,
    holds: impl Fn(&Todo) -> bool,
) -> Result<String, EditError> {
    match Todo::parse(&text) {
        Ok(todo) if holds(&todo) => Ok(text),
        _ => Err(EditError::Text {
            what,
            expected: "a text that means nothing else in its place",
            found: given.to_owned(),
        }),
    }
}
