//! What the services note, in the order in which it happens: `+name 7` when process 7 starts as this service, `-name 7` when
//! it was asked to end.

use rt::alloc::format;
use rt::alloc::string::String;
use rt::fs::{OpenOptions, read_to_string};
use rt::io::Write as _;

const FILE: &str = "/tmp/notes";

/// Notes that a service has started (`+`) or was asked to end (`-`).
pub(crate) fn note(what: char, name: &str) {
    let file = OpenOptions::new().append(true).create(true).open(FILE);
    let written =
        file.and_then(|mut file| file.write_all(format!("{what}{name} {}\n", rt::process::id()).as_bytes()));
    if let Err(error) = written {
        rt::println!("init-suite: {name}: {error}");
    }
}

/// All notes; none when there is no file yet.
pub(crate) fn notes() -> String {
    read_to_string(FILE).unwrap_or_default()
}

/// The processes that noted something, such as `+first`, each with the number of the line.
pub(crate) fn found<'a>(notes: &'a str, wanted: &'a str) -> impl Iterator<Item = (usize, u32)> + 'a {
    notes.lines().enumerate().filter_map(move |(line, note)| {
        let (what, process) = note.split_once(' ')?;
        Some((line, process.parse().ok().filter(|_| what == wanted)?))
    })
}

/// How often something was noted.
pub(crate) fn count(what: char, name: &str) -> usize {
    found(&notes(), &format!("{what}{name}")).count()
}
