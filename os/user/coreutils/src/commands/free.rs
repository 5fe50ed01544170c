//! `free`.

use alloc::format;

use crate::spec::{STATUS, Spec, Style, flag};
use crate::{Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "free",
    usage: &["[-b|-k|-m|-h]"],
    summary: "Tells how much memory there is, is in use, and is free",
    options: &[
        flag('b', "bytes", "in bytes"),
        flag('k', "kibi", "in KiB, as without options"),
        flag('m', "mebi", "in MiB"),
        flag('h', "human", "with units"),
    ],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if let Some(operand) = invocation.operands.first() {
            return Err(Stop::Usage(format!("one operand too many: {operand}")));
        }
        let info = rt::system::info().map_err(|error| Stop::Fatal(1, format!("{error}")))?;
        let used = info.memory_total.saturating_sub(info.memory_free);
        let unit = invocation.last("bkmh").unwrap_or('k');
        let [total, used, free] = [info.memory_total, used, info.memory_free].map(|bytes| match unit {
            'b' => format!("{bytes}"),
            'm' => format!("{}", bytes >> 20),
            'h' => number::human(bytes),
            _ => format!("{}", bytes >> 10),
        });
        writeln!(out, "{:6} {:>14} {:>14} {:>14}", "", "total", "used", "free")?;
        writeln!(out, "{:6} {total:>14} {used:>14} {free:>14}", "Mem:")?;
        Ok(0)
    },
};
