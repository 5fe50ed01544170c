//! The line editor: keys to a line, and what the screen shows of it. Every character is one column wide.

use crate::keys::Key;
use crate::prelude::*;

/// What a key led to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The line is to be shown again.
    Go,
    /// It is complete.
    Done(String),
    /// Ctrl-C.
    Cancelled,
    /// Ctrl-D on an empty line.
    End,
    /// The screen is to be cleared.
    Clear,
    /// These are to be shown below.
    Choices(Vec<String>),
}

/// How a word can be completed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Completion {
    /// Where the word begins, in characters.
    pub(crate) start: usize,
    /// What can stand in its place.
    pub(crate) candidates: Vec<String>,
}

/// What the editor asks others.
pub(crate) trait Helper {
    /// Lines that were typed before, the oldest first.
    fn history(&self) -> &[String];
    /// How to complete a line before the cursor.
    fn complete(&self, before: &[char]) -> Completion;
}

/// A search in the history.
#[derive(Debug)]
struct Search {
    query: String,
    /// The line that was found.
    found: Option<usize>,
    /// The line before the search.
    line: Vec<char>,
}

#[derive(Debug, Default)]
pub(crate) struct Editor {
    prompt: String,
    line: Vec<char>,
    cursor: usize,
    /// What was cut last.
    cut: Vec<char>,
    /// Which line of the history is shown, and the new line that it hides.
    shown: Option<(usize, Vec<char>)>,
    search: Option<Search>,
    /// In which row below the prompt's start the terminal's cursor is.
    row: usize,
}

impl Editor {
    /// An empty line behind a prompt.
    pub(crate) fn new(prompt: &str) -> Self {
        Self {
            prompt: prompt.into(),
            ..Self::default()
        }
    }

    fn set(&mut self, line: Vec<char>) {
        self.cursor = line.len();
        self.line = line;
    }

    pub(crate) fn press(&mut self, key: Key, helper: &dyn Helper) -> Outcome {
        if self.search.is_some()
            && let Some(outcome) = self.search_key(key, helper)
        {
            return outcome;
        }
        match key {
            Key::Enter => return Outcome::Done(self.line.iter().collect()),
            Key::Control('c') => return Outcome::Cancelled,
            Key::Control('d') if self.line.is_empty() => return Outcome::End,
            Key::Control('l') => return Outcome::Clear,
            Key::Tab => return self.complete(helper),
            Key::Character(character) => {
                self.line.insert(self.cursor, character);
                self.cursor += 1;
            }
            Key::Backspace | Key::Control('h') if self.cursor > 0 => {
                self.cursor -= 1;
                self.line.remove(self.cursor);
            }
            Key::Delete | Key::Control('d') if self.cursor < self.line.len() => {
                self.line.remove(self.cursor);
            }
            Key::Left | Key::Control('b') => self.cursor = self.cursor.saturating_sub(1),
            Key::Right | Key::Control('f') => self.cursor = (self.cursor + 1).min(self.line.len()),
            Key::Home | Key::Control('a') => self.cursor = 0,
            Key::End | Key::Control('e') => self.cursor = self.line.len(),
            Key::WordLeft | Key::Alt('b') => self.cursor = self.word_left(char::is_alphanumeric),
            Key::WordRight | Key::Alt('f') => self.cursor = self.word_right(),
            Key::Control('k') => self.cut(self.cursor, self.line.len()),
            Key::Control('u') => self.cut(0, self.cursor),
            Key::Control('w') => self.cut(
                self.word_left(|character| !character.is_whitespace()),
                self.cursor,
            ),
            Key::Alt('\u{7f}') => self.cut(self.word_left(char::is_alphanumeric), self.cursor),
            Key::Alt('d') => self.cut(self.cursor, self.word_right()),
            Key::Control('y') => {
                let cut = self.cut.clone();
                self.cursor += cut.len();
                let at = self.cursor - cut.len();
                self.line.splice(at..at, cut);
            }
            Key::Control('t') if self.cursor > 0 && self.line.len() > 1 => {
                self.cursor = (self.cursor + 1).min(self.line.len());
                self.line.swap(self.cursor - 2, self.cursor - 1);
            }
            Key::Up | Key::Control('p') => self.older(helper),
            Key::Down | Key::Control('n') => self.newer(helper),
            Key::Control('r') => {
                self.search = Some(Search {
                    query: String::new(),
                    found: None,
                    line: self.line.clone(),
                });
            }
            _ => {}
        }
        Outcome::Go
    }

    /// Where the word before the cursor begins.
    fn word_left(&self, in_word: fn(char) -> bool) -> usize {
        let before = &self.line[..self.cursor];
        let end = before
            .iter()
            .rposition(|&character| in_word(character))
            .map_or(0, |at| at + 1);
        before[..end]
            .iter()
            .rposition(|&character| !in_word(character))
            .map_or(0, |at| at + 1)
    }

