//! Planning a release: its entry in the roadmap.

use crate::lines::{Kind, paragraph_end};
use crate::read::Entry;
use crate::writing::{Writing, one_line, written};
use crate::{EditError, Todo, When, head};
use vrel_model::Version;

/// What a release's entry is to say. `None` leaves what is there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Planned<'a> {
    /// When it is to come, as [`When`] reads it.
    pub when: Option<&'a str>,
    /// Its theme.
    pub title: Option<&'a str>,
}

impl Todo {
    /// The plan's text with an entry for a release, in the order of versions; the entry of an open release gets the new
    /// time and theme. If it is the next release, `Planned for` follows. What says so already changes nothing.
    ///
    /// # Errors
    /// When the version is not a final one, the release is out, or time or theme cannot stand in the entry.
    pub fn plan_release(&self, version: &Version, planned: &Planned<'_>) -> Result<String, EditError> {
        const WHAT: &str = "entry";
        if *version != version.final_version() {
            return Err(EditError::Text {
                what: "version",
                expected: "a final version X.Y.Z",
                found: version.to_string(),
            });
        }
        let when = planned.when.map(time).transpose()?;
        let title = planned.title.map(|title| one_line("theme", title)).transpose()?;
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        match self.entry(version) {
            Some(_) => writing.change(self.open_entry(version)?, when, title),
            None => {
                let when = when.map_or_else(String::new, |when| format!(" ({when})"));
                let title = title.map_or_else(String::new, |title| format!(": {title}"));
                writing.add_entry(version, &format!("[ ] **{}**{when}{title}", version.tag()), None);
            }
        }
        if let (Some(when), Some(field)) = (when, &self.next.planned)
            && self.next_release() == Some(version)
            && self.text[field.value.clone()].trim() != when
        {
            writing.set(field, when);
        }
        let text = writing.finish();
        let new = usize::from(self.entry(version).is_none());
        let given = format!("{} {}", when.unwrap_or_default(), title.unwrap_or_default());
        written(text, WHAT, given.trim(), |todo| {
            let found = todo.entry(version).map(|entry| &entry.release);
            todo.entries.len() == self.entries.len() + new
                && found.is_some_and(|found| {
                    !found.released
                        && when.is_none_or(|when| found.when.as_deref() == Some(when))
                        && title.is_none_or(|title| found.title == title)
                })
        })
    }
}

/// Checks a time that somebody gave.
fn time(text: &str) -> Result<&str, EditError> {
    let text = text.trim();
    let wrong = || EditError::Text {
        what: "time",
        expected: "a day, month, quarter or year such as `2027 Q1`, `after` one, or `later`",
        found: text.to_owned(),
    };
    When::parse(text).map(|_| text).ok_or_else(wrong)
}

impl Writing<'_> {
    /// Puts another time and theme into an entry.
    fn change(&mut self, entry: &Entry, when: Option<&str>, title: Option<&str>) {
        let Kind::Item(item) = &self.lines[entry.at].kind else {
            return;
        };
        let Some(Ok(head)) = head::parse(item.text) else {
            return;
        };
        let start = item.text_start;
        if let Some(when) = when.filter(|when| entry.release.when.as_deref() != Some(when)) {
            match head.when.clone() {
                Some(range) => self.edits.replace(start + range.start..start + range.end, when),
                None => {
                    let end = start + head.versions_end;
                    self.edits.replace(end..end, format!(" ({when})"));
                }
            }
        }
        if let Some(title) = title.filter(|title| entry.release.title != *title) {
            let rest_start = start + item.text.len() - head.rest.len();
            let end = self.lines[paragraph_end(self.lines, entry.at) - 1].body_end();
            // A colon belongs in front of the first theme.
            let bare = self.todo.text[..rest_start].trim_end();
            let colon = if bare.ends_with(':') || bare.ends_with(":**") {
                ""
            } else {
                ":"
            };
            let trail = self.lines[paragraph_end(self.lines, entry.at) - 1].body;
            let trail = trail.len() - trail.trim_end().len();
            self.edits.replace(
                bare.len()..(end - trail).max(bare.len()),
                format!("{colon} {title}"),
            );
        }
    }
}
