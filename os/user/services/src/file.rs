//! Service files.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use protocol::names::{MAX_PROVIDED, Name};

/// When a service that has exited is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Not at all.
    Never,
    /// When it was killed or its status is not 0.
    OnFailure,
    /// Always, unless it was to stop.
    Always,
}

/// A service, as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// Absolute path of the program.
    pub exec: String,
    /// Arguments behind the program's name.
    pub args: Vec<String>,
    /// Environment: names and values.
    pub env: Vec<(String, String)>,
    /// Services that start earlier.
    pub after: Vec<String>,
    /// Services that have to be up before.
    pub requires: Vec<String>,
    /// When it is started again.
    pub restart: Restart,
    /// How long the first restart waits.
    pub backoff: Duration,
    /// How many restarts in a row there are.
    pub burst: u32,
    /// How long it may take to stop.
    pub stop_timeout: Duration,
    /// It is up when it has exited with 0.
    pub oneshot: bool,
    /// It gets the console.
    pub console: bool,
    /// Names that it may register.
    pub provides: Vec<String>,
}

/// What is wrong with a service file, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileError {
    /// The file's name as it was given.
    pub file: String,
    /// Number of the line, from 1; 0 when it is about the file as a whole.
    pub line: usize,
    /// What is wrong.
    pub problem: String,
    /// The word that was probably meant.
    pub suggestion: Option<&'static str>,
}

impl fmt::Display for FileError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(out, "{}: {}", self.file, self.problem)?,
            line => write!(out, "{}:{line}: {}", self.file, self.problem)?,
        }
        match self.suggestion {
            Some(word) => write!(out, "; did you mean \"{word}\"?"),
            None => Ok(()),
        }
    }
}

const KEYS: [&str; 12] = [
    "exec",
    "args",
    "env",
    "after",
    "requires",
    "restart",
    "backoff",
    "burst",
    "stop-timeout",
    "type",
    "console",
    "provides",
];
const ENV: usize = 2;

/// Longest file in bytes.
const MAX_FILE: usize = 64 << 10;

/// What is wrong with a line.
type Problem = (String, Option<&'static str>);

fn problem<T>(text: impl Into<String>) -> Result<T, Problem> {
    Err((text.into(), None))
}

/// Reads a service file. `file` is its name, with or without directories.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse(file: &str, text: &str) -> Result<Service, FileError> {
    let error = |line, (problem, suggestion)| FileError {
        file: file.into(),
        line,
        problem,
        suggestion,
    };
    let base = file.rsplit_once('/').map_or(file, |(_, base)| base);
    let name = base.strip_suffix(".service").unwrap_or(base);
    check_name(name).map_err(|problem| error(0, problem))?;
    if text.len() > MAX_FILE {
        return Err(error(0, ("longer than 64 KiB".into(), None)));
    }
    let mut service = Service {
        name: name.into(),
        exec: String::new(),
        args: Vec::new(),
        env: Vec::new(),
        after: Vec::new(),
        requires: Vec::new(),
        restart: Restart::Never,
        backoff: Duration::from_secs(1),
        burst: 5,
        stop_timeout: Duration::from_secs(5),
        oneshot: false,
        console: false,
        provides: Vec::new(),
    };
    let (mut has_section, mut seen) = (false, [false; KEYS.len()]);
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let result = if line.starts_with('[') {
            section(line, core::mem::replace(&mut has_section, true))
        } else if has_section {
            service.set(line, &mut seen)
        } else {
            problem("expected [service] before the first key")
        };
        result.map_err(|problem| error(index + 1, problem))?;
    }
    if service.exec.is_empty() {
        return Err(error(0, ("the key \"exec\" is missing".into(), None)));
    }
    Ok(service)
}

fn section(line: &str, again: bool) -> Result<(), Problem> {
    match line {
        "[service]" if again => problem("[service] comes twice"),
        "[service]" => Ok(()),
        other => {
            let name = other.trim_matches(['[', ']']);
            Err((
                alloc::format!("unknown section {other:?}"),
                nearest(name, &["service"]).map(|_| "[service]"),
            ))
        }
    }
}

