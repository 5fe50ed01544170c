//! Arguments, variables and the current directory.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use crate::io::{ErrorKind, Result};

/// The arguments; what is no UTF-8 in them is replaced.
pub(crate) fn arguments() -> Vec<String> {
    std::env::args_os()
        .map(|argument| argument.to_string_lossy().into_owned())
        .collect()
}

/// The variables. Those of the process itself cannot be changed safely once threads may run; children get these.
fn table() -> MutexGuard<'static, BTreeMap<String, String>> {
    static TABLE: OnceLock<Mutex<BTreeMap<String, String>>> = OnceLock::new();
    TABLE
        .get_or_init(|| {
            let text = |value: std::ffi::OsString| value.to_string_lossy().into_owned();
            Mutex::new(
                std::env::vars_os()
                    .map(|(name, value)| (text(name), text(value)))
                    .collect(),
            )
        })
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

pub(crate) fn var(name: &str) -> Option<String> {
    table().get(name).cloned()
}

pub(crate) fn set_var(name: &str, value: &str) {
    table().insert(name.into(), value.into());
}

pub(crate) fn remove_var(name: &str) {
    table().remove(name);
}

pub(crate) fn vars() -> Vec<(String, String)> {
    table().clone().into_iter().collect()
}

pub(crate) fn current_dir() -> Result<String> {
    utf8(std::env::current_dir()?)
}

pub(crate) fn set_current_dir(path: &str) -> Result<()> {
    Ok(std::env::set_current_dir(path)?)
}

pub(crate) fn current_exe() -> Result<String> {
    utf8(std::env::current_exe()?)
}

/// A path as text.
pub(crate) fn utf8(path: std::path::PathBuf) -> Result<String> {
    path.into_os_string()
        .into_string()
        .map_err(|_| ErrorKind::InvalidData.into())
}
