//! Programs: where they are, starting them, waiting for them.

use rt::io::ErrorKind;
use rt::process::{Child, Command, ExitStatus, Group, Signal, Stdio};

use crate::execute::simple::Expanded;
use crate::jobs::{Job, JobState, Member};
use crate::prelude::*;
use crate::shell::{NOT_EXECUTABLE, NOT_FOUND, Run, Shell};
use crate::stream::Drains;
use crate::unparse::quote;

/// The processes of a pipeline that is being started.
#[derive(Debug, Default)]
pub(crate) struct Launch {
    pub(crate) members: Vec<Member>,
    /// Whether they get a group of their own.
    pub(crate) job_control: bool,
    /// Whether that goes to the terminal's foreground.
    pub(crate) foreground: bool,
    pub(crate) group: Option<u32>,
    pub(crate) drains: Drains,
}

impl Launch {
    fn add(&mut self, child: Child) {
        if self.job_control && self.group.is_none() {
            self.group = Some(child.id());
            if self.foreground {
                let id = child.id();
                let _it_may_have_ended = rt::process::set_foreground(id);
                // It may have tried to use the terminal before it was in the foreground, and have been stopped for it.
                let _it_may_have_ended = rt::process::kill_group(id, Signal::Continue);
                // Ctrl-C that was pressed until then went to the shell, but was meant for what it was starting.
                if rt::process::take_interrupt() {
                    let _it_may_have_ended = rt::process::kill_group(id, Signal::Interrupt);
                }
            }
        }
        self.members.push(Member::new(child));
    }
}

/// Finds a program: the path, or the status that a shell returns for there being none.
pub(crate) fn lookup(shell: &Shell, name: &str) -> Result<String, u32> {
    if name.contains('/') {
        return Ok(name.into());
    }
    let mut status = NOT_FOUND;
    for directory in shell.variable("PATH").unwrap_or_default().split(':') {
        let path = match directory {
            "" => format!("./{name}"),
            "/" => format!("/{name}"),
            _ => format!("{directory}/{name}"),
        };
        match rt::fs::metadata(&path) {
            Ok(metadata) if metadata.is_file() && metadata.executable => return Ok(path),
            Ok(metadata) if metadata.is_file() => status = NOT_EXECUTABLE,
            _ => {}
        }
    }
    Err(status)
}

impl Shell {
    /// Whether programs get groups of their own.
    pub(crate) fn job_control(&self) -> bool {
        self.interactive && self.subshells == 0
    }

    pub(crate) fn launch(&self, foreground: bool) -> Launch {
        Launch {
            job_control: self.job_control(),
            foreground,
            ..Launch::default()
        }
    }

    /// Runs a program in the foreground.
    pub(crate) fn run_program(&mut self, expanded: &Expanded) -> Run {
        let mut launch = self.launch(true);
        if let Err(status) = self.start_program(expanded, &mut launch) {
            return Ok(status);
        }
        self.finish(launch, || crate::builtins::join(&expanded.arguments))
    }

    /// Starts a program, or says why not and returns the status for that.
    pub(crate) fn start_program(&mut self, expanded: &Expanded, launch: &mut Launch) -> Result<(), u32> {
        let Some((name, arguments)) = expanded.arguments.split_first() else {
            return Err(0);
        };
        let path = lookup(self, name).inspect_err(|&status| {
            let problem = if status == NOT_FOUND {
                "command not found"
            } else {
                "permission denied"
            };
            self.report(format_args!("{name}: {problem}"));
        })?;
        match self.start(&path, name, arguments, &expanded.assignments, launch) {
            Err(error) if error.kind() == ErrorKind::BadProgram && is_text(&path) => {
                let script = [core::slice::from_ref(&path), arguments].concat();
                let result = self.start(&shell_path(), "vsh", &script, &expanded.assignments, launch);
                self.report_start(name, result)
            }
            result => self.report_start(name, result),
        }
    }

    fn report_start(&self, name: &str, result: rt::io::Result<()>) -> Result<(), u32> {
        result.map_err(|error| {
            let is_directory = rt::fs::metadata(name).is_ok_and(|metadata| metadata.is_dir());
            if is_directory {
                self.report(format_args!("{name}: is a directory"));
            } else {
                self.report(format_args!("{name}: {error}"));
            }
            match error.kind() {
                ErrorKind::NotFound => NOT_FOUND,
                _ => NOT_EXECUTABLE,
            }
        })
    }

    /// Starts a shell that runs a command of this one, with a copy of its state.
    ///
    /// It has the variables, functions, options and positional parameters, but neither aliases, which have been replaced,
    /// nor descriptors above 2.
    pub(crate) fn start_shell(&mut self, command: &str, launch: &mut Launch) -> Result<(), u32> {
        let preamble = self.preamble();
        // Where the preamble begins, for the command to lie in its own line.
        let above = preamble.matches('\n').count();
        let line = self.line.saturating_sub(u32::try_from(above).unwrap_or(u32::MAX));
        let mut arguments = vec![
            format!("--subshell={}:{line}", self.id),
            "-c".into(),
            preamble + command,
            self.state.name.clone(),
        ];
        arguments.extend(self.state.positional.iter().cloned());
        let result = self.start(&shell_path(), "vsh", &arguments, &[], launch);
        self.report_start("vsh", result)
    }

