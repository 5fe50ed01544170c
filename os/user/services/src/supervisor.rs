//! The supervisor: what to do when something happens to a service.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use core::time::Duration;

use crate::file::Restart;
use crate::order::Set;

/// Longest time that a restart waits.
pub const LONGEST_BACKOFF: Duration = Duration::from_secs(60);

/// A run of this length ends a row of restarts.
pub const SETTLED: Duration = Duration::from_secs(60);

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Status(u32),
    /// By a signal or a fault.
    Killed,
}

/// Something that has happened. Services are numbers: their places in [`Set::services`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// The start that was asked for has worked.
    Started {
        /// Which service.
        service: usize,
        /// Its process.
        process: u32,
    },
    /// The start that was asked for has not worked.
    NotStarted {
        /// Which service.
        service: usize,
    },
    /// A process has ended. Ones that belong to no service are fine.
    Exited {
        /// Which.
        process: u32,
        /// How.
        exit: Exit,
    },
    /// Time has passed.
    Tick,
    /// The system is to go down.
    Shutdown,
}

/// Something that has to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Start this service. `Started` or `NotStarted` has to follow.
    Start(usize),
    /// Ask this process to end.
    Terminate(u32),
    /// End this process.
    Kill(u32),
    /// Switch the machine off: no service has a process any more.
    PowerOff,
}

/// What a service is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It waits for others.
    Waiting,
    /// Its start was asked for.
    Starting,
    /// It runs. A oneshot is not up yet.
    Running {
        /// Its process.
        process: u32,
        /// Since when.
        since: Duration,
    },
    /// It waits for its restart.
    Backoff {
        /// Until when.
        until: Duration,
    },
    /// It was asked to stop.
    Stopping {
        /// Its process.
        process: u32,
        /// When it is killed.
        deadline: Duration,
    },
    /// It is being killed.
    Killing {
        /// Its process.
        process: u32,
    },
    /// It is a oneshot, and has done its work.
    Done,
    /// It has exited and is not started again.
    Stopped,
    /// It has failed too often, could not be started, or something that it requires is not to be had.
    Failed,
}

impl State {
    /// Whether what requires it may start.
    fn is_up(self, oneshot: bool) -> bool {
        match self {
            Self::Done => true,
            Self::Running { .. } => !oneshot,
            _ => false,
        }
    }

    /// Whether it will not come up any more.
    const fn is_over(self) -> bool {
        matches!(self, Self::Stopped | Self::Failed)
    }

    /// Whether it has a process, or may have one.
    const fn has_process(self) -> bool {
        matches!(
            self,
            Self::Starting | Self::Running { .. } | Self::Stopping { .. } | Self::Killing { .. }
        )
    }
}

/// Keeps the services of a set as they should be. The times that it is told are of any clock that does not go back.
#[derive(Clone, Debug)]
pub struct Supervisor {
    set: Set,
    states: Vec<State>,
    /// Restarts in a row.
    rows: Vec<u32>,
    commands: VecDeque<Command>,
    going_down: bool,
    is_off: bool,
}

impl Supervisor {
    /// Begins with the services that wait for nothing: their starts are the first commands.
    pub fn new(set: Set) -> Self {
        let count = set.services().len();
        let mut new = Self {
            set,
            states: Vec::from_iter((0..count).map(|_| State::Waiting)),
            rows: Vec::from_iter((0..count).map(|_| 0)),
            commands: VecDeque::new(),
            going_down: false,
            is_off: false,
        };
        new.start_what_can();
        new
    }

    /// The services.
    pub const fn set(&self) -> &Set {
        &self.set
    }

    /// What the services are doing.
    pub fn states(&self) -> &[State] {
        &self.states
    }

    /// The next thing to do.
    pub fn command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When it has to be told the time at the latest.
    pub fn deadline(&self) -> Option<Duration> {
        let times = self.states.iter().filter_map(|state| match *state {
            State::Backoff { until } => Some(until),
            State::Stopping { deadline, .. } => Some(deadline),
            _ => None,
        });
        times.min()
    }

