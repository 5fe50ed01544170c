//! `head`.

use alloc::collections::VecDeque;
use alloc::vec::Vec;
use alloc::{format, vec};

use crate::input::{Input, Lines, PIECE, find};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "head",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Prints the first 10 lines of files",
    options: &[
        value(
            'n',
            "lines",
            "N",
            "print the first N lines; with -N all but the last N",
        ),
        value(
            'c',
            "bytes",
            "N",
            "print the first N bytes; with -N all but the last N",
        ),
        flag('q', "quiet", "never print names of files"),
        flag('v', "verbose", "always print names of files"),
    ],
    style: Style::Digits('n'),
    notes: "Without a FILE, and where FILE is -, standard input is read. N may have a unit: b, kB, K, MB, M, GB, G.\n\
            -5 is short for -n 5.",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let key = invocation.last("nc").unwrap_or('n');
    let text = invocation.value(key).unwrap_or("10");
    let (all_but, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let count = number::size(digits).ok_or_else(|| Stop::Fatal(1, format!("{text}: not a number")))?;
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
        let result = match (key, all_but) {
            ('c', false) => first(&mut input, count, None, out),
            ('c', true) => all_but_bytes(&mut input, count, out),
            (_, false) => first(&mut input, count, Some(b'\n'), out),
            (_, true) => all_but_lines(input, count, out),
        };
        if let Err(error) = result? {
            invocation.report(&name, error);
        }
    }
    Ok(0)
}

/// The names above the contents of several files.
pub(crate) struct Headers {
    wanted: bool,
    put: bool,
}

impl Headers {
    pub(crate) fn new(invocation: &Invocation) -> Self {
        let wanted = match invocation.last("qv") {
            Some(key) => key == 'v',
            None => invocation.operands.len() > 1,
        };
        Self { wanted, put: false }
    }

    pub(crate) fn put(&mut self, name: &str, out: &mut Out) -> Result<(), Stop> {
        if !self.wanted {
            return Ok(());
        }
        if core::mem::replace(&mut self.put, true) {
            out.put(b"\n")?;
        }
        let name = if name == "-" { "standard input" } else { name };
        writeln!(out, "==> {name} <==")
    }
}

/// The outcome of reading, inside that of writing.
pub(crate) type Copied = Result<rt::io::Result<()>, Stop>;

/// Copies up to the `count`th byte, or the `count`th one that is `end`.
fn first(input: &mut Input, mut count: u64, end: Option<u8>, out: &mut Out) -> Copied {
    let mut piece = vec![0; PIECE];
    while count > 0 {
        let len = match input.read(&mut piece) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) => return Ok(Err(error)),
        };
        let mut upto = 0;
        while count > 0 && upto < len {
            match end {
                None => {
                    let taken = count.min((len - upto) as u64);
                    count -= taken;
                    upto += taken as usize;
                }
                Some(end) => match find(end, &piece[upto..len]) {
                    Some(at) => {
                        count -= 1;
                        upto += at + 1;
                    }
                    None => upto = len,
                },
            }
        }
        out.put(&piece[..upto])?;
    }
    Ok(Ok(()))
}

/// Copies all but the last `count` bytes, of which it keeps as many.
fn all_but_bytes(input: &mut Input, count: u64, out: &mut Out) -> Copied {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut held: VecDeque<u8> = VecDeque::new();
    let mut piece = vec![0; PIECE];
    loop {
        let len = match input.read(&mut piece) {
            Ok(0) => return Ok(Ok(())),
            Ok(len) => len,
            Err(error) => return Ok(Err(error)),
        };
        held.extend(&piece[..len]);
        let surplus = held.len().saturating_sub(count);
        let (a, b) = held.as_slices();
        out.put(&a[..surplus.min(a.len())])?;
        out.put(&b[..surplus.saturating_sub(a.len())])?;
        held.drain(..surplus);
    }
}

/// Copies all but the last `count` lines, of which it keeps as many.
fn all_but_lines(input: Input, count: u64, out: &mut Out) -> Copied {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let mut held: VecDeque<Vec<u8>> = VecDeque::new();
    let mut lines = Lines::new(input);
    loop {
        let line = match lines.next() {
            Ok(None) => return Ok(Ok(())),
            Ok(Some(line)) => line,
            Err(error) => return Ok(Err(error)),
        };
        let mut bytes = line.bytes.to_vec();
        if line.ended {
            bytes.push(b'\n');
        }
        held.push_back(bytes);
        if held.len() > count
            && let Some(bytes) = held.pop_front()
        {
            out.put(&bytes)?;
        }
    }
}
