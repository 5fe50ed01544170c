//! Builtins about variables and positional parameters.

use rt::io::ErrorKind;

use super::{misuse, number, options};
use crate::ast::is_name;
use crate::prelude::*;
use crate::shell::{INTERRUPTED, Run, Shell, Stop, USAGE};
use crate::unparse::quote;
use crate::variables::Variable;

/// Gives variables an attribute, and a value if there is one; without names shows those that have it.
fn attribute(
    shell: &mut Shell,
    arguments: &[String],
    has: fn(&Variable) -> bool,
    give: fn(&mut Variable),
) -> Run {
    let name = &arguments[0];
    let (_, names) = match options(shell, arguments, "p") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    if names.is_empty() {
        let variables = shell.state.variables.iter().filter(|(_, variable)| has(variable));
        let lines: String = variables
            .map(|(variable, Variable { value, .. })| match value {
                Some(value) => format!("{name} {variable}={}\n", quote(value)),
                None => format!("{name} {variable}\n"),
            })
            .collect();
        return Ok(shell.print(&lines));
    }
    for argument in names {
        let (variable, value) = split(argument);
        if !is_name(variable) {
            shell.report(format_args!("{name}: {variable}: not a valid name"));
            return if shell.interactive {
                Ok(1)
            } else {
                Err(Stop::Error(USAGE))
            };
        }
        if let Some(value) = value {
            shell.assign(variable, value)?;
        }
        give(shell.state.variables.entry(variable));
    }
    Ok(0)
}

fn split(argument: &str) -> (&str, Option<&str>) {
    match argument.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (argument, None),
    }
}

pub(super) fn export(shell: &mut Shell, arguments: &[String]) -> Run {
    attribute(
        shell,
        arguments,
        |variable| variable.exported,
        |variable| variable.exported = true,
    )
}

pub(super) fn readonly(shell: &mut Shell, arguments: &[String]) -> Run {
    attribute(
        shell,
        arguments,
        |variable| variable.readonly,
        |variable| variable.readonly = true,
    )
}

pub(super) fn local(shell: &mut Shell, arguments: &[String]) -> Run {
    for argument in &arguments[1..] {
        let (name, value) = split(argument);
        if !is_name(name) {
            shell.report(format_args!("local: {name}: not a valid name"));
            return Ok(1);
        }
        if !shell.state.variables.make_local(name) {
            shell.report(format_args!("local: can only be used in a function"));
            return Ok(1);
        }
        if let Some(value) = value {
            shell.assign(name, value)?;
        }
    }
    Ok(0)
}

pub(super) fn unset(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, names) = match options(shell, arguments, "fv") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    for name in names {
        if options.contains('f') {
            shell.state.functions.remove(name);
        } else if shell.state.variables.remove(name).is_err() {
            shell.report(format_args!("unset: {name}: is read only"));
            return if shell.interactive {
                Ok(1)
            } else {
                Err(Stop::Error(USAGE))
            };
        }
    }
    Ok(0)
}

pub(super) fn shift(shell: &mut Shell, arguments: &[String]) -> Run {
    let count = match arguments.get(1).map(|text| number(shell, "shift", text)) {
        None => 1,
        Some(Ok(count)) => count as usize,
        Some(Err(usage)) => return Err(Stop::Error(usage)),
    };
    if count > shell.state.positional.len() {
        shell.report(format_args!("shift: {count}: there are fewer"));
        return if shell.interactive {
            Ok(1)
        } else {
            Err(Stop::Error(USAGE))
        };
    }
    shell.state.positional.drain(..count);
    Ok(0)
}

pub(super) fn let_values(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 1 {
        return Ok(misuse(shell, "let", "expression required"));
    }
    let mut value = 0;
    for expression in &arguments[1..] {
        value = shell.compute(expression)?;
    }
    Ok(u32::from(value == 0))
}

