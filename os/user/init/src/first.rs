//! The first process: its services from start to power-off.

use core::time::Duration;

use abi::Identity;
use init::{has_work, load, tell};
use rt::alloc::format;
use rt::alloc::string::String;
use rt::alloc::vec::Vec;
use rt::process::{Command, Group, Signal, Stdio, kill_group};
use rt::time::now;
use services::{Command as Order, Event, Exit, Service, Set, State, Supervisor};

use crate::requests::{FIRST, take_child, wait_for_news};

/// Where the service files are.
const DIRECTORY: &str = "/etc/services";

/// What is started when no service runs.
const EMERGENCY: &str = "/bin/vsh";

/// Status of a power-off after a failure.
const FAILURE: u32 = 1;

/// How long the processes that are no services may take to end when the system goes down.
const PATIENCE: Duration = Duration::from_secs(1);

/// Runs the system. Returns only when it cannot be switched off.
pub(crate) fn run() -> u32 {
    match identity() {
        Ok(line) => rt::println!("{line}"),
        Err(reason) => {
            rt::println!("init: {reason}");
            return off(FAILURE);
        }
    }
    let loaded = load(&read_files());
    for problem in &loaded.problems {
        rt::println!("init: {problem}");
    }
    let mut system = System::new(loaded.set);
    off(system.run())
}

fn identity() -> Result<String, &'static str> {
    let mut buffer = [0; abi::IDENTITY_LEN];
    let len = syscall::system_info(&mut buffer).map_err(|_| "system_info failed")?;
    let text = usize::try_from(len).ok().and_then(|len| buffer.get(..len));
    let text = text.ok_or("system_info returned too much")?;
    let text = core::str::from_utf8(text).map_err(|_| "system_info returned no UTF-8")?;
    let identity = Identity::parse(text).map_err(|_| "system_info lacks a key")?;
    Ok(format!("{identity}"))
}

/// Switches the machine off. Returns the exit code when that is refused.
fn off(status: u32) -> u32 {
    if let Err(error) = rt::system::power_off(status) {
        rt::println!("init: power-off refused: {error}");
    }
    FAILURE
}

/// The service files, as path and text, by name. One that cannot be read is told, and left out.
fn read_files() -> Vec<(String, String)> {
    let entries = match rt::fs::read_dir(DIRECTORY) {
        Ok(entries) => entries,
        Err(error) => {
            rt::println!("init: {DIRECTORY}: {error}");
            return Vec::new();
        }
    };
    let mut files = Vec::new();
    let names = entries.iter().map(|entry| &entry.name);
    for name in names.filter(|name| name.ends_with(".service")) {
        let path = format!("{DIRECTORY}/{name}");
        match rt::fs::read_to_string(&path) {
            Ok(text) => files.push((path, text)),
            Err(error) => rt::println!("init: {path}: {error}"),
        }
    }
    files.sort();
    files
}

struct System {
    supervisor: Supervisor,
    /// The status with which the system goes down, once it does.
    shutdown: Option<u32>,
    /// The emergency shell.
    emergency: Option<u32>,
    is_off: bool,
}

impl System {
    fn new(set: Set) -> Self {
        Self {
            supervisor: Supervisor::new(set),
            shutdown: None,
            emergency: None,
            is_off: false,
        }
    }

    /// Runs the services until the system is down. Returns the status of the power-off.
    fn run(&mut self) -> u32 {
        loop {
            while let Some(order) = self.supervisor.command() {
                self.obey(order);
            }
            if self.is_off {
                end_all();
                return self.shutdown.unwrap_or(FAILURE);
            }
            if self.shutdown.is_none() && self.emergency.is_none() && !has_work(self.supervisor.states()) {
                self.start_emergency_shell();
                continue;
            }
            let deadline = self.supervisor.deadline();
            let timeout = deadline.map(|deadline| deadline.saturating_sub(now()));
            let news = wait_for_news(self.shutdown.is_some(), timeout);
            while let Some((process, exit)) = take_child() {
                self.ended(process, exit);
            }
            if let Some(status) = news.shutdown {
                self.shutdown = Some(u32::try_from(status).unwrap_or(FAILURE));
                rt::println!("init: the system is going down");
                self.handle(Event::Shutdown, "");
            } else {
                self.handle(Event::Tick, "");
            }
        }
    }

