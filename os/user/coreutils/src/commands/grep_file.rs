//! `grep` in one file.

use alloc::collections::VecDeque;
use alloc::vec::Vec;

use crate::Stop;
use crate::input::{Input, Lines};
use crate::output::Out;
use crate::regex::Searcher;

/// What is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Report {
    Lines,
    /// The matches.
    Parts,
    Count,
    /// Names of files with a line.
    Matching,
    /// Names of files without one.
    NotMatching,
    Nothing,
}

/// What is searched for, and what is printed.
pub(super) struct Search {
    pub(super) searcher: Searcher,
    pub(super) invert: bool,
    pub(super) report: Report,
    pub(super) numbers: bool,
    pub(super) text: bool,
    /// Lines of context.
    pub(super) before: usize,
    pub(super) behind: u64,
    /// Groups of lines that are not neighbours are set off from each other.
    pub(super) groups: bool,
    /// Something has been printed that the next group of lines has to be set off from.
    pub(super) gap: bool,
}

/// What stands before a line.
struct Prefix<'a> {
    name: Option<&'a str>,
    numbers: bool,
}

impl Prefix<'_> {
    fn put(&self, number: u64, mark: char, out: &mut Out) -> Result<(), Stop> {
        if let Some(name) = self.name {
            write!(out, "{name}{mark}")?;
        }
        if self.numbers {
            write!(out, "{number}{mark}")?;
        }
        Ok(())
    }
}

impl Search {
    /// Searches a file and tells whether a line was found. Errors of reading are inside those of writing.
    pub(super) fn file(
        &mut self,
        input: Input,
        name: &str,
        named: bool,
        out: &mut Out,
    ) -> Result<rt::io::Result<bool>, Stop> {
        let mut lines = Lines::new(input);
        if !self.text {
            lines = lines.split_at_nul();
        }
        let prefix = Prefix {
            name: named.then_some(name),
            numbers: self.numbers,
        };
        let prints = matches!(self.report, Report::Lines | Report::Parts);
        let mut count = 0u64;
        let mut number = 0u64;
        let mut binary = false;
        let mut held: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
        // Lines of context that are still to be printed, and the last line that was.
        let (mut owed, mut last) = (0u64, 0u64);
        let result = loop {
            let line = match lines.next() {
                Ok(Some(line)) => line.bytes,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            };
            number += 1;
            if self.searcher.is_match(line) == self.invert {
                if !prints || binary {
                    continue;
                }
                if owed > 0 {
                    owed -= 1;
                    last = number;
                    self.context(number, line, &prefix, out)?;
                } else if self.before > 0 {
                    if held.len() == self.before {
                        held.pop_front();
                    }
                    held.push_back((number, line.to_vec()));
                }
                continue;
            }
            count += 1;
            match self.report {
                Report::Count => continue,
                Report::Matching | Report::NotMatching | Report::Nothing => break Ok(()),
                Report::Lines | Report::Parts => {}
            }
            let line = line.to_vec();
            if lines.has_nul() {
                binary = true;
                break Ok(());
            }
            let first = held.front().map_or(number, |(number, _)| *number);
            if self.groups && self.gap && (last == 0 || first > last + 1) {
                out.put(b"--\n")?;
            }
            self.gap = true;
            for (number, line) in held.drain(..) {
                self.context(number, &line, &prefix, out)?;
            }
            if self.report == Report::Parts {
                if !self.invert {
                    self.parts(number, &line, ':', &prefix, out)?;
                }
            } else {
                prefix.put(number, ':', out)?;
                out.line(&line)?;
            }
            last = number;
            owed = self.behind;
        };
        match self.report {
            Report::Count => {
                if named {
                    write!(out, "{name}:")?;
                }
                writeln!(out, "{count}")?;
            }
            Report::Matching if count > 0 => out.line(name.as_bytes())?,
            Report::NotMatching if count == 0 && result.is_ok() => out.line(name.as_bytes())?,
            _ => {}
        }
        if binary {
            rt::eprintln!("grep: {name}: binary file matches");
        }
        Ok(result.map(|()| count > 0))
    }

    fn context(&mut self, number: u64, line: &[u8], prefix: &Prefix<'_>, out: &mut Out) -> Result<(), Stop> {
        // The lines that match are selected or context, and the others have no parts that do.
        if self.report == Report::Parts {
            return if self.invert {
                self.parts(number, line, '-', prefix, out)
            } else {
                Ok(())
            };
        }
        prefix.put(number, '-', out)?;
        out.line(line)
    }

    fn parts(
        &mut self,
        number: u64,
        line: &[u8],
        mark: char,
        prefix: &Prefix<'_>,
        out: &mut Out,
    ) -> Result<(), Stop> {
        let mut from = 0;
        while let Some(range) = self.searcher.find(line, from) {
            // An empty match is not printed, and the next one begins behind it.
            from = range.end.max(range.start + 1);
            if !range.is_empty() {
                prefix.put(number, mark, out)?;
                out.line(&line[range])?;
            }
            if from > line.len() {
                break;
            }
        }
        Ok(())
    }
}
