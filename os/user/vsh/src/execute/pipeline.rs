//! Pipelines and commands in the background, without `fork`.
//!
//! Of the stages of a pipeline,
//! - programs are started, and run beside the others, connected by pipes;
//! - a builtin runs in this process to its end, when its turn comes. Unless it is the last stage, it writes into a buffer,
//!   which is then what the next stage reads: nobody has to read a pipe while the shell writes to it;
//! - the last stage runs in this process, whatever it is, and can read from a pipe;
//! - functions and compound commands before the last run in another shell, which gets this one's state as text: they may
//!   write more than a buffer should hold, or never end.
//!
//! As in other shells, no stage changes this shell's state. In the background, all stages but programs run in other shells.

use core::cell::RefCell;

use crate::ast::{Command, Compound, Item, Pipeline, Simple};
use crate::execute::Redirected;
use crate::execute::process::Launch;
use crate::execute::simple::Meaning;
use crate::jobs::JobState;
use crate::prelude::*;
use crate::shell::{Run, Shell};
use crate::stream::Stream;
use crate::unparse::quote;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// Before another stage.
    Middle,
    Last,
    /// Last, in the background.
    LastBeside,
}

/// What a stage leaves for the next one to read, and its status unless it is a process.
#[derive(Debug, Default)]
struct Stage {
    output: Option<Stream>,
    buffer: Option<Rc<RefCell<Vec<u8>>>>,
    started: bool,
}

impl Shell {
    pub(crate) fn run_pipeline(&mut self, pipeline: &Pipeline) -> Run {
        if let [command] = pipeline.commands.as_slice() {
            return self.run_command(command);
        }
        let mut launch = self.launch(true);
        let status = self.start_stages(&pipeline.commands, Place::Last, &mut launch);
        let any_last = status.last;
        let waited = self.finish(launch, || pipeline.to_string())?;
        Ok(match any_last {
            Some(0) if self.state.options.pipefail && waited != 0 => waited,
            Some(0) if self.state.options.pipefail => status.failed,
            Some(last) => last,
            None if waited == 0 && self.state.options.pipefail => status.failed,
            None => waited,
        })
    }

    /// Starts a command that the shell does not wait for. Returns the status: 0 when it has been started.
    pub(crate) fn run_background(&mut self, item: &Item) -> u32 {
        let item = Item {
            background: false,
            ..item.clone()
        };
        let mut launch = self.launch(false);
        let saved = self.state.streams.clone();
        if !launch.job_control {
            self.state.streams.set(0, Stream::Null);
        }
        let status = match item.rest.as_slice() {
            [] if !item.first.negated => {
                let status = self.start_stages(&item.first.commands, Place::LastBeside, &mut launch);
                status.last.unwrap_or(0)
            }
            _ => {
                self.line = item
                    .first
                    .commands
                    .first()
                    .and_then(Command::line)
                    .unwrap_or(self.line);
                let result = self.start_shell(&item.to_string(), &mut launch);
                result.err().unwrap_or(0)
            }
        };
        self.state.streams = saved;
        if let Err(error) = launch.drains.collect() {
            self.report(format_args!("cannot read the output: {error}"));
        }
        if launch.members.is_empty() {
            return status;
        }
        let number = self
            .jobs
            .add(launch.group, launch.members, item.to_string(), JobState::Running);
        let id = self.jobs.0.last().and_then(crate::jobs::Job::id);
        self.last_background = id;
        if let (true, Some(id)) = (self.job_control(), id) {
            self.warn(&format!("[{number}] {id}\n"));
        }
        0
    }

