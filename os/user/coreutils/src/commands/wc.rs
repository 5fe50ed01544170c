//! `wc`.

use alloc::vec;

use rt::fs::FileKind;

use crate::input::{Input, PIECE};
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "wc",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Counts lines, words and bytes of files",
    options: &[
        flag('l', "lines", "count lines, that is newlines"),
        flag(
            'w',
            "words",
            "count words, that is what stands between white space",
        ),
        flag('m', "chars", "count characters of UTF-8"),
        flag('c', "bytes", "count bytes"),
    ],
    style: Style::Mixed,
    notes: "Without a FILE, and where FILE is -, standard input is read. The order is always: lines, words,\n\
            characters, bytes.",
    status: STATUS,
    trouble: 1,
    run,
};

/// Lines, words, characters, bytes.
type Counts = [u64; 4];

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let mut wanted = ['l', 'w', 'm', 'c'].map(|key| invocation.has(key));
    if wanted == [false; 4] {
        wanted = [true, true, false, true];
    }
    let named = !invocation.operands.is_empty();
    let files = invocation.take_files();
    let columns = wanted.iter().filter(|&&wanted| wanted).count();
    let width = if files.len() == 1 && columns == 1 {
        1
    } else {
        width(&files)
    };
    let mut total = Counts::default();
    for name in &files {
        let mut input = match Input::open(name) {
            Ok(input) => input,
            Err(error) => {
                invocation.report(name, error);
                continue;
            }
        };
        let mut counts = Counts::default();
        if let Err(error) = count(&mut input, &mut counts) {
            invocation.report(name, error);
        }
        put(&counts, wanted, width, if named { name } else { "" }, out)?;
        for (total, count) in total.iter_mut().zip(counts) {
            *total += count;
        }
    }
    if files.len() > 1 {
        put(&total, wanted, width, "total", out)?;
    }
    Ok(0)
}

/// Width of a column: that of the largest size if all are known, and they are if all are files.
fn width(files: &[alloc::string::String]) -> usize {
    let mut least = 1;
    let mut size = 0u64;
    for name in files {
        let metadata = match name.as_str() {
            "-" => rt::io::stdin().as_file().and_then(|file| file.metadata()),
            name => rt::fs::metadata(name),
        };
        match metadata {
            Ok(metadata) if metadata.kind == FileKind::File => size += metadata.len,
            Ok(_) => least = 7,
            Err(_) => {}
        }
    }
    least.max(alloc::format!("{size}").len())
}

fn put(counts: &Counts, wanted: [bool; 4], width: usize, name: &str, out: &mut Out) -> Result<(), Stop> {
    let mut first = true;
    for (count, _) in counts.iter().zip(wanted).filter(|(_, wanted)| *wanted) {
        if !core::mem::take(&mut first) {
            out.put(b" ")?;
        }
        write!(out, "{count:width$}")?;
    }
    if !name.is_empty() {
        write!(out, " {name}")?;
    }
    out.put(b"\n")
}

fn count(input: &mut Input, counts: &mut Counts) -> rt::io::Result<()> {
    let mut piece = vec![0; PIECE];
    let mut in_word = false;
    loop {
        let len = input.read(&mut piece)?;
        if len == 0 {
            return Ok(());
        }
        counts[3] += len as u64;
        for &byte in &piece[..len] {
            let space = matches!(byte, b' ' | 9..=13);
            counts[0] += u64::from(byte == b'\n');
            counts[1] += u64::from(!space && !in_word);
            // All but the bytes that continue a character.
            counts[2] += u64::from(byte & 0xc0 != 0x80);
            in_word = !space;
        }
    }
}