    /// Where the word after the cursor ends.
    fn word_right(&self) -> usize {
        let len = self.line.len();
        let find = |from: usize, wanted: bool| {
            let found = self.line[from..]
                .iter()
                .position(|character| character.is_alphanumeric() == wanted);
            found.map_or(len, |at| from + at)
        };
        find(find(self.cursor, true), false)
    }

    fn cut(&mut self, start: usize, end: usize) {
        if start < end {
            self.cut = self.line.drain(start..end).collect();
            self.cursor = start;
        }
    }

    fn older(&mut self, helper: &dyn Helper) {
        let (index, new) = match self.shown.take() {
            None => (helper.history().len(), self.line.clone()),
            Some(shown) => shown,
        };
        let Some(older) = index.checked_sub(1) else {
            self.shown = (index < helper.history().len()).then_some((index, new));
            return;
        };
        self.set(helper.history()[older].chars().collect());
        self.shown = Some((older, new));
    }

    fn newer(&mut self, helper: &dyn Helper) {
        let Some((index, new)) = self.shown.take() else {
            return;
        };
        match helper.history().get(index + 1) {
            Some(line) => {
                self.set(line.chars().collect());
                self.shown = Some((index + 1, new));
            }
            None => self.set(new),
        }
    }

    /// A key during a search. `None`: the search has ended, and the key means what it always does.
    fn search_key(&mut self, key: Key, helper: &dyn Helper) -> Option<Outcome> {
        let search = self.search.as_mut()?;
        let before = match key {
            Key::Character(character) => {
                search.query.push(character);
                search.found.map_or(helper.history().len(), |found| found + 1)
            }
            Key::Backspace => {
                search.query.pop();
                helper.history().len()
            }
            Key::Control('r') => search.found.unwrap_or(helper.history().len()),
            Key::Control('c' | 'g') => {
                let line = core::mem::take(&mut search.line);
                self.search = None;
                self.set(line);
                return Some(Outcome::Go);
            }
            _ => {
                self.search = None;
                return None;
            }
        };
        let older = helper.history().get(..before).unwrap_or_default();
        let found = older.iter().rposition(|line| line.contains(&search.query));
        if let Some(index) = found.filter(|_| !search.query.is_empty()) {
            search.found = found;
            self.set(helper.history()[index].chars().collect());
        }
        Some(Outcome::Go)
    }

    fn complete(&mut self, helper: &dyn Helper) -> Outcome {
        let Completion { start, candidates } = helper.complete(&self.line[..self.cursor]);
        let Some(first) = candidates.first() else {
            return Outcome::Go;
        };
        let common = candidates
            .iter()
            .fold(first.chars().collect::<Vec<_>>(), |mut common, other| {
                let same = common
                    .iter()
                    .zip(other.chars())
                    .take_while(|(a, b)| **a == *b)
                    .count();
                common.truncate(same);
                common
            });
        if common.len() <= self.cursor - start && candidates.len() > 1 {
            return Outcome::Choices(candidates);
        }
        self.line.splice(start..self.cursor, common.iter().copied());
        self.cursor = start + common.len();
        // A directory goes on.
        if candidates.len() == 1 && !first.ends_with('/') {
            self.line.insert(self.cursor, ' ');
            self.cursor += 1;
        }
        Outcome::Go
    }

    /// What makes a terminal with this many columns show prompt and line, from where the last call left its cursor.
    pub(crate) fn render(&mut self, columns: usize) -> String {
        let columns = columns.max(1);
        let prompt = match &self.search {
            Some(search) => format!("(search `{}') ", search.query),
            None => self.prompt.clone(),
        };
        let mut text = up(self.row);
        text.push_str("\r\x1b[J");
        text.push_str(&prompt);
        text.extend(&self.line);
        let width = visible_width(&prompt);
        let (end, cursor) = (width + self.line.len(), width + self.cursor);
        if end > 0 && end.is_multiple_of(columns) {
            // Terminals go to the next row only with the next character.
            text.push('\n');
        }
        text.push_str(&up(end / columns - cursor / columns));
        text.push('\r');
        if cursor % columns > 0 {
            text.push_str(&format!("\x1b[{}C", cursor % columns));
        }
        self.row = cursor / columns;
        text
    }

    /// What moves the terminal's cursor below the line, from where [`render`](Self::render) left it.
    pub(crate) fn leave(&mut self, columns: usize) -> String {
        let cursor = core::mem::replace(&mut self.cursor, self.line.len());
        let text = self.render(columns) + "\n";
        self.cursor = cursor;
        self.row = 0;
        text
    }

    /// The terminal's cursor is at the start of an empty row again.
    pub(crate) fn moved(&mut self) {
        self.row = 0;
    }
}

fn up(rows: usize) -> String {
    match rows {
        0 => String::new(),
        rows => format!("\x1b[{rows}A"),
    }
}

/// How many columns a text takes: escape sequences for colours take none.
fn visible_width(text: &str) -> usize {
    let mut width = 0;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        if character == '\x1b' {
            characters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            width += 1;
        }
    }
    width
}

#[cfg(test)]
mod tests;
