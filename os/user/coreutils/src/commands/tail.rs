//! `tail`.

use alloc::collections::VecDeque;
use alloc::{format, vec};

use super::head::{Copied, Headers};
use crate::input::{Input, PIECE, find};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "tail",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Prints the last 10 lines of files",
    options: &[
        value(
            'n',
            "lines",
            "N",
            "print the last N lines; with +N those from the Nth on",
        ),
        value(
            'c',
            "bytes",
            "N",
            "print the last N bytes; with +N those from the Nth on",
        ),
        flag('q', "quiet", "never print names of files"),
        flag('v', "verbose", "always print names of files"),
    ],
    style: Style::Digits('n'),
    notes: "Without a FILE, and where FILE is -, standard input is read. N may have a unit: b, kB, K, MB, M, GB, G.\n\
            -5 is short for -n 5. A file that grows is not followed.",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let key = invocation.last("nc").unwrap_or('n');
    let text = invocation.value(key).unwrap_or("10");
    let from = text.strip_prefix('+');
    let digits = from.or_else(|| text.strip_prefix('-')).unwrap_or(text);
    let count = number::size(digits).ok_or_else(|| Stop::Fatal(1, format!("{text}: not a number")))?;
    let from = from.is_some();
    let mut headers = Headers::new(invocation);
    for name in invocation.take_files() {
        let mut input = match Input::open(&name) {
            Ok(input) => input,
            Err(error) => {
                invocation.report(&name, error);
                continue;
            }
        };
        headers.put(&name, out)?;
        let end = (key == 'n').then_some(b'\n');
        let copied = if from {
            rest(&mut input, count, end, out)
        } else {
            last(&mut input, count, end, out)
        };
        if let Err(error) = copied? {
            invocation.report(&name, error);
        }
    }
    Ok(0)
}

/// Copies from the `count`th byte on, or from behind the one before it that is `end`.
fn rest(input: &mut Input, count: u64, end: Option<u8>, out: &mut Out) -> Copied {
    let mut skip = count.saturating_sub(1);
    let mut piece = vec![0; PIECE];
    loop {
        let len = match input.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(len) => len,
            Err(error) => return Ok(Err(error)),
        };
        let mut start = 0;
        while skip > 0 && start < len {
            match end {
                None => {
                    let skipped = skip.min((len - start) as u64);
                    skip -= skipped;
                    start += skipped as usize;
                }
                Some(end) => match find(end, &piece[start..len]) {
                    Some(at) => {
                        skip -= 1;
                        start += at + 1;
                    }
                    None => start = len,
                },
            }
        }
        out.put(&piece[start..len])?;
    }
}

/// Copies the last `count` bytes or lines; keeps no more than these.
fn last(input: &mut Input, count: u64, end: Option<u8>, out: &mut Out) -> Copied {
    let mut held: VecDeque<u8> = VecDeque::new();
    // Lengths of the lines that are held, the last of which may be incomplete.
    let mut lines: VecDeque<usize> = VecDeque::new();
    let mut open = false;
    let mut piece = vec![0; PIECE];
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    loop {
        let len = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) => return Ok(Err(error)),
        };
        if count == 0 {
            continue;
        }
        held.extend(&piece[..len]);
        let Some(end) = end else {
            let surplus = held.len().saturating_sub(count);
            held.drain(..surplus);
            continue;
        };
        for line in piece[..len].split_inclusive(|&byte| byte == end) {
            match lines.back_mut() {
                Some(last) if open => *last += line.len(),
                _ => lines.push_back(line.len()),
            }
            open = line.last() != Some(&end);
        }
        let surplus: usize = lines.drain(..lines.len().saturating_sub(count)).sum();
        held.drain(..surplus);
    }
    let (a, b) = held.as_slices();
    out.put(a)?;
    out.put(b)?;
    Ok(Ok(()))
}
