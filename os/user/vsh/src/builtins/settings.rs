//! Builtins about the shell's settings: options, directory, history.

use super::{misuse, number, options};
use crate::prelude::*;
use crate::shell::{Options, Run, Shell, Stop, USAGE};
use crate::unparse::quote;

pub(super) fn cd(shell: &mut Shell, arguments: &[String]) -> Run {
    let rest = match options(shell, arguments, "LP") {
        Ok((_, rest)) => rest,
        // `-` alone is no option.
        Err(usage) => return Ok(usage),
    };
    let (variable, shown) = match rest.first().map(String::as_str) {
        None => ("HOME", false),
        Some("-") => ("OLDPWD", true),
        Some(_) => ("", false),
    };
    let target = match rest.first() {
        Some(path) if variable.is_empty() => path.clone(),
        _ => match shell.variable(variable) {
            Some(path) => path.to_owned(),
            None => {
                shell.report(format_args!("cd: {variable} not set"));
                return Ok(1);
            }
        },
    };
    if rest.len() > 1 {
        return Ok(misuse(shell, "cd", "too many arguments"));
    }
    let before = current(shell);
    let path = resolve(&before, &target);
    if let Err(error) = rt::env::set_current_dir(&path) {
        shell.report(format_args!("cd: {target}: {error}"));
        return Ok(1);
    }
    shell.assign("OLDPWD", before)?;
    shell.assign("PWD", path.clone())?;
    for name in ["OLDPWD", "PWD"] {
        shell.state.variables.entry(name).exported = true;
    }
    if shown {
        return Ok(shell.print(&format!("{path}\n")));
    }
    Ok(0)
}

/// The current directory by the name it was entered with, if that is still right.
fn current(shell: &Shell) -> String {
    let real = rt::env::current_dir().unwrap_or_else(|_| "/".into());
    let same = |path: &str| {
        let numbers = |path: &str| rt::fs::metadata(path).map(|metadata| metadata.ino).ok();
        path.starts_with('/') && numbers(path) == numbers(&real)
    };
    match shell.variable("PWD") {
        Some(path) if same(path) => path.to_owned(),
        _ => real,
    }
}

/// An absolute path without `.` and `..`, which go by names, not by links.
fn resolve(base: &str, path: &str) -> String {
    let mut components: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { base };
    for component in base.split('/').chain(path.split('/')) {
        match component {
            "" | "." => {}
            ".." => {
                components.pop();
            }
            component => components.push(component),
        }
    }
    format!("/{}", components.join("/"))
}

pub(super) fn pwd(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, _) = match options(shell, arguments, "LP") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    let path = if options.ends_with('P') {
        match rt::env::current_dir() {
            Ok(path) => path,
            Err(error) => {
                shell.report(format_args!("pwd: {error}"));
                return Ok(1);
            }
        }
    } else {
        current(shell)
    };
    Ok(shell.print(&format!("{path}\n")))
}

pub(super) fn set(shell: &mut Shell, arguments: &[String]) -> Run {
    let mut rest = &arguments[1..];
    if rest.is_empty() {
        let variables = shell.state.variables.iter();
        let lines: String = variables
            .filter_map(|(name, variable)| Some(format!("{name}={}\n", quote(variable.value.as_ref()?))))
            .collect();
        return Ok(shell.print(&lines));
    }
    while let [first, later @ ..] = rest {
        if first == "--" {
            shell.state.positional = later.to_vec();
            return Ok(0);
        }
        let Some(on) = switch(first) else {
            shell.state.positional = rest.to_vec();
            return Ok(0);
        };
        rest = later;
        for letter in first[1..].chars() {
            if letter == 'o' {
                let Some((name, later)) = rest.split_first() else {
                    return Ok(show(shell, on));
                };
                rest = later;
                let Some(option) = shell.state.options.named(name) else {
                    return Err(unknown(shell, name));
                };
                *option = on;
                continue;
            }
            let known = Options::ALL.iter().find(|(own, _)| *own == letter);
            let Some(option) = known.and_then(|(_, name)| shell.state.options.named(name)) else {
                return Err(unknown(shell, &format!("-{letter}")));
            };
            *option = on;
        }
    }
    Ok(0)
}

/// Whether an argument switches on or off.
pub(crate) fn switch(argument: &str) -> Option<bool> {
    match argument.split_at_checked(1)? {
        ("-", letters) if !letters.is_empty() => Some(true),
        ("+", letters) if !letters.is_empty() => Some(false),
        _ => None,
    }
}

fn unknown(shell: &Shell, option: &str) -> Stop {
    Stop::Error(misuse(shell, "set", &format!("{option}: invalid option")).max(USAGE))
}

/// Shows the options: for people, or as commands.
fn show(shell: &mut Shell, for_people: bool) -> u32 {
    let mut options = shell.state.options;
    let mut lines = String::new();
    for (_, name) in Options::ALL {
        let on = options.named(name).is_some_and(|on| *on);
        lines += &if for_people {
            format!("{name:<12}{}\n", if on { "on" } else { "off" })
        } else {
            format!("set {}o {name}\n", if on { '-' } else { '+' })
        };
    }
    shell.print(&lines)
}

pub(super) fn history(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, rest) = match options(shell, arguments, "c") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    if !options.is_empty() {
        shell.history.clear();
        return Ok(0);
    }
    let len = shell.history.lines().len();
    let skip = match rest.first() {
        None => 0,
        Some(text) => match number(shell, "history", text) {
            Ok(count) => len.saturating_sub(count as usize),
            Err(usage) => return Ok(usage),
        },
    };
    let lines = shell.history.lines().iter().enumerate().skip(skip);
    let text: String = lines
        .map(|(index, line)| format!("{:5}  {line}\n", index + 1))
        .collect();
    Ok(shell.print(&text))
}
