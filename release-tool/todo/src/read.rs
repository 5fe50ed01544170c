//! Reading a living plan.

use crate::lines::{Item, Kind, Line, block_end, paragraph_end, split};
use crate::sections::{Sections, top_items};
use crate::{KnownIssue, TodoError, head, known};
use std::ops::Range;
use vrel_model::{Stage, Version};

/// A living plan that has the structure that releases rely on.
#[derive(Debug, Clone)]
pub struct Todo {
    pub(crate) text: String,
    pub(crate) sections: Sections,
    pub(crate) entries: Vec<Entry>,
    pub(crate) next: Next,
    blocking: Vec<BlockingIssue>,
    known: Vec<KnownIssue>,
}

/// A release, or a range of them, in the roadmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoadmapRelease {
    /// Line, from 1.
    pub line: usize,
    /// The release, or the first of the range.
    pub version: Version,
    /// The last of the range; the same as `version` for a single release.
    pub last: Version,
    /// When it was released or is planned, as the plan says it.
    pub when: Option<String>,
    /// Its theme; may be empty.
    pub title: String,
    /// Whether its box is ticked.
    pub released: bool,
    /// Its goals, in the plan's order.
    pub goals: Vec<Goal>,
}

/// A goal of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Goal {
    /// Line, from 1.
    pub line: usize,
    /// The goal, as Markdown on one line.
    pub text: String,
    /// Whether it is reached.
    pub done: bool,
}

/// Something unsolved that stops a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockingIssue {
    /// Line, from 1.
    pub line: usize,
    /// The release that it stops, with its candidates; `None` stops every release.
    pub version: Option<Version>,
    /// What it is, as Markdown on one line.
    pub text: String,
}

/// A release of the roadmap with its place in the text.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) release: RoadmapRelease,
    /// Index of its first line.
    pub(crate) at: usize,
    /// Index of the line behind its last one.
    pub(crate) end: usize,
    /// What has been published of it.
    pub(crate) records: Vec<Record>,
}

/// A publication that the plan knows: `v0.6.0-rc1: 2026-11-21, beta, commit …`.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) at: usize,
    pub(crate) version: Version,
    pub(crate) date: String,
    pub(crate) channel: String,
    pub(crate) commit: Option<String>,
}

/// A publication that the plan records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publication {
    /// Line, from 1.
    pub line: usize,
    /// The candidate or final release.
    pub version: Version,
    /// The day, `YYYY-MM-DD`.
    pub date: String,
    /// The channel's name.
    pub channel: String,
}

/// The section about the next release.
#[derive(Debug, Clone)]
pub(crate) struct Next {
    pub(crate) release: Option<Version>,
    pub(crate) version: Field,
    pub(crate) status: Field,
    pub(crate) planned: Option<Field>,
}

/// A field's value: its bytes in the text, empty when there is none behind the colon.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) line: usize,
    pub(crate) value: Range<usize>,
}

impl Todo {
    /// Reads a plan.
    ///
    /// # Errors
    /// When a section, field or entry that releases rely on is missing, there twice, or has not its shape.
    pub fn parse(text: &str) -> Result<Self, TodoError> {
        let lines = split(text).map_err(|at| TodoError::Unclosed { line: at + 1 })?;
        let sections = Sections::find(&lines)?;
        let entries = roadmap(&lines, &sections.roadmap)?;
        let next = next(text, &lines, &sections.next)?;
        let blocking = blocking(&lines, &sections.blocking)?;
        let known = known::read(&lines, &sections.known)?;
        Ok(Self {
            text: text.to_owned(),
            sections,
            entries,
            next,
            blocking,
            known,
        })
    }

    /// The final version that is being worked towards; `None` when the plan names none.
    #[must_use]
    pub fn next_release(&self) -> Option<&Version> {
        self.next.release.as_ref()
    }

    /// The line that names the next release, from 1.
    #[must_use]
    pub fn next_release_line(&self) -> usize {
        self.next.version.line
    }

    /// What the plan says of the next release: its `Status`.
    #[must_use]
    pub fn status(&self) -> &str {
        self.text[self.next.status.value.clone()].trim()
    }

    /// When the next release is planned: the line of `Planned for`, from 1, and its value.
    #[must_use]
    pub fn planned_for(&self) -> Option<(usize, &str)> {
        let field = self.next.planned.as_ref()?;
        Some((field.line, self.text[field.value.clone()].trim()))
    }

    /// Every publication that the roadmap records, in the plan's order.
    #[must_use]
    pub fn publications(&self) -> Vec<Publication> {
        let records = self.entries.iter().flat_map(|entry| &entry.records);
        let publication = |record: &Record| Publication {
            line: record.at + 1,
            version: record.version.clone(),
            date: record.date.clone(),
            channel: record.channel.clone(),
        };
        records.map(publication).collect()
    }

    /// What the next release is to have and has not yet. None when the roadmap does not list it.
    #[must_use]
    pub fn open_goals(&self) -> Vec<&Goal> {
        let release = self.next_release().and_then(|version| self.entry(version));
        let goals = release.map_or(&[][..], |entry| &entry.release.goals);
        goals.iter().filter(|goal| !goal.done).collect()
    }