    /// Passes an event on, and says what has become of the services; `how` says how one of them has ended.
    fn handle(&mut self, event: Event, how: &str) {
        let before: Vec<State> = self.supervisor.states().to_vec();
        self.supervisor.handle(event, now());
        let services = self.supervisor.set().services();
        let changes = services.iter().zip(before).zip(self.supervisor.states());
        // What follows from an end is told after it.
        let (asked, ended): (Vec<_>, Vec<_>) =
            changes.partition(|(_, after)| matches!(after, State::Stopping { .. }));
        for ((service, before), &after) in ended.into_iter().chain(asked) {
            if let Some(text) = tell(&service.name, before, after, how) {
                rt::println!("init: {text}");
            }
        }
    }

    fn obey(&mut self, order: Order) {
        match order {
            Order::Start(service) => match start(&self.supervisor.set().services()[service]) {
                Ok(process) => self.handle(Event::Started { service, process }, ""),
                Err(error) => {
                    let how = format!("cannot be started: {error}");
                    self.handle(Event::NotStarted { service }, &how);
                }
            },
            // Each service leads a group of its own. Who has ended meanwhile needs no signal.
            Order::Terminate(process) => drop(kill_group(process, Signal::Terminate)),
            Order::Kill(process) => drop(kill_group(process, Signal::Kill)),
            Order::PowerOff => self.is_off = true,
        }
    }

    /// A child has ended: a service, the emergency shell, or an orphan, whose end nobody wants to know.
    fn ended(&mut self, process: u32, exit: Exit) {
        let how = match exit {
            Exit::Status(code) => format!("exited with {code}"),
            Exit::Killed => String::from("was killed"),
        };
        if self.emergency == Some(process) {
            rt::println!("init: the emergency shell {how}");
            self.go_down(FAILURE);
        }
        self.handle(Event::Exited { process, exit }, &how);
    }

    fn start_emergency_shell(&mut self) {
        rt::println!("init: no service runs: this is the emergency shell");
        match with_console(&mut Command::new(EMERGENCY)) {
            Ok(process) => self.emergency = Some(process),
            Err(error) => {
                rt::println!("init: {EMERGENCY}: {error}");
                self.go_down(FAILURE);
            }
        }
    }

    /// Brings the system down without having been asked to.
    fn go_down(&mut self, status: u32) {
        self.shutdown.get_or_insert(status);
        self.handle(Event::Shutdown, "");
    }
}

/// Starts a service and returns its process.
fn start(service: &Service) -> rt::io::Result<u32> {
    let mut command = Command::new(service.exec.as_str());
    command.args(service.args.iter().cloned());
    for (name, value) in &service.env {
        command.env(name.clone(), value.clone());
    }
    for name in &service.provides {
        command.provides(name.clone());
    }
    if service.console {
        return with_console(&mut command);
    }
    // What it prints is seen on the console, but it gets no input and no say about power.
    command.stdin(Stdio::Null).group(Group::New).may_power_off(false);
    Ok(command.spawn()?.id())
}

/// Starts a program that has the console: it is in the terminal's foreground, and may have the system go down.
fn with_console(command: &mut Command) -> rt::io::Result<u32> {
    // Whoever had it before may have left it in another mode.
    rt::terminal::set_mode(rt::terminal::Cooked)?;
    let process = command.group(Group::New).spawn()?.id();
    // If it has ended already, its end will tell.
    let _ended = rt::process::set_foreground(process);
    Ok(process)
}

/// Ends all processes that are left: orphans, and jobs of the shell. First they are asked.
fn end_all() {
    let deadline = now() + PATIENCE;
    let mut signal = Signal::Terminate;
    while let Ok(processes) = rt::process::processes() {
        let mut is_alone = true;
        for process in processes {
            if process.id != FIRST && process.state != rt::process::ProcessState::Ended {
                is_alone = false;
                // It may have ended meanwhile.
                let _ended = rt::process::kill(process.id, signal);
            }
        }
        while take_child().is_some() {}
        if is_alone {
            return;
        }
        if now() >= deadline {
            signal = Signal::Kill;
        }
        rt::time::sleep(Duration::from_millis(10));
    }
}
