//! The state of a shell.

use alloc::collections::BTreeMap;
use core::fmt;

use crate::ast::Command;
use crate::jobs::Jobs;
use crate::parser::Aliases;
use crate::prelude::*;
use crate::stream::Streams;
use crate::variables::Variables;

/// Why commands are not run on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The shell, or subshell, ends.
    Exit(u32),
    /// The function or script ends.
    Return(u32),
    /// This many loops end.
    Break(u32),
    /// The next turn begins, of the loop this many levels outside of the innermost.
    Continue(u32),
    /// A command could not even be tried: a script ends, an interactive shell reads the next line.
    Error(u32),
}

/// The exit status of a command.
pub(crate) type Run = Result<u32, Stop>;

/// Status of wrong usage, and of a script that is none.
pub(crate) const USAGE: u32 = 2;
/// Status of a program that could not be started.
pub(crate) const NOT_EXECUTABLE: u32 = 126;
/// Status of a program that was not found.
pub(crate) const NOT_FOUND: u32 = 127;
/// Status after Ctrl-C.
pub(crate) const INTERRUPTED: u32 = 130;
/// Status after writing to a pipe that nobody reads.
pub(crate) const OUTPUT_CLOSED: u32 = 141;

macro_rules! options {
    ($($letter:literal $name:ident $text:literal;)+) => {
        /// What `set` switches on.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub(crate) struct Options { $(pub(crate) $name: bool,)+ }

        impl Options {
            /// Every option's letter, or 0 for none, and name.
            pub(crate) const ALL: &[(char, &str)] = &[$(($letter, $text),)+];

            /// The option with this name.
            pub(crate) fn named(&mut self, name: &str) -> Option<&mut bool> {
                match name { $($text => Some(&mut self.$name),)+ _ => None }
            }
        }
    };
}

options! {
    'e' errexit "errexit";
    'f' noglob "noglob";
    'C' noclobber "noclobber";
    'u' nounset "nounset";
    'v' verbose "verbose";
    'x' xtrace "xtrace";
    'n' noexec "noexec";
    '\0' pipefail "pipefail";
}

/// What a subshell has a copy of.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    pub(crate) variables: Variables,
    pub(crate) functions: BTreeMap<String, Rc<Command>>,
    pub(crate) aliases: Aliases,
    pub(crate) options: Options,
    /// `$0`
    pub(crate) name: String,
    /// `$1` and so on.
    pub(crate) positional: Vec<String>,
    /// Commands to run at the end, or after Ctrl-C, by the signal's name.
    pub(crate) traps: BTreeMap<&'static str, String>,
    pub(crate) streams: Streams,
}

/// A shell.
#[derive(Debug)]
pub(crate) struct Shell {
    pub(crate) state: State,
    pub(crate) jobs: Jobs,
    pub(crate) history: crate::history::History,
    /// `$?`
    pub(crate) status: u32,
    /// `$$`
    pub(crate) id: u32,
    /// `$!`
    pub(crate) last_background: Option<u32>,
    pub(crate) interactive: bool,
    /// The line that is being executed.
    pub(crate) line: u32,
    /// How many conditions enclose the command: `set -e` means nothing in them.
    pub(crate) conditions: u32,
    /// How many loops, functions and subshells enclose the command.
    pub(crate) loops: u32,
    pub(crate) functions: u32,
    pub(crate) subshells: u32,
    /// How deep execution is nested.
    pub(crate) depth: u32,
    /// Whether nobody reads what this subshell, or shell, writes: it ends.
    pub(crate) output_closed: bool,
    /// Status of the last command substitution of the command that is being expanded.
    pub(crate) substitution: Option<u32>,
}

