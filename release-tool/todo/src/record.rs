//! Recording a release in a living plan.

use crate::lines::Kind;
use crate::read::{Entry, is_planned};
use crate::writing::Writing;
use crate::{Todo, TodoError, head};
use vrel_model::{ChannelName, UtcTime, Version};

/// A release that is public.
#[derive(Debug, Clone, Copy)]
pub struct Released<'a> {
    /// Its version.
    pub version: &'a Version,
    /// The channel that it was published to.
    pub channel: &'a ChannelName,
    /// When that was.
    pub date: UtcTime,
    /// The commit that it was built from: 7 to 64 lower-case hexadecimal digits, of which the plan gets the first 12.
    pub commit: &'a str,
    /// Where its notes are: a URL, or a path from the plan's directory.
    pub notes: &'a str,
}

/// Digits of a commit that a reader gets: enough to be unique, few enough to read.
const COMMIT_DIGITS: usize = 12;

impl Todo {
    /// The plan's text with a release recorded, everything else byte for byte. Recording it again changes nothing.
    ///
    /// The release gets a line of its own under its roadmap entry (which is added if there is none). A candidate of the
    /// next release becomes its status. A final release ticks and dates its entry; if it was the next one, the next
    /// release moves on to the earliest later one that is planned, and the ticks of the pre-release checklist, which
    /// were about the one that is out, are cleared. Nightly builds are not the plan's matter and change nothing.
    ///
    /// # Errors
    /// When the plan has the release with another commit, or a fact cannot stand in a line of Markdown.
    pub fn record_release(&self, released: &Released<'_>) -> Result<String, TodoError> {
        released.check()?;
        if !is_planned(released.version) {
            return Ok(self.text.clone());
        }
        let lines = self.lines();
        let mut writing = Writing::new(self, &lines);
        let new = writing.record(released)?;
        if released.version.is_candidate() {
            if new {
                writing.candidate_status(released);
            }
        } else {
            writing.move_on(released.version);
        }
        Ok(writing.edits.apply(&self.text))
    }
}

impl Released<'_> {
    fn check(&self) -> Result<(), TodoError> {
        let hex = |byte: u8| byte.is_ascii_digit() || matches!(byte, b'a'..=b'f');
        if !(7..=64).contains(&self.commit.len()) || !self.commit.bytes().all(hex) {
            return Err(TodoError::Fact {
                fact: "commit",
                expected: "7 to 64 lower-case hexadecimal digits",
                found: self.commit.to_owned(),
            });
        }
        if self.notes.trim().is_empty() || self.notes.chars().any(char::is_control) {
            return Err(TodoError::Fact {
                fact: "notes",
                expected: "a URL or path without control characters",
                found: self.notes.to_owned(),
            });
        }
        Ok(())
    }

    /// The line for it, without bullet.
    fn line(&self) -> String {
        let commit = &self.commit[..self.commit.len().min(COMMIT_DIGITS)];
        let (version, date, channel) = (self.version.tag(), self.date.date(), self.channel);
        format!(
            "{version}: {date}, {channel}, commit `{commit}`, [notes]({})",
            link_target(self.notes)
        )
    }
}

/// A URL or path as the target of a Markdown link, where white space and brackets would end it early.
fn link_target(text: &str) -> String {
    let mut target = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, ' ' | '(' | ')' | '<' | '>' | '\\') {
            target.push_str(&format!("%{:02X}", u32::from(c)));
        } else {
            target.push(c);
        }
    }
    target
}

