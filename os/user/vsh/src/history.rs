//! The lines that were typed.

use rt::fs::File;
use rt::io::Write as _;

use crate::prelude::*;

/// How many lines are kept.
const MAX_LINES: usize = 1000;

/// Lines, the oldest first, and the file that they are also written to.
#[derive(Debug, Default)]
pub(crate) struct History {
    lines: Vec<String>,
    file: Option<String>,
}

impl History {
    /// Begins with the lines of a file. If that cannot be written to, they are only remembered.
    pub(crate) fn load(path: &str) -> Self {
        let text = rt::fs::read_to_string(path).unwrap_or_default();
        let mut history = Self::default();
        for line in text.lines() {
            history.remember(line);
        }
        history.file = Some(path.into());
        history
    }

    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    fn remember(&mut self, line: &str) -> bool {
        let new = !line.trim().is_empty() && self.lines.last().is_none_or(|last| last != line);
        if new {
            if self.lines.len() == MAX_LINES {
                self.lines.remove(0);
            }
            self.lines.push(line.into());
        }
        new
    }

    /// Adds a line, unless it is empty or the same as the last one.
    pub(crate) fn add(&mut self, line: &str) {
        if !self.remember(line) {
            return;
        }
        if let Some(path) = &self.file {
            let written =
                File::append(path).and_then(|mut file| file.write_all(format!("{line}\n").as_bytes()));
            if written.is_err() {
                self.file = None;
            }
        }
    }

    /// Forgets everything, in the file too.
    pub(crate) fn clear(&mut self) {
        self.lines.clear();
        if let Some(path) = &self.file
            && File::create(path).is_err()
        {
            self.file = None;
        }
    }
}
