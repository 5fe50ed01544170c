//! `cat`.

use alloc::vec;

use crate::input::{Input, PIECE};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "cat",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Prints files one after the other",
    options: &[
        flag('n', "number", "number all lines"),
        flag('b', "number-nonblank", "number lines that are not empty"),
        flag('s', "squeeze-blank", "of several empty lines in a row print one"),
        flag(
            'A',
            "show-all",
            "show what cannot be seen: line ends as $, others as ^X and M-X",
        ),
    ],
    style: Style::Mixed,
    notes: "Without a FILE, and where FILE is -, standard input is read.",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let mut view = View {
        all: invocation.has('n') && !invocation.has('b'),
        filled: invocation.has('b'),
        squeeze: invocation.has('s'),
        show: invocation.has('A'),
        number: 0,
        at_start: true,
        empty: 0,
    };
    let plain = !(view.all || view.filled || view.squeeze || view.show);
    let mut piece = vec![0; PIECE];
    for name in invocation.take_files() {
        let mut input = match Input::open(&name) {
            Ok(input) => input,
            Err(error) => {
                invocation.report(&name, error);
                continue;
            }
        };
        loop {
            let len = match input.read(&mut piece) {
                Ok(0) => break,
                Ok(len) => len,
                Err(error) => {
                    invocation.report(&name, error);
                    break;
                }
            };
            if plain {
                out.put(&piece[..len])?;
            } else {
                view.put(&piece[..len], out)?;
            }
            // Whoever writes by hand, or slowly, wants to see it.
            if len < piece.len() {
                out.flush()?;
            }
        }
    }
    Ok(0)
}

/// How the bytes are shown, and where in the text we are.
struct View {
    all: bool,
    filled: bool,
    squeeze: bool,
    show: bool,
    number: u64,
    at_start: bool,
    /// Empty lines in a row up to here.
    empty: u64,
}

impl View {
    fn put(&mut self, bytes: &[u8], out: &mut Out) -> Result<(), Stop> {
        // A line, or what a piece has of it.
        for line in bytes.split_inclusive(|&byte| byte == b'\n') {
            if self.at_start {
                let is_empty = line == b"\n";
                self.empty = if is_empty { self.empty + 1 } else { 0 };
                if self.squeeze && self.empty > 1 {
                    continue;
                }
                if self.all || (self.filled && !is_empty) {
                    self.number += 1;
                    write!(out, "{:6}\t", self.number)?;
                }
            }
            self.at_start = line.ends_with(b"\n");
            if self.show {
                line.iter().try_for_each(|&byte| show(byte, out))?;
            } else {
                out.put(line)?;
            }
        }
        Ok(())
    }
}

fn show(byte: u8, out: &mut Out) -> Result<(), Stop> {
    if byte == b'\n' {
        return out.put(b"$\n");
    }
    if byte >= 0x80 {
        out.put(b"M-")?;
    }
    match byte & 0x7f {
        127 => out.put(b"^?"),
        low @ 0..32 => out.put(&[b'^', low + 64]),
        low => out.put(&[low]),
    }
}