impl Writing<'_> {
    /// Writes the release's line and, of a final release, ticks and dates its entry. Says whether the line is new.
    fn record(&mut self, released: &Released<'_>) -> Result<bool, TodoError> {
        let version = released.version;
        let Some(entry) = self.todo.entry(&version.final_version()) else {
            self.new_entry(released);
            return Ok(true);
        };
        if !version.is_candidate() {
            self.tick(entry, released.date);
        }
        for record in entry.records.iter().filter(|record| record.version == *version) {
            if let Some(found) = record
                .commit
                .as_deref()
                .filter(|found| !same_commit(found, released.commit))
            {
                return Err(TodoError::OtherCommit {
                    line: record.at + 1,
                    version: version.clone(),
                    expected: released.commit.to_owned(),
                    found: found.to_owned(),
                });
            }
            if record.channel == released.channel.as_str() {
                return Ok(false);
            }
        }
        self.new_line(entry, released);
        Ok(true)
    }

    /// Adds the line: behind those of lower versions, before those of higher ones, else at the entry's end.
    fn new_line(&mut self, entry: &Entry, released: &Released<'_>) {
        let lower = entry
            .records
            .iter()
            .rev()
            .find(|record| record.version <= *released.version);
        let higher = entry
            .records
            .iter()
            .find(|record| record.version > *released.version);
        let (like, before) = match (lower, higher) {
            (Some(record), _) => (Some(record.at), None),
            (None, Some(record)) => (Some(record.at), Some(record.at)),
            (None, None) => ((entry.at + 1..entry.end).find(|&at| self.is_item(at)), None),
        };
        let start = like.map_or_else(|| self.nested_start(entry.at), |at| self.item_start(at));
        let text = format!("{start}{}", released.line());
        if let Some(before) = before {
            self.insert_before(before, &text);
        } else {
            let end = lower.map_or(entry.end, |record| crate::lines::block_end(self.lines, record.at));
            self.edits.insert_after(&self.lines[end - 1], self.newline, &text);
        }
    }

    /// Adds an entry with its line, where its version belongs.
    fn new_entry(&mut self, released: &Released<'_>) {
        let last = released.version.final_version();
        let text = if released.version.is_candidate() {
            format!("[ ] **{}**", last.tag())
        } else {
            format!("[x] **{}** ({})", last.tag(), released.date.date())
        };
        self.add_entry(&last, &text, Some(&released.line()));
    }

    /// Ticks an entry's box and puts the date where the planned time was. A range is history and stays as it is.
    fn tick(&mut self, entry: &Entry, date: UtcTime) {
        let Kind::Item(item) = &self.lines[entry.at].kind else {
            return;
        };
        let (Some(mark), Some(Ok(head))) = (&item.mark, head::parse(item.text)) else {
            return;
        };
        if mark.ticked || head.version != head.last {
            return;
        }
        self.edits.replace(mark.range.clone(), "x");
        let at = item.text_start;
        if let Some(when) = head.when {
            self.edits.replace(at + when.start..at + when.end, date.date());
        } else {
            let end = at + head.versions_end;
            self.edits.replace(end..end, format!(" ({})", date.date()));
        }
    }

    /// A candidate of the next release is its status, unless a later one is recorded already.
    fn candidate_status(&mut self, released: &Released<'_>) {
        let last = released.version.final_version();
        let later = |entry: &Entry| {
            entry
                .records
                .iter()
                .any(|record| record.version > *released.version)
        };
        if self.todo.next_release() != Some(&last) || self.todo.entry(&last).is_some_and(later) {
            return;
        }
        let (tag, channel, date) = (released.version.tag(), released.channel, released.date.date());
        self.set(
            &self.todo.next.status,
            &format!("{tag} published to {channel} on {date}"),
        );
    }

    /// When the next release is out, another one is next.
    fn move_on(&mut self, version: &Version) {
        if self.todo.next_release() != Some(version) {
            return;
        }
        let open = self
            .todo
            .roadmap()
            .filter(|release| !release.released && release.version > *version);
        let next = open.min_by_key(|release| release.version.clone());
        let tag = next.map_or_else(|| "none".to_owned(), |release| release.version.tag());
        let when = next
            .and_then(|release| release.when.as_deref())
            .unwrap_or("to be decided");
        let status = if next.is_some() {
            "planned"
        } else {
            "nothing planned"
        };
        self.set(&self.todo.next.version, &tag);
        self.set(&self.todo.next.status, status);
        if let Some(planned) = &self.todo.next.planned {
            self.set(planned, when);
        }
        for line in &self.lines[self.todo.sections.checklist.clone().unwrap_or_default()] {
            if let Kind::Item(item) = &line.kind
                && let Some(mark) = item.mark.as_ref().filter(|mark| mark.ticked)
            {
                self.edits.replace(mark.range.clone(), " ");
            }
        }
    }
}

fn same_commit(a: &str, b: &str) -> bool {
    a.starts_with(b) || b.starts_with(a)
}
