//! Programs that die with the tool.
//!
//! A tool that is killed without warning cannot kill the emulator that it started. Linux can: a process may ask to be
//! killed when its parent dies. The tool therefore starts programs through itself, as `vrel` with [`ARGUMENT`], which
//! asks for that and then becomes the program.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

/// The first argument that makes the tool a supervisor. Not a verb: it is for the tool itself.
const ARGUMENT: &str = "--supervise";

/// How the tool starts programs through itself: its own path, and the arguments that come before the parent's number.
#[must_use]
pub(crate) fn supervisor() -> Option<(PathBuf, Vec<String>)> {
    cfg!(target_os = "linux")
        .then(std::env::current_exe)?
        .ok()
        .map(|path| (path, vec![ARGUMENT.to_owned()]))
}

/// Becomes the program that follows, if the process was started as a supervisor.
pub(crate) fn run_if_asked() -> Option<ExitCode> {
    let mut args = std::env::args_os().skip(1);
    if args.next()? != ARGUMENT {
        return None;
    }
    let parent = args.next()?;
    let program = args.next()?;
    Some(become_program(&parent.to_string_lossy(), program, args.collect()))
}

#[cfg(target_os = "linux")]
fn become_program(parent: &str, program: OsString, args: Vec<OsString>) -> ExitCode {
    use rustix::process::{Signal, getppid, set_parent_process_death_signal};
    use std::os::unix::process::CommandExt;

    let fail = |reason: String| {
        crate::output::say(&format!("cannot start {}: {reason}", program.to_string_lossy()));
        ExitCode::from(127)
    };
    if let Err(error) = set_parent_process_death_signal(Some(Signal::KILL)) {
        return fail(error.to_string());
    }
    // The parent may have died before the request was made.
    if getppid().is_none_or(|pid| pid.as_raw_nonzero().get().to_string() != parent) {
        return fail("its starter is gone".to_owned());
    }
    let error = std::process::Command::new(&program).args(args).exec();
    fail(error.to_string())
}

#[cfg(not(target_os = "linux"))]
fn become_program(_: &str, program: OsString, args: Vec<OsString>) -> ExitCode {
    let status = std::process::Command::new(program).args(args).status();
    let code = status
        .ok()
        .and_then(|status| status.code())
        .and_then(|code| u8::try_from(code).ok());
    ExitCode::from(code.unwrap_or(127))
}
