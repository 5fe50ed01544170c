//! `lines/X.Y/backports.toml` of the records: which commits are to be carried over to a line, and who decided what.

use crate::{UtcTime, is_commit_id, toml_file, toml_file::TomlError};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::Path;
use toml_edit::{Array, ArrayOfTables, DocumentMut, Item, Table, value};

/// How far a backport is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BackportState {
    /// Somebody asked for it.
    Nominated,
    /// It is to be picked.
    Accepted,
    /// It is not to be picked.
    Rejected,
    /// It was tried, and a person has to resolve a conflict.
    Conflict,
    /// It is on the line.
    Picked,
}

impl BackportState {
    /// The word for it in the file.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nominated => "nominated",
            Self::Accepted => "accepted",
            Self::Rejected => "rejected",
            Self::Conflict => "conflict",
            Self::Picked => "picked",
        }
    }
}

impl fmt::Display for BackportState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One thing that happened to a backport.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct BackportEvent {
    /// What it is from then on.
    pub state: BackportState,
    /// Who, `Name <mail>`.
    pub by: String,
    /// When.
    pub at: UtcTime,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The commit on the line, of one that was picked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    /// Why it landed without its checks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unchecked: Option<String>,
    /// The files in conflict.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paths: Vec<String>,
    /// The commits that have to be picked first, oldest first, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<String>,
}

impl BackportEvent {
    /// An event without particulars.
    #[must_use]
    pub fn new(state: BackportState, by: &str, at: UtcTime) -> Self {
        Self {
            state,
            by: by.to_owned(),
            at,
            reason: None,
            commit: None,
            unchecked: None,
            paths: Vec::new(),
            needs: Vec::new(),
        }
    }
}

/// One commit that somebody wants on the line. It has at least one event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawBackport", rename_all = "kebab-case")]
pub struct Backport {
    /// The commit on the development branch.
    pub commit: String,
    /// Its subject.
    pub subject: String,
    /// For a merge, the parent that its change is taken against, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mainline: Option<u32>,
    /// What happened to it, oldest first.
    #[serde(rename = "event")]
    events: Vec<BackportEvent>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct RawBackport {
    commit: String,
    subject: String,
    mainline: Option<u32>,
    #[serde(default, rename = "event")]
    events: Vec<BackportEvent>,
}

impl TryFrom<RawBackport> for Backport {
    type Error = String;

    fn try_from(raw: RawBackport) -> Result<Self, String> {
        if !is_commit_id(&raw.commit) {
            return Err(format!(
                "`commit` is `{}`, expected 40 hexadecimal digits",
                raw.commit
            ));
        }
        if raw.events.is_empty() {
            return Err(
                "a backport has no [[backport.event]], expected at least who nominated it".to_owned(),
            );
        }
        Ok(Self {
            commit: raw.commit,
            subject: raw.subject,
            mainline: raw.mainline,
            events: raw.events,
        })
    }
}

impl Backport {
    /// A commit that was just nominated, or found to be on the line.
    #[must_use]
    pub fn new(commit: &str, subject: &str, mainline: Option<u32>, event: BackportEvent) -> Self {
        Self {
            commit: commit.to_owned(),
            subject: subject.to_owned(),
            mainline,
            events: vec![event],
        }
    }

    /// What happened to it, oldest first.
    #[must_use]
    pub fn events(&self) -> &[BackportEvent] {
        &self.events
    }

    /// What happened last.
    #[must_use]
    pub fn last(&self) -> &BackportEvent {
        self.events
            .last()
            .unwrap_or_else(|| unreachable!("a backport has an event"))
    }

    /// How far it is.
    #[must_use]
    pub fn state(&self) -> BackportState {
        self.last().state
    }
}

/// The whole file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Backports {
    /// The backports, in the order in which they were nominated.
    #[serde(default, rename = "backport")]
    pub list: Vec<Backport>,
}

impl Backports {
    /// Reads the file. `path` is only used to name it in errors.
    ///
    /// # Errors
    /// On any mistake, with its line.
    pub fn parse(path: &Path, text: &str) -> Result<Self, TomlError> {
        toml_file::parse(path, text)
    }

    /// The backport of a commit.
    #[must_use]
    pub fn find(&self, commit: &str) -> Option<&Backport> {
        self.list.iter().find(|backport| backport.commit == commit)
    }

