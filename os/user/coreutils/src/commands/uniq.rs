//! `uniq`.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use rt::fs::File;
use rt::io::Write as _;

use crate::input::{Input, Lines};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "uniq",
    usage: &["[OPTION]... [INPUT [OUTPUT]]"],
    summary: "Of equal lines in a row prints one",
    options: &[
        flag('c', "count", "print before each line how many of it there are"),
        flag('d', "repeated", "print only lines of which there are several"),
        flag('u', "unique", "print only lines of which there is one"),
        flag('i', "ignore-case", "letters are equal in upper and lower case"),
        value(
            'f',
            "skip-fields",
            "N",
            "do not compare the first N fields, each with the blanks before it",
        ),
        value(
            's',
            "skip-chars",
            "N",
            "do not compare the first N bytes, counted behind the fields",
        ),
    ],
    style: Style::Mixed,
    notes: "Without INPUT, and where it is -, standard input is read.",
    status: STATUS,
    trouble: 1,
    run,
};

/// What is compared, and what is printed.
struct Rules {
    count: bool,
    repeated: bool,
    unique: bool,
    ignore_case: bool,
    fields: u64,
    bytes: u64,
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let skip = |key| match invocation.value(key) {
        None => Ok(0),
        Some(text) => number::count(text).ok_or_else(|| Stop::Fatal(1, format!("{text}: not a number"))),
    };
    let rules = Rules {
        count: invocation.has('c'),
        repeated: invocation.has('d'),
        unique: invocation.has('u'),
        ignore_case: invocation.has('i'),
        fields: skip('f')?,
        bytes: skip('s')?,
    };
    let mut names = core::mem::take(&mut invocation.operands).into_iter();
    let from = names.next().unwrap_or_else(|| "-".to_string());
    let to = names.next().filter(|name| name != "-");
    if let Some(name) = names.next() {
        return Err(Stop::Usage(format!("one operand too many: {name}")));
    }
    let fatal = |name: &str, error: rt::io::Error| Stop::Fatal(1, format!("{name}: {error}"));
    let input = Input::open(&from).map_err(|error| fatal(&from, error))?;
    let mut to = match to {
        None => None,
        Some(name) => Some((File::create(&name).map_err(|error| fatal(&name, error))?, name)),
    };
    let mut put = |line: &[u8], count: u64| -> Result<(), Stop> {
        if (count > 1 && rules.unique) || (count == 1 && rules.repeated) {
            return Ok(());
        }
        let mut text = if rules.count {
            format!("{count:7} ").into_bytes()
        } else {
            Vec::new()
        };
        text.extend_from_slice(line);
        text.push(b'\n');
        match &mut to {
            None => out.put(&text),
            Some((file, name)) => file.write_all(&text).map_err(|error| fatal(name, error)),
        }
    };

    let mut lines = Lines::new(input);
    let mut held: Option<(Vec<u8>, u64)> = None;
    loop {
        let line = match lines.next() {
            Ok(None) => break,
            Ok(Some(line)) => line.bytes,
            Err(error) => return Err(fatal(&from, error)),
        };
        match &mut held {
            Some((first, count)) if rules.equal(first, line) => *count += 1,
            Some((first, count)) => {
                put(first, *count)?;
                first.clear();
                first.extend_from_slice(line);
                *count = 1;
            }
            None => held = Some((line.to_vec(), 1)),
        }
    }
    if let Some((line, count)) = held {
        put(&line, count)?;
    }
    Ok(0)
}

impl Rules {
    fn equal(&self, a: &[u8], b: &[u8]) -> bool {
        let (a, b) = (self.compared(a), self.compared(b));
        if self.ignore_case {
            a.eq_ignore_ascii_case(b)
        } else {
            a == b
        }
    }

    fn compared<'a>(&self, line: &'a [u8]) -> &'a [u8] {
        let blank = |&byte: &u8| matches!(byte, b' ' | b'\t');
        let mut rest = line;
        for _ in 0..self.fields {
            if rest.is_empty() {
                break;
            }
            rest = &rest[rest.iter().position(|b| !blank(b)).unwrap_or(rest.len())..];
            rest = &rest[rest.iter().position(blank).unwrap_or(rest.len())..];
        }
        &rest[rest.len().min(usize::try_from(self.bytes).unwrap_or(usize::MAX))..]
    }
}
