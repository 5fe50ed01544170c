//! `cp`.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;

use rt::fs::{File, FileKind};
use rt::io::{ErrorKind, Read as _, Write as _};

use super::path;
use crate::input::PIECE;
use crate::output::Out;
use crate::spec::{Invocation, STATUS, Spec, Style, flag};
use crate::{Run, Stop};

pub(crate) static SPEC: Spec = Spec {
    name: "cp",
    usage: &["[OPTION]... FROM TO", "[OPTION]... FROM... DIRECTORY"],
    summary: "Copies files",
    options: &[
        flag('r', "recursive", "also directories with everything in them"),
        flag('R', "", "the same"),
        flag('n', "no-clobber", "leave files alone that exist"),
        flag(
            'f',
            "force",
            "remove a file that cannot be written to, and make it anew",
        ),
        flag('v', "verbose", "print a line for each file copied"),
    ],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run,
};

fn run(invocation: &mut Invocation, out: &mut Out) -> Run {
    for (from, to) in targets(invocation)? {
        if same(&from, &to) {
            invocation.report(&from, format!("it is the same file as {to}"));
            continue;
        }
        copy(&from, &to, invocation, out)?;
    }
    Ok(0)
}

/// What goes where: into the last operand if that is a directory.
pub(crate) fn targets(invocation: &mut Invocation) -> Result<vec::Vec<(String, String)>, Stop> {
    let mut operands = core::mem::take(&mut invocation.operands);
    if operands.len() < 2 {
        let missing = if operands.is_empty() {
            "no file was given"
        } else {
            "no target was given"
        };
        return Err(Stop::Usage(missing.to_string()));
    }
    let target = operands.pop().unwrap_or_default();
    let into = path::is_dir(&target);
    if operands.len() > 1 && !into {
        return Err(Stop::Fatal(
            1,
            format!("{target}: {}", rt::io::Error::from(ErrorKind::NotADirectory)),
        ));
    }
    let pair = |from: String| {
        let to = if into {
            path::join(&target, path::base_name(&from))
        } else {
            target.clone()
        };
        (from, to)
    };
    Ok(operands.into_iter().map(pair).collect())
}

/// Whether two names are of one file.
pub(crate) fn same(a: &str, b: &str) -> bool {
    match (rt::fs::canonicalize(a), rt::fs::canonicalize(b)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// Whether a path lies in a directory, or is it.
pub(crate) fn lies_in(path: &str, directory: &str) -> bool {
    match (path::absolute(path), rt::fs::canonicalize(directory)) {
        (Some(path), Ok(directory)) => {
            let rest = path.strip_prefix(directory.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }
        _ => false,
    }
}

/// Copies a file, or a directory with everything in it; reports what fails.
pub(crate) fn copy(from: &str, to: &str, invocation: &mut Invocation, out: &mut Out) -> Result<(), Stop> {
    let kind = match rt::fs::metadata(from) {
        Ok(metadata) => metadata.kind,
        Err(error) => {
            invocation.report(from, error);
            return Ok(());
        }
    };
    if kind != FileKind::Directory {
        return copy_one(from, to, invocation, out);
    }
    if invocation.last("rR").is_none() {
        invocation.report(from, "is a directory, which is copied with -r only");
        return Ok(());
    }
    if lies_in(to, from) {
        invocation.report(from, format!("a directory cannot be copied into itself: {to}"));
        return Ok(());
    }
    copy_tree(from, to, invocation, out)
}

fn copy_tree(from: &str, to: &str, invocation: &mut Invocation, out: &mut Out) -> Result<(), Stop> {
    let mut rest = vec![(from.to_string(), to.to_string())];
    while let Some((from, to)) = rest.pop() {
        let entries = match rt::fs::read_dir(&from) {
            Ok(entries) => entries,
            Err(error) => {
                invocation.report(&from, error);
                continue;
            }
        };
        match rt::fs::metadata(&to) {
            Ok(metadata) if metadata.kind == FileKind::Directory => {}
            Ok(_) => {
                invocation.report(&to, "is no directory, and one cannot replace it");
                continue;
            }
            Err(_) => {
                if let Err(error) = rt::fs::create_dir(&to) {
                    invocation.report(&to, error);
                    continue;
                }
                if invocation.has('v') {
                    writeln!(out, "'{from}' -> '{to}'")?;
                }
            }
        }
        for entry in entries {
            let (from, to) = (path::join(&from, &entry.name), path::join(&to, &entry.name));
            if entry.kind == FileKind::Directory {
                rest.push((from, to));
            } else {
                copy_one(&from, &to, invocation, out)?;
            }
        }
    }
    Ok(())
}

fn copy_one(from: &str, to: &str, invocation: &mut Invocation, out: &mut Out) -> Result<(), Stop> {
    match rt::fs::metadata(to) {
        Ok(metadata) if metadata.kind == FileKind::Directory => {
            invocation.report(to, "is a directory, and a file cannot replace it");
            return Ok(());
        }
        Ok(_) if invocation.has('n') => return Ok(()),
        _ => {}
    }
    if to.ends_with('/') {
        invocation.report(to, rt::io::Error::from(ErrorKind::NotADirectory));
        return Ok(());
    }
    if let Err((name, error)) = copy_bytes(from, to, invocation.has('f')) {
        invocation.report(name, error);
        return Ok(());
    }
    if invocation.has('v') {
        writeln!(out, "'{from}' -> '{to}'")?;
    }
    Ok(())
}

/// Copies what is in a file. An error comes with the name of the file that it concerns.
fn copy_bytes<'a>(from: &'a str, to: &'a str, force: bool) -> Result<(), (&'a str, rt::io::Error)> {
    let mut source = File::open(from).map_err(|error| (from, error))?;
    let mut target = match File::create(to) {
        Err(_) if force && path::exists(to) => rt::fs::remove_file(to).and_then(|()| File::create(to)),
        opened => opened,
    }
    .map_err(|error| (to, error))?;
    let mut piece = vec![0; PIECE];
    loop {
        match source.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(len) => target.write_all(&piece[..len]).map_err(|error| (to, error))?,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err((from, error)),
        }
    }
}

/// Copies a file and removes the old one.
pub(crate) fn copy_across(from: &str, to: &str) -> rt::io::Result<()> {
    copy_bytes(from, to, true).map_err(|(_, error)| error)?;
    rt::fs::remove_file(from)
}
