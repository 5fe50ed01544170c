//! Jobs: pipelines that run in the background, or have been stopped.

use rt::process::{Child, ExitStatus};

use crate::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum JobState {
    Running,
    Stopped,
    Ended(ExitStatus),
}

/// A process of a job, and what is known of it.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) child: Child,
    pub(crate) status: Option<ExitStatus>,
}

impl Member {
    pub(crate) fn new(child: Child) -> Self {
        Self { child, status: None }
    }

    /// Takes note of what has become of it; `wait` says whether to wait for that.
    pub(crate) fn look(&mut self, wait: bool) {
        let ended = matches!(self.status, Some(ExitStatus::Exited(_) | ExitStatus::Killed(_)));
        if ended {
            return;
        }
        let answer = if wait {
            self.child.wait().map(Some)
        } else {
            self.child.try_wait()
        };
        match answer {
            Ok(Some(status)) => self.status = Some(status),
            Ok(None) => {}
            // Somebody else has waited for it: it has ended, and that is all there is to know.
            Err(_) => self.status = Some(ExitStatus::Exited(crate::shell::NOT_FOUND)),
        }
    }
}

#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) number: usize,
    /// The group of its processes, if it has one of its own.
    pub(crate) group: Option<u32>,
    pub(crate) members: Vec<Member>,
    pub(crate) text: String,
    /// What the user has been told.
    pub(crate) told: JobState,
}

impl Job {
    pub(crate) fn state(&self) -> JobState {
        let statuses = || self.members.iter().map(|member| member.status);
        if statuses().any(|status| status == Some(ExitStatus::Stopped)) {
            return JobState::Stopped;
        }
        if statuses().any(|status| status.is_none()) {
            return JobState::Running;
        }
        JobState::Ended(statuses().next_back().flatten().unwrap_or(ExitStatus::Exited(0)))
    }

    /// The process that `$!` names.
    pub(crate) fn id(&self) -> Option<u32> {
        self.members.last().map(|member| member.child.id())
    }

    /// Forgets that it was stopped: it has been told to go on.
    pub(crate) fn resumed(&mut self) {
        for member in &mut self.members {
            member.status = member.status.filter(|&status| status != ExitStatus::Stopped);
        }
        self.told = JobState::Running;
    }

    /// A line of the list of jobs.
    pub(crate) fn line(&self, mark: char) -> String {
        let state = match self.state() {
            JobState::Running => "Running".to_owned(),
            JobState::Stopped => "Stopped".to_owned(),
            JobState::Ended(ExitStatus::Exited(0)) => "Done".to_owned(),
            JobState::Ended(ExitStatus::Exited(code)) => format!("Done({code})"),
            JobState::Ended(ExitStatus::Killed(signal)) => signal.to_string(),
            JobState::Ended(ExitStatus::Stopped) => "Stopped".to_owned(),
        };
        format!("[{}]{mark}  {state:<24}{}\n", self.number, self.text)
    }
}

/// The jobs of a shell. The last one is the current one.
#[derive(Debug, Default)]
pub(crate) struct Jobs(pub(crate) Vec<Job>);

impl Jobs {
    /// Adds a job and returns its number.
    pub(crate) fn add(
        &mut self,
        group: Option<u32>,
        members: Vec<Member>,
        text: String,
        told: JobState,
    ) -> usize {
        let number = self.0.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.0.push(Job {
            number,
            group,
            members,
            text,
            told,
        });
        number
    }

    /// Takes note of what has become of all of them.
    pub(crate) fn look(&mut self) {
        for member in self.0.iter_mut().flat_map(|job| &mut job.members) {
            member.look(false);
        }
    }

    /// The place of the job that `%1`, `%%`, `%+`, `%-`, `%text` or a process number names. Without a name: the current one.
    pub(crate) fn find(&self, name: Option<&str>) -> Option<usize> {
        let Some(name) = name else {
            return self.0.len().checked_sub(1);
        };
        let Some(text) = name.strip_prefix('%') else {
            let id = name.parse().ok()?;
            return self
                .0
                .iter()
                .position(|job| job.members.iter().any(|member| member.child.id() == id));
        };
        match text {
            "" | "%" | "+" => self.0.len().checked_sub(1),
            "-" => self.0.len().checked_sub(2).or(self.0.len().checked_sub(1)),
            _ => match text.parse::<usize>() {
                Ok(number) => self.0.iter().position(|job| job.number == number),
                Err(_) => self.0.iter().rposition(|job| job.text.starts_with(text)),
            },
        }
    }

    /// The mark of the job at a place.
    pub(crate) fn mark(&self, place: usize) -> char {
        match self.0.len() - place {
            1 => '+',
            2 => '-',
            _ => ' ',
        }
    }
}
