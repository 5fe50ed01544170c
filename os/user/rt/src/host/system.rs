//! Clocks, the list of processes, and what the system says about itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

use crate::io::{ErrorKind, Result};
use crate::process::{ProcessInfo, ProcessState};
use crate::system::Info;

pub(crate) fn now() -> Duration {
    let time = clock_gettime(ClockId::Boottime);
    // Neither is ever negative for this clock.
    Duration::new(
        time.tv_sec.cast_unsigned(),
        u32::try_from(time.tv_nsec).unwrap_or(0),
    )
}

pub(crate) fn unix_now() -> Option<Duration> {
    SystemTime::now().duration_since(UNIX_EPOCH).ok()
}

pub(crate) fn sleep(time: Duration) {
    std::thread::sleep(time);
}

pub(crate) fn info() -> Result<Info> {
    let system = rustix::system::uname();
    let text = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let memory = std::fs::read_to_string("/proc/meminfo")?;
    let bytes = |key: &str| {
        let line = memory.lines().find_map(|line| line.strip_prefix(key));
        line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok())
            .map_or(0, |kibibytes| kibibytes * 1024)
    };
    Ok(Info {
        name: text(system.sysname()),
        version: text(system.release()),
        commit: String::new(),
        image_id: String::new(),
        arch: text(system.machine()),
        uptime: now(),
        memory_total: bytes("MemTotal:"),
        memory_free: bytes("MemAvailable:"),
        cpus: std::thread::available_parallelism()
            .map_or(1, |cpus| u32::try_from(cpus.get()).unwrap_or(u32::MAX)),
    })
}

/// A program under test must not switch its host off.
pub(crate) fn power_off(_status: u32) -> Result<()> {
    Err(ErrorKind::PermissionDenied.into())
}

/// There is no registry here.
pub(crate) fn list_names() -> Result<Vec<crate::names::Entry>> {
    Err(ErrorKind::Unsupported.into())
}

pub(crate) fn processes() -> Result<Vec<ProcessInfo>> {
    let mut processes: Vec<_> = std::fs::read_dir("/proc")?
        .filter_map(|entry| {
            let id = entry.ok()?.file_name().to_str()?.parse().ok()?;
            // A process may end meanwhile.
            parse_stat(id, &std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
        })
        .collect();
    processes.sort_by_key(|process| process.id);
    Ok(processes)
}

/// Reads `/proc/ID/stat`; the name in it is in parentheses, and may contain any character.
fn parse_stat(id: u32, stat: &str) -> Option<ProcessInfo> {
    let (start, end) = (stat.find('(')?, stat.rfind(')')?);
    let fields: Vec<&str> = stat.get(end + 1..)?.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let ticks = number(11)? + number(12)?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(ProcessInfo {
        id,
        parent: fields.get(1)?.parse().ok()?,
        group: fields.get(2)?.parse().ok()?,
        name: stat.get(start + 1..end)?.into(),
        state: match *fields.first()? {
            "R" => ProcessState::Running,
            "T" | "t" => ProcessState::Stopped,
            "Z" | "X" => ProcessState::Ended,
            _ => ProcessState::Waiting,
        },
        memory: number(21)? * rustix::param::page_size() as u64,
        cpu_time: Duration::from_millis(ticks * 1000 / per_second.max(1)),
    })
}
