//! Variables and the current directory: this program's own, in its memory.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use protocol::start::Reader;

use super::lock::Lock;
use super::metadata;
use crate::io::{ErrorKind, Result};
use crate::path;

#[derive(Debug)]
struct Environment {
    variables: BTreeMap<String, String>,
    /// Absolute and without `..`; empty means `/`.
    directory: String,
    /// Empty when nobody has said.
    program: String,
}

static ENVIRONMENT: Lock<Environment> = Lock::new(Environment {
    variables: BTreeMap::new(),
    directory: String::new(),
    program: String::new(),
});

/// Uses the environment. After a panic it may be empty.
fn with<T: Default>(f: impl FnOnce(&mut Environment) -> T) -> T {
    ENVIRONMENT.with(f).unwrap_or_default()
}

/// Takes over what a program was started with.
pub(super) fn begin(record: &Reader<'_>) {
    let variables = record.variables().filter_map(|variable| variable.split_once('='));
    let variables = variables
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let directory = path::absolute("/", record.directory()).unwrap_or_default();
    let program = path::absolute("/", record.program()).unwrap_or_default();
    with(|environment| {
        *environment = Environment {
            variables,
            directory,
            program,
        };
    });
}

pub(crate) fn var(name: &str) -> Option<String> {
    with(|environment| environment.variables.get(name).cloned())
}

pub(crate) fn set_var(name: &str, value: &str) {
    with(|environment| {
        environment.variables.insert(name.into(), value.into());
    });
}

pub(crate) fn remove_var(name: &str) {
    with(|environment| {
        environment.variables.remove(name);
    });
}

pub(crate) fn vars() -> Vec<(String, String)> {
    variables().into_iter().collect()
}

/// The variables by name.
pub(super) fn variables() -> BTreeMap<String, String> {
    with(|environment| environment.variables.clone())
}

pub(crate) fn current_dir() -> Result<String> {
    let directory = with(|environment| environment.directory.clone());
    Ok(if directory.is_empty() {
        "/".into()
    } else {
        directory
    })
}

pub(crate) fn set_current_dir(path: &str) -> Result<()> {
    let directory = directory(path)?;
    with(|environment| environment.directory = directory);
    Ok(())
}

/// The absolute path of a directory that exists.
///
/// # Errors
/// `NotFound`, `NotADirectory`, and those of asking.
pub(super) fn directory(path: &str) -> Result<String> {
    let path = absolute(path)?;
    if !metadata(&path)?.is_dir() {
        return Err(ErrorKind::NotADirectory.into());
    }
    Ok(path)
}

pub(crate) fn current_exe() -> Result<String> {
    let program = with(|environment| environment.program.clone());
    if program.is_empty() {
        return Err(ErrorKind::Unsupported.into());
    }
    Ok(program)
}

/// What a path means that begins at the current directory.
///
/// # Errors
/// `NotFound` when it is empty.
pub(super) fn absolute(path: &str) -> Result<String> {
    path::absolute(&current_dir()?, path).ok_or_else(|| ErrorKind::NotFound.into())
}
