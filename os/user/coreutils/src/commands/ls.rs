//! `ls`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;
use core::cmp::Reverse;

use rt::fs::FileKind;

use super::path;
use crate::output::Out;
use crate::spec::{Invocation, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "ls",
    usage: &["[OPTION]... [FILE]..."],
    summary: "Lists directories, and files by their names",
    options: &[
        flag('a', "all", "also names that start with a dot"),
        flag('A', "almost-all", "the same without . and .."),
        flag(
            'd',
            "directory",
            "list directories by their names, not what is in them",
        ),
        flag('R', "recursive", "list directories in directories too"),
        flag(
            'l',
            "",
            "one per line with kind (- file, d directory, c device, p pipe), size and name",
        ),
        flag('h', "human-readable", "with -l: sizes with units"),
        flag('1', "", "one name per line, as when the output is no terminal"),
        flag('C', "", "in columns, as when the output is a terminal"),
        value(
            'w',
            "width",
            "COLUMNS",
            "width of the output; else that of the terminal, or 80",
        ),
        flag(
            'F',
            "classify",
            "put / behind directories, * behind programs, | behind pipes",
        ),
        flag('r', "reverse", "the other way round"),
        flag('S', "", "largest first"),
    ],
    style: Style::Mixed,
    notes: "Without a FILE the current directory is listed. Names are in the order of their bytes. Files have neither\n\
            times nor owners, so there is no -t, and -l shows none.",
    status: &[
        ("0", "all went well"),
        ("1", "something in a directory could not be listed"),
        ("2", "an operand could not be listed, or wrong use"),
    ],
    trouble: 2,
    run,
};

/// What is listed how.
struct Listing {
    all: bool,
    dots: bool,
    recursive: bool,
    long: bool,
    human: bool,
    classify: bool,
    reverse: bool,
    by_size: bool,
    /// Width of the columns together, if there are any.
    columns: Option<usize>,
    hide_controls: bool,
}

/// A line of the list.
struct Entry {
    name: String,
    kind: FileKind,
    executable: bool,
    len: u64,
}

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let width = match invocation.value('w') {
        None => rt::terminal::size().map_or(80, |(_, columns)| usize::from(columns)),
        Some(text) => match number::count(text) {
            Some(width) => usize::try_from(width).unwrap_or(usize::MAX),
            None => return Err(Stop::Fatal(2, format!("{text}: not a number"))),
        },
    };
    let form = invocation.last("l1C");
    let columns = form == Some('C') || (form.is_none() && out.is_terminal());
    let dots = invocation.last("aA") == Some('a');
    let listing = Listing {
        all: invocation.last("aA").is_some(),
        dots,
        recursive: invocation.has('R') && !invocation.has('d'),
        // -1 after -l does not take the sizes away.
        long: invocation.has('l') && form != Some('C'),
        human: invocation.has('h'),
        classify: invocation.has('F'),
        reverse: invocation.has('r'),
        by_size: invocation.has('S'),
        columns: columns.then_some(width),
        hide_controls: out.is_terminal(),
    };
    let mut operands = core::mem::take(&mut invocation.operands);
    if operands.is_empty() {
        operands.push(".".to_string());
    }
    let several = operands.len() > 1;
    let (mut files, mut directories) = (Vec::new(), Vec::new());
    for name in operands {
        match rt::fs::metadata(&name) {
            Ok(metadata) => {
                let (kind, len) = (metadata.kind, metadata.len);
                let entry = Entry {
                    name,
                    kind,
                    executable: metadata.executable,
                    len,
                };
                let is_opened = kind == FileKind::Directory && !invocation.has('d');
                if is_opened { &mut directories } else { &mut files }.push(entry);
            }
            Err(error) => invocation.report(&name, error),
        }
    }
    listing.sort(&mut files);
    listing.sort(&mut directories);
    let mut headers = several || listing.recursive;
    let mut first = files.is_empty();
    listing.print(&files, out)?;
    // The next directory is at the end.
    let mut rest: Vec<Entry> = directories.into_iter().rev().collect();
    let mut status = 0;
    while let Some(directory) = rest.pop() {
        let entries = match listing.read(&directory.name, &mut status, invocation) {
            Ok(entries) => entries,
            Err(error) => {
                invocation.report(&directory.name, error);
                continue;
            }
        };
        if headers {
            let gap = if first { "" } else { "\n" };
            writeln!(out, "{gap}{}:", directory.name)?;
        }
        first = false;
        listing.print(&entries, out)?;
        if listing.recursive {
            headers = true;
            let is_inner =
                |entry: &&Entry| entry.kind == FileKind::Directory && entry.name != "." && entry.name != "..";
            for entry in entries.iter().rev().filter(is_inner) {
                let name = path::join(&directory.name, &entry.name);
                rest.push(Entry { name, ..*entry });
            }
        }
    }
    Ok(status)
}

