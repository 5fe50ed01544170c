//! What has to have happened.

use core::time::Duration;

use rt::alloc::format;
use rt::alloc::string::String;
use rt::process::{Command, ProcessState, processes};
use rt::time::{now, sleep};

use crate::notes::{count, found, notes};

/// How long it may take until everything runs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Notes that there have to be when everything runs, and how many of each.
const STARTS: [(&str, usize); 14] = [
    ("witness", 1),
    ("first", 1),
    ("second", 1),
    ("third", 1),
    // It fails twice, and is started again.
    ("flaky", 3),
    // It exits with 0 twice, and is started again.
    ("again", 3),
    ("stubborn", 1),
    ("fails", 1),
    ("orphan", 1),
    ("powerless", 1),
    // It is told to end once, and is started again.
    ("adder", 2),
    ("asker", 1),
    ("unnamed", 1),
    // It requires what fails.
    ("never", 0),
];

/// Which is started before which. Numbers of processes go up, while a service that is not awaited may note its start late.
const STARTED: [(&str, &str); 3] = [
    ("+witness", "+first"),
    ("+first", "+second"),
    ("+second", "+third"),
];

/// Which comes before which, as noted.
const ORDER: [(&str, &str); 7] = [
    // The end of the first one was awaited.
    ("+first", "+second"),
    ("+third", "-third"),
    ("-third", "-second"),
    ("-second", "-witness"),
    ("-flaky", "-witness"),
    ("-again", "-witness"),
    ("+powerless", "-third"),
];

/// Waits until everything runs, looks at it, and asks for power-off.
pub(crate) fn check() -> u32 {
    let is_complete = || STARTS.iter().all(|&(name, times)| count('+', name) >= times);
    let deadline = now() + PATIENCE;
    while !is_complete() && now() < deadline {
        sleep(Duration::from_millis(50));
    }
    // What must not happen has a moment to happen.
    sleep(Duration::from_millis(200));
    for (name, times) in STARTS {
        let found = count('+', name);
        if found != times {
            return fail(&format!("{name} was started {found} times, not {times}"));
        }
    }
    if let Err(problem) = first_process() {
        return fail(&problem);
    }
    rt::println!("init-suite: everything runs as it should");
    match Command::new("/bin/poweroff").status() {
        Ok(status) if status.success() => loop {
            // It is this program's turn to be ended.
            sleep(Duration::from_secs(1));
        },
        _ => fail("poweroff is refused"),
    }
}

/// The first process is `init`, the orphan and all others that have ended are gone.
fn first_process() -> Result<(), String> {
    let status =
        rt::fs::read_to_string("/proc/1/status").map_err(|error| format!("/proc/1/status: {error}"))?;
    if !status.starts_with("Name:\tinit\n") {
        return Err(format!("the first process: {status:?}"));
    }
    let ended = |process: &rt::process::ProcessInfo| process.state == ProcessState::Ended;
    let all = processes().map_err(|error| format!("{error}"))?;
    if let Some(process) = all.iter().find(|process| ended(process)) {
        return Err(format!(
            "{} has ended, and nobody has waited for it",
            process.name
        ));
    }
    let mut commands = all
        .iter()
        .filter_map(|process| rt::fs::read_to_string(&format!("/proc/{}/cmdline", process.id)).ok());
    if commands.any(|command| command.contains("linger")) {
        return Err(String::from("the orphan has not ended"));
    }
    Ok(())
}

/// Looks at the end of all others, as the last one to be ended.
pub(crate) fn witness() -> u32 {
    let notes = notes();
    let place = |wanted| found(&notes, wanted).map(|(line, _)| line).next();
    for (first, second) in ORDER {
        match (place(first), place(second)) {
            (Some(one), Some(other)) if one < other => {}
            _ => return fail(&format!("{first} has to be noted before {second}: {notes:?}")),
        }
    }
    let process = |wanted| found(&notes, wanted).map(|(_, process)| process).next();
    for (first, second) in STARTED {
        match (process(first), process(second)) {
            (Some(one), Some(other)) if one < other => {}
            _ => return fail(&format!("{first} has to start before {second}: {notes:?}")),
        }
    }
    let others = processes().unwrap_or_default();
    let is_other = |process: &&rt::process::ProcessInfo| process.id > 1 && process.id != rt::process::id();
    if let Some(process) = others.iter().find(is_other) {
        return fail(&format!("process {} is still there", process.id));
    }
    rt::println!("init-suite: all passed");
    0
}

fn fail(problem: &str) -> u32 {
    rt::println!("init-suite: FAILED: {problem}");
    if let Err(error) = rt::system::power_off(1) {
        rt::println!("init-suite: power-off refused: {error}");
    }
    1
}
