//! Builtins about what names mean.

use super::{ALL, call, find, misuse, options};
use crate::execute::lookup;
use crate::parser::RESERVED;
use crate::prelude::*;
use crate::shell::{NOT_FOUND, Run, Shell};
use crate::unparse::quote;

pub(super) fn alias(shell: &mut Shell, arguments: &[String]) -> Run {
    let line = |name: &str, text: &str| format!("alias {name}={}\n", quote(text));
    if arguments.len() == 1 {
        let lines: String = shell
            .state
            .aliases
            .iter()
            .map(|(name, text)| line(name, text))
            .collect();
        return Ok(shell.print(&lines));
    }
    let mut status = 0;
    for argument in &arguments[1..] {
        if let Some((name, text)) = argument.split_once('=').filter(|(name, _)| !name.is_empty()) {
            shell.state.aliases.insert(name.into(), text.into());
        } else if let Some(text) = shell.state.aliases.get(argument) {
            let text = line(argument, text);
            shell.print(&text);
        } else {
            shell.report(format_args!("alias: {argument}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

pub(super) fn unalias(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, names) = match options(shell, arguments, "a") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    if !options.is_empty() {
        shell.state.aliases.clear();
        return Ok(0);
    }
    if names.is_empty() {
        return Ok(misuse(shell, "unalias", "name required"));
    }
    let mut status = 0;
    for name in names {
        if shell.state.aliases.remove(name).is_none() {
            shell.report(format_args!("unalias: {name}: not found"));
            status = 1;
        }
    }
    Ok(status)
}

/// What would be run, in words.
fn describe(shell: &Shell, name: &str) -> Option<String> {
    if let Some(text) = shell.state.aliases.get(name) {
        return Some(format!("{name} is an alias for {text}\n"));
    }
    if RESERVED.contains(&name) {
        return Some(format!("{name} is a reserved word\n"));
    }
    if let Some(body) = shell.state.functions.get(name) {
        return Some(format!("{name} is a function\n{name}() {body}\n"));
    }
    if find(name).is_some() {
        return Some(format!("{name} is a shell builtin\n"));
    }
    program(shell, name).map(|path| format!("{name} is {path}\n"))
}

/// The path of an existing program.
fn program(shell: &Shell, name: &str) -> Option<String> {
    let path = lookup(shell, name).ok()?;
    let metadata = rt::fs::metadata(&path).ok()?;
    (metadata.is_file() && metadata.executable).then_some(path)
}

pub(super) fn type_of(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut status = 0;
    for name in &arguments[1..] {
        match describe(shell, name) {
            Some(text) => status = status.max(shell.print(&text)),
            None => {
                shell.report(format_args!("type: {name}: not found"));
                status = NOT_FOUND;
            }
        }
    }
    Ok(status)
}

pub(super) fn which(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 1 {
        return Ok(misuse(shell, "which", "name required"));
    }
    let mut status = 0;
    for name in &arguments[1..] {
        match program(shell, name) {
            Some(path) => status = status.max(shell.print(&format!("{path}\n"))),
            None => status = 1,
        }
    }
    Ok(status)
}

pub(super) fn command(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, rest) = match options(shell, arguments, "vVp") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    let Some(name) = rest.first() else { return Ok(0) };
    if options.contains('V') {
        return match describe(shell, name) {
            Some(text) => Ok(shell.print(&text)),
            None => {
                shell.report(format_args!("command: {name}: not found"));
                Ok(NOT_FOUND)
            }
        };
    }
    if options.contains('v') {
        let known = RESERVED.contains(&name.as_str())
            || shell.state.functions.contains_key(name)
            || ALL.iter().any(|builtin| builtin.name == name);
        let text = match shell.state.aliases.get(name) {
            Some(text) => Some(format!("alias {name}={}", quote(text))),
            None if known => Some(name.clone()),
            None => program(shell, name),
        };
        return Ok(text.map_or(NOT_FOUND, |text| shell.print(&(text + "\n"))));
    }
    match find(name) {
        Some(builtin) => call(builtin, shell, rest),
        None => shell.run_arguments(rest),
    }
}