    /// Everything unsolved that stops some release.
    #[must_use]
    pub fn blocking_issues(&self) -> &[BlockingIssue] {
        &self.blocking
    }

    /// What stops this release or candidate.
    #[must_use]
    pub fn blockers_of(&self, version: &Version) -> Vec<&BlockingIssue> {
        let last = version.final_version();
        let stops = |issue: &&BlockingIssue| issue.version.as_ref().is_none_or(|stopped| *stopped == last);
        self.blocking.iter().filter(stops).collect()
    }

    /// Everything that is known not to work and not solved.
    pub(crate) fn known(&self) -> &[KnownIssue] {
        &self.known
    }

    /// What is known not to work in this release or candidate, for its notes.
    #[must_use]
    pub fn known_issues_of(&self, version: &Version) -> Vec<&KnownIssue> {
        let last = version.final_version();
        let shows = |issue: &&KnownIssue| issue.version.as_ref().is_none_or(|shown| *shown == last);
        self.known.iter().filter(shows).collect()
    }

    /// Everything on the roadmap, in the plan's order.
    pub fn roadmap(&self) -> impl Iterator<Item = &RoadmapRelease> {
        self.entries.iter().map(|entry| &entry.release)
    }

    /// The text's lines.
    pub(crate) fn lines(&self) -> Vec<Line<'_>> {
        // A text that does not split into lines was never a plan.
        split(&self.text).unwrap_or_default()
    }

    /// The roadmap's entry for a final version.
    pub(crate) fn entry(&self, version: &Version) -> Option<&Entry> {
        let covers = |entry: &&Entry| entry.release.version <= *version && *version <= entry.release.last;
        self.entries.iter().find(covers)
    }
}

