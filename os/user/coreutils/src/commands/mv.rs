//! `mv`.

use alloc::format;

use rt::io::ErrorKind;

use super::cp::{copy_across, lies_in, same, targets};
use super::path;
use crate::Run;
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "mv",
    usage: &["[OPTION]... FROM TO", "[OPTION]... FROM... DIRECTORY"],
    summary: "Renames files, or moves them into a directory",
    options: &[
        flag('n', "no-clobber", "leave files alone that exist"),
        flag(
            'f',
            "force",
            "replace files that exist, which is how it is without options",
        ),
        flag('v', "verbose", "print a line for each file moved"),
    ],
    style: Style::Mixed,
    notes: "Across file systems files are copied and then removed; directories are not moved across them.",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    let keep = invocation.last("nf") == Some('n');
    for (from, to) in targets(invocation)? {
        if let Err(error) = rt::fs::metadata(&from) {
            invocation.report(&from, error);
        } else if same(&from, &to) {
            invocation.report(&from, format!("it is the same file as {to}"));
        } else if path::is_dir(&from) && lies_in(&to, &from) {
            invocation.report(&from, format!("a directory cannot be moved into itself: {to}"));
        } else if keep && path::exists(&to) {
        } else if path::exists(&to) && path::is_dir(&to) != path::is_dir(&from) {
            invocation.report(&to, "a directory and a file cannot replace each other");
        } else {
            let moved = match rt::fs::rename(&from, &to) {
                Err(error) if error.kind() == ErrorKind::CrossesDevices && !path::is_dir(&from) => {
                    copy_across(&from, &to)
                }
                result => result,
            };
            match moved {
                Ok(()) if invocation.has('v') => writeln!(out, "renamed '{from}' -> '{to}'")?,
                Ok(()) => {}
                Err(error) => invocation.report(&from, format!("not moved to {to}: {error}")),
            }
        }
    }
    Ok(0)
}
