//! What the shell is started for: a command, a script, standard input, or a person at a terminal.

use rt::Args;
use rt::io::{Read as _, Write as _};

use crate::builtins;
use crate::lexer::Problem;
use crate::parser::{Aliases, Parser};
use crate::prelude::*;
use crate::shell::{NOT_EXECUTABLE, NOT_FOUND, Options, Shell, Stop, USAGE};

const HELP: &str = "\
usage: vsh [OPTION]... [FILE [ARGUMENT]...]
       vsh [OPTION]... -c COMMANDS [NAME [ARGUMENT]...]

Runs the commands in FILE, or COMMANDS, or those that it reads from standard input.

  -c            run COMMANDS; NAME is $0
  -i            be interactive, even if input or output is no terminal
  -s            read standard input; arguments are positional parameters
  -efnuvxC      as of the builtin `set`
  -o OPTION     as of the builtin `set`
  --help        show this
`help` in the shell shows the builtins.
";

/// What the arguments ask for.
#[derive(Debug, Default)]
struct Invocation {
    commands: bool,
    interactive: bool,
    input: bool,
    options: Options,
    /// `$$` of the shell whose command this one runs, and the command's line.
    parent: Option<(u32, u32)>,
    operands: Vec<String>,
}

/// Runs a shell and returns its exit status.
pub fn run(mut arguments: Args) -> u32 {
    let name = arguments.next().unwrap_or_else(|| "vsh".into());
    let name = name
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .trim_start_matches('-')
        .to_owned();
    if arguments
        .as_slice()
        .first()
        .is_some_and(|first| first == "--help")
    {
        return u32::from(rt::io::stdout().write_all(HELP.as_bytes()).is_err());
    }
    match parse(arguments) {
        Ok(invocation) => start(&name, invocation),
        Err(problem) => {
            rt::eprintln!("{name}: {problem}\ntry `{name} --help`");
            USAGE
        }
    }
}

fn parse(mut arguments: Args) -> Result<Invocation, String> {
    let mut invocation = Invocation::default();
    while let Some(argument) = arguments.next() {
        if let Some(parent) = argument.strip_prefix("--subshell=") {
            let numbers = parent
                .split_once(':')
                .and_then(|(id, line)| Some((id.parse().ok()?, line.parse().ok()?)));
            invocation.parent = Some(numbers.ok_or_else(|| format!("{argument}: bad numbers"))?);
            continue;
        }
        if argument == "--" || argument == "-" {
            break;
        }
        let Some(on) = builtins::switch(&argument) else {
            invocation.operands.push(argument);
            break;
        };
        for letter in argument[1..].chars() {
            let name = Options::ALL
                .iter()
                .find(|(own, _)| *own == letter)
                .map(|(_, name)| *name);
            let option = name.and_then(|name| invocation.options.named(name));
            match (letter, option) {
                ('c', _) => invocation.commands = true,
                ('i', _) => invocation.interactive = true,
                ('s', _) => invocation.input = true,
                ('o', _) => {
                    let name = arguments.next().ok_or("-o: option name required")?;
                    *invocation
                        .options
                        .named(&name)
                        .ok_or(format!("-o {name}: invalid option"))? = on;
                }
                (_, Some(option)) => *option = on,
                _ => return Err(format!("{argument}: invalid option")),
            }
        }
    }
    invocation.operands.extend(arguments);
    Ok(invocation)
}