    /// Commands that make a new shell's state that of this one, on one line. Exported variables are there already.
    fn preamble(&self) -> String {
        let mut text = String::new();
        for (name, body) in &self.state.functions {
            text += &format!("{name}() {body}; ");
        }
        for (name, variable) in self.state.variables.iter() {
            if let (Some(value), false) = (&variable.value, variable.exported) {
                text += &format!("{name}={}; ", quote(value));
            }
            if variable.readonly {
                text += &format!("readonly {name}; ");
            }
        }
        let mut options = self.state.options;
        for (_, name) in crate::shell::Options::ALL {
            if options.named(name).is_some_and(|on| *on) {
                text += &format!("set -o {name}; ");
            }
        }
        text
    }

    fn start(
        &mut self,
        path: &str,
        name: &str,
        arguments: &[String],
        assignments: &[(String, String)],
        launch: &mut Launch,
    ) -> rt::io::Result<()> {
        let temporary = self.variable("TMPDIR").unwrap_or("/tmp").to_owned();
        let mut command = Command::new(path);
        command.arg0(name).args(arguments).env_clear();
        for (name, variable) in self.state.variables.iter() {
            if let (Some(value), true) = (&variable.value, variable.exported) {
                command.env(name, value);
            }
        }
        for (name, value) in assignments {
            command.env(name, value);
        }
        let mut stdio = |descriptor| -> rt::io::Result<Stdio> {
            let stream = self.state.streams.get(descriptor).ok();
            launch.drains.stdio(stream, &temporary)
        };
        command.stdin(stdio(0)?).stdout(stdio(1)?).stderr(stdio(2)?);
        command.group(match launch.group {
            _ if !launch.job_control => Group::Inherit,
            Some(group) => Group::Join(group),
            None => Group::New,
        });
        let child = command.spawn()?;
        launch.add(child);
        Ok(())
    }

    /// Waits for the processes of a pipeline in the foreground; those that are stopped become a job. Returns the status of
    /// the last one, or with `pipefail` that of the last that failed.
    pub(crate) fn finish(&mut self, launch: Launch, text: impl FnOnce() -> String) -> Run {
        if let Err(error) = launch.drains.collect() {
            self.report(format_args!("cannot read the output: {error}"));
        }
        let mut job = Job {
            number: 0,
            group: launch.group,
            members: launch.members,
            text: String::new(),
            told: JobState::Running,
        };
        let status = self.wait_foreground(&mut job);
        if job.state() == JobState::Stopped {
            job.text = text();
            let number = self.jobs.add(job.group, job.members, job.text, JobState::Stopped);
            if let Some(job) = self.jobs.0.iter().find(|job| job.number == number) {
                self.warn(&format!("\n{}", job.line('+')));
            }
        }
        status
    }

    /// Waits until a job that has the terminal has ended or is stopped, and takes the terminal back.
    pub(crate) fn wait_foreground(&mut self, job: &mut Job) -> Run {
        let mut status = 0;
        let mut interrupted = false;
        for member in &mut job.members {
            loop {
                member.look(true);
                if member.status == Some(ExitStatus::Stopped) && job.group.is_none() {
                    // Without job control nobody could make it go on later.
                    let _it_may_have_ended = rt::process::kill(member.child.id(), Signal::Continue);
                    continue;
                }
                break;
            }
            let member_status = member.status.unwrap_or(ExitStatus::Exited(NOT_FOUND));
            interrupted |= member_status == ExitStatus::Killed(Signal::Interrupt);
            if let ExitStatus::Killed(signal) = member_status
                && !matches!(signal, Signal::Interrupt | Signal::Pipe)
                && self.subshells == 0
            {
                // Without the shell's name, as it is news and no complaint.
                let text = signal.to_string();
                if let Ok(stream) = self.state.streams.get(2) {
                    let _nowhere_to_report = stream.write_all(format!("{text}\n").as_bytes());
                }
            }
            if !self.state.options.pipefail || member_status.code() != 0 {
                status = member_status.code();
            }
        }
        if job.group.is_some() {
            let _terminal_may_be_gone = rt::process::set_foreground(rt::process::group());
        }
        if interrupted && self.interactive {
            return Err(self.interrupted());
        }
        Ok(status)
    }
}

/// The program of this shell.
fn shell_path() -> String {
    rt::env::current_exe().unwrap_or_else(|_| "/bin/vsh".into())
}

/// Whether a file that is no program may be a script.
fn is_text(path: &str) -> bool {
    use rt::io::Read as _;
    let mut start = [0; 128];
    let read = rt::fs::File::open(path).and_then(|mut file| file.read(&mut start));
    read.is_ok_and(|len| !start[..len].contains(&0))
}