impl Listing {
    fn read(&self, name: &str, status: &mut u32, invocation: &Invocation) -> rt::io::Result<Vec<Entry>> {
        let mut entries = Vec::new();
        for entry in rt::fs::read_dir(name)? {
            if entry.name.starts_with('.') && !self.all {
                continue;
            }
            let mut listed = Entry {
                name: entry.name,
                kind: entry.kind,
                executable: false,
                len: 0,
            };
            if self.long || self.by_size || self.classify {
                match rt::fs::metadata(&path::join(name, &listed.name)) {
                    Ok(metadata) => {
                        listed.executable = metadata.executable;
                        listed.len = metadata.len;
                    }
                    Err(error) => {
                        invocation.warn(&path::join(name, &listed.name), error);
                        *status = 1;
                    }
                }
            }
            entries.push(listed);
        }
        if self.dots {
            for dots in [".", ".."] {
                let len = rt::fs::metadata(&path::join(name, dots)).map_or(0, |metadata| metadata.len);
                entries.push(Entry {
                    name: dots.to_string(),
                    kind: FileKind::Directory,
                    executable: false,
                    len,
                });
            }
        }
        self.sort(&mut entries);
        Ok(entries)
    }

    fn sort(&self, entries: &mut [Entry]) {
        if self.by_size {
            entries.sort_by(|a, b| (Reverse(a.len), &a.name).cmp(&(Reverse(b.len), &b.name)));
        } else {
            entries.sort_by(|a, b| a.name.cmp(&b.name));
        }
        if self.reverse {
            entries.reverse();
        }
    }

    fn print(&self, entries: &[Entry], out: &mut Out) -> Result<(), Stop> {
        if self.long {
            let sizes: Vec<String> = entries.iter().map(|entry| self.size(entry.len)).collect();
            let width = sizes.iter().map(String::len).max().unwrap_or(0);
            for (entry, size) in entries.iter().zip(sizes) {
                writeln!(out, "{} {size:>width$} {}", letter(entry.kind), self.name(entry))?;
            }
            return Ok(());
        }
        let names: Vec<String> = entries.iter().map(|entry| self.name(entry)).collect();
        match self.columns {
            Some(width) if !names.is_empty() => print_columns(&names, width, out),
            _ => names.iter().try_for_each(|name| out.line(name.as_bytes())),
        }
    }

    fn size(&self, len: u64) -> String {
        if self.human {
            number::human(len)
        } else {
            format!("{len}")
        }
    }

    fn name(&self, entry: &Entry) -> String {
        let mut name = entry.name.clone();
        if self.hide_controls {
            name = name
                .chars()
                .map(|c| if c.is_control() { '?' } else { c })
                .collect();
        }
        if self.classify {
            name.push_str(match entry.kind {
                FileKind::Directory => "/",
                FileKind::Pipe => "|",
                FileKind::File if entry.executable => "*",
                _ => "",
            });
        }
        name
    }
}

fn letter(kind: FileKind) -> char {
    match kind {
        FileKind::File => '-',
        FileKind::Directory => 'd',
        FileKind::Device => 'c',
        FileKind::Pipe => 'p',
    }
}

/// Prints names down the columns, in as few lines as the width allows.
fn print_columns(names: &[String], width: usize, out: &mut Out) -> Result<(), Stop> {
    const GAP: usize = 2;
    let lens: Vec<usize> = names.iter().map(|name| name.chars().count()).collect();
    let layout = |rows: usize| -> Vec<usize> {
        lens.chunks(rows)
            .map(|column| column.iter().max().unwrap_or(&0) + GAP)
            .collect()
    };
    // A name that is as long as the line still stands alone in it.
    let fits = |widths: &[usize]| widths.iter().sum::<usize>() < width.saturating_add(GAP);
    let (mut rows, mut widths) = (names.len(), vec![0]);
    for columns in (1..=names.len().min(width / (GAP + 1) + 1)).rev() {
        rows = names.len().div_ceil(columns);
        widths = layout(rows);
        if widths.len() == columns && fits(&widths) {
            break;
        }
    }
    for row in 0..rows {
        let mut line = String::new();
        for (column, width) in widths.iter().enumerate() {
            let Some(name) = names.get(column * rows + row) else {
                break;
            };
            line.push_str(name);
            if column * rows + row + rows < names.len() {
                let gap = width - lens[column * rows + row];
                line.extend(core::iter::repeat_n(' ', gap));
            }
        }
        out.line(line.as_bytes())?;
    }
    Ok(())
}
