//! The table of the section `## Calendar`: what the roadmap plans, a row for each release.
//!
//! A row of a release that is out stays as it was planned. Every other one is held to the roadmap.

use crate::lines::{Kind, Line};
use crate::sections::section_of;
use crate::writing::{Writing, written};
use crate::{EditError, RoadmapRelease, Todo, When, head};
use std::ops::Range;
use vrel_model::Version;

const SECTION: &str = "Calendar";

/// What the calendar says otherwise than the roadmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarDrift {
    /// Line of the row, or of the table's head where the row is missing; from 1.
    pub line: usize,
    /// The release.
    pub version: Version,
    /// What is wrong.
    pub problem: DriftKind,
}

/// How a row differs from the roadmap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DriftKind {
    /// The roadmap plans the release, and the calendar has no row for it.
    Missing,
    /// The roadmap does not have the release.
    Unknown,
    /// The time is another one: expected, found.
    When(String, String),
    /// The theme is another one: expected, found.
    Theme(String, String),
}

/// A cell: its text, and its bytes in the plan from one bar to the next.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    range: Range<usize>,
}

/// The table, as far as it is about releases.
struct Table {
    /// Index of the head's line; the separator follows it.
    head: usize,
    columns: usize,
    when: usize,
    release: usize,
    theme: Option<usize>,
    rows: Vec<Row>,
}

struct Row {
    at: usize,
    version: Version,
    cells: Vec<Cell>,
}

impl Todo {
    /// Where the calendar's table differs from the roadmap; nothing where the plan has no such table.
    #[must_use]
    pub fn calendar_drift(&self) -> Vec<CalendarDrift> {
        table(&self.lines()).map_or_else(Vec::new, |table| self.drift(&table))
    }

    /// The plan's text with its calendar as the roadmap has it: times and themes that differ are replaced, rows that are
    /// missing are added in the order of versions, those of unknown releases are taken out. Everything else stays byte for
    /// byte.
    ///
    /// # Errors
    /// When the plan has no calendar.
    pub fn update_calendar(&self) -> Result<String, EditError> {
        let lines = self.lines();
        let table = table(&lines).ok_or(EditError::NoSection {
            section: SECTION,
            table: true,
        })?;
        let mut writing = Writing::new(self, &lines);
        for drift in self.drift(&table) {
            let row = table.rows.iter().find(|row| row.at + 1 == drift.line);
            match (&drift.problem, row) {
                (DriftKind::Missing, _) => {
                    writing.add_row(&table, &self.expected(&drift.version), &drift.version)
                }
                (DriftKind::Unknown, Some(row)) => writing.remove_line(row.at),
                (DriftKind::When(expected, _), Some(row)) => {
                    writing.set_cell(&row.cells[table.when], expected)
                }
                (DriftKind::Theme(expected, _), Some(row)) => {
                    if let Some(theme) = table.theme {
                        writing.set_cell(&row.cells[theme], expected);
                    }
                }
                (_, None) => {}
            }
        }
        written(writing.finish(), "calendar", SECTION, |todo| {
            todo.calendar_drift().is_empty()
        })
    }

    fn drift(&self, table: &Table) -> Vec<CalendarDrift> {
        let mut drift = Vec::new();
        for row in &table.rows {
            let mut found = |problem| {
                drift.push(CalendarDrift {
                    line: row.at + 1,
                    version: row.version.clone(),
                    problem,
                });
            };
            let Some(entry) = self.entry(&row.version).map(|entry| &entry.release) else {
                found(DriftKind::Unknown);
                continue;
            };
            if entry.released {
                continue;
            }
            let (expected, cell) = (when_of(entry), &row.cells[table.when].text);
            if !same_time(&expected, cell) {
                found(DriftKind::When(expected, cell.clone()));
            }
            if let Some(theme) = table.theme {
                let cell = &row.cells[theme].text;
                if entry.title.to_lowercase() != cell.to_lowercase() {
                    found(DriftKind::Theme(entry.title.clone(), cell.clone()));
                }
            }
        }
        let planned = self
            .roadmap()
            .filter(|entry| !entry.released && entry.version == entry.last);
        for entry in planned {
            if !table.rows.iter().any(|row| row.version == entry.version) {
                drift.push(CalendarDrift {
                    line: table.head + 1,
                    version: entry.version.clone(),
                    problem: DriftKind::Missing,
                });
            }
        }
        drift
    }

