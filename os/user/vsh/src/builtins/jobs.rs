//! Builtins about jobs and processes.

use rt::io::ErrorKind;
use rt::process::Signal;

use super::{misuse, options};
use crate::jobs::JobState;
use crate::prelude::*;
use crate::shell::{NOT_FOUND, Run, Shell};

pub(super) fn jobs(shell: &mut Shell, arguments: &[String]) -> Run {
    let (options, _) = match options(shell, arguments, "lp") {
        Ok(found) => found,
        Err(usage) => return Ok(usage),
    };
    shell.jobs.look();
    let mut lines = String::new();
    for job in &mut shell.jobs.0 {
        job.told = job.state();
    }
    for (place, job) in shell.jobs.0.iter().enumerate() {
        let id = job.group.or(job.id()).unwrap_or(0);
        if options.contains('p') {
            lines += &format!("{id}\n");
        } else if options.contains('l') {
            lines += &format!("{id} {}", job.line(shell.jobs.mark(place)));
        } else {
            lines += &job.line(shell.jobs.mark(place));
        }
    }
    shell.jobs.0.retain(|job| !matches!(job.told, JobState::Ended(_)));
    Ok(shell.print(&lines))
}

/// The place of the job that an argument names; says so when there is none.
fn place(shell: &mut Shell, builtin: &str, name: Option<&String>) -> Option<usize> {
    shell.jobs.look();
    let found = shell.jobs.find(name.map(String::as_str));
    if found.is_none() {
        let name = name.map_or("current", String::as_str);
        shell.report(format_args!("{builtin}: {name}: no such job"));
    }
    found
}

pub(super) fn fg(shell: &mut Shell, arguments: &[String]) -> Run {
    let Some(place) = place(shell, "fg", arguments.get(1)) else {
        return Ok(1);
    };
    let mut job = shell.jobs.0.remove(place);
    let status = shell.print(&format!("{}\n", job.text));
    if status != 0 {
        return Ok(status);
    }
    if let Some(group) = job.group {
        let _it_may_have_ended = rt::process::set_foreground(group);
        let _it_may_have_ended = rt::process::kill_group(group, Signal::Continue);
    }
    job.resumed();
    let result = shell.wait_foreground(&mut job);
    if job.state() == JobState::Stopped {
        job.told = JobState::Stopped;
        shell.warn(&format!("\n{}", job.line('+')));
        shell.jobs.0.push(job);
    }
    result
}

pub(super) fn bg(shell: &mut Shell, arguments: &[String]) -> Run {
    let current = [None];
    let named: Vec<Option<&String>> = arguments[1..].iter().map(Some).collect();
    let names = if named.is_empty() { &current[..] } else { &named };
    let mut status = 0;
    for name in names {
        let Some(place) = place(shell, "bg", *name) else {
            status = 1;
            continue;
        };
        let job = &mut shell.jobs.0[place];
        if let Some(group) = job.group {
            let _it_may_have_ended = rt::process::kill_group(group, Signal::Continue);
        }
        job.resumed();
        let line = format!("[{}] {} &\n", job.number, job.text);
        status = status.max(shell.print(&line));
    }
    Ok(status)
}

pub(super) fn wait(shell: &mut Shell, arguments: &[String]) -> Run {
    if arguments.len() == 1 {
        for member in shell.jobs.0.iter_mut().flat_map(|job| &mut job.members) {
            // A stopped one would never end.
            member.look(member.status.is_none());
        }
        shell.jobs.0.retain(|job| job.state() == JobState::Stopped);
        shell.poll_interrupt()?;
        return Ok(0);
    }
    let mut status = 0;
    for name in &arguments[1..] {
        let Some(place) = shell.jobs.find(Some(name)) else {
            if name.starts_with('%') {
                shell.report(format_args!("wait: {name}: no such job"));
            } else if name.parse::<u32>().is_err() {
                return Ok(misuse(shell, "wait", &format!("{name}: not a process or job")));
            } else {
                shell.report(format_args!("wait: {name}: not a child of this shell"));
            }
            status = NOT_FOUND;
            continue;
        };
        let job = &mut shell.jobs.0[place];
        for member in &mut job.members {
            member.look(true);
        }
        if let JobState::Ended(end) = job.state() {
            status = end.code();
            shell.jobs.0.remove(place);
        }
    }
    shell.poll_interrupt()?;
    Ok(status)
}

pub(super) fn kill(shell: &mut Shell, arguments: &[String]) -> Run {
    let parse = |text: &str| {
        let number = text.parse().ok().and_then(Signal::from_number);
        number
            .or_else(|| Signal::from_name(text))
            .filter(|&signal| signal != Signal::Other)
    };
    let (signal, targets) = match &arguments[1..] {
        [first, ..] if first == "-l" => {
            let signals = Signal::ALL.iter().filter(|&&signal| signal != Signal::Other);
            let lines: String = signals
                .map(|signal| format!("{:2} {}\n", signal.number(), signal.name()))
                .collect();
            return Ok(shell.print(&lines));
        }
        [first, name, targets @ ..] if first == "-s" => (parse(name), targets),
        [first, targets @ ..] if first == "--" => (Some(Signal::Terminate), targets),
        [first, targets @ ..] if first.starts_with('-') => (parse(&first[1..]), targets),
        targets => (Some(Signal::Terminate), targets),
    };
    let Some(signal) = signal else {
        return Ok(misuse(shell, "kill", "no such signal"));
    };
    if targets.is_empty() {
        return Ok(misuse(shell, "kill", "process or job required"));
    }
    let mut status = 0;
    for target in targets {
        if let Err(error) = send(shell, target, signal) {
            shell.report(format_args!("kill: {target}: {error}"));
            status = 1;
        }
    }
    shell.poll_interrupt()?;
    Ok(status)
}

fn send(shell: &mut Shell, target: &str, signal: Signal) -> rt::io::Result<()> {
    if target.starts_with('%') {
        let place = shell.jobs.find(Some(target)).ok_or(ErrorKind::NoSuchProcess)?;
        let job = &mut shell.jobs.0[place];
        return match job.group {
            Some(group) => {
                let result = rt::process::kill_group(group, signal);
                // A stopped process is killed only when it goes on.
                if matches!(signal, Signal::Terminate | Signal::Hangup) && job.state() == JobState::Stopped {
                    rt::process::kill_group(group, Signal::Continue)?;
                }
                result
            }
            None => job
                .members
                .iter()
                .try_for_each(|member| rt::process::kill(member.child.id(), signal)),
        };
    }
    let group = target.strip_prefix('-').filter(|group| !group.is_empty());
    let id = group
        .unwrap_or(target)
        .parse()
        .map_err(|_| ErrorKind::InvalidInput)?;
    if group.is_some() {
        rt::process::kill_group(id, signal)
    } else {
        rt::process::kill(id, signal)
    }
}
