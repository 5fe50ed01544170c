//! Running scripts.

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Which shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    /// The one under test.
    Vsh,
    /// Debian's POSIX shell.
    #[allow(dead_code, reason = "not every test compares")]
    Dash,
    /// As near to POSIX as it gets.
    #[allow(dead_code, reason = "not every test compares")]
    Bash,
}

/// What a script did.
#[derive(Debug)]
#[allow(dead_code, reason = "not every test looks at everything")]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) status: i32,
}

/// A shell with a clean environment, in a directory.
pub(crate) fn shell(which: Shell, directory: &std::path::Path) -> Command {
    let mut command = match which {
        Shell::Vsh => Command::new(env!("CARGO_BIN_EXE_vsh")),
        Shell::Dash => Command::new("dash"),
        Shell::Bash => {
            let mut command = Command::new("bash");
            command.arg("--posix");
            command
        }
    };
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("LC_ALL", "C.UTF-8")
        .env("HOME", "/nonexistent/home")
        .env("TMPDIR", std::env::temp_dir())
        .current_dir(directory);
    command
}

#[allow(dead_code, reason = "not every test runs scripts from files")]
/// Runs a script, which lies in a file, in an empty directory of its own.
pub(crate) fn run(which: Shell, script: &str) -> Outcome {
    let place = tempfile::tempdir().expect("a directory");
    let mut file = tempfile::NamedTempFile::new().expect("a file");
    file.write_all(script.as_bytes()).expect("a script");
    let output = shell(which, place.path())
        .arg(file.path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("{which:?} must be installed: {error}"));
    use std::os::unix::process::ExitStatusExt as _;
    let signal = output.status.signal().unwrap_or(0);
    Outcome {
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        status: output.status.code().unwrap_or(128 + signal),
    }
}