    /// Takes an event that happened at `now`. Events that cannot be are ignored.
    pub fn handle(&mut self, event: Event, now: Duration) {
        match event {
            Event::Started { service, process } if self.states.get(service) == Some(&State::Starting) => {
                self.states[service] = State::Running { process, since: now };
            }
            Event::NotStarted { service } if self.states.get(service) == Some(&State::Starting) => {
                self.ended(service, Exit::Killed, Duration::ZERO, now);
            }
            Event::Exited { process, exit } => self.exited(process, exit, now),
            Event::Started { .. } | Event::NotStarted { .. } | Event::Tick => {}
            Event::Shutdown => self.going_down = true,
        }
        self.watch_time(now);
        if self.going_down {
            self.stop_what_can(now);
        } else {
            self.start_what_can();
        }
    }

    fn exited(&mut self, process: u32, exit: Exit, now: Duration) {
        let found = self
            .states
            .iter()
            .enumerate()
            .find_map(|(service, state)| match *state {
                State::Running { process: own, since } if own == process => Some((service, Some(since))),
                State::Stopping { process: own, .. } | State::Killing { process: own } if own == process => {
                    Some((service, None))
                }
                _ => None,
            });
        match found {
            Some((service, Some(since))) => self.ended(service, exit, now.saturating_sub(since), now),
            Some((service, None)) => self.states[service] = State::Stopped,
            None => {}
        }
    }

    /// Decides what follows a run of that length.
    fn ended(&mut self, service: usize, exit: Exit, run: Duration, now: Duration) {
        let description = &self.set.services()[service];
        let success = exit == Exit::Status(0);
        let again = match description.restart {
            _ if self.going_down || (description.oneshot && success) => false,
            Restart::Never => false,
            Restart::OnFailure => !success,
            Restart::Always => true,
        };
        if run >= SETTLED {
            self.rows[service] = 0;
        }
        let row = self.rows[service];
        self.states[service] = if again && row < description.burst {
            self.rows[service] = row + 1;
            let wait = description.backoff.saturating_mul(1 << row.min(16));
            State::Backoff {
                until: now.saturating_add(wait.min(LONGEST_BACKOFF)),
            }
        } else if again || !success {
            State::Failed
        } else if description.oneshot {
            State::Done
        } else {
            State::Stopped
        };
    }

    /// Does what was only waiting for its time.
    fn watch_time(&mut self, now: Duration) {
        for service in 0..self.states.len() {
            match self.states[service] {
                State::Backoff { until } if until <= now && !self.going_down => self.start(service),
                State::Stopping { process, deadline } if deadline <= now => {
                    self.states[service] = State::Killing { process };
                    self.commands.push_back(Command::Kill(process));
                }
                _ => {}
            }
        }
    }

    fn start(&mut self, service: usize) {
        self.states[service] = State::Starting;
        self.commands.push_back(Command::Start(service));
    }

    /// In the order of the set, so that what fails for want of another is known before what comes after it is looked at.
    fn start_what_can(&mut self) {
        for service in 0..self.states.len() {
            if self.states[service] != State::Waiting {
                continue;
            }
            let is_up = |&other: &usize| self.states[other].is_up(self.set.services()[other].oneshot);
            let settled = |other: &usize| is_up(other) || self.states[*other].is_over();
            let requires = self.set.requires(service);
            if requires.iter().any(|&other| self.states[other].is_over()) {
                self.states[service] = State::Failed;
            } else if requires.iter().all(is_up) && self.set.before(service).iter().all(settled) {
                self.start(service);
            }
        }
    }

    /// In reverse order, so that what depends on others goes first.
    fn stop_what_can(&mut self, now: Duration) {
        for service in (0..self.states.len()).rev() {
            match self.states[service] {
                State::Waiting | State::Backoff { .. } => self.states[service] = State::Stopped,
                State::Running { process, .. } if !self.is_needed(service) => {
                    let timeout = self.set.services()[service].stop_timeout;
                    self.states[service] = State::Stopping {
                        process,
                        deadline: now.saturating_add(timeout),
                    };
                    self.commands.push_back(Command::Terminate(process));
                }
                _ => {}
            }
        }
        if !self.is_off && !self.states.iter().any(|state| state.has_process()) {
            self.is_off = true;
            self.commands.push_back(Command::PowerOff);
        }
    }

    /// Whether something that comes after it has a process.
    fn is_needed(&self, service: usize) -> bool {
        let mut others = self.states.iter().enumerate();
        others.any(|(other, state)| state.has_process() && self.set.before(other).contains(&service))
    }
}
