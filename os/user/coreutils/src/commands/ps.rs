//! `ps`.

use alloc::format;

use rt::process::ProcessState;

use crate::Stop;
use crate::spec::{STATUS, Spec, Style};

pub(crate) static SPEC: Spec = Spec {
    name: "ps",
    usage: &[""],
    summary: "Lists all processes",
    options: &[],
    style: Style::Mixed,
    notes: "The columns: number, number of the parent, number of the group, state (R runs, S waits, T stopped, Z ended),\n\
            memory in KiB, CPU time in minutes and seconds, program.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if let Some(operand) = invocation.operands.first() {
            return Err(Stop::Usage(format!("one operand too many: {operand}")));
        }
        let mut processes = rt::process::processes().map_err(|error| Stop::Fatal(1, format!("{error}")))?;
        processes.sort_by_key(|process| process.id);
        writeln!(
            out,
            "{:>7} {:>7} {:>7} S {:>9} {:>8} COMMAND",
            "PID", "PPID", "PGID", "KIB", "TIME"
        )?;
        for process in processes {
            let state = match process.state {
                ProcessState::Running => 'R',
                ProcessState::Waiting => 'S',
                ProcessState::Stopped => 'T',
                ProcessState::Ended => 'Z',
            };
            let (id, parent, group) = (process.id, process.parent, process.group);
            let (memory, seconds) = (process.memory >> 10, process.cpu_time.as_secs());
            let time = format!("{}:{:02}", seconds / 60, seconds % 60);
            writeln!(
                out,
                "{id:7} {parent:7} {group:7} {state} {memory:9} {time:>8} {}",
                process.name
            )?;
        }
        Ok(0)
    },
};