pub(super) fn read(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut raw = false;
    let mut rest = &arguments[1..];
    let mut prompt = None;
    loop {
        rest = match rest {
            [first, later @ ..] if first == "-r" => {
                raw = true;
                later
            }
            [first, text, later @ ..] if first == "-p" => {
                prompt = Some(text);
                later
            }
            [first, later @ ..] if first == "--" => {
                rest = later;
                break;
            }
            [first, ..] if first.starts_with('-') => {
                return Ok(misuse(shell, "read", &format!("{first}: invalid option")));
            }
            _ => break,
        };
    }
    let default = [String::from("REPLY")];
    let names = if rest.is_empty() { &default[..] } else { rest };
    if let Some(name) = names.iter().find(|name| !is_name(name)) {
        shell.report(format_args!("read: {name}: not a valid name"));
        return Ok(USAGE);
    }
    if let Some(prompt) = prompt
        && shell
            .state
            .streams
            .get(0)
            .is_ok_and(crate::stream::Stream::is_terminal)
    {
        shell.warn(prompt);
    }
    let (line, ended) = match read_line(shell, raw) {
        Ok(found) => found,
        Err(error) if error.kind() == ErrorKind::Interrupted => {
            shell.poll_interrupt()?;
            return Ok(INTERRUPTED);
        }
        Err(error) => {
            shell.report(format_args!("read: {error}"));
            return Ok(1);
        }
    };
    let separators = shell.variable("IFS").unwrap_or(" \t\n").to_owned();
    let values = split_line(&line, &separators, names.len());
    for (index, name) in names.iter().enumerate() {
        shell.assign(name, values.get(index).cloned().unwrap_or_default())?;
    }
    Ok(u32::from(!ended))
}

/// Reads the bytes of a line, and whether each was escaped; and whether the line had an end.
///
/// One byte at a time: what follows the line is left to others.
fn read_line(shell: &Shell, raw: bool) -> rt::io::Result<(Vec<(u8, bool)>, bool)> {
    let stream = shell.state.streams.get(0)?;
    let mut line = Vec::new();
    let mut escaped = false;
    loop {
        let mut byte = [0];
        if stream.read(&mut byte)? == 0 {
            return Ok((line, false));
        }
        match byte[0] {
            b'\n' if escaped => escaped = false,
            b'\n' => return Ok((line, true)),
            b'\\' if !raw && !escaped => escaped = true,
            byte => {
                line.push((byte, escaped));
                escaped = false;
            }
        }
    }
}

/// Splits a line into `most` values; the last one is all that is left.
fn split_line(line: &[(u8, bool)], separators: &str, most: usize) -> Vec<String> {
    let separates = |&(byte, escaped): &(u8, bool)| !escaped && separators.as_bytes().contains(&byte);
    let blank = |item: &(u8, bool)| separates(item) && matches!(item.0, b' ' | b'\t' | b'\n');
    let text = |part: &[(u8, bool)]| {
        let bytes: Vec<u8> = part.iter().map(|&(byte, _)| byte).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let skip = |rest: &mut &[(u8, bool)]| {
        while let [first, later @ ..] = *rest
            && blank(first)
        {
            *rest = later;
        }
    };
    let mut rest = line;
    skip(&mut rest);
    let mut values = Vec::new();
    while values.len() + 1 < most && !rest.is_empty() {
        let len = rest.iter().position(separates).unwrap_or(rest.len());
        values.push(text(&rest[..len]));
        rest = &rest[len..];
        skip(&mut rest);
        if let [first, later @ ..] = rest
            && separates(first)
            && len < line.len()
        {
            rest = later;
            skip(&mut rest);
        }
    }
    while let [earlier @ .., last] = rest
        && blank(last)
    {
        rest = earlier;
    }
    // A separator that only ends the last value is no part of it.
    if let [earlier @ .., last] = rest
        && separates(last)
        && !earlier.iter().any(separates)
    {
        rest = earlier;
    }
    values.push(text(rest));
    values
}