impl Service {
    fn set(&mut self, line: &str, seen: &mut [bool; KEYS.len()]) -> Result<(), Problem> {
        let Some((key, value)) = line.split_once('=') else {
            return problem("expected key = value");
        };
        let (key, value) = (key.trim(), value.trim());
        let Some(index) = KEYS.iter().position(|&other| other == key) else {
            return Err((alloc::format!("unknown key {key:?}"), nearest(key, &KEYS)));
        };
        if core::mem::replace(&mut seen[index], true) && index != ENV {
            return problem(alloc::format!("the key {key:?} comes twice"));
        }
        match key {
            "exec" if value.starts_with('/') && !value.contains('\0') => self.exec = value.into(),
            "exec" => return problem(alloc::format!("expected an absolute path, found {value:?}")),
            "args" => self.args = words(value)?,
            "env" => self.env.push(variable(value)?),
            "after" => self.after = names(value)?,
            "requires" => self.requires = names(value)?,
            "provides" => self.provides = provided(value)?,
            "restart" => {
                self.restart = match one_of(value, &["never", "on-failure", "always"])? {
                    0 => Restart::Never,
                    1 => Restart::OnFailure,
                    _ => Restart::Always,
                }
            }
            "backoff" => self.backoff = duration(value)?,
            "stop-timeout" => self.stop_timeout = duration(value)?,
            "burst" => {
                let Ok(burst) = value.parse() else {
                    return problem(alloc::format!("expected a number, found {value:?}"));
                };
                self.burst = burst;
            }
            "type" => self.oneshot = one_of(value, &["simple", "oneshot"])? == 1,
            _ => self.console = one_of(value, &["no", "yes"])? == 1,
        }
        Ok(())
    }
}

fn check_name(name: &str) -> Result<(), Problem> {
    let fine = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(fine) {
        return problem(alloc::format!("{name:?} is no name of a service"));
    }
    Ok(())
}

fn names(value: &str) -> Result<Vec<String>, Problem> {
    let mut all = Vec::new();
    for name in value.split_whitespace() {
        check_name(name)?;
        let name = name.to_string();
        if !all.contains(&name) {
            all.push(name);
        }
    }
    Ok(all)
}

/// Names for the registry.
fn provided(value: &str) -> Result<Vec<String>, Problem> {
    let mut all: Vec<String> = Vec::new();
    for name in value.split_whitespace() {
        if Name::new(name).is_none() {
            return problem(alloc::format!("{name:?} is no name that can be registered"));
        }
        if !all.iter().any(|other| other == name) {
            all.push(name.into());
        }
    }
    if all.len() > MAX_PROVIDED {
        return problem(alloc::format!("more than {MAX_PROVIDED} names"));
    }
    Ok(all)
}

/// Words separated by blanks; quotes keep blanks.
fn words(value: &str) -> Result<Vec<String>, Problem> {
    let mut all = Vec::new();
    let mut word: Option<String> = None;
    let mut quoted = false;
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                quoted = !quoted;
                // Quotes around nothing are an empty word.
                word.get_or_insert_default();
            }
            '\\' if quoted => match characters.next() {
                Some(escaped @ ('"' | '\\')) => word.get_or_insert_default().push(escaped),
                Some(other) => return problem(alloc::format!("unknown escape \\{other}")),
                None => break,
            },
            '\0' => return problem("a zero byte cannot be passed on"),
            blank if blank.is_whitespace() && !quoted => all.extend(word.take()),
            other => word.get_or_insert_default().push(other),
        }
    }
    if quoted {
        return problem("a quote is not closed");
    }
    all.extend(word);
    Ok(all)
}

fn variable(value: &str) -> Result<(String, String), Problem> {
    match value.split_once('=') {
        Some((name, value)) if !name.is_empty() && !name.contains(char::is_whitespace) => {
            Ok((name.into(), value.into()))
        }
        _ => problem(alloc::format!("expected NAME=value, found {value:?}")),
    }
}

fn duration(value: &str) -> Result<Duration, Problem> {
    let digits = value.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = value.split_at(digits);
    let milliseconds = match unit.trim() {
        "ms" => 1,
        "s" => 1000,
        "min" => 60_000,
        _ => 0,
    };
    match number.parse::<u32>() {
        Ok(number) if milliseconds > 0 => Ok(Duration::from_millis(u64::from(number) * milliseconds)),
        _ => problem(alloc::format!(
            "expected a time like 500ms, 2s or 1min, found {value:?}"
        )),
    }
}

/// The index of the value among the words that are allowed.
fn one_of(value: &str, words: &[&'static str]) -> Result<usize, Problem> {
    words.iter().position(|&word| word == value).ok_or_else(|| {
        let expected = words.join(", ");
        (
            alloc::format!("unknown value {value:?} (expected one of: {expected})"),
            nearest(value, words),
        )
    })
}

/// The word that is at most two edits away, and not more than half its length.
fn nearest(word: &str, words: &[&'static str]) -> Option<&'static str> {
    let close = words.iter().map(|&other| (distance(word, other), other));
    let (edits, other) = close.min_by_key(|other| other.0)?;
    (edits <= 2 && 2 * edits <= other.len()).then_some(other)
}

/// How many characters have to be inserted, deleted or replaced to make one word the other. Words that are too long to
/// be near anything are not compared.
fn distance(one: &str, other: &str) -> usize {
    if one.len() > 32 {
        return usize::MAX;
    }
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, character) in one.chars().enumerate() {
        let mut diagonal = core::mem::replace(&mut row[0], index + 1);
        for (column, &wanted) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(character != wanted);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
