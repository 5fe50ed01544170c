//! `sort`.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::cmp::Ordering;

use rt::fs::File;
use rt::io::Write as _;

use super::sort_key::{Key, Modifiers};
use crate::input::{Input, Lines};
use crate::output::Out;
use crate::spec::{Invocation, Spec, Style, flag, value};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "sort",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Prints the lines of all files in order",
    options: &[
        flag('n', "numeric-sort", "by the decimal number at the start"),
        flag('f', "ignore-case", "letters are equal in upper and lower case"),
        flag('b', "ignore-leading-blanks", "blanks at the start do not count"),
        flag('r', "reverse", "the other way round"),
        flag('u', "unique", "of equal lines print the first"),
        flag(
            's',
            "stable",
            "equal lines keep their order; else all bytes of the line decide",
        ),
        flag(
            'c',
            "check",
            "print nothing, but tell whether the lines are in order",
        ),
        value(
            'k',
            "key",
            "KEY",
            "compare this part of the lines; with several keys the first difference counts",
        ),
        value(
            't',
            "field-separator",
            "BYTE",
            "fields are separated by this, not by the start of blanks",
        ),
        value(
            'o',
            "output",
            "FILE",
            "write to this file, which may be one of the others",
        ),
    ],
    style: Style::Mixed,
    notes: "A KEY is F[.C][bfnr][,F[.C][bfnr]]: from field and byte to field and byte, both from 1 on; without an end\n\
            up to that of the line, and with C of the end absent or 0 up to the field's. Letters stand for options\n\
            that hold for this key only. Without a FILE, and where FILE is -, standard input is read.\n\
            All lines are held in memory.",
    status: &[
        ("0", "all went well"),
        ("1", "with -c: the lines are not in order"),
        ("2", "something failed, or wrong use"),
    ],
    trouble: 2,
    run,
};

/// How lines are compared.
struct Order {
    keys: Vec<Key>,
    separator: Option<u8>,
    reverse: bool,
    /// Equal lines are not compared further.
    stop_at_keys: bool,
}

impl Order {
    fn compare(&self, a: &[u8], b: &[u8]) -> Ordering {
        for key in &self.keys {
            let order = key.compare(a, b, self.separator);
            if order.is_ne() {
                return order;
            }
        }
        match a.cmp(b) {
            _ if self.stop_at_keys => Ordering::Equal,
            order if self.reverse => order.reverse(),
            order => order,
        }
    }
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let fatal = |text: &str, reason: &dyn core::fmt::Display| Stop::Fatal(2, format!("{text}: {reason}"));
    let separator = match invocation.value('t').map(|text| (text, text.as_bytes())) {
        None => None,
        Some((_, [byte])) => Some(*byte),
        Some(("\\0", _)) => Some(0),
        Some((text, _)) => return Err(fatal(text, &"the separator is one byte")),
    };
    let global = Modifiers {
        numeric: invocation.has('n'),
        fold: invocation.has('f'),
        blanks: invocation.has('b'),
        reverse: invocation.has('r'),
    };
    let mut keys = Vec::new();
    for (_, text) in invocation.options.iter().filter(|(key, _)| *key == 'k') {
        keys.push(Key::parse(text, global).map_err(|reason| fatal(text, &reason))?);
    }
    let unique = invocation.has('u');
    if keys.is_empty() && global.any_but_reverse() {
        keys.push(Key::whole(global));
    }
    let order = Order {
        // Without keys the lines as they are come down to the last comparison, unless that is left out.
        keys: if keys.is_empty() && (unique || invocation.has('s')) {
            Vec::from([Key::whole(global)])
        } else {
            keys
        },
        separator,
        reverse: global.reverse,
        stop_at_keys: unique || invocation.has('s'),
    };
    let output = invocation.value('o').map(String::from);
    let check = invocation.has('c');
    let files = invocation.take_files();
    if check {
        return match &files[..] {
            [name] => check_order(name, &order, unique),
            [_, more, ..] => Err(Stop::Usage(format!("one operand too many with -c: {more}"))),
            [] => Ok(0),
        };
    }

    let (text, ends) = read(&files)?;
    let mut lines = Vec::with_capacity(ends.len());
    let mut start = 0;
    for end in ends {
        lines.push(&text[start..end]);
        start = end;
    }
    lines.sort_by(|a, b| order.compare(a, b));
    if unique {
        lines.dedup_by(|b, a| order.compare(a, b).is_eq());
    }
    let Some(name) = output else {
        for line in lines {
            out.line(line)?;
        }
        return Ok(0);
    };
    let mut file = File::create(&name).map_err(|error| fatal(&name, &error))?;
    let mut piece = Vec::new();
    for line in lines {
        piece.extend_from_slice(line);
        piece.push(b'\n');
        if piece.len() > crate::input::PIECE {
            file.write_all(&piece).map_err(|error| fatal(&name, &error))?;
            piece.clear();
        }
    }
    file.write_all(&piece).map_err(|error| fatal(&name, &error))?;
    Ok(0)
}

/// The lines of all files one behind the other without newlines, and where each ends.
fn read(files: &[String]) -> Result<(Vec<u8>, Vec<usize>), Stop> {
    let (mut text, mut ends) = (Vec::new(), Vec::new());
    for name in files {
        let fatal = |error: rt::io::Error| Stop::Fatal(2, format!("{name}: {error}"));
        let mut lines = Lines::new(Input::open(name).map_err(fatal)?);
        while let Some(line) = lines.next().map_err(fatal)? {
            text.extend_from_slice(line.bytes);
            ends.push(text.len());
        }
    }
    Ok((text, ends))
}

fn check_order(name: &str, order: &Order, unique: bool) -> Run {
    let fatal = |error: rt::io::Error| Stop::Fatal(2, format!("{name}: {error}"));
    let mut lines = Lines::new(Input::open(name).map_err(fatal)?);
    let mut last: Option<Vec<u8>> = None;
    let mut number = 0u64;
    while let Some(line) = lines.next().map_err(fatal)? {
        number += 1;
        if let Some(last) = &last {
            let found = order.compare(last, line.bytes);
            if found.is_gt() || (unique && found.is_eq()) {
                let text = String::from_utf8_lossy(line.bytes);
                return Err(Stop::Fatal(1, format!("{name}:{number}: not in order: {text}")));
            }
        }
        let last = last.get_or_insert_default();
        last.clear();
        last.extend_from_slice(line.bytes);
    }
    Ok(0)
}
