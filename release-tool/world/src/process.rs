//! Other programs.

use crate::Result;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A program to run. Its standard input is empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The program: a path, or a name to be found in the search path.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its working directory; the tool's own when `None`.
    pub dir: Option<PathBuf>,
    /// Variables to set, on top of the tool's environment.
    pub env: Vec<(String, String)>,
    /// Variables to take away.
    pub env_remove: Vec<String>,
    /// After how long it is killed, with everything that it started.
    pub timeout: Option<Duration>,
}

impl Command {
    /// A program without arguments.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            dir: None,
            env: Vec::new(),
            env_remove: Vec::new(),
            timeout: None,
        }
    }

    /// Adds an argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: Into<String>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    /// Sets the working directory.
    #[must_use]
    pub fn dir(mut self, dir: &Path) -> Self {
        self.dir = Some(dir.to_owned());
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    /// Takes a variable away.
    #[must_use]
    pub fn env_remove(mut self, name: impl Into<String>) -> Self {
        self.env_remove.push(name.into());
        self
    }

    /// Sets the time limit.
    #[must_use]
    pub fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }
}

/// From which of the program's streams a line came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a program ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(i32),
    /// By this signal.
    Signal(i32),
    /// Killed because its time limit was over.
    TimedOut,
}

impl Exit {
    /// Whether the status is 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == Self::Status(0)
    }
}

/// What to write to a program that has printed a line; `None`: nothing.
pub type Answer<'a> = &'a mut dyn FnMut(Stream, &[u8]) -> Option<Vec<u8>>;

/// Running programs.
pub trait Processes: Send + Sync {
    /// Runs a program to its end. `on_line` gets every line that it prints, without the line end, as it comes; a line of
    /// more than 64 KiB comes in pieces.
    ///
    /// # Errors
    /// When it cannot be started, or when a person asked the tool to stop (the program is then killed).
    fn run(&self, command: &Command, on_line: &mut dyn FnMut(Stream, &[u8])) -> Result<Exit>;

    /// As [`Processes::run`], for a program that is talked to: what `answer` returns for a line is written to the program's
    /// standard input, which stays open until it ends. A world whose programs read nothing drops the answers.
    ///
    /// # Errors
    /// As [`Processes::run`].
    fn converse(&self, command: &Command, answer: Answer<'_>) -> Result<Exit> {
        self.run(command, &mut |stream, line| drop(answer(stream, line)))
    }

    /// Runs a program at the tool's own terminal, for a person to use, and waits for its end without any time limit. A
    /// world without a terminal runs it as any other program and drops what it prints.
    ///
    /// # Errors
    /// When it cannot be started.
    fn attach(&self, command: &Command) -> Result<Exit> {
        self.run(command, &mut |_, _| ())
    }

    /// Where a program is found in the search path.
    fn find(&self, name: &str) -> Option<PathBuf>;

    /// Runs a program and collects its standard output.
    ///
    /// # Errors
    /// When it cannot be run, or ends with another status than 0: then with what it printed on standard error.
    fn output(&self, command: &Command) -> Result<Vec<u8>> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let exit = self.run(command, &mut |stream, line| {
            let text = if stream == Stream::Stdout {
                &mut out
            } else {
                &mut err
            };
            text.extend_from_slice(line);
            text.push(b'\n');
        })?;
        if exit.success() {
            return Ok(out);
        }
        let said = String::from_utf8_lossy(&err).trim().to_owned();
        let how = match exit {
            Exit::Status(status) => format!("exit status {status}"),
            Exit::Signal(signal) => format!("killed by signal {signal}"),
            Exit::TimedOut => "time limit reached".to_owned(),
        };
        let reason = if said.is_empty() {
            how
        } else {
            format!("{how}: {said}")
        };
        let object = format!("`{} {}`", command.program.display(), command.args.join(" "));
        Err(crate::WorldError::new(
            "run",
            object,
            crate::ErrorKind::Other,
            reason,
        ))
    }
}