    fn start_stages(&mut self, commands: &[Command], last: Place, launch: &mut Launch) -> Statuses {
        let mut input = None;
        let mut statuses = Statuses::default();
        for (index, command) in commands.iter().enumerate() {
            let is_last = index + 1 == commands.len();
            let place = if is_last { last } else { Place::Middle };
            let mut stage = Stage::default();
            let status = self.in_subshell(|shell| {
                if let Some(input) = input.take() {
                    shell.state.streams.set(0, input);
                }
                shell.start_stage(command, place, launch, &mut stage)
            });
            if !stage.started && status != 0 {
                statuses.failed = status;
            }
            if is_last && !stage.started {
                statuses.last = Some(status);
            }
            input = match (stage.buffer, stage.output) {
                (Some(buffer), _) => Some(Stream::text(buffer.take())),
                // A stage that could not be started writes nothing.
                (None, output) => Some(output.unwrap_or(Stream::Null)),
            };
        }
        statuses
    }

    fn start_stage(
        &mut self,
        command: &Command,
        place: Place,
        launch: &mut Launch,
        stage: &mut Stage,
    ) -> Run {
        match command {
            Command::Simple(simple) => self.start_simple(simple, place, launch, stage),
            Command::Compound(compound, redirections) if place == Place::Last => match compound {
                // It is in a subshell already.
                Compound::Subshell(list) => match self.redirect(redirections)? {
                    Redirected::Failed => Ok(1),
                    Redirected::Done(_) => self.run_list(list),
                },
                _ => self.run_command(command),
            },
            Command::Function(..) if place == Place::Last => self.run_command(command),
            Command::Compound(..) | Command::Function(..) => {
                self.connect(place, stage);
                self.line = command.line().unwrap_or(self.line);
                self.start_beside(&command.to_string(), launch, stage)
            }
        }
    }

    fn start_simple(&mut self, simple: &Simple, place: Place, launch: &mut Launch, stage: &mut Stage) -> Run {
        let expanded = self.expand_simple(simple)?;
        let Some(name) = expanded.arguments.first() else {
            return Ok(match self.redirect(&simple.redirections)? {
                Redirected::Failed => 1,
                Redirected::Done(_) => 0,
            });
        };
        let meaning = self.meaning(name);
        let beside = match (&meaning, place) {
            (Meaning::Program, _) | (Meaning::Builtin(_), Place::LastBeside) => true,
            (Meaning::Function(_), place) => place != Place::Last,
            (Meaning::Builtin(_), _) => false,
        };
        if beside {
            self.connect(place, stage);
        } else if place == Place::Middle {
            let buffer = Rc::new(RefCell::new(Vec::new()));
            self.state.streams.set(1, Stream::Capture(Rc::clone(&buffer)));
            stage.buffer = Some(buffer);
        }
        if let Redirected::Failed = self.redirect(&simple.redirections)? {
            return Ok(1);
        }
        match meaning {
            Meaning::Program => {
                let result = self.start_program(&expanded, launch);
                stage.started = result.is_ok();
                Ok(result.err().unwrap_or(0))
            }
            meaning if !beside => self.run_expanded(&expanded, &meaning),
            _ => {
                let assignments = expanded.assignments.iter();
                let assignments = assignments.map(|(name, value)| format!("{name}={}", quote(value)));
                // Quoted, they mean neither aliases nor reserved words.
                let words = expanded.arguments.iter().map(|argument| quote(argument));
                let text = assignments.chain(words).collect::<Vec<_>>().join(" ");
                self.start_beside(&text, launch, stage)
            }
        }
    }

    fn start_beside(&mut self, text: &str, launch: &mut Launch, stage: &mut Stage) -> Run {
        let result = self.start_shell(text, launch);
        stage.started = result.is_ok();
        Ok(result.err().unwrap_or(0))
    }

    /// Makes a pipe to the next stage, if there is one.
    fn connect(&mut self, place: Place, stage: &mut Stage) {
        if place != Place::Middle {
            return;
        }
        match rt::process::pipe() {
            Ok((reader, writer)) => {
                stage.output = Some(Stream::File(Rc::new(reader)));
                self.state.streams.set(1, Stream::File(Rc::new(writer)));
            }
            Err(error) => self.report(format_args!("cannot make a pipe: {error}")),
        }
    }
}

/// Statuses of stages that are no processes.
#[derive(Debug, Default)]
struct Statuses {
    /// Of the last stage.
    last: Option<u32>,
    /// Of the last one that failed.
    failed: u32,
}
