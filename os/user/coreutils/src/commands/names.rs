//! `names`.

use alloc::format;

use crate::Stop;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "names",
    usage: &["[-q]"],
    summary: "Lists the names under which services can be reached",
    options: &[flag('q', "quiet", "the names alone")],
    style: Style::Mixed,
    notes: "The columns: number of the process that has the name, the name.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if let Some(operand) = invocation.operands.first() {
            return Err(Stop::Usage(format!("one operand too many: {operand}")));
        }
        let is_quiet = invocation.last("q").is_some();
        let entries = rt::names::list().map_err(|error| Stop::Fatal(1, format!("{error}")))?;
        if !is_quiet {
            writeln!(out, "{:>7} NAME", "PID")?;
        }
        for entry in entries {
            if is_quiet {
                writeln!(out, "{}", entry.name)?;
            } else {
                writeln!(out, "{:7} {}", entry.owner, entry.name)?;
            }
        }
        Ok(0)
    },
};
