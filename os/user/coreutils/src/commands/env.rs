//! `env`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use rt::io::ErrorKind;
use rt::process::Command;

use super::path;
use crate::Stop;
use crate::spec::{Spec, Style, flag, value};

pub(crate) static SPEC: Spec = Spec {
    name: "env",
    usage: &["[OPTION]... [NAME=VALUE]... [COMMAND [ARGUMENT]...]"],
    summary: "Runs a command with other variables, or prints the variables",
    options: &[
        flag('i', "ignore-environment", "begin with no variables"),
        value('u', "unset", "NAME", "remove this variable"),
    ],
    style: Style::First,
    notes: "",
    status: &[
        ("0", "the variables were printed"),
        ("125", "env itself failed; 2 for wrong use"),
        ("126", "the command could not be started"),
        ("127", "the command was not found"),
        ("else", "that of the command"),
    ],
    trouble: 125,
    run: |invocation, out| {
        let mut variables = if invocation.has('i') {
            Vec::new()
        } else {
            rt::env::vars()
        };
        let search = rt::env::var("PATH");
        for (_, name) in invocation.options.iter().filter(|(key, _)| *key == 'u') {
            variables.retain(|(other, _)| other != name);
        }
        let mut operands = core::mem::take(&mut invocation.operands).into_iter().peekable();
        while let Some((name, value)) = operands.peek().and_then(|operand| operand.split_once('=')) {
            if name.is_empty() {
                return Err(Stop::Fatal(125, format!("={value}: a variable has a name")));
            }
            match variables.iter_mut().find(|(other, _)| other == name) {
                Some((_, old)) => *old = value.into(),
                None => variables.push((name.into(), value.into())),
            }
            operands.next();
        }
        let Some(name) = operands.next() else {
            for (name, value) in variables {
                writeln!(out, "{name}={value}")?;
            }
            return Ok(0);
        };
        out.flush()?;
        let set = variables
            .iter()
            .find(|(name, _)| name == "PATH")
            .map(|(_, value)| value.clone());
        let mut command = Command::new(find(&name, set.or(search).as_deref()));
        command.arg0(name.as_str()).args(operands).env_clear();
        for (name, value) in variables {
            command.env(name, value);
        }
        run(&name, &mut command)
    },
};

/// Where programs are if nobody says it.
const USUAL_PATH: &str = "/bin:/usr/bin";

/// The path of a program: its name if that has a slash, else the first one in the directories of `search`.
pub(crate) fn find(name: &str, search: Option<&str>) -> String {
    if name.contains('/') {
        return name.into();
    }
    let directories = search.unwrap_or(USUAL_PATH).split(':');
    let directories = directories.map(|directory| if directory.is_empty() { "." } else { directory });
    let mut candidates = directories.map(|directory| path::join(directory, name));
    let is_program =
        |path: &String| rt::fs::metadata(path).is_ok_and(|file| file.is_file() && file.executable);
    // What is not found has to fail under its own name, and not be one of the current directory.
    candidates.find(is_program).unwrap_or_else(|| format!("/{name}"))
}

/// Runs a command to its end and returns its status.
pub(crate) fn run(name: &str, command: &mut Command) -> crate::Run {
    match command.status() {
        Ok(status) => Ok(status.code()),
        Err(error) => {
            let status = if error.kind() == ErrorKind::NotFound {
                127
            } else {
                126
            };
            Err(Stop::Fatal(status, format!("{name}: {error}")))
        }
    }
}