fn start(name: &str, invocation: Invocation) -> u32 {
    let mut shell = Shell::new(name);
    shell.state.options = invocation.options;
    if let Some((id, line)) = invocation.parent {
        (shell.id, shell.line) = (id, line);
    }
    let mut operands = invocation.operands.into_iter();
    let mut script = None;
    if invocation.commands {
        let Some(commands) = operands.next() else {
            shell.warn(&format!("{name}: -c: commands required\n"));
            return USAGE;
        };
        script = Some(commands);
    }
    if (script.is_some() || !invocation.input)
        && let Some(name) = operands.next()
    {
        if script.is_none() {
            match read_script(&name) {
                Ok(text) => script = Some(text),
                Err(error) => {
                    shell.warn(&format!("{}: {name}: {error}\n", shell.state.name));
                    let missing = error.kind() == rt::io::ErrorKind::NotFound;
                    return if missing { NOT_FOUND } else { NOT_EXECUTABLE };
                }
            }
        }
        shell.state.name = name;
    }
    shell.state.positional = operands.collect();
    let terminals = rt::io::stdin().is_terminal() && rt::io::stderr().is_terminal();
    let result = match script {
        Some(text) => shell.run_text(&text),
        None if invocation.interactive || terminals => shell.interact(),
        None => {
            let result = shell.run_lines(|shell, _| shell.read_input_line());
            result.map(|()| shell.status)
        }
    };
    let status = match result {
        Ok(status) | Err(Stop::Exit(status) | Stop::Return(status) | Stop::Error(status)) => status,
        Err(Stop::Break(_) | Stop::Continue(_)) => shell.status,
    };
    shell.exit_trap(status)
}

fn read_script(path: &str) -> rt::io::Result<String> {
    let bytes = rt::fs::read(path)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

impl Shell {
    /// Runs commands as they come, line by line. `read` is told whether a command goes on, and returns a line without its
    /// end, or nothing at the end.
    pub(crate) fn run_lines(
        &mut self,
        mut read: impl FnMut(&mut Self, bool) -> Option<String>,
    ) -> Result<(), Stop> {
        let mut text = String::new();
        let mut first_line = 1;
        let mut lines = 0;
        loop {
            let line = read(self, !text.is_empty());
            let more = line.is_some();
            match line {
                None if text.is_empty() => return Ok(()),
                None => {}
                Some(line) => {
                    text.push_str(&line);
                    text.push('\n');
                    lines += 1;
                    if self.state.options.verbose {
                        self.warn(&format!("{line}\n"));
                    }
                }
            }
            let none = Aliases::new();
            let aliases = if self.state.aliases.is_empty() {
                &none
            } else {
                &self.state.aliases
            };
            let parsed = Parser::new(&text, first_line, more).next(aliases);
            let result = match parsed {
                Err(error) if more && matches!(error.problem, Problem::Incomplete(_)) => continue,
                Err(error) => {
                    self.line = error.line;
                    self.report(format_args!("{error}"));
                    self.status = USAGE;
                    Err(Stop::Error(USAGE))
                }
                Ok(None) => Ok(self.status),
                Ok(Some(_)) if self.state.options.noexec && !self.interactive => Ok(0),
                Ok(Some(list)) => self.run_list(&list),
            };
            text.clear();
            first_line = lines + 1;
            match result {
                Ok(_) => {}
                Err(Stop::Exit(status)) => return Err(Stop::Exit(status)),
                Err(Stop::Error(status) | Stop::Return(status)) if self.interactive => {
                    self.status = status;
                    self.reset();
                }
                Err(Stop::Break(_) | Stop::Continue(_)) => self.reset(),
                Err(stop) => return Err(stop),
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Forgets what the commands that were given up were nested in.
    fn reset(&mut self) {
        (self.loops, self.functions, self.conditions, self.depth) = (0, 0, 0, 0);
        self.subshells = 0;
    }

    /// Reads a line of a script from standard input, byte by byte: what follows may be for the commands in it.
    pub(crate) fn read_input_line(&mut self) -> Option<String> {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match rt::io::stdin().read(&mut byte) {
                Ok(0) if line.is_empty() => return None,
                Ok(0) => break,
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) => line.push(byte[0]),
                Err(error) => {
                    self.report(format_args!("standard input: {error}"));
                    return None;
                }
            }
        }
        Some(String::from_utf8_lossy(&line).into_owned())
    }
}