    /// Time and theme of a release's row.
    fn expected(&self, version: &Version) -> (String, String) {
        let entry = self.entry(version).map(|entry| &entry.release);
        entry.map_or_else(Default::default, |entry| (when_of(entry), entry.title.clone()))
    }
}

fn when_of(entry: &RoadmapRelease) -> String {
    entry.when.clone().unwrap_or_else(|| "later".to_owned())
}

/// Whether two texts say the same time. A calendar may say `later` for `after 2028 Q1`.
fn same_time(roadmap: &str, calendar: &str) -> bool {
    match (When::parse(roadmap), When::parse(calendar)) {
        (Some(When::After(_)), Some(When::Undecided)) => true,
        (Some(roadmap), Some(calendar)) => roadmap == calendar,
        _ => roadmap == calendar,
    }
}

fn table(lines: &[Line<'_>]) -> Option<Table> {
    // A second section of the name would leave open which one counts.
    let section = section_of(lines, SECTION).ok().flatten()?;
    let is_row = |at: &usize| lines[*at].kind == Kind::Break && lines[*at].body.trim_start().starts_with('|');
    let head = section.clone().find(|at| is_row(at))?;
    let names: Vec<String> = cells(&lines[head])
        .into_iter()
        .map(|cell| cell.text.to_lowercase())
        .collect();
    let column = |known: &[&str]| names.iter().position(|name| known.contains(&name.as_str()));
    let (when, release) = (
        column(&["quarter", "when", "planned for"])?,
        column(&["release", "version"])?,
    );
    let theme = column(&["theme", "title"]);
    let mut rows = Vec::new();
    for at in (head + 2..section.end).take_while(is_row) {
        let cells = cells(&lines[at]);
        if cells.len() != names.len() {
            continue;
        }
        let word = cells[release].text.trim_matches(['*', '`']);
        if let Some(version) = head::final_version(word) {
            rows.push(Row { at, version, cells });
        }
    }
    Some(Table {
        head,
        columns: names.len(),
        when,
        release,
        theme,
        rows,
    })
}

/// The cells of a table's row. A bar behind a backslash is part of a cell.
fn cells(line: &Line<'_>) -> Vec<Cell> {
    let mut bars = Vec::new();
    let mut escaped = false;
    for (at, c) in line.body.char_indices() {
        if c == '|' && !escaped {
            bars.push(at);
        }
        escaped = c == '\\' && !escaped;
    }
    // A row need not end in a bar.
    if bars
        .last()
        .is_some_and(|last| !line.body[last + 1..].trim().is_empty())
    {
        bars.push(line.body.len());
    }
    let cell = |pair: &[usize]| Cell {
        text: line.body[pair[0] + 1..pair[1]].trim().replace("\\|", "|"),
        range: line.start + pair[0] + 1..line.start + pair[1],
    };
    bars.windows(2).map(cell).collect()
}

impl Writing<'_> {
    fn set_cell(&mut self, cell: &Cell, text: &str) {
        let text = text.replace('|', "\\|");
        let text = if text.is_empty() {
            " ".to_owned()
        } else {
            format!(" {text} ")
        };
        self.edits.replace(cell.range.clone(), text);
    }

    fn remove_line(&mut self, at: usize) {
        let line = &self.lines[at];
        // A text without a newline at its end has none afterwards either.
        let start = if line.ending.is_empty() && at > 0 {
            self.lines[at - 1].body_end()
        } else {
            line.start
        };
        self.edits.replace(start..line.end(), "");
    }

    fn add_row(&mut self, table: &Table, (when, theme): &(String, String), version: &Version) {
        let mut cells = vec![String::new(); table.columns];
        cells[table.when].clone_from(when);
        cells[table.release] = version.tag();
        if let Some(column) = table.theme {
            cells[column] = theme.replace('|', "\\|");
        }
        let cell = |text: &String| {
            if text.is_empty() {
                " ".to_owned()
            } else {
                format!(" {text} ")
            }
        };
        let row = format!("|{}|", cells.iter().map(cell).collect::<Vec<_>>().join("|"));
        let lower = table.rows.iter().filter(|row| row.version < *version);
        let after = lower
            .max_by_key(|row| row.version.clone())
            .map_or(table.head + 1, |row| row.at);
        self.edits
            .insert_after(&self.lines[after.min(self.lines.len() - 1)], self.newline, &row);
    }
}
