//! `grep`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rt::fs::FileKind;

use super::grep_file::{Report, Search};
use super::path;
use crate::input::Input;
use crate::output::Out;
use crate::regex::{Meaning, Searcher, Syntax, compile};
use crate::spec::{Invocation, Spec, Style, flag, value};
use crate::{Run, Stop, number};

pub(crate) static SPEC: Spec = Spec {
    name: "grep",
    usage: &[
        "[OPTION]... PATTERNS [FILE]...",
        "[OPTION]... -e PATTERNS... [FILE]...",
    ],
    summary: "Prints the lines of files that match a pattern",
    options: &[
        flag(
            'G',
            "basic-regexp",
            "patterns are basic regular expressions, as without options",
        ),
        flag('E', "extended-regexp", "they are extended ones"),
        flag('F', "fixed-strings", "they are texts"),
        value(
            'e',
            "regexp",
            "PATTERNS",
            "one pattern on each line; may be given several times",
        ),
        flag('i', "ignore-case", "letters match in upper and lower case"),
        flag('v', "invert-match", "print the lines that do not match"),
        flag('w', "word-regexp", "a match is made of whole words"),
        flag('x', "line-regexp", "a match is a whole line"),
        flag('c', "count", "print how many lines there are, not the lines"),
        flag(
            'l',
            "files-with-matches",
            "print the names of files that have such lines",
        ),
        flag(
            'L',
            "files-without-match",
            "print the names of files that have none",
        ),
        flag('o', "only-matching", "print the matches, not the lines"),
        flag('q', "quiet", "print nothing; the first match ends the search"),
        flag('s', "no-messages", "do not complain of files that cannot be read"),
        flag('n', "line-number", "print the number of the line before it"),
        flag(
            'H',
            "with-filename",
            "print the name of the file before it, as with several files",
        ),
        flag('h', "no-filename", "print no names of files"),
        flag('r', "recursive", "search all files of directories"),
        flag('a', "text", "files with NUL bytes are text too"),
        value('A', "after-context", "N", "also print N lines behind each one"),
        value('B', "before-context", "N", "also print N lines before each one"),
        value('C', "context", "N", "both"),
    ],
    style: Style::Digits('C'),
    notes: "Regular expressions are those of POSIX, with \\w \\W \\s \\S \\b \\B \\< \\>, and in basic ones \\| \\+ \\?.\n\
            They are matched by bytes. There are no back-references (\\1). Without a FILE standard input is read, with\n\
            -r the current directory. Of a file with NUL bytes it is only said that it matches.",
    status: &[
        ("0", "a line was found"),
        ("1", "none was found"),
        ("2", "something failed, or wrong use"),
    ],
    trouble: 2,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let mut patterns: Vec<String> = invocation
        .options
        .iter()
        .filter(|(key, _)| *key == 'e')
        .map(|(_, text)| text.clone())
        .collect();
    let mut operands = core::mem::take(&mut invocation.operands);
    if patterns.is_empty() {
        if operands.is_empty() {
            return Err(Stop::Usage("no pattern was given".to_string()));
        }
        patterns.push(operands.remove(0));
    }
    let meaning = Meaning {
        syntax: match invocation.last("GEF") {
            Some('E') => Syntax::Extended,
            Some('F') => Syntax::Fixed,
            _ => Syntax::Basic,
        },
        ignore_case: invocation.has('i'),
        line: invocation.has('x'),
        word: invocation.has('w'),
    };
    let patterns: Vec<&[u8]> = patterns
        .iter()
        .flat_map(|text| text.as_bytes().split(|&b| b == b'\n'))
        .collect();
    let program = compile(&patterns, meaning).map_err(|reason| Stop::Fatal(2, reason))?;

    // What is said of one side counts before what is said of both.
    let context = |key| match invocation.value(key).or(invocation.value('C')) {
        None => Ok(0),
        Some(text) => number::count(text).ok_or_else(|| Stop::Fatal(2, format!("{text}: not a number"))),
    };
    let (before, behind) = (context('B')?, context('A')?);
    let recursive = invocation.has('r');
    let mut search = Search {
        searcher: Searcher::new(program),
        invert: invocation.has('v'),
        report: match invocation.last("lL") {
            _ if invocation.has('q') => Report::Nothing,
            Some('l') => Report::Matching,
            Some(_) => Report::NotMatching,
            None if invocation.has('c') => Report::Count,
            None if invocation.has('o') => Report::Parts,
            None => Report::Lines,
        },
        numbers: invocation.has('n'),
        text: invocation.has('a'),
        before: usize::try_from(before).unwrap_or(usize::MAX),
        behind,
        groups: invocation.last("ABC").is_some(),
        gap: false,
    };
    let named = invocation.last("Hh").map(|key| key == 'H');
    let several = operands.len() > 1;
    let mut found = false;
    // Each with its kind if it comes from a directory; the next is at the end.
    let mut rest: Vec<(String, Option<FileKind>)> =
        operands.into_iter().rev().map(|name| (name, None)).collect();
    if rest.is_empty() {
        let is_dir = recursive.then_some(FileKind::Directory);
        rest.push((if recursive { "" } else { "-" }.to_string(), is_dir));
    }
    while let Some((name, kind)) = rest.pop() {
        let silent = invocation.has('s');
        if recursive
            && name != "-"
            && kind.map_or_else(|| path::is_dir(&name), |kind| kind == FileKind::Directory)
        {
            match rt::fs::read_dir(if name.is_empty() { "." } else { &name }) {
                Ok(mut entries) => {
                    entries.sort_by(|a, b| b.name.cmp(&a.name));
                    rest.extend(
                        entries
                            .into_iter()
                            .map(|entry| (path::join(&name, &entry.name), Some(entry.kind))),
                    );
                }
                Err(error) => trouble(&name, error, silent, invocation),
            }
            continue;
        }
        // Devices and pipes in directories would make the search wait.
        if kind.is_some_and(|kind| kind != FileKind::File) {
            continue;
        }
        let input = match Input::open(&name) {
            Ok(input) => input,
            Err(error) => {
                trouble(&name, error, silent, invocation);
                continue;
            }
        };
        let shown = if name == "-" { "(standard input)" } else { &name };
        let prefix = named.unwrap_or(several || kind.is_some());
        match search.file(input, shown, prefix, out)? {
            Ok(any) => found |= any,
            Err(error) => trouble(&name, error, silent, invocation),
        }
        if found && search.report == Report::Nothing {
            // Found is found, whatever failed before.
            out.flush()?;
            invocation.forgive();
            return Ok(0);
        }
    }
    Ok(u32::from(!found))
}

fn trouble(name: &str, error: rt::io::Error, silent: bool, invocation: &mut Invocation) {
    if silent {
        invocation.fail();
    } else {
        invocation.report(name, error);
    }
}
