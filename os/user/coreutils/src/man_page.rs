//! The manual page of a command, from the same table as parser and `--help`.

use core::fmt;

use alloc::string::String;
use alloc::vec::Vec;

use crate::spec::{Opt, Spec};

/// The page in mdoc, for section 1.
#[derive(Clone, Copy, Debug)]
pub struct ManPage<'a>(pub &'a Spec);

impl fmt::Display for ManPage<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Spec { name, summary, .. } = self.0;
        writeln!(
            out,
            ".\\\" Made of the command's table of options. Date and system are set when a release is packed."
        )?;
        writeln!(
            out,
            ".Dd November 21, 2026\n.Dt {} 1\n.Os VeridianOS",
            name.to_uppercase()
        )?;
        writeln!(out, ".Sh NAME\n.Nm {name}\n.Nd {}", text(&small_first(summary)))?;
        writeln!(out, ".Sh SYNOPSIS")?;
        for form in self.0.usage {
            writeln!(out, ".Nm")?;
            if !form.is_empty() {
                writeln!(out, "{}", text(form))?;
            }
        }
        writeln!(out, ".Sh DESCRIPTION\n{}.\n.Pp\nThe options are:", text(summary))?;
        writeln!(out, ".Bl -tag -width Ds")?;
        for option in self.0.options {
            option_item(out, option)?;
        }
        writeln!(out, ".It Fl -help\nPrint a short text and exit.\n.El")?;
        notes(out, self.0.notes)?;
        writeln!(out, ".Sh EXIT STATUS\n.Bl -tag -width Ds -compact")?;
        for (status, meaning) in self.0.status {
            writeln!(out, ".It {status}\n{}.", text(&great_first(meaning)))?;
        }
        writeln!(out, ".El")
    }
}

fn option_item(out: &mut fmt::Formatter<'_>, option: &Opt) -> fmt::Result {
    let short = option.key.is_ascii().then_some(option.key);
    write!(out, ".It")?;
    if let Some(letter) = short {
        write!(out, " Fl {letter}")?;
        if option.long.is_empty() && !option.value.is_empty() {
            write!(out, " Ar {}", option.value)?;
        }
    }
    if !option.long.is_empty() {
        let comma = if short.is_some() { " ," } else { "" };
        write!(out, "{comma} Fl -{}", option.long)?;
        if !option.value.is_empty() {
            write!(out, " Ns = Ns Ar {}", option.value)?;
        }
    }
    writeln!(out, "\n{}.", sentences(&great_first(option.help)))
}

/// What else there is to know. A table, with blanks at the beginning of lines, keeps its lines.
fn notes(out: &mut fmt::Formatter<'_>, notes: &str) -> fmt::Result {
    let mut in_table = false;
    for (number, line) in notes.lines().enumerate() {
        let is_table = line.starts_with(' ');
        if is_table != in_table {
            writeln!(out, "{}", if is_table { ".Bd -literal" } else { ".Ed" })?;
        }
        if !is_table && (number == 0 || in_table) {
            writeln!(out, ".Pp")?;
        }
        in_table = is_table;
        match line {
            "" => writeln!(out, ".Pp")?,
            line if is_table => writeln!(out, "{}", text(line))?,
            line => writeln!(out, "{}", sentences(line))?,
        }
    }
    if in_table { writeln!(out, ".Ed") } else { Ok(()) }
}

/// Text that roff takes as it is.
fn text(text: &str) -> String {
    let escaped = text.replace('\\', "\\e").replace('-', "\\-");
    if escaped.starts_with(['.', '\'']) {
        return alloc::format!("\\&{escaped}");
    }
    escaped
}

/// Text with each sentence on lines of its own, as roff wants it.
fn sentences(line: &str) -> String {
    let parts: Vec<String> = line.split(". ").map(text).collect();
    parts.join(".\n")
}

fn small_first(text: &str) -> String {
    first(text, |c| c.to_ascii_lowercase())
}

fn great_first(text: &str) -> String {
    first(text, |c| c.to_ascii_uppercase())
}

/// A text with another first letter, unless the word is spelled in capitals.
fn first(text: &str, change: fn(char) -> char) -> String {
    let mut characters = text.chars();
    let first = characters.next();
    let rest = characters.as_str();
    let is_name = rest.starts_with(|c: char| c.is_ascii_uppercase());
    let first = first.map(|c| if is_name { c } else { change(c) });
    first.into_iter().chain(rest.chars()).collect()
}
