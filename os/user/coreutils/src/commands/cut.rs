//! `cut`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::input::{Input, Line, Lines};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag, value};
use crate::{Run, Stop, number};

const COMPLEMENT: char = '\u{100}';
const OUTPUT_DELIMITER: char = '\u{101}';

pub(crate) static SPEC: Spec = Spec {
    name: "cut",
    usage: &["OPTION... [FILE]..."],
    summary: "Prints parts of lines",
    options: &[
        value('b', "bytes", "LIST", "print these bytes"),
        value('c', "characters", "LIST", "the same: characters are bytes"),
        value(
            'f',
            "fields",
            "LIST",
            "print these fields, and lines without a delimiter as they are",
        ),
        value(
            'd',
            "delimiter",
            "BYTE",
            "fields are separated by this, not by a tab",
        ),
        flag('s', "only-delimited", "do not print lines without a delimiter"),
        flag(COMPLEMENT, "complement", "print what is not in the list"),
        value(
            OUTPUT_DELIMITER,
            "output-delimiter",
            "TEXT",
            "put this between what is printed",
        ),
    ],
    style: Style::Mixed,
    notes: "A LIST is made of N, N-M, N- and -M with commas between them; the first is 1. What is chosen is printed\n\
            in the order of the line, and once. Without a FILE, and where FILE is -, standard input is read.",
    status: STATUS,
    trouble: 1,
    run,
};

/// Ranges in order that neither overlap nor touch, both ends included.
type Ranges = Vec<(u64, u64)>;

/// What is printed of a line.
struct Cut {
    ranges: Ranges,
    fields: bool,
    delimiter: u8,
    only_delimited: bool,
    between: Option<Vec<u8>>,
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let wrong = |reason: &str| Stop::Fatal(1, reason.to_string());
    let lists: Vec<&(char, String)> = invocation
        .options
        .iter()
        .filter(|(key, _)| "bcf".contains(*key))
        .collect();
    let (key, list) = match lists[..] {
        [(key, list)] => (*key, list),
        [] => return Err(Stop::Usage("one of -b, -c and -f is needed".to_string())),
        _ => return Err(Stop::Usage("only one of -b, -c and -f, once".to_string())),
    };
    let delimiter = match invocation.value('d').map(str::as_bytes) {
        _ if key != 'f' && (invocation.has('d') || invocation.has('s')) => {
            return Err(wrong("-d and -s are for -f"));
        }
        None => b'\t',
        Some([]) => 0,
        Some([delimiter]) => *delimiter,
        Some(_) => return Err(wrong("the delimiter is one byte")),
    };
    let mut ranges = parse(list).map_err(|reason| Stop::Fatal(1, format!("{list}: {reason}")))?;
    if invocation.has(COMPLEMENT) {
        ranges = complement(&ranges);
    }
    let cut = Cut {
        ranges,
        fields: key == 'f',
        delimiter,
        only_delimited: invocation.has('s'),
        between: invocation
            .value(OUTPUT_DELIMITER)
            .map(|text| text.as_bytes().to_vec()),
    };
    for name in invocation.take_files() {
        let mut lines = match Input::open(&name) {
            Ok(input) => Lines::new(input),
            Err(error) => {
                invocation.report(&name, error);
                continue;
            }
        };
        loop {
            match lines.next() {
                Ok(None) => break,
                Ok(Some(line)) if cut.fields => cut.fields(&line, out)?,
                Ok(Some(line)) => cut.bytes(line.bytes, out)?,
                Err(error) => {
                    invocation.report(&name, error);
                    break;
                }
            }
        }
    }
    Ok(0)
}

fn parse(list: &str) -> Result<Ranges, &'static str> {
    let number = |text: &str| match number::count(text) {
        Some(0) => Err("the first is 1"),
        Some(n) => Ok(n),
        None => Err("not a list"),
    };
    let mut ranges = Ranges::new();
    for part in list.split([',', ' ', '\t']) {
        ranges.push(match part.split_once('-') {
            None => (number(part)?, number(part)?),
            Some(("", "")) => return Err("a range needs an end"),
            Some((from, "")) => (number(from)?, u64::MAX),
            Some(("", to)) => (1, number(to)?),
            Some((from, to)) => (number(from)?, number(to)?),
        });
    }
    if ranges.iter().any(|(from, to)| from > to) {
        return Err("a range decreases");
    }
    ranges.sort_unstable();
    let mut merged = Ranges::new();
    for (from, to) in ranges {
        match merged.last_mut() {
            // Ranges that touch stay apart: the output delimiter goes between them.
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => merged.push((from, to)),
        }
    }
    Ok(merged)
}

fn complement(ranges: &[(u64, u64)]) -> Ranges {
    let mut rest = Ranges::new();
    let mut next = 1;
    for &(from, to) in ranges {
        if next < from {
            rest.push((next, from - 1));
        }
        match to.checked_add(1) {
            Some(after) => next = after,
            None => return rest,
        }
    }
    rest.push((next, u64::MAX));
    rest
}

impl Cut {
    fn bytes(&self, line: &[u8], out: &mut Out) -> Result<(), Stop> {
        let at = |n: u64| usize::try_from(n).unwrap_or(usize::MAX).min(line.len());
        let mut first = true;
        for &(from, to) in &self.ranges {
            let part = &line[at(from - 1)..at(to)];
            if part.is_empty() {
                break;
            }
            if let Some(between) = self.between.as_ref().filter(|_| !first) {
                out.put(between)?;
            }
            first = false;
            out.put(part)?;
        }
        out.put(b"\n")
    }

    fn fields(&self, line: &Line<'_>, out: &mut Out) -> Result<(), Stop> {
        if !line.bytes.contains(&self.delimiter) {
            return if self.only_delimited {
                Ok(())
            } else {
                out.line(line.bytes)
            };
        }
        let own = [self.delimiter];
        let between = self.between.as_deref().unwrap_or(&own);
        let mut ranges = self.ranges.iter();
        let mut range = ranges.next();
        let mut first = true;
        for (field, i) in line.bytes.split(|&byte| byte == self.delimiter).zip(1u64..) {
            while range.is_some_and(|&(_, to)| to < i) {
                range = ranges.next();
            }
            let Some(&(from, _)) = range else { break };
            if from <= i {
                if !core::mem::take(&mut first) {
                    out.put(between)?;
                }
                out.put(field)?;
            }
        }
        out.put(b"\n")
    }
}
