//! The result goes to standard output, everything else to standard error.

use crate::exit::{Failure, FailureKind};
use serde::Serialize;
use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

/// Writes text to standard output. A reader that has gone away (`| head`) ends the command quietly, as it ends other
/// programs.
///
/// # Errors
/// When standard output cannot be written, for example to a full disk.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(Failure {
            kind: FailureKind::Environment,
            messages: Vec::new(),
            hints: Vec::new(),
        }),
        Err(error) => Err(Failure::new(
            FailureKind::Environment,
            format!("cannot write to standard output: {error}"),
        )),
        Ok(()) => Ok(()),
    }
}

/// Whether this process has written its result as JSON.
static HAS_RESULT: AtomicBool = AtomicBool::new(false);

/// Whether the result is on standard output as JSON. Then nothing may follow it: a program reads one value.
#[must_use]
pub(crate) fn has_json_result() -> bool {
    HAS_RESULT.load(Ordering::Relaxed)
}

/// Writes the result, a value, to standard output as indented JSON.
///
/// # Errors
/// As [`print`].
pub(crate) fn print_json(value: &impl Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value).map_err(|error| {
        Failure::new(
            FailureKind::Bug,
            format!("cannot write the result as JSON: {error}"),
        )
    })?;
    HAS_RESULT.store(true, Ordering::Relaxed);
    print(&(text + "\n"))
}

/// Writes a line to standard error. Nothing can be done where that fails.
pub(crate) fn say(text: &str) {
    let mut err = io::stderr().lock();
    drop(writeln!(err, "{text}"));
}

/// Formats rows as a table with two blanks between columns; the columns in `right` are flush right.
#[must_use]
pub(crate) fn table(rows: &[Vec<String>], right: &[usize]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|c| c.chars().count())
            .max()
    };
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().enumerate().map(|(column, cell)| {
            let width = widths[column];
            if right.contains(&column) {
                format!("{cell:>width$}")
            } else {
                format!("{cell:<width$}")
            }
        });
        text.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up() {
        let row = |a: &str, b: &str| vec![a.to_owned(), b.to_owned()];
        assert_eq!(
            table(&[row("name", "size"), row("a", "5 KiB")], &[1]),
            "name   size\na     5 KiB\n"
        );
    }
}
