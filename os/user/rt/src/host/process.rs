//! Processes.

use std::os::unix::process::CommandExt as _;
use std::process;

use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};

use super::File;
use crate::io::{Error, ErrorKind, Result};
use crate::process::{Command, ExitStatus, Group, Signal, Stdio};

pub(crate) fn exit_process(code: u32) -> ! {
    process::exit(code.cast_signed())
}

pub(crate) fn id() -> u32 {
    process::id()
}

pub(crate) fn group() -> u32 {
    rustix::process::getpgrp().as_raw_nonzero().get().cast_unsigned()
}

fn pid(number: u32) -> Result<Pid> {
    Pid::from_raw(number.cast_signed()).ok_or_else(|| ErrorKind::NoSuchProcess.into())
}

/// A process that this program started.
#[derive(Debug)]
pub(crate) struct Child {
    id: Pid,
    ended: Option<ExitStatus>,
}

impl Child {
    pub(crate) fn spawn(command: &mut Command) -> Result<(u32, Self)> {
        let mut child = process::Command::new(&command.program);
        child.arg0(command.name.as_ref().unwrap_or(&command.program));
        child.args(&command.arguments).env_clear();
        if !command.clear_variables {
            child.envs(super::vars());
        }
        child.envs(command.variables.iter().map(|(name, value)| (name, value)));
        if let Some(directory) = &command.directory {
            child.current_dir(directory);
        }
        let [input, output, error] = std::mem::take(&mut command.streams).map(stdio);
        child.stdin(input).stdout(output).stderr(error);
        match command.group {
            Group::Inherit => {}
            Group::New => {
                child.process_group(0);
            }
            Group::Join(group) => {
                child.process_group(group.cast_signed());
            }
        }
        let id = child.spawn()?.id();
        Ok((
            id,
            Self {
                id: pid(id)?,
                ended: None,
            },
        ))
    }

    pub(crate) fn wait(&mut self) -> Result<ExitStatus> {
        loop {
            if let Some(status) = self.ask(WaitOptions::UNTRACED)? {
                return Ok(status);
            }
        }
    }

    pub(crate) fn try_wait(&mut self) -> Result<Option<ExitStatus>> {
        self.ask(WaitOptions::UNTRACED | WaitOptions::NOHANG)
    }

    fn ask(&mut self, options: WaitOptions) -> Result<Option<ExitStatus>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let status = match waitpid(Some(self.id), options) {
            Ok(Some((_, status))) => exit_status(status),
            Ok(None) | Err(rustix::io::Errno::INTR) => return Ok(None),
            Err(rustix::io::Errno::CHILD) => return Err(ErrorKind::NoSuchProcess.into()),
            Err(error) => return Err(error.into()),
        };
        if status != ExitStatus::Stopped {
            self.ended = Some(status);
        }
        Ok(Some(status))
    }
}

fn exit_status(status: WaitStatus) -> ExitStatus {
    if let Some(code) = status.exit_status() {
        ExitStatus::Exited(code.cast_unsigned())
    } else if let Some(number) = status.terminating_signal() {
        ExitStatus::Killed(Signal::from_number(number.cast_unsigned()).unwrap_or(Signal::Other))
    } else {
        ExitStatus::Stopped
    }
}

fn stdio(stream: Stdio) -> process::Stdio {
    match stream {
        Stdio::Inherit => process::Stdio::inherit(),
        Stdio::Null => process::Stdio::null(),
        Stdio::File(file) => file.into_sys().0.into(),
    }
}

pub(crate) fn pipe() -> Result<(File, File)> {
    let (reader, writer) = std::io::pipe()?;
    let (reader, writer): (std::os::fd::OwnedFd, std::os::fd::OwnedFd) = (reader.into(), writer.into());
    Ok((reader.into(), writer.into()))
}

fn unix(signal: Signal) -> Result<rustix::process::Signal> {
    rustix::process::Signal::from_named_raw(signal.number().cast_signed())
        .filter(|_| signal != Signal::Other)
        .ok_or_else(|| Error::from(ErrorKind::InvalidInput))
}

pub(crate) fn kill(process: u32, signal: Signal) -> Result<()> {
    Ok(rustix::process::kill_process(pid(process)?, unix(signal)?)?)
}

pub(crate) fn kill_group(group: u32, signal: Signal) -> Result<()> {
    Ok(rustix::process::kill_process_group(pid(group)?, unix(signal)?)?)
}

pub(crate) fn lead_group() -> Result<()> {
    Ok(rustix::process::setpgid(None, None)?)
}

pub(crate) fn set_foreground(group: u32) -> Result<()> {
    let group = pid(group)?;
    super::unstopped(|| Ok(rustix::termios::tcsetpgrp(std::io::stdin(), group)?))
}