impl Shell {
    pub(crate) fn new(name: &str) -> Self {
        let mut shell = Self {
            state: State {
                name: name.into(),
                streams: Streams::standard(),
                ..State::default()
            },
            jobs: Jobs::default(),
            history: crate::history::History::default(),
            status: 0,
            id: rt::process::id(),
            last_background: None,
            interactive: false,
            line: 1,
            conditions: 0,
            loops: 0,
            functions: 0,
            subshells: 0,
            depth: 0,
            output_closed: false,
            substitution: None,
        };
        for (name, value) in rt::env::vars() {
            if crate::ast::is_name(&name) {
                let variable = shell.state.variables.entry(&name);
                variable.value = Some(value);
                variable.exported = true;
            }
        }
        shell.set_default("PATH", "/bin");
        shell.set_default("PS1", "\\w $ ");
        shell.set_default("PS2", "> ");
        shell.set_default("PS4", "+ ");
        shell.state.variables.entry("IFS").value = Some(" \t\n".into());
        if let Ok(directory) = rt::env::current_dir() {
            let variable = shell.state.variables.entry("PWD");
            variable.value = Some(directory);
            variable.exported = true;
        }
        shell
    }

    fn set_default(&mut self, name: &str, value: &str) {
        self.state
            .variables
            .entry(name)
            .value
            .get_or_insert_with(|| value.into());
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.state.variables.get(name)
    }

    /// Sets a variable, or says that it is read-only.
    pub(crate) fn assign(&mut self, name: &str, value: impl Into<String>) -> Result<(), Stop> {
        self.state.variables.set(name, value).map_err(|_| {
            self.report(format_args!("{name}: is read only"));
            Stop::Error(USAGE)
        })
    }

    /// Writes to standard output.
    pub(crate) fn print(&mut self, text: &str) -> u32 {
        let result = self
            .state
            .streams
            .get(1)
            .and_then(|stream| stream.write_all(text.as_bytes()));
        match result {
            Ok(()) => 0,
            Err(error) => {
                if error.kind() == rt::io::ErrorKind::BrokenPipe && (self.subshells > 0 || !self.interactive)
                {
                    self.output_closed = true;
                    return OUTPUT_CLOSED;
                }
                self.report(format_args!("write error: {error}"));
                1
            }
        }
    }

    /// Writes a line to standard error: whose it is, in which line, and what is wrong.
    pub(crate) fn report(&self, message: fmt::Arguments<'_>) {
        let name = &self.state.name;
        if self.interactive {
            self.warn(&format!("{name}: {message}\n"));
        } else {
            self.warn(&format!("{name}: line {}: {message}\n", self.line));
        }
    }

    /// Writes to standard error.
    pub(crate) fn warn(&self, text: &str) {
        if let Ok(stream) = self.state.streams.get(2) {
            let _nowhere_to_report = stream.write_all(text.as_bytes());
        }
    }

    /// Runs `f` on a copy of the state, which is put back afterwards, the current directory included. What would end the
    /// shell ends `f` only.
    pub(crate) fn in_subshell(&mut self, f: impl FnOnce(&mut Self) -> Run) -> u32 {
        let saved = self.state.clone();
        self.state.traps.clear();
        let counts = (self.loops, self.functions, self.conditions, self.depth);
        self.loops = 0;
        self.subshells += 1;
        let directory = rt::env::current_dir();
        let result = f(self);
        let mut status = match result {
            Ok(status) | Err(Stop::Exit(status) | Stop::Return(status) | Stop::Error(status)) => status,
            Err(Stop::Break(_) | Stop::Continue(_)) => self.status,
        };
        status = self.exit_trap(status);
        if let Ok(directory) = directory
            && rt::env::current_dir().as_ref() != Ok(&directory)
            && let Err(error) = rt::env::set_current_dir(&directory)
        {
            self.report(format_args!("{directory}: {error}"));
        }
        self.subshells -= 1;
        self.output_closed = false;
        (self.loops, self.functions, self.conditions, self.depth) = counts;
        self.state = saved;
        status
    }

    /// Runs the trap for the end, if there is one, and returns the status to end with.
    pub(crate) fn exit_trap(&mut self, status: u32) -> u32 {
        let Some(command) = self.state.traps.remove("EXIT") else {
            return status;
        };
        self.status = status;
        match self.run_text(&command) {
            Err(Stop::Exit(status)) => status,
            _ => status,
        }
    }
}