fn roadmap(lines: &[Line<'_>], section: &Range<usize>) -> Result<Vec<Entry>, TodoError> {
    let mut entries: Vec<Entry> = Vec::new();
    for at in top_items(lines, section) {
        let Some(entry) = entry(lines, at)? else {
            continue;
        };
        let new = &entry.release;
        let overlaps = |old: &&Entry| old.release.version <= new.last && new.version <= old.release.last;
        if let Some(old) = entries.iter().find(overlaps) {
            let version = new.version.clone().max(old.release.version.clone());
            return Err(TodoError::SecondEntry {
                line: new.line,
                first: old.release.line,
                version,
            });
        }
        entries.push(entry);
    }
    // The range starts behind the heading, so its start is the heading's line counted from 1.
    if entries.is_empty() {
        Err(TodoError::EmptyRoadmap { line: section.start })
    } else {
        Ok(entries)
    }
}

/// Reads the roadmap's item on a line; `None` when it is not about a release.
fn entry(lines: &[Line<'_>], at: usize) -> Result<Option<Entry>, TodoError> {
    let Kind::Item(item) = &lines[at].kind else {
        return Ok(None);
    };
    let shape = |expected, remedy| shape(lines, at, expected, remedy);
    let Some(head) = head::parse(item.text) else {
        return Ok(None);
    };
    let head = head.map_err(|_| {
        shape(
            "final versions X.Y.Z",
            "name releases in full, for example `**v0.6.0**`; ranges go upwards",
        )
    })?;
    let Some(mark) = &item.mark else {
        return Err(shape(
            "a box in front of the release",
            "write `- [ ] **v0.6.0**`, or `- [x]` when it is out",
        ));
    };
    let end = block_end(lines, at);
    let mut goals = Vec::new();
    let mut records = Vec::new();
    for inner in at + 1..end {
        let Kind::Item(item) = &lines[inner].kind else {
            continue;
        };
        match &item.mark {
            Some(mark) => {
                let text = paragraph(lines, inner, item.text);
                goals.push(Goal {
                    line: inner + 1,
                    text,
                    done: mark.ticked,
                });
            }
            None => records.extend(record(item, inner)),
        }
    }
    let release = RoadmapRelease {
        line: at + 1,
        version: head.version,
        last: head.last,
        when: head
            .when
            .map(|range| item.text[range].trim().to_owned())
            .filter(|when| !when.is_empty()),
        title: paragraph(lines, at, head.rest),
        released: mark.ticked,
        goals,
    };
    Ok(Some(Entry {
        release,
        at,
        end,
        records,
    }))
}

/// Reads a line that tells of a publication. Only one with a date right behind the version is: a person may well start a
/// remark with a version.
fn record(item: &Item<'_>, at: usize) -> Option<Record> {
    let (word, rest) = item.text.split_once(':')?;
    let version: Version = word.strip_prefix('v').unwrap_or(word).parse().ok()?;
    let mut parts = rest.split(',').map(str::trim);
    let date = parts.next()?;
    let is_date = date.len() == 10 && date.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    let channel = parts.next()?.to_owned();
    let commit = rest
        .split_once("commit `")
        .and_then(|(_, rest)| rest.split_once('`'));
    let commit = commit.map(|(commit, _)| commit.to_owned());
    is_date.then(|| Record {
        at,
        version,
        date: date.to_owned(),
        channel,
        commit,
    })
}

fn next(text: &str, lines: &[Line<'_>], section: &Range<usize>) -> Result<Next, TodoError> {
    let items = top_items(lines, section);
    let required = |name| {
        field(lines, &items, name)?.ok_or(TodoError::NoField {
            line: section.start,
            field: name,
        })
    };
    let version = required("Version")?;
    let status = required("Status")?;
    let planned = field(lines, &items, "Planned for")?;
    let value =
        text[version.value.clone()].trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '*'));
    let word = value
        .split(|c: char| c.is_whitespace() || matches!(c, '`' | '*' | ',' | '('))
        .next();
    let release = match word.unwrap_or_default() {
        word if word.eq_ignore_ascii_case("none") => None,
        word => Some(head::final_version(word).ok_or_else(|| TodoError::Shape {
            line: version.line,
            expected: "a final version or `none`",
            found: value.to_owned(),
            remedy: "name the release that comes next, for example `- **Version**: v0.6.0`",
        })?),
    };
    Ok(Next {
        release,
        version,
        status,
        planned,
    })
}

fn field(lines: &[Line<'_>], items: &[usize], name: &'static str) -> Result<Option<Field>, TodoError> {
    let mut found: Option<Field> = None;
    for &at in items {
        let Kind::Item(item) = &lines[at].kind else {
            continue;
        };
        let Some(value) = field_value(item.text, name) else {
            continue;
        };
        let line = at + 1;
        if let Some(first) = found {
            return Err(TodoError::SecondField {
                line,
                first: first.line,
                field: name,
            });
        }
        // Markdown takes an unindented line right below into the item too; a person who writes one means a new
        // paragraph, which must survive a change of the value.
        let own = |line: &&Line<'_>| line.kind == Kind::Text && line.indent >= item.content_column;
        let more = lines[at + 1..].iter().take_while(own).count();
        let last = &lines[at + more];
        let end = last.start + last.body.trim_end().len();
        found = Some(Field {
            line,
            value: item.text_start + item.text.len() - value.len()..end,
        });
    }
    Ok(found)
}

/// The value in `**Name**: value`, when that is what the text is.
fn field_value<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let plain = text.strip_prefix("**").unwrap_or(text);
    let (start, rest) = plain.split_at_checked(name.len())?;
    let value = rest
        .strip_prefix("**:")
        .or_else(|| rest.strip_prefix(":**"))
        .or_else(|| rest.strip_prefix(':'))?;
    start.eq_ignore_ascii_case(name).then(|| value.trim_start())
}

fn blocking(lines: &[Line<'_>], section: &Range<usize>) -> Result<Vec<BlockingIssue>, TodoError> {
    let mut issues = Vec::new();
    for at in top_items(lines, section) {
        let Kind::Item(item) = &lines[at].kind else {
            continue;
        };
        let Some(mark) = &item.mark else {
            if item.text.trim_end_matches('.').eq_ignore_ascii_case("none") {
                continue;
            }
            // Passing over it in silence could let a release out that somebody meant to stop.
            let remedy = "write `- [ ] …` for an issue that stops a release, `- [x] …` once it is solved";
            return Err(shape(lines, at, "a box in front of the issue", remedy));
        };
        let head = head::parse(item.text).transpose().map_err(|_| {
            shape(
                lines,
                at,
                "a final version X.Y.Z",
                "name the release in full, for example `**v0.6.0**: …`",
            )
        })?;
        if mark.ticked {
            continue;
        }
        let (version, text) = match head {
            Some(head) if head.version != head.last => {
                let remedy = "write one line for each release, or name none to stop every release";
                return Err(shape(lines, at, "one release", remedy));
            }
            Some(head) => (Some(head.version), head.rest),
            None => (None, item.text),
        };
        issues.push(BlockingIssue {
            line: at + 1,
            version,
            text: paragraph(lines, at, text),
        });
    }
    Ok(issues)
}

/// A text and the lines of its paragraph behind line `at`, on one line.
pub(crate) fn paragraph(lines: &[Line<'_>], at: usize, text: &str) -> String {
    let more = lines[at + 1..paragraph_end(lines, at)]
        .iter()
        .map(|line| line.body.trim());
    let parts: Vec<&str> = std::iter::once(text)
        .chain(more)
        .filter(|part| !part.is_empty())
        .collect();
    parts.join(" ")
}

pub(crate) fn shape(
    lines: &[Line<'_>],
    at: usize,
    expected: &'static str,
    remedy: &'static str,
) -> TodoError {
    let found = lines[at].body.trim().chars().take(80).collect();
    TodoError::Shape {
        line: at + 1,
        expected,
        found,
        remedy,
    }
}

/// Whether a version is one that a plan tells of: candidates and finals, not the builds of every night.
pub(crate) fn is_planned(version: &Version) -> bool {
    !matches!(version.stage(), Stage::Nightly { .. })
}
