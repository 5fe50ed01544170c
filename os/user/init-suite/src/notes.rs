//! What the services note, in the order in which it happens.

use rt::alloc::format;
use rt::alloc::string::String;
use rt::fs::{OpenOptions, read_to_string};
use rt::io::Write as _;

const FILE: &str = "/tmp/notes";

/// Notes that a service has started (`+`) or was asked to end (`-`).
pub(crate) fn note(what: char, name: &str) {
    let file = OpenOptions::new().append(true).create(true).open(FILE);
    let written = file.and_then(|mut file| file.write_all(format!("{what}{name}\n").as_bytes()));
    if let Err(error) = written {
        rt::println!("init-suite: {name}: {error}");
    }
}

/// All notes; none when there is no file yet.
pub(crate) fn notes() -> String {
    read_to_string(FILE).unwrap_or_default()
}

/// How often something was noted.
pub(crate) fn count(what: char, name: &str) -> usize {
    let wanted = format!("{what}{name}");
    notes().lines().filter(|line| *line == wanted).count()
}