    /// Adds an event to the file's text: to the commit's backport, or as a new one. Everything else stays as it is,
    /// comments too. `text` is that of a valid file.
    ///
    /// # Errors
    /// When it is not.
    pub fn record(
        path: &Path,
        text: &str,
        backport: &Backport,
        event: &BackportEvent,
    ) -> Result<String, TomlError> {
        let wrong = |message: String| TomlError {
            path: path.to_owned(),
            line: 1,
            column: 1,
            message,
            hint: None,
        };
        let mut document: DocumentMut = text.parse().map_err(|error| wrong(format!("{error}")))?;
        // A comment at the end belongs to what stands before it, not to what comes after.
        let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
        if Self::parse(path, text)?.find(&backport.commit).is_none() {
            document.set_trailing("");
        }
        let tables = document
            .entry("backport")
            .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
            .as_array_of_tables_mut()
            .ok_or_else(|| wrong("`backport` is not written as [[backport]]".to_owned()))?;
        let of_commit = |table: &&mut Table| {
            let commit = table.get("commit").and_then(Item::as_str);
            commit == Some(backport.commit.as_str())
        };
        if let Some(table) = tables.iter_mut().find(of_commit) {
            let events = table
                .entry("event")
                .or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()))
                .as_array_of_tables_mut()
                .ok_or_else(|| wrong("`event` is not written as [[backport.event]]".to_owned()))?;
            events.push(event_table(event));
        } else {
            let mut table = Table::new();
            if !trailing.is_empty() {
                table.decor_mut().set_prefix(format!("{trailing}\n"));
            }
            table.insert("commit", value(&backport.commit));
            table.insert("subject", value(&backport.subject));
            if let Some(number) = backport.mainline {
                table.insert("mainline", value(i64::from(number)));
            }
            let mut events = ArrayOfTables::new();
            events.push(event_table(event));
            table.insert("event", Item::ArrayOfTables(events));
            tables.push(table);
        }
        Ok(document.to_string())
    }
}

fn event_table(event: &BackportEvent) -> Table {
    let mut table = Table::new();
    table.insert("state", value(event.state.as_str()));
    table.insert("by", value(&event.by));
    table.insert("at", value(event.at.to_string()));
    for (name, text) in [
        ("reason", &event.reason),
        ("commit", &event.commit),
        ("unchecked", &event.unchecked),
    ] {
        if let Some(text) = text {
            table.insert(name, value(text));
        }
    }
    for (name, list) in [("paths", &event.paths), ("needs", &event.needs)] {
        if !list.is_empty() {
            table.insert(name, value(list.iter().collect::<Array>()));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "3f2a1c00000000000000000000000000000000ab";

    fn event(state: BackportState) -> BackportEvent {
        BackportEvent::new(
            state,
            "Ann <ann@example.org>",
            "2026-11-21T14:00:00Z".parse().unwrap(),
        )
    }

    fn record(text: &str, commit: &str, event: &BackportEvent) -> String {
        let backport = Backport::new(commit, "fix: \"quoted\"\\", Some(1), event.clone());
        Backports::record(Path::new("backports.toml"), text, &backport, event).unwrap()
    }

    #[test]
    fn events_are_added_and_comments_stay() {
        let nominated = event(BackportState::Nominated);
        let first = record("# Ours.\n", COMMIT, &nominated);
        let other = "b".repeat(40);
        let second = record(&first, &other, &nominated).replace("subject", "# why not\nsubject");
        let mut conflict = event(BackportState::Conflict);
        conflict.paths = vec!["a b.rs".to_owned()];
        conflict.needs = vec![other.clone()];
        let third = record(&second, COMMIT, &conflict);
        let queue = Backports::parse(Path::new("backports.toml"), &third).unwrap();
        assert_eq!(queue.list.len(), 2);
        let backport = queue.find(COMMIT).unwrap();
        assert_eq!(backport.events(), [nominated.clone(), conflict]);
        assert_eq!(
            (backport.subject.as_str(), backport.mainline),
            ("fix: \"quoted\"\\", Some(1))
        );
        assert_eq!(queue.find(&other).unwrap().events(), [nominated]);
        assert_eq!(third.matches("# why not").count(), 2);
        assert!(third.starts_with("# Ours.\n"), "{third}");
        assert!(third.contains("\n\n[[backport]]\n"), "{third}");
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        let parse = |text: &str| Backports::parse(Path::new("backports.toml"), text).unwrap_err();
        let no_event = parse(&format!(
            "\n[[backport]]\ncommit = \"{COMMIT}\"\nsubject = \"a\"\n"
        ));
        assert!(no_event.message.contains("no [[backport.event]]"), "{no_event}");
        assert_eq!(no_event.line, 2);
        assert!(
            parse("[[backport]]\ncommit = \"abc\"\nsubject = \"a\"\n")
                .message
                .contains("40 hexadecimal")
        );
        assert!(parse("[[backprot]]\n").hint.is_some());
    }
}
