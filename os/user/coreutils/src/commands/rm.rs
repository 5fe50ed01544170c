//! `rm`.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use rt::fs::FileKind;
use rt::io::ErrorKind;

use super::path;
use crate::Stop;
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "rm",
    usage: &["[OPTION]... FILE..."],
    summary: "Removes files",
    options: &[
        flag('r', "recursive", "also directories with everything in them"),
        flag('R', "", "the same"),
        flag('d', "dir", "also empty directories"),
        flag(
            'f',
            "force",
            "a file that does not exist is no error, nor are no files at all",
        ),
        flag('v', "verbose", "print a line for each file removed"),
    ],
    style: Style::Mixed,
    notes: "It refuses to remove /, . and .., also as the last component of a path.",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        let force = invocation.has('f');
        if invocation.operands.is_empty() && !force {
            return Err(Stop::Usage("no file was given".to_string()));
        }
        let recursive = invocation.last("rR").is_some();
        for name in core::mem::take(&mut invocation.operands) {
            if matches!(path::base_name(&name), "." | ".." | "/") {
                invocation.report(&name, "it is refused to remove this");
                continue;
            }
            match rt::fs::metadata(&name) {
                Ok(metadata) if metadata.kind == FileKind::Directory => {
                    if rt::fs::canonicalize(&name).is_ok_and(|path| path == "/") {
                        invocation.report(&name, "it is refused to remove this");
                    } else if recursive {
                        remove_tree(name, invocation, out)?;
                    } else if invocation.has('d') {
                        remove(&name, true, invocation, out)?;
                    } else {
                        invocation.report(&name, ErrorKind::IsADirectory);
                    }
                }
                Err(error)
                    if force && matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {}
                // A name that leads nowhere, such as a broken link, can be removed all the same.
                _ => remove(&name, false, invocation, out)?,
            }
        }
        Ok(0)
    },
};

fn remove(name: &str, directory: bool, invocation: &mut Invocation, out: &mut Out) -> Result<(), Stop> {
    let removed = if directory {
        rt::fs::remove_dir(name)
    } else {
        rt::fs::remove_file(name)
    };
    match removed {
        Ok(()) if invocation.has('v') => {
            writeln!(
                out,
                "removed {}'{name}'",
                if directory { "directory " } else { "" }
            )
        }
        Ok(()) => Ok(()),
        Err(error) => {
            invocation.report(name, error);
            Ok(())
        }
    }
}

/// Removes a directory and everything in it, however deep.
fn remove_tree(name: String, invocation: &mut Invocation, out: &mut Out) -> Result<(), Stop> {
    // A directory is removed when it comes up the second time.
    let mut rest: Vec<(String, bool)> = Vec::from([(name, false)]);
    while let Some((name, emptied)) = rest.pop() {
        if emptied {
            remove(&name, true, invocation, out)?;
            continue;
        }
        let entries = match rt::fs::read_dir(&name) {
            Ok(entries) => entries,
            Err(error) => {
                invocation.report(&name, error);
                continue;
            }
        };
        rest.push((name.clone(), true));
        for entry in entries {
            let inner = path::join(&name, &entry.name);
            if entry.kind == FileKind::Directory {
                rest.push((inner, false));
            } else {
                remove(&inner, false, invocation, out)?;
            }
        }
    }
    Ok(())
}
