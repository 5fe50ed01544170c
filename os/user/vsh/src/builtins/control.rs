//! Builtins that decide what is run next.

use rt::process::Signal;

use super::{join, misuse, number};
use crate::execute::lookup;
use crate::prelude::*;
use crate::shell::{NOT_FOUND, Run, Shell, Stop, USAGE};
use crate::unparse::quote;

pub(super) fn colon(_shell: &mut Shell, _arguments: &[String]) -> Run {
    Ok(0)
}

pub(super) fn no(_shell: &mut Shell, _arguments: &[String]) -> Run {
    Ok(1)
}

/// The status that the first argument names, or that of the last command.
fn status(shell: &Shell, arguments: &[String]) -> Result<u32, u32> {
    match arguments.get(1) {
        None => Ok(shell.status),
        // Of a status, eight bits are told.
        Some(text) => number(shell, &arguments[0], text).map(|status| status & 0xff),
    }
}

pub(super) fn exit(shell: &mut Shell, arguments: &[String]) -> Run {
    Err(Stop::Exit(status(shell, arguments).unwrap_or_else(|usage| usage)))
}

pub(super) fn return_from(shell: &mut Shell, arguments: &[String]) -> Run {
    Err(Stop::Return(
        status(shell, arguments).unwrap_or_else(|usage| usage),
    ))
}

/// How many loops an argument names, from 0: no more than there are.
fn levels(shell: &Shell, arguments: &[String]) -> Result<Option<u32>, u32> {
    let levels = match arguments.get(1) {
        None => 1,
        Some(text) => number(shell, &arguments[0], text)?,
    };
    if levels == 0 {
        return Err(misuse(shell, &arguments[0], "0: loop count out of range"));
    }
    Ok(levels.min(shell.loops).checked_sub(1))
}

pub(super) fn break_loop(shell: &mut Shell, arguments: &[String]) -> Run {
    match levels(shell, arguments) {
        Err(usage) => Err(Stop::Error(usage)),
        Ok(None) => Ok(0),
        Ok(Some(levels)) => Err(Stop::Break(levels)),
    }
}

pub(super) fn continue_loop(shell: &mut Shell, arguments: &[String]) -> Run {
    match levels(shell, arguments) {
        Err(usage) => Err(Stop::Error(usage)),
        Ok(None) => Ok(0),
        Ok(Some(levels)) => Err(Stop::Continue(levels)),
    }
}

pub(super) fn eval(shell: &mut Shell, arguments: &[String]) -> Run {
    nested(shell, &join(&arguments[1..]))
}

/// Runs a text whose lines are not the script's.
fn nested(shell: &mut Shell, text: &str) -> Run {
    let line = core::mem::replace(&mut shell.line, 1);
    let result = shell.run_text(text);
    shell.line = line;
    result
}

pub(super) fn source(shell: &mut Shell, arguments: &[String]) -> Run {
    let [name, file, rest @ ..] = arguments else {
        return Ok(misuse(shell, &arguments[0], "file name required"));
    };
    let exists = |path: &String| rt::fs::metadata(path).is_ok();
    let in_path = || {
        let path = shell.variable("PATH").unwrap_or_default();
        path.split(':')
            .map(|directory| format!("{directory}/{file}"))
            .find(exists)
    };
    let path = if file.contains('/') || exists(file) {
        file.clone()
    } else {
        in_path().unwrap_or_else(|| file.clone())
    };
    let text = match rt::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => {
            shell.report(format_args!("{name}: {file}: {error}"));
            return if shell.interactive {
                Ok(1)
            } else {
                Err(Stop::Error(USAGE))
            };
        }
    };
    let saved = (!rest.is_empty()).then(|| core::mem::replace(&mut shell.state.positional, rest.to_vec()));
    let result = nested(shell, &text);
    if let Some(positional) = saved {
        shell.state.positional = positional;
    }
    match result {
        Err(Stop::Return(status)) => Ok(status),
        other => other,
    }
}

/// There is no way to become another program: it is run, and its status is this shell's.
pub(super) fn exec(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut arguments = &arguments[1..];
    if arguments.first().is_some_and(|first| first == "--") {
        arguments = &arguments[1..];
    }
    let Some(name) = arguments.first() else {
        return Ok(0);
    };
    if lookup(shell, name).is_err() {
        shell.report(format_args!("exec: {name}: not found"));
        return if shell.interactive {
            Ok(NOT_FOUND)
        } else {
            Err(Stop::Exit(NOT_FOUND))
        };
    }
    let status = shell.run_arguments(arguments)?;
    Err(Stop::Exit(status))
}

pub(super) fn trap(shell: &mut Shell, arguments: &[String]) -> Run {
    let rest = match &arguments[1..] {
        [first, rest @ ..] if first == "--" => rest,
        rest => rest,
    };
    let (action, conditions) = match rest {
        [] => {
            let traps = shell.state.traps.iter();
            let lines: String = traps
                .map(|(name, text)| format!("trap -- {} {name}\n", quote(text)))
                .collect();
            return Ok(shell.print(&lines));
        }
        // A number alone is a condition to forget.
        [only] if condition(only).is_some() => ("-", rest),
        [action, conditions @ ..] => (action.as_str(), conditions),
    };
    if conditions.is_empty() {
        return Ok(misuse(shell, "trap", "condition required"));
    }
    for name in conditions {
        let Some(name) = condition(name) else {
            shell.report(format_args!("trap: {name}: only EXIT and INT can be trapped"));
            return Ok(1);
        };
        if action == "-" {
            shell.state.traps.remove(name);
            continue;
        }
        if name == "INT"
            && let Err(error) = rt::process::hold_interrupts()
        {
            shell.report(format_args!("trap: INT: {error}"));
            return Ok(1);
        }
        shell.state.traps.insert(name, action.into());
    }
    Ok(0)
}

fn condition(name: &str) -> Option<&'static str> {
    match name {
        "0" | "EXIT" => Some("EXIT"),
        "2" => Some("INT"),
        _ if Signal::from_name(name) == Some(Signal::Interrupt) => Some("INT"),
        _ => None,
    }
}
