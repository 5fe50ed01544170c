//! `mkdir`.

use alloc::string::ToString;

use rt::io::ErrorKind;

use super::path;
use crate::Stop;
use crate::output::Out;
use crate::spec::{STATUS, Spec, Style, flag};

pub(crate) static SPEC: Spec = Spec {
    name: "mkdir",
    usage: &["[OPTION]... DIRECTORY..."],
    summary: "Makes directories",
    options: &[
        flag(
            'p',
            "parents",
            "also those they lie in; one that is there already is no error",
        ),
        flag('v', "verbose", "print a line for each one made"),
    ],
    style: Style::Mixed,
    notes: "",
    status: STATUS,
    trouble: 1,
    run: |invocation, out| {
        if invocation.operands.is_empty() {
            return Err(Stop::Usage("no directory was given".to_string()));
        }
        let verbose = invocation.has('v');
        for name in core::mem::take(&mut invocation.operands) {
            if invocation.has('p') {
                let ends = name.match_indices('/').map(|(at, _)| at).chain([name.len()]);
                for end in ends {
                    // Of several slashes in a row, and at the start, the first ends nothing new.
                    if end == 0 || name[..end].ends_with('/') {
                        continue;
                    }
                    if let Err(error) = make(&name[..end], true, verbose, out)? {
                        invocation.report(&name[..end], error);
                        break;
                    }
                }
            } else if let Err(error) = make(&name, false, verbose, out)? {
                invocation.report(&name, error);
            }
        }
        Ok(0)
    },
};

fn make(name: &str, may_exist: bool, verbose: bool, out: &mut Out) -> Result<rt::io::Result<()>, Stop> {
    match rt::fs::create_dir(name) {
        Ok(()) if verbose => writeln!(out, "mkdir: created directory '{name}'")?,
        Ok(()) => {}
        // Some file systems say first that they cannot be written to.
        Err(error) if may_exist => {
            if !path::is_dir(name) {
                return Ok(Err(if path::exists(name) {
                    ErrorKind::AlreadyExists.into()
                } else {
                    error
                }));
            }
        }
        Err(error) => return Ok(Err(error)),
    }
    Ok(Ok(()))
}
