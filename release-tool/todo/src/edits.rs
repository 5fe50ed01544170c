//! Changes to a text, by place.

use crate::lines::Line;
use std::ops::Range;

/// Replacements that do not overlap. What none of them covers stays byte for byte.
#[derive(Debug, Default)]
pub(crate) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// Replaces the bytes of a range.
    pub(crate) fn replace(&mut self, range: Range<usize>, text: impl Into<String>) {
        self.0.push((range, text.into()));
    }

    /// Adds a line behind another one, with that one's ending. At the end of a text without a last newline there is none
    /// afterwards either.
    pub(crate) fn insert_after(&mut self, line: &Line<'_>, newline: &str, text: &str) {
        let added = if line.ending.is_empty() {
            format!("{newline}{text}")
        } else {
            format!("{text}{}", line.ending)
        };
        self.replace(line.end()..line.end(), added);
    }

    /// The text with the changes made.
    pub(crate) fn apply(mut self, text: &str) -> String {
        // Stable: insertions at one place stay in the order in which they were asked for, and before what is replaced there.
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let mut result = String::with_capacity(text.len() + 256);
        let mut at = 0;
        for (range, replacement) in &self.0 {
            result.push_str(&text[at..range.start]);
            result.push_str(replacement);
            at = range.end;
        }
        result.push_str(&text[at..]);
        result
    }
}
