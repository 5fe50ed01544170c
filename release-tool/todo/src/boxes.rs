//! The boxes of a plan, and ticking them.

use crate::lines::{Item, Kind};
use crate::read::{Entry, paragraph};
use crate::sections::top_items;
use crate::writing::{Writing, written};
use crate::{EditError, Match, Todo, Wanted, head};
use vrel_model::Version;

/// What a box is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A goal of a release, or of a range that starts with it.
    Goal(Version),
    /// An item of the pre-release checklist, under this heading of the third level.
    Checklist(Option<String>),
    /// A blocking issue, of a release or of all.
    Blocking(Option<Version>),
}

/// An item with a box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanBox {
    /// Line, from 1.
    pub line: usize,
    /// Its text, as Markdown on one line.
    pub text: String,
    /// Whether it is ticked.
    pub ticked: bool,
    /// What it is about.
    pub place: Place,
}

impl PlanBox {
    fn describe(&self) -> Match {
        Match {
            line: self.line,
            text: self.text.clone(),
        }
    }
}

impl Todo {
    /// Goals, checklist items and blocking issues, in the plan's order.
    #[must_use]
    pub fn boxes(&self) -> Vec<PlanBox> {
        let lines = self.lines();
        let mut boxes = Vec::new();
        let mut push = |at: usize, item: &Item<'_>, text: &str, place: Place| {
            boxes.extend(item.mark.as_ref().map(|mark| PlanBox {
                line: at + 1,
                text: paragraph(&lines, at, text),
                ticked: mark.ticked,
                place,
            }));
        };
        for entry in &self.entries {
            let inside = lines.iter().enumerate().take(entry.end).skip(entry.at + 1);
            for (at, line) in inside {
                if let Kind::Item(item) = &line.kind {
                    push(at, item, item.text, Place::Goal(entry.release.version.clone()));
                }
            }
        }
        let mut group = None;
        for at in self.sections.checklist.clone().unwrap_or_default() {
            match &lines[at].kind {
                Kind::Heading { title, .. } => group = Some((*title).to_owned()),
                Kind::Item(item) => push(at, item, item.text, Place::Checklist(group.clone())),
                _ => {}
            }
        }
        for at in top_items(&lines, &self.sections.blocking) {
            if let Kind::Item(item) = &lines[at].kind {
                match head::parse(item.text) {
                    Some(Ok(head)) => push(at, item, head.rest, Place::Blocking(Some(head.version))),
                    _ => push(at, item, item.text, Place::Blocking(None)),
                }
            }
        }
        boxes.sort_by_key(|found| found.line);
        boxes
    }

    /// The plan's text with one box ticked or cleared, everything else byte for byte. `among` says which boxes count. A
    /// box that is so already changes nothing.
    ///
    /// # Errors
    /// When no box is meant, or more than one.
    pub fn tick(
        &self,
        wanted: &Wanted,
        among: impl Fn(&PlanBox) -> bool,
        ticked: bool,
    ) -> Result<(PlanBox, String), EditError> {
        let there = self.boxes().into_iter().filter(among).collect();
        let chosen = wanted.choose("line with a box", there, PlanBox::describe)?;
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        if chosen.ticked != ticked
            && let Kind::Item(item) = &lines[chosen.line - 1].kind
            && let Some(mark) = &item.mark
        {
            writing
                .edits
                .replace(mark.range.clone(), if ticked { "x" } else { " " });
        }
        let text = writing.finish();
        Ok((chosen, text))
    }

    /// The plan's text with a goal added to an open release. A goal that the release has changes nothing.
    ///
    /// # Errors
    /// When the roadmap does not have the release, the release is out, or the goal cannot stand in a line.
    pub fn add_goal(&self, version: &Version, goal: &str) -> Result<String, EditError> {
        const WHAT: &str = "goal";
        let goal = crate::writing::one_line(WHAT, goal)?;
        let entry = self.open_entry(version)?;
        if entry.release.goals.iter().any(|there| there.text == goal) {
            return Ok(self.text.clone());
        }
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        writing.add_goal(entry, goal);
        let text = writing.finish();
        written(text, WHAT, goal, |todo| {
            let mut goals = todo
                .entry(version)
                .into_iter()
                .flat_map(|entry| &entry.release.goals);
            goals.any(|found| found.text == goal && !found.done) && todo.entries.len() == self.entries.len()
        })
    }

    /// The entry of a release that is not out.
    pub(crate) fn open_entry(&self, version: &Version) -> Result<&Entry, EditError> {
        let entry = self.entry(version).ok_or_else(|| EditError::NoEntry {
            version: version.clone(),
        })?;
        if entry.release.released || entry.release.version != entry.release.last {
            return Err(EditError::NotOpen {
                line: entry.release.line,
                version: version.clone(),
            });
        }
        Ok(entry)
    }
}

impl Writing<'_> {
    /// Adds a goal behind the last of the entry's own goals, else right under its text.
    fn add_goal(&mut self, entry: &Entry, goal: &str) {
        let (mut at, mut last) = (entry.at + 1, None);
        while at < entry.end {
            if let Kind::Item(item) = &self.lines[at].kind {
                if item.mark.is_some() {
                    last = Some(at);
                }
                at = self.block_end(at);
            } else {
                at += 1;
            }
        }
        if let Some(last) = last {
            let text = format!("{}[ ] {goal}", self.item_start(last));
            self.insert_behind(self.block_end(last), &text);
        } else {
            let text = format!("{}[ ] {goal}", self.nested_start(entry.at));
            self.insert_behind(crate::lines::paragraph_end(self.lines, entry.at), &text);
        }
    }
}
