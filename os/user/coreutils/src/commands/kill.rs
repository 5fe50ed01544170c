//! `kill`.

use alloc::format;
use alloc::string::{String, ToString};

use rt::process::Signal;

use crate::Stop;
use crate::output::Out;
use crate::spec::{STATUS, Spec, Style, flag, value};

pub(crate) static SPEC: Spec = Spec {
    name: "kill",
    usage: &["[-s SIGNAL | -SIGNAL] PROCESS...", "-l [SIGNAL]..."],
    summary: "Sends a signal to processes",
    options: &[
        value(
            's',
            "signal",
            "SIGNAL",
            "send this one, not TERM: its name, with or without SIG, or its number",
        ),
        flag(
            'l',
            "list",
            "print the names of signals, or the name or number of given ones",
        ),
    ],
    style: Style::Signal('s'),
    notes: "A negative number, behind --, stands for all processes of a group. Signal 0 only asks whether there is such\n\
            a process. With -l a number may be the exit status of what a signal ended.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let operands = core::mem::take(&mut invocation.operands);
        if invocation.has('l') {
            return list(&operands, out);
        }
        let text = invocation.value('s').unwrap_or("TERM");
        let signal = match signal(text) {
            Some(signal) => Some(signal),
            None if text == "0" => None,
            None => return Err(Stop::Fatal(1, format!("{text}: no such signal"))),
        };
        if operands.is_empty() {
            return Err(Stop::Usage("no process was given".to_string()));
        }
        for operand in operands {
            let sent = match (operand.parse::<i64>(), signal) {
                (Ok(id), _) if u32::try_from(id.unsigned_abs()).is_err() || id == 0 => {
                    invocation.report(&operand, "not a process");
                    continue;
                }
                (Ok(id), Some(signal)) if id > 0 => rt::process::kill(id.unsigned_abs() as u32, signal),
                (Ok(id), Some(signal)) => rt::process::kill_group(id.unsigned_abs() as u32, signal),
                (Ok(id), None) => exists(id),
                (Err(_), _) => {
                    invocation.report(&operand, "not a process");
                    continue;
                }
            };
            if let Err(error) = sent {
                invocation.report(&operand, error);
            }
        }
        Ok(0)
    },
};

fn signal(text: &str) -> Option<Signal> {
    let found = match text.parse() {
        Ok(number) => Signal::from_number(number),
        Err(_) => Signal::from_name(text),
    };
    // What stands for all the others cannot be sent.
    found.filter(|signal| *signal != Signal::Other)
}

fn exists(id: i64) -> rt::io::Result<()> {
    let number = id.unsigned_abs() as u32;
    let found = rt::process::processes()?
        .iter()
        .any(|process| if id > 0 { process.id } else { process.group } == number);
    if found {
        Ok(())
    } else {
        Err(rt::io::ErrorKind::NoSuchProcess.into())
    }
}

fn list(operands: &[String], out: &mut Out) -> crate::Run {
    if operands.is_empty() {
        for signal in Signal::ALL.iter().filter(|signal| **signal != Signal::Other) {
            writeln!(out, "{}", signal.name())?;
        }
    }
    for operand in operands {
        let found = match operand.parse::<u32>() {
            // Shells add 128 to the number of the signal that ended a process.
            Ok(number) => Signal::from_number(number % 128).map(|signal| signal.name().to_string()),
            Err(_) => Signal::from_name(operand).map(|signal| signal.number().to_string()),
        };
        match found {
            Some(text) => out.line(text.as_bytes())?,
            None => return Err(Stop::Fatal(1, format!("{operand}: no such signal"))),
        }
    }
    Ok(0)
}
